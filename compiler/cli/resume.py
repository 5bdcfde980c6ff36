"""`tellegen resume`: go on with a run that was stopped."""

from __future__ import annotations

import sys

import click

from tellegen.cli import _common as c
from tellegen.cli._progress import EpochBars, summary


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, exists=True))
@c.set_option
@c.timeout_option
def command(folder: str, overrides: tuple[str, ...], timeout: float) -> None:
    """Go on with the run in FOLDER from its last checkpoint.

    The numbers are, bit for bit, those of an uninterrupted run. More epochs may be asked for with
    `--set train.epochs=100`.
    """
    from tellegen.sims.training import resume

    with c.errors(), EpochBars() as bars:
        result = resume(folder, overrides=overrides, timeout=timeout, progress=bars.update)
        bars.stop()
        summary(result)
        if not result.finished:
            sys.exit(c.STOPPED)
