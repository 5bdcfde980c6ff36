"""`tellegen resume`: go on with a run that was stopped."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tellegen.cli import _common as c
from tellegen.cli._progress import EpochBars, FlightBar, VaryBar, simulated, summary, vary_summary


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, exists=True))
@c.set_option
@c.timeout_option
def command(folder: str, overrides: tuple[str, ...], timeout: float) -> None:
    """Go on with the run in FOLDER: a training, or the transient of a simulation.

    The numbers are, bit for bit, those of an uninterrupted run. A training goes on from its last
    checkpoint; more epochs may be asked for with `--set train.epochs=100`. A transient is gone through
    again and must come by the points that were kept.
    """
    from tellegen.sims.run_folder import read_json
    from tellegen.sims.simulate import resume_simulation
    from tellegen.sims.training import TrainResult, resume

    with c.errors():
        kind = read_json(Path(folder)).get("kind")
    if kind == "simulate":
        if overrides:
            raise click.UsageError("a simulation goes on as it began: `--set` is for trainings")
        with c.errors(), FlightBar() as bar:
            again = resume_simulation(folder, timeout=timeout, flown=bar.update)
            bar.stop()
            simulated(again)
            if not again.finished:
                sys.exit(c.STOPPED)
        return
    with c.errors(), EpochBars() as bars, VaryBar() as varied:
        result = resume(
            folder, overrides=overrides, timeout=timeout, progress=bars.update, varied=varied.update
        )
        bars.stop()
        varied.stop()
        if isinstance(result, TrainResult):
            summary(result)
        else:
            vary_summary(result)
        if not result.finished:
            sys.exit(c.STOPPED)
