"""docs/references.md lists what the project cites, and names files that cite it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LISTED = (ROOT / "docs" / "references.md").read_text("utf-8")
FOLDERS = ("benchmarks", "cells", "compiler", "docs", "examples", "sims", "tests")
KINDS = (".cir", ".md", ".py", ".tgn")
# "12, 21651 (2022)" of a journal, and numbers of arXiv.
_CITED = re.compile(
    r"\b\d+, (?:[A-Z]{0,2}|e)\d+ \((?:19|20)\d\d\)|\barXiv[: ](?=\d)(\d{4}\.\d{4,5})"
)


def cited(path):
    """The citations of a file, whichever way its lines are broken."""
    text = re.sub(r'"?\n[\s*#%|"]*', " ", path.read_text("utf-8"))
    return {m[1] or m[0] for m in _CITED.finditer(re.sub(r" +", " ", text))}


@pytest.mark.parametrize("folder", FOLDERS)
def test_what_is_cited_is_listed(folder):
    missing = {
        f"{path.relative_to(ROOT)}: {key}"
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in KINDS and path != Path(__file__)
        for key in cited(path)
        if key not in LISTED
    }
    assert not missing


def test_the_files_it_names_cite_it():
    rows = [line for line in LISTED.splitlines() if line.startswith("| ") and "`" in line]
    for row in rows:
        work, _, where, _ = (cell.strip() for cell in row.strip("|").split(" |"))
        name = re.split(r"[ ,]", work)[0]
        for file in re.findall(r"`(\S+)`", where):
            assert name in (ROOT / file).read_text("utf-8"), f"{file} does not name {name}"
    assert rows
