"""`tellegen train`: train a network in ngspice."""

from __future__ import annotations

import sys

import click

from tellegen.cli import _common as c
from tellegen.cli._progress import (
    EpochBars,
    FlightBar,
    VaryBar,
    read_summary,
    summary,
    vary_summary,
)


@click.command()
@c.file_argument
@click.argument("name", required=False)
@c.out_option
@c.options(c.set_option, c.seed_option, c.cells_option, c.allow_option)
@c.timeout_option
def command(
    file: str, name: str | None, out: str, overrides: tuple[str, ...], seed: int | None,
    cells: tuple[str, ...], allow: tuple[str, ...], timeout: float,
) -> None:  # fmt: skip
    """Run the train block NAME of FILE (the only one, if not named).

    Every solve is done by ngspice on the netlist compiled from FILE. Everything about the run is kept
    in a folder: source, netlists before and after, manifest, metrics, parameters over time, figures, a
    report. Ctrl-C stops after saving; `tellegen resume FOLDER` goes on to the same numbers, of a block
    that varies phases too. A block that learns a read-out runs its series as one transient, which Ctrl-C ends for good.

    \b
    Examples:
      tellegen train examples/iris.tgn
      tellegen train examples/iris.tgn --set train.epochs=5 --seed 3
      tellegen train examples/hydrogen.tgn Ground --set train.vary.flat="0.01 mHa"
    """  # noqa: D301 - click wants the backspace itself
    from tellegen.sims.reservoir.training import ReservoirResult
    from tellegen.sims.training import TrainResult, train

    with (
        c.errors(),
        EpochBars() as bars,
        FlightBar("holding", wait=True) as bar,
        VaryBar() as varied,
    ):
        result = train(
            file, name, overrides=overrides, seed=seed, cells=cells, allow=allow, out=out,
            timeout=timeout, progress=bars.update, held=bar.held, varied=varied.update,
        )  # fmt: skip
        bars.stop()
        bar.stop()
        varied.stop()
        if isinstance(result, ReservoirResult):
            read_summary(result)
            return
        if isinstance(result, TrainResult):
            summary(result)
        else:
            vary_summary(result)
        if not result.finished:
            sys.exit(c.STOPPED)
