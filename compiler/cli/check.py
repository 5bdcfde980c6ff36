"""`tellegen check`: what is wrong with a file."""

from __future__ import annotations

import sys

import click

from tellegen.cli import _common as c
from tellegen.diagnostics import as_json


@click.command()
@c.file_argument
@c.options(c.cells_option, c.allow_option, c.set_option, c.json_option)
def command(
    file: str,
    cells: tuple[str, ...],
    allow: tuple[str, ...],
    overrides: tuple[str, ...],
    as_json_: bool,
) -> None:
    """Check FILE: syntax, names, units, wiring, and every experiment in it.

    Reports everything it finds, each with file, line and column, and what to do about it. ngspice is
    not needed. Exit status 1 if there are errors.
    """
    from tellegen.pipeline import open_file
    from tellegen.sims.check import check_experiments

    with c.errors(as_json_):
        compilation = open_file(file, cells=cells, allow=allow, overrides=overrides)
        sink = compilation.check()
        check_experiments(compilation)
        if as_json_:
            click.echo(as_json(sink.found))
        else:
            sink.raise_errors()
            c.show(sink.found)
            networks = ", ".join(compilation.networks) or "none"
            count = len(sink.warnings)
            warned = f", {count} warning{'s' * (count != 1)}" if count else ""
            click.echo(f"{file}: no errors{warned} (networks: {networks})")
        sys.exit(c.DIAGNOSTICS if sink.errors else 0)
