"""What an instance or an edge is made of: a cell of a library, or another network."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tellegen.cells import Cell
from tellegen.diagnostics import did_you_mean, one_of
from tellegen.elaborate.scope import Scope
from tellegen.syntax import tree as t


@dataclass
class Definition:
    """What an instance is made of: a cell, or a network with its declared ports."""

    cell: Cell | None
    network: t.Network | None

    @property
    def ports(self) -> list[str]:
        """The names of its ports."""
        if self.cell is not None:
            return list(self.cell.ports)
        assert self.network is not None
        return [
            s.name.text
            for s in self.network.statements
            if isinstance(s, t.Port) and s.kind in ("input", "output")
        ]

    @property
    def supplies(self) -> list[str]:
        """The ports that stand on a supply unless they are named."""
        return self.cell.supplies if self.cell is not None else []

    @property
    def noun(self) -> str:
        """What a diagnostic calls it."""
        return f"cell `{self.cell.name}`" if self.cell else f"network `{self.network.name}`"  # type: ignore[union-attr]


def definition_of(scope: Scope, cell: t.Cell) -> Definition | None:
    """The cell or network that an instance names, or None: after a diagnostic, maybe elsewhere."""
    found = _find(scope, cell)
    scope.module.whole &= found is not None
    return found


def _find(scope: Scope, cell: t.Cell) -> Definition | None:
    name = cell.name.text
    libraries = scope.context.libraries
    if cell.library is not None:
        library = libraries.get(cell.library.text)
        if library is None:
            if scope.context.complete:
                scope.sink.error(
                    "unknown-library", f"library `{cell.library}` is not imported",
                    cell.library.span, help=did_you_mean(cell.library.text, libraries)
                    or f"add `import {cell.library}`",
                )  # fmt: skip
            return None
        candidates = [library]
    else:
        if name in scope.context.unsound:
            return None
        if name in scope.context.networks:
            return Definition(None, scope.context.networks[name])
        candidates = list(libraries.values())
    found = [lib for lib in candidates if name in lib.cells]
    if len(found) > 1:
        scope.sink.error(
            "unknown-cell", f"cell `{name}` is in more than one library", cell.span,
            help="say which: " + ", ".join(f"`{lib.name}.{name}`" for lib in found),
        )  # fmt: skip
        return None
    if found:
        return Definition(found[0].cells[name], None)
    if scope.context.complete:
        _unknown_cell(scope, cell, [c for lib in candidates for c in lib.cells])
    return None


def leveled(
    scope: Scope, definition: Definition, arguments: tuple[t.Argument, ...]
) -> tuple[Definition, tuple[t.Argument, ...]]:
    """A cell at the level that its `level = ...` or the experiment asks, and the rest."""
    cell = definition.cell
    if cell is None or not cell.level:
        return definition, arguments
    chosen = cell.levels.get(scope.context.level, cell)
    rest: list[t.Argument] = []
    for a in arguments:
        if a.name is None or a.name.text != "level":
            rest.append(a)
        elif isinstance(a.value, t.Path) and str(a.value) in cell.levels:
            chosen = cell.levels[str(a.value)]
        else:
            said = " ".join(a.value.span.text.split())
            scope.sink.error(
                "unknown-name", f"{definition.noun} has no level `{said}`", a.value.span,
                help=did_you_mean(said, cell.levels) or f"it has {one_of(cell.levels)}",
            )  # fmt: skip
    return Definition(chosen, None), tuple(rest)


def _unknown_cell(scope: Scope, cell: t.Cell, cells: list[str]) -> None:
    help = did_you_mean(cell.name.text, [*scope.context.networks, *cells])
    if not help and not scope.context.libraries:
        # One line is missing in the file, however many cells are.
        if scope.told_import:
            return
        scope.told_import = True
        help = "no library is imported: begin the file with `import resistive`"
    scope.sink.error("unknown-cell", f"unknown cell `{cell}`", cell.span,
                    help=help or "see `tellegen cells`")  # fmt: skip


def directions(definition: Definition, ports: Iterable[str]) -> dict[str, str]:
    """The direction of each port: of a network's, `in` or `out`."""
    if definition.cell is not None:
        return {n: p.direction for n, p in definition.cell.ports.items()}
    assert definition.network is not None
    kinds = {p.name.text: p.kind for p in definition.network.statements if isinstance(p, t.Port)}
    return {n: {"input": "in"}.get(kinds[n], "out") for n in ports}


def listed(names: Iterable[str]) -> str:
    """Names as a diagnostic lists them."""
    return ", ".join(f"`{name}`" for name in names)
