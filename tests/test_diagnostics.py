"""What Tellegen says about bad input, word by word, and that every code is shown and explained.

`bad/CODE/CASE.tgn` (or `.yml`) holds a mistake, `bad/CODE/CASE.txt` what the command line says about it. A first
line `# tellegen check FILE --set ...` gives the command where it is not plainly `tellegen check FILE`.
After a change of wording: `pytest tests/test_diagnostics.py --update-golden`, then read the difference.
"""

from __future__ import annotations

import ast
import json
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from tellegen.cli import main

ROOT = Path(__file__).parent.parent
BAD = Path(__file__).parent / "bad"
CASES = sorted([*BAD.glob("*/*.tgn"), *BAD.glob("foreign-netlist/*.yml")])
PAGES = ROOT / "compiler" / "explain"


def command_of(case: Path) -> list[str]:
    """The arguments of the command line that a bad file is for."""
    first = case.read_text("utf-8").partition("\n")[0]
    words = shlex.split(first, comments=False) if first.startswith("# tellegen ") else []
    name = str(case.relative_to(BAD))
    return [name if w == "FILE" else w for w in words[2:]] or ["check", name]


def said(case: Path, *options: str) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of a case's command, run in `bad/`."""
    result = CliRunner().invoke(main, [*command_of(case), *options])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(autouse=True)
def in_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BAD)
    monkeypatch.delenv("TELLEGEN_CELLS", raising=False)


@pytest.mark.parametrize("case", CASES, ids=lambda p: str(p.relative_to(BAD).with_suffix("")))
def test_rendering(case: Path, update_golden: bool) -> None:
    status, out, err = said(case)
    expected = case.with_suffix(".txt")
    if update_golden:
        expected.write_text(out + err, "utf-8")
    assert out + err == expected.read_text("utf-8")
    assert f"[{case.parent.name}]: " in err
    assert status == (1 if "error[" in err else 0)


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    """The link is made here, not kept in `bad/`: not every checkout keeps symbolic links."""
    (tmp_path / "secret.csv").write_text("0,1\n", "utf-8")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link.csv").symlink_to("../secret.csv")
    text = """import resistive
network Board {
    node   n[3]
    input  x = n[0]
    output y = n[1]
    e: connect n by edges("link.csv") using resistor()
}
"""
    (inside / "board.tgn").write_text(text, "utf-8")
    result = CliRunner().invoke(main, ["check", str(inside / "board.tgn")])
    assert result.exit_code == 1
    assert "error[forbidden-file]: file `link.csv` lies outside the folders" in result.stderr


# ---------------------------------------------------------------- every code, in the sources and here


def emitted_codes() -> set[str]:
    """The codes that the sources can emit, read off their syntax trees."""
    found: set[str] = set()
    for folder in ("compiler", "cells", "sims"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                found.update(_codes_in(node))
    return found


def _codes_in(node: ast.AST) -> list[str]:
    match node:
        case ast.Call(func=ast.Attribute(attr="error" | "warning"), args=[first, *_]):
            values = [first]
        case ast.Call(func=ast.Name(id="FileRefused" | "WaveformError"), args=[first, *_]):
            values = [first]
        case ast.Assign(targets=[ast.Name(id="BAD" | "UNSAFE" | "_LIBRARY" | "code")], value=value):
            values = [value]
        case _:
            values = []
    texts = [v.value for v in values if isinstance(v, ast.Constant) and isinstance(v.value, str)]
    return [t for t in texts if re.fullmatch("[a-z]+(-[a-z]+)*", t)]


def test_every_code_has_a_bad_file() -> None:
    assert emitted_codes() == {case.parent.name for case in CASES}


def test_every_code_has_one_page() -> None:
    assert emitted_codes() == {page.stem for page in PAGES.glob("*.md")}


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda p: p.stem)
def test_pages_are_short_and_whole(page: Path) -> None:
    text = page.read_text("utf-8")
    assert text.startswith(f"# {page.stem}\n")
    assert 10 <= len(text.splitlines()) <= 30
    assert "```" in text
    assert max(map(len, text.splitlines())) <= 110


def test_no_expected_text_is_left_over() -> None:
    assert {p.with_suffix("") for p in BAD.glob("*/*.txt")} == {p.with_suffix("") for p in CASES}


# ---------------------------------------------------------------- the wording


@pytest.mark.parametrize("case", CASES, ids=lambda p: str(p.relative_to(BAD).with_suffix("")))
def test_wording_and_json(case: Path) -> None:
    _, out, _ = said(case, *(["--json"] if command_of(case)[0] == "check" else []))
    if command_of(case)[0] != "check":
        return
    for d in json.loads(out):
        assert re.match(r"[a-z`0-9$.]", d["message"]), d["message"]
        assert not d["message"].endswith(".")
        assert d["message"].count("`") % 2 == 0
        assert not d["help"].endswith(".")
        for place in (d["primary"], *d["secondary"]):
            assert place["line"] >= 1
            assert place["column"] >= 1
            assert (place["end_line"], place["end_column"]) >= (place["line"], place["column"])


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda p: p.stem)
def test_examples_of_pages_are_wrong_as_said(page: Path, tmp_path: Path) -> None:
    example = page.read_text("utf-8").split("```")[1].lstrip("\n")
    if not example.startswith("import resistive") or "import mylab" in example:
        return  # a command line, or cells of somebody else
    file = tmp_path / "example.tgn"
    file.write_text(example, "utf-8")
    found = json.loads(CliRunner().invoke(main, ["check", str(file), "--json"]).stdout)
    assert {d["code"] for d in found} == {page.stem}
