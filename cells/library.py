"""Libraries of cells: folders with a `library.toml` and one `.cir` file a cell.

Our own libraries stand beside this module and are always there; a user's folder may be a library
itself or hold several. Nothing outside of such a folder is read, whatever links lie in it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from tellegen.cells.body import BAD, read_shared
from tellegen.cells.cell import Cell, Library
from tellegen.cells.definitions import Definition
from tellegen.cells.frontmatter import Table, read_toml
from tellegen.cells.header import IDENTIFIER, read_cell, read_solver
from tellegen.cells.solver import Solver
from tellegen.diagnostics import CompileError, Diagnostic, Sink, did_you_mean
from tellegen.source import Source

OWN = Path(__file__).parent
LARGEST = 1 << 20
_LIBRARY = "bad-library"
_MANIFEST = "library.toml"


def search_path(given: Sequence[str | Path] = ()) -> tuple[Path, ...]:
    """The folders of a user: those given, then those of the environment's `TELLEGEN_CELLS`."""
    listed = os.environ.get("TELLEGEN_CELLS", "").split(os.pathsep)
    return (*map(Path, given), *(Path(folder) for folder in listed if folder))


def available(folders: Sequence[str | Path] = ()) -> list[str]:
    """The names of all libraries: our own and those in the given folders."""
    return sorted({folder.name for folder in _libraries(folders)})


def find_library(name: str, folders: Sequence[str | Path] = ()) -> Library | None:
    """The library of that name, or None where there is none.

    Raises:
        CompileError: a folder to search is no folder, two libraries have the name, or a file of the
            library has mistakes; every mistake of every file is in it.
    """
    sink = Sink()
    found = [folder for folder in _libraries(folders, sink) if folder.name == name]
    if len({folder.resolve() for folder in found}) > 1:
        where = Source(str(found[1] / _MANIFEST), "")
        sink.error(
            _LIBRARY,
            f"there are two libraries `{name}`: `{found[0]}` and `{found[1]}`",
            where.span(0, 0),
            help="rename the folder of yours",
        )
    sink.raise_errors()
    if not found:
        return None
    library = _library(found[0], sink)
    sink.raise_errors()
    return library


def _libraries(folders: Sequence[str | Path], sink: Sink | None = None) -> Iterator[Path]:
    """The folders that are libraries."""
    for root in (OWN, *map(Path, folders)):
        # A relative path such as `.` has no name of its own.
        named = root if root.name else root.resolve()
        try:
            candidates = [named, *sorted(named.iterdir())]
        except OSError as error:
            if sink is not None:
                where = Source(str(root), "").span(0, 0)
                reason = (error.strerror or "").lower()
                sink.error(_LIBRARY, f"`{root}` cannot be searched for cells: {reason}", where)
            continue
        yield from (folder for folder in candidates if _is_inside(folder / _MANIFEST, named))


def _is_inside(file: Path, root: Path) -> bool:
    """Whether a file exists as an ordinary file below a folder, with all links followed."""
    try:
        resolved = file.resolve()
        return resolved.is_relative_to(root.resolve()) and resolved.is_file()
    except (OSError, RuntimeError):
        return False


def _library(folder: Path, sink: Sink) -> Library | None:
    manifest = _read(folder / _MANIFEST, folder, _LIBRARY, sink)
    if manifest is None:
        return None
    if not IDENTIFIER.fullmatch(folder.name):
        sink.error(
            _LIBRARY,
            f"`{folder.name}` cannot be the name of a library",
            manifest.span(0, 0),
            help="name the folder with a lower-case identifier",
        )
    table = read_toml(manifest, manifest.text, _LIBRARY, sink)
    if table is None:
        return None
    table.only("title", "description", "delay", "solver")
    solver = read_solver(table)
    shared = _shared(folder, sink)
    cells: dict[str, Cell] = {}
    owners: dict[str, str] = {}
    for path in sorted(folder.glob("[!_]*.cir")):
        cell = _cell(path, folder, shared, solver, sink)
        if cell is None:
            continue
        own = (d for one in cell.levels.values() for d in one.definitions if not d.library)
        for name in dict.fromkeys(name for d in own for name in d.names):
            if name in owners:
                sink.error(
                    BAD,
                    f"`{name}` is defined by the cell `{owners[name]}` as well",
                    cell.source.span(0, 0),
                )
            owners[name] = cell.name
        cells[cell.name] = cell
    return Library(
        name=folder.name,
        title=table.required_text("title", "a line that names the library"),
        description=table.text("description"),
        delay=_delay(table, cells),
        cells=cells,
    )


def _delay(header: Table, cells: dict[str, Cell]) -> str:
    """The cell that delays spikes: one spike in, one spike out, and a parameter `delay`."""
    name = header.text("delay")
    cell = cells.get(name)
    if name and cell is None:
        header.error(f"there is no cell `{name}`", "delay", help=did_you_mean(name, cells))
        return ""
    if cell is not None:
        kinds = [(p.discipline, p.direction) for p in cell.ports.values()]
        if kinds != [("spike", "in"), ("spike", "out")] or "delay" not in cell.params:
            header.error(
                f"`{name}` cannot delay spikes: it needs a spike input, a spike output, and a "
                "parameter `delay`",
                "delay",
            )
    return name


def _shared(folder: Path, sink: Sink) -> tuple[Definition, ...]:
    """What the cells of a library share: the definitions in its files `_*.cir`."""
    found: list[Definition] = []
    for path in sorted(folder.glob("_*.cir")):
        source = _read(path, folder, BAD, sink)
        if source is not None:
            found += read_shared(folder.name, source, found, sink)
    return tuple(found)


def _cell(
    path: Path, folder: Path, shared: tuple[Definition, ...], solver: Solver, sink: Sink
) -> Cell | None:
    if not IDENTIFIER.fullmatch(path.stem):
        where = Source(str(path), "").span(0, 0)
        sink.error(
            BAD,
            f"`{path.stem}` cannot be the name of a cell",
            where,
            help="name the file with a lower-case identifier",
        )
        return None
    source = _read(path, folder, BAD, sink)
    if source is None:
        return None
    cell, diagnostics = _read_cell(path.stem, folder.name, source.name, source.text, shared, solver)
    for diagnostic in diagnostics:
        sink.add(diagnostic)
    return cell


@lru_cache(maxsize=512)
def _read_cell(
    name: str, library: str, file: str, text: str, shared: tuple[Definition, ...], solver: Solver
) -> tuple[Cell | None, tuple[Diagnostic, ...]]:
    sink = Sink()
    cell = read_cell(name, library, Source(file, text), sink, shared, solver)
    return cell, tuple(sink.found)


def _read(path: Path, folder: Path, code: str, sink: Sink) -> Source | None:
    """The text of a file of a library; None, and a diagnostic, where it is not to be read."""
    source = Source(str(path), "")
    reason = ""
    if not _is_inside(path, folder):
        reason = "is no ordinary file inside of its library"
    else:
        try:
            with path.open("rb") as file:
                data = file.read(LARGEST + 1)
            if len(data) <= LARGEST:
                return Source(str(path), data.decode("utf-8").replace("\r\n", "\n"))
            reason = f"is larger than {LARGEST >> 20} MiB"
        except UnicodeDecodeError:
            reason = "is not UTF-8 text"
        except OSError as error:
            reason = f"cannot be read: {error.strerror}"
    sink.error(code, f"`{path.name}` {reason}", source.span(0, 0))
    return None


def load_all(folders: Sequence[str | Path] = ()) -> list[Library]:
    """Every library.

    Raises:
        CompileError: any of them has mistakes; it holds those of all.
    """
    libraries: list[Library] = []
    found: list[Diagnostic] = []
    for name in available(folders):
        try:
            library = find_library(name, folders)
        except CompileError as error:
            found += [d for d in error.diagnostics if d not in found]
        else:
            libraries += [library] if library is not None else []
    if found:
        raise CompileError(found)
    return libraries
