"""`tellegen cells`: which cells there are, and everything about one of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click

from tellegen.cells import Cell, Library, find_library, load_all, search_path
from tellegen.cli import _common as c
from tellegen.diagnostics import did_you_mean, one_of


@click.command()
@click.argument("name", required=False, metavar="[LIBRARY[.CELL]]")
@click.option(
    "--locality",
    is_flag=True,
    help="What each plasticity rule reads, as a table; without a LIBRARY also the rules of `learn`.",
)
@c.options(c.cells_option, c.json_option)
def command(name: str | None, locality: bool, cells: tuple[str, ...], as_json_: bool) -> None:
    """List the libraries of cells, the cells of one LIBRARY, or show one LIBRARY.CELL.

    \b
    Examples:
      tellegen cells                          all libraries and their cells
      tellegen cells resistive.digipot        ports, parameters, SPICE text of one cell
      tellegen cells --cells ~/mycells mylab  a library in a folder of your own
      tellegen cells --locality cmos          which variables of its two neurons each rule reads
    """  # noqa: D301 - click wants the backspace itself
    with c.errors(as_json_):
        if name and "." in name:
            (cell,) = chosen((name,), cells)
            click.echo(json.dumps(_cell_json(cell), indent=2)) if as_json_ else _show_cell(cell)
            return
        libraries = load_all(search_path(cells)) if name is None else [library(name, cells)]
        if locality:
            _show_locality(libraries, as_json_, _learning_rules() if name is None else [])
        elif as_json_:
            click.echo(json.dumps([_library_json(found) for found in libraries], indent=2))
        else:
            _show_libraries(libraries)


def library(name: str, cells: Sequence[str]) -> Library:
    """The library of that name, or a usage error with the nearest one."""
    from tellegen.cells import available

    path = search_path(cells)
    found = find_library(name, path)
    if found is None:
        known = available(path)
        hint = did_you_mean(name, known) or f"known: {one_of(known)}"
        raise click.UsageError(f"there is no library `{name}`; {hint}")
    return found


def chosen(names: Sequence[str], cells: Sequence[str]) -> list[Cell]:
    """The cells that names such as `resistive` and `resistive.diode` choose; all for no names."""
    if not names:
        return [cell for found in load_all(search_path(cells)) for cell in found.cells.values()]
    result: dict[tuple[str, str], Cell] = {}
    for name in names:
        of, _, one = name.partition(".")
        found = library(of, cells).cells
        if one and one not in found:
            hint = did_you_mean(one, found) or f"it has {one_of(found, 20)}"
            raise click.UsageError(f"library `{of}` has no cell `{one}`; {hint}")
        result |= {(of, key): cell for key, cell in found.items() if one in ("", key)}
    return list(result.values())


# ---------------------------------------------------------------- as text


def _show_libraries(libraries: Sequence[Library]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    console = _console()
    for found in libraries:
        console.print(Text(found.name, style="bold"), Text(f"- {found.title}"))
        if found.description:
            console.print(Text(found.description, style="dim"))
        table = Table(box=box.SIMPLE, pad_edge=False)
        for column in ("cell", "ports", "can be written", "what it is"):
            table.add_column(column, no_wrap=column == "cell")
        for name, cell in found.cells.items():
            row = (name, ", ".join(cell.ports), ", ".join(cell.programmable), cell.summary)
            table.add_row(*map(Text, row))
        console.print(table)


def _learning_rules() -> list[Any]:
    """The rules that `learn` knows."""
    from tellegen.sims import plugins

    package = "tellegen.sims.rules"
    return [plugins.load(package, name) for name in plugins.names(package)]


def _show_locality(libraries: Sequence[Library], as_json_: bool, learning: Sequence[Any]) -> None:
    """What plasticity cells declare that they read, in the form of Khacef et al. (2023); and learning rules."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    rules = [(cell, cell.locality) for found in libraries for cell in found.cells.values()
             if cell.locality is not None]  # fmt: skip
    if as_json_:
        said = {f"{c.library}.{c.name}": asdict(read) for c, read in rules}
        said |= {
            r.name: {k: getattr(r, k) for k in ("locality", "phases", "reads", "told", "feedback")}
            for r in learning
        }
        click.echo(json.dumps(said, indent=2))
        return
    table = Table(box=box.SIMPLE, pad_edge=False)
    for column in ("rule", "presynaptic", "postsynaptic", "third factor", "own weight", "from"):
        table.add_column(column, no_wrap=column == "rule")
    for cell, read in rules:
        sides = (", ".join(side) for side in (read.pre, read.post, read.third))
        table.add_row(*map(Text, (
            cell.name, *sides, "yes" if read.weight else "", cell.reference.split(";")[0]
        )))  # fmt: skip
    _console().print(table)
    if learning:
        trained = Table(box=box.SIMPLE, pad_edge=False)
        for column in (
            "rule of `learn`",
            "locality",
            "phases",
            "reads at its edge",
            "told",
            "sent back",
            "from",
        ):
            trained.add_column(column, no_wrap=column.startswith("rule"))
        for r in learning:
            trained.add_row(*map(Text, (
                r.name, r.locality, ", ".join(r.phases), ", ".join(r.reads), ", ".join(r.told),
                {"": "", "error": "the error", "random": "random mixtures of the error"}[r.feedback],
                r.reference.split(";")[0],
            )))  # fmt: skip
        _console().print(trained)


def _show_cell(cell: Cell) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    console = _console()
    console.print(Text(f"{cell.library}.{cell.name}", style="bold"), Text(f"- {cell.summary}"))
    for paragraph in (cell.doc, f"Reference: {cell.reference}"):
        if paragraph:
            console.print()
            console.print(Text(paragraph))
    for title, columns, rows in _tables(cell):
        console.print()
        console.print(Text(title, style="bold"))
        if not rows:
            console.print(Text("  none"))
            continue
        table = Table(box=box.SIMPLE, pad_edge=False)
        for column in columns:
            table.add_column(column)
        for row in rows:
            table.add_row(*map(Text, row))
        console.print(table)
    console.print(Text("SPICE", style="bold"), Text(f"({cell.source.name})"))
    console.print(Text(cell.text.rstrip()), soft_wrap=True)


def _tables(cell: Cell) -> list[tuple[str, tuple[str, ...], list[tuple[str, ...]]]]:
    return [
        (
            "Ports",
            ("name", "discipline", "direction", ""),
            [(p.name, p.discipline, p.direction, p.doc) for p in cell.ports.values()],
        ),
        (
            "Parameters",
            ("name", "unit", "default", "min", "max", "step", ""),
            [
                (
                    p.name, p.unit, "must be given" if p.default is None else f"{p.default:g}",
                    *(_limit(limit) for limit in (p.min, p.max, p.step)), p.doc,
                )
                for p in cell.params.values()
            ],
        ),
        (
            "Can be written while the circuit runs",
            ("parameter", "carried by", "as", "step", "write noise", "conductance", "phase"),
            [
                (
                    p.param, ", ".join(p.elements) + (f" [{p.attribute}]" if p.attribute else ""),
                    ", ".join(p.expressions), _limit(p.step), f"{p.noise:g}" if p.noise else "", p.sense,
                    "of light" if p.phase else "",
                )
                for p in cell.programmable.values()
            ],
        ),
        (
            "Can be observed",
            ("name", "measures", "unit", ""),
            [(o.name, o.expr, o.unit, o.doc) for o in cell.observables.values()],
        ),
        (
            "Self-tests (`tellegen verify`)",
            ("name", "expects"),
            [(t.name, "; ".join({e.source: 0 for e in t.expect})) for t in cell.selftests],
        ),
    ]  # fmt: skip


def _limit(limit: float | str | None) -> str:
    return "" if limit is None else limit if isinstance(limit, str) else f"{limit:g}"


def _console() -> Any:
    from rich.console import Console

    # Rows stay in one piece where no terminal sets a width.
    return Console(highlight=False, width=None if sys.stdout.isatty() else 200)


# ---------------------------------------------------------------- as JSON


def _library_json(found: Library) -> dict[str, Any]:
    return {
        "name": found.name,
        "title": found.title,
        "description": found.description,
        "cells": {name: cell.summary for name, cell in found.cells.items()},
    }


def _cell_json(cell: Cell) -> dict[str, Any]:
    def plain(item: Any, *fields: str) -> dict[str, Any]:
        return {name: getattr(item, name) for name in fields}

    return {
        **plain(cell, "name", "library", "summary", "doc", "reference"),
        "file": cell.source.name,
        "ports": [plain(p, "name", "discipline", "direction", "doc") for p in cell.ports.values()],
        "params": [
            plain(p, "name", "unit", "default", "min", "max", "step", "doc")
            for p in cell.params.values()
        ],
        "programmable": [
            plain(
                p,
                "param",
                "elements",
                "attribute",
                "expressions",
                "step",
                "noise",
                "sense",
                "phase",
            )
            for p in cell.programmable.values()
        ],
        "observables": [plain(o, "name", "expr", "unit", "doc") for o in cell.observables.values()],
        "dc": {"paths": cell.dc_paths, "sources": cell.dc_sources},
        "levels": [level for level in cell.levels if level],
        "locality": None if cell.locality is None else asdict(cell.locality),
        "selftests": [test.name for test in cell.selftests],
        "text": cell.text,
    }
