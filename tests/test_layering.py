"""The rooms of the house know only those below them."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-dir"]

# Bottom first. A module or package may import those above its line in this list, and itself.
ORDER = (
    "arrays",
    "source",
    "diagnostics",
    "manifest",
    "files",
    "seeds",
    "quantity",
    "grammar",
    "syntax",
    "values",
    "signature",
    "cells",
    "circuit",
    "meshes",
    "elaborate",
    "emit.names",
    "netlists",
    "flatten",
    "checks",
    "bench",
    "bundle",
    "revalue",
    "emit",
    "partition",
    "pipeline",
    "explain",
    "sims.errors",
    "sims.plugins",
    "sims.workers",
    "sims.ngspice",
    "sims.session",
    "sims.inflight",
    "sims.flight",
    "sims.controllers",
    "sims.datasets",
    "sims.rules",
    "sims.tasks",
    "sims.learning",
    "sims.run_folder",
    "sims.reservoir",
    "sims.variational",
    "sims.simulation",
    "sims",
    "sims.report",
    "cli",
)
SIMULATOR = {"PySpice", "cffi"}  # only sims touches it
SLOW = SIMULATOR | {"matplotlib", "sklearn", "scipy", "pandas", "networkx", "pint"}


class Imports(ast.NodeVisitor):
    """The modules that one file imports: at once, when a function runs, or for type checks."""

    def __init__(self, text, package):
        self.package, self.now, self.later = package, set(), set()
        self._found = self.now
        self.visit(ast.parse(text))

    def visit_Import(self, node):
        self._found.update(alias.name for alias in node.names)

    def visit_ImportFrom(self, node):
        assert node.level == 0, "import by full name"
        inner = [f"{node.module}.{alias.name}" for alias in node.names]
        self._found.update(name if unit(name) else node.module for name in inner)

    def visit_FunctionDef(self, node):
        found, self._found = self._found, self.later
        self.generic_visit(node)
        self._found = found

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - the name that ast looks for

    def visit_If(self, node):
        if not (isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"):
            self.generic_visit(node)


def unit(module):
    """The entry of ORDER that a module belongs to, or None for a module of others."""
    inner = module.removeprefix("tellegen.")
    fits = [name for name in ORDER if inner == name or inner.startswith(name + ".")]
    return max(fits, key=len) if inner != module and fits else None


def room_of(module):
    """The folder of the checkout, or the part of the compiler, that a module belongs to."""
    found = unit(module)
    return "sims" if found and found.startswith("sims.") else found


def modules():
    for package, folder in FOLDERS.items():
        for file in sorted((ROOT / folder).rglob("*.py")):
            parts = file.relative_to(ROOT / folder).with_suffix("").parts
            yield ".".join([package, *(part for part in parts if part != "__init__")]), file


MODULES = {name: Imports(file.read_text(), name) for name, file in modules()}
INNER = {
    name: found for name, found in MODULES.items() if name not in ("tellegen", "tellegen.__main__")
}


@pytest.mark.parametrize("name", INNER)
def test_a_module_imports_only_what_lies_below(name):
    here = unit(name)
    assert here, f"say in ORDER where {name} belongs"
    below = ORDER[: ORDER.index(here) + 1]
    found = INNER[name]
    for imported in sorted(found.now | found.later):
        if imported.split(".")[0] == "tellegen":
            assert unit(imported) in below, f"{name} imports {imported}"


@pytest.mark.parametrize(
    ("room", "known"),
    [
        ("cells", {"arrays", "cells", "diagnostics", "source"}),
        ("sims", set(ORDER) - {"syntax", "cli", "grammar", "explain"}),
    ],
)
def test_a_room_knows_its_neighbours_only(room, known):
    for name, found in INNER.items():
        if room_of(name) == room:
            seen = {room_of(imported) for imported in found.now | found.later}
            assert seen <= known | {None}, name


def test_only_the_simulator_side_touches_the_simulator():
    for name, found in MODULES.items():
        touched = {imported.split(".")[0] for imported in found.now | found.later} & SIMULATOR
        assert not touched or room_of(name) == "sims", name


def test_commands_import_the_simulator_side_when_they_run():
    for name, found in MODULES.items():
        if unit(name) == "cli":
            assert not {imported for imported in found.now if room_of(imported) == "sims"}, name


@pytest.mark.parametrize("work", ["", "from tellegen.cli import main; main(['--help'])"])
def test_starting_loads_nothing_slow(work):
    code = f"""
import atexit, sys
atexit.register(lambda: print(*sorted({SLOW!r} & sys.modules.keys()), file=sys.stderr))
import tellegen
{work}
"""
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr.strip() == ""
