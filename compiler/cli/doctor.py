"""`tellegen doctor`: which ngspice runs here, why that one, and what it can do."""

from __future__ import annotations

import json
import platform
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

import click

from tellegen.cli import _common as c

if TYPE_CHECKING:
    from tellegen.sims.ngspice.locate import Location
    from tellegen.sims.ngspice.probe import Capabilities


@click.command()
@c.json_option
def command(as_json_: bool) -> None:
    """Look at this installation: which ngspice is used, why, and what it can do.

    The library is loaded in a process of its own and solves a voltage divider. Exit status: 0 if
    that came out right, 3 if no ngspice was found, 4 if it does not work.
    """
    from tellegen.sims.ngspice.locate import locate
    from tellegen.sims.ngspice.probe import probe

    with c.errors(as_json_):
        location = locate()
        found = probe(location)
    report = _report(location, found)
    if as_json_:
        click.echo(json.dumps(report, indent=2))
    else:
        _show(report, found)
    if not found.works:
        sys.exit(c.FAILED)


def _report(location: Location, found: Capabilities) -> dict[str, object]:
    return {
        "ngspice": found.version,
        "library": str(location.library),
        "found": location.found,
        "program": str(location.program) if location.program else None,
        "solvers": ["sparse", "klu"] if found.klu else ["sparse"],
        "osdi": found.osdi,
        "code_models": found.code_models,
        "threads": found.threads,
        "divider": found.divider,
        "works": found.works,
        "pyspice": version("PySpice"),
        "python": platform.python_version(),
        "tellegen": version("tellegen"),
    }


def _show(report: dict[str, object], found: Capabilities) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    def yes(value: bool, without: str) -> str:
        return "yes" if value else f"no: {without}"

    rows = {
        "ngspice": str(found.version),
        "library": str(report["library"]),
        "found by": str(report["found"]),
        "program": str(report["program"] or "not found; only the library is there"),
        "KLU solver": yes(found.klu, "networks above some 1,000 edges solve slower (46 has it)"),
        "Verilog-A (OSDI)": yes(found.osdi, "cells in Verilog-A cannot be used (46 has it)"),
        "XSPICE code models": yes(found.code_models, "not loaded; no cell of ours needs them"),
        "threads": f"{found.threads}",
        "voltage divider": f"{found.divider} V, as it should be" if found.works else "wrong",
        "PySpice": str(report["pyspice"]),
        "Python": f"{report['python']} ({sys.executable})",
        "Tellegen": str(report["tellegen"]),
    }
    table = Table(box=box.SIMPLE, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows.items():
        table.add_row(name, value)
    # Paths stay in one piece where no terminal sets a width.
    Console(highlight=False, width=None if sys.stdout.isatty() else 200).print(table)
