"""What the documentation shows is true: its snippets compile, its Python runs, its commands exist.

A page says invisibly, in a comment right above a block, what the block needs:

- `<!-- tgn` ... `-->`: the rest of a `.tgn` file, with a line `...` where the block stands;
- `<!-- tgn: CODE ... -->`: the block holds mistakes that are reported with these codes and no others; what
  is said of them may follow as a `text` block;
- `<!-- tgn file NAME -->`, `<!-- tgn append NAME -->`: the block is that file, or its further lines, for
  later blocks and commands;
- `<!-- file NAME` ... `-->`: a file that commands find but a reader does not see;
- `<!-- not run -->`: a Python block that is not a program of its own.

Python blocks of a page run one after the other, as the cells of a notebook do. Of commands the options are
read; those that need no simulator run, and what a page shows of their output must be there.
"""

import json
import re
import shlex
import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tellegen.cli import main
from tellegen.diagnostics import render
from tellegen.files import Files
from tellegen.pipeline import Compilation
from tellegen.sims.check import check_experiments
from tellegen.source import Source

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
PAGES = sorted(
    p
    for pattern in ("*.md", "docs/*.md", "*/README.md", "compiler/*/README.md")
    for p in ROOT.glob(pattern)
    if not p.is_relative_to(ROOT / ".venv")
)
QUICK = ("check", "compile", "cells", "explain")
_BLOCK = re.compile(r"(?:^<!--(.*?)-->\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HIDDEN = re.compile(r"^<!-- file (\S+)\n(.*?)^-->$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)#\s]+)?(?:#([^)\s]+))?\)")


@dataclass(frozen=True)
class Block:
    page: Path
    line: int
    kind: str
    said: str  # the comment above it
    text: str
    after: str  # the rest of the page

    @property
    def name(self):
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(kind, pages=PAGES):
    for page in pages:
        text = page.read_text("utf-8")
        for found in _BLOCK.finditer(text):
            said, of, body = found.groups()
            if of == kind:
                line = text.count("\n", 0, found.start(3))
                yield Block(page, line, kind, (said or "").strip(), body, text[found.end() :])


def each(kind):
    found = list(blocks(kind))
    return pytest.mark.parametrize("block", found, ids=[b.name for b in found])


def files(page, line):
    """The files that a page has built up to a line."""
    made = dict(_HIDDEN.findall(page.read_text("utf-8")))
    for block in blocks("tgn", [page]):
        said = re.fullmatch(r"tgn (file|append) (\S+)", block.said)
        if said and block.line <= line:
            before = made[said[2]] + "\n" if said[1] == "append" else ""
            made[said[2]] = before + block.text
    return made


@each("tgn")
def test_the_compiler_accepts_it(block):
    text, expected = block.text, set()
    if block.said.startswith("tgn:"):
        expected = set(block.said.removeprefix("tgn:").split())
    elif said := re.fullmatch(r"tgn (?:file|append) (\S+)", block.said):
        text = files(block.page, block.line)[said[1]]
    elif block.said:
        around = block.said.removeprefix("tgn") + "\n"
        assert around.count("\n...\n") == 1
        text = around.replace("\n...\n", f"\n{block.text}\n")
    shown = re.match(r"\n\n```text\n(.*?)```\n", block.after, re.DOTALL) if expected else None
    file = re.search(r"--> (.*?):\d", shown[1])[1] if shown else block.name
    compilation = Compilation(Source(file, text), Files((EXAMPLES,)))
    compilation.check()
    check_experiments(compilation)
    found = {d.code for d in compilation.sink.found}
    said = "\n\n".join(render(d) for d in compilation.sink.found)
    assert found == expected, said
    if shown:
        assert shown[1].strip() == said.strip()


PYTHON = sorted({b.page for b in blocks("python")})


@pytest.mark.parametrize("page", PYTHON, ids=[str(p.relative_to(ROOT)) for p in PYTHON])
def test_its_python_runs(page, tmp_path, monkeypatch, capsys):
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    scope = {"__name__": "__main__"}
    for block in blocks("python", [page]):
        if block.said != "not run":
            # Lines of a traceback are lines of the page.
            code = compile("\n" * block.line + block.text, str(page), "exec")
            exec(code, scope)


def commands():
    for block in blocks("console"):
        parts = re.split(r"^\$ ", block.text, flags=re.MULTILINE)
        assert not parts[0].strip(), f"{block.name}: output before a command"
        for part in parts[1:]:
            command, _, output = part.partition("\n")
            if command.startswith("tellegen"):
                yield block, command, output


COMMANDS = list(commands())


@pytest.mark.parametrize(
    ("block", "command", "output"), COMMANDS, ids=[f"{b.name}-{c[9:30]}" for b, c, _ in COMMANDS]
)
def test_its_command_is_one(block, command, output, tmp_path, monkeypatch):
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    for file in EXAMPLES.iterdir():  # a page may stand in the examples' own folder
        shutil.copy(file, tmp_path)
    for name, text in files(block.page, block.line).items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    arguments = shlex.split(command, comments=True)[1:]
    for word in arguments:
        if word.startswith("runs/") or word in ("cells", "mylab"):
            (tmp_path / word).mkdir(parents=True, exist_ok=True)
    if arguments and arguments[0] in QUICK:
        done = CliRunner().invoke(main, arguments)
        assert done.exception is None or isinstance(done.exception, SystemExit)
        assert shows(output, done.output), done.output
        assert output or done.exit_code == 0, done.output
    elif arguments[0] not in ("--help", "--version"):
        found = main.get_command(click.Context(main), arguments[0])
        assert found is not None
        found.make_context(arguments[0], arguments[1:])


def shows(shown, output):
    """Whether an output is the one shown, where a line `...` stands for any lines."""
    parts = re.split(r"^\.\.\.\n", shown, flags=re.MULTILINE)
    pattern = r"(?:.*\n)*?".join(re.escape(part) for part in parts)
    return not shown.strip() or re.fullmatch(pattern + r"\s*", output + "\n") is not None


@pytest.mark.parametrize("page", PAGES, ids=[str(p.relative_to(ROOT)) for p in PAGES])
def test_its_links_lead_somewhere(page):
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for path, anchor in _LINK.findall(text):
        if "://" in path or path.startswith("mailto:"):
            continue
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), path
        if anchor and target.suffix == ".md":
            heads = re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.MULTILINE)
            assert anchor in {slug(h) for h in heads}, f"{path}#{anchor}"


def slug(heading):
    """The anchor that a heading gets."""
    plain = re.sub(r"[^\w\- ]", "", heading.lower())
    return plain.replace(" ", "-")


PACKAGES = [p.parent for p in PAGES if p.name == "README.md" and any(p.parent.glob("*.py"))]


A_FILE_EACH = ("controllers", "datasets", "rules", "plasticity")  # found by name


@pytest.mark.parametrize("folder", PACKAGES, ids=[str(p.relative_to(ROOT)) for p in PACKAGES])
def test_a_folders_readme_names_its_files(folder):
    text = (folder / "README.md").read_text("utf-8")
    named = set(re.findall(r"`(\w+\.py)`", text))
    inner = [d for d in folder.iterdir() if d.is_dir() and d.name not in A_FILE_EACH]
    folders = [folder, *(d for d in inner if not (d / "README.md").exists())]
    found = {p.name for d in folders for p in d.glob("*.py")}
    there = found - {"__init__.py", "__main__.py"}
    assert not there - named
    folders = ("compiler", "cells", "sims", "tests", "benchmarks")
    assert not named - {p.name for f in folders for p in (ROOT / f).rglob("*.py")}


def test_the_readme_quotes_the_benchmarks():
    def value(benchmark, name):
        kept = json.loads((ROOT / "benchmarks" / "results" / benchmark / "rows.json").read_text())
        (found,) = (row["value"] for row in kept["rows"] if row["name"] == name)
        return found

    text = " ".join((ROOT / "README.md").read_text("utf-8").split())
    assert f"{value('iris', 'accuracy, ngspice test'):.1%} with ngspice".replace("%", " %") in text
    assert f"{value('iris', 'accuracy, LDA'):.1%} with linear".replace("%", " %") in text
    rebuild = value("step", "1024 nodes: faster than pyspice rebuild")
    alter = value("step", "1024 nodes: faster than pyspice alter")
    scipy = 1 / value("step", "1024 nodes: faster than scipy")
    assert f"{rebuild:.0f} times faster than a script that rebuilds" in text
    assert f"{alter:.1f} times faster than one that uses PySpice's `alter`" in text
    assert f"is {scipy:.1f} times faster than ngspice" in text
    assert f"compiled in {value('scale', 'all of it'):.0f} s" in text


def test_the_citation_names_this_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()
