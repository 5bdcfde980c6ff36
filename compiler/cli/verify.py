"""`tellegen verify`: the self-tests of cells, run in ngspice."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from tellegen.cli import _common as c
from tellegen.cli.cells import chosen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tellegen.cells import Cell
    from tellegen.sims.ngspice.verify import Outcome


@click.command()
@click.argument("names", nargs=-1, metavar="[LIBRARY[.CELL]]...")
@c.options(c.cells_option, c.json_option)
def command(names: tuple[str, ...], cells: tuple[str, ...], as_json_: bool) -> None:
    """Run the self-tests of cells in ngspice: of all, of a LIBRARY, or of one LIBRARY.CELL.

    Shows what was measured beside what the theory gives. Exit status 4 if any test fails.

    \b
    Examples:
      tellegen verify
      tellegen verify resistive.digipot resistive.diode
      tellegen verify --cells ~/mycells mylab
    """  # noqa: D301 - click wants the backspace itself
    with c.errors(as_json_):
        from tellegen.sims.ngspice.verify import verify

        picked = chosen(names, cells)
        outcomes = list(verify(picked))
    if as_json_:
        click.echo(json.dumps([asdict(outcome) for outcome in outcomes], indent=2))
    else:
        _show(outcomes, picked)
    if not all(outcome.passed for outcome in outcomes):
        sys.exit(c.FAILED)


def _show(outcomes: Sequence[Outcome], picked: Sequence[Cell]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE, pad_edge=False)
    for column in ("cell", "test", "quantity"):
        table.add_column(column)
    for column in ("measured", "expected", "error"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("from")
    table.add_column("")
    for o in outcomes:
        measured, error = ("-", "-") if o.measured is None else (f"{o.measured:.7g}", _error(o))
        mark = Text("pass", "green") if o.passed else Text("FAIL", "bold red")
        row = (o.cell, o.test, o.expr, measured, f"{o.expected:.7g}", error, o.source)
        table.add_row(*map(Text, row), mark)
    # Rows stay in one piece where no terminal sets a width.
    Console(highlight=False, width=None if sys.stdout.isatty() else 250).print(table)
    for trouble in dict.fromkeys(f"{o.cell}, {o.test}: {o.trouble}" for o in outcomes if o.trouble):
        click.echo(trouble, err=True)
    untested = [f"{cell.library}.{cell.name}" for cell in picked if not cell.selftests]
    if untested:
        click.echo(f"without a self-test: {', '.join(untested)}", err=True)
    failed = sum(not outcome.passed for outcome in outcomes)
    count = f"{len(outcomes)} expectations of {len(picked) - len(untested)} cells"
    click.echo(f"{count}: " + (f"{failed} failed" if failed else "all passed"))


def _error(outcome: Outcome) -> str:
    return f"{outcome.error:.1e}" + (" abs" if outcome.expected == 0 else "")
