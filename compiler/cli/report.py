"""`tellegen report`: one HTML page about a run."""

from __future__ import annotations

import click

from tellegen.cli import _common as c


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, exists=True))
def command(folder: str) -> None:
    """Write FOLDER/report.html: one self-contained page about the run.

    Learning curve, the network drawn with its conductances, accuracy table, provenance.
    """
    from tellegen.sims.report import write_report

    with c.errors():
        click.echo(write_report(folder))
