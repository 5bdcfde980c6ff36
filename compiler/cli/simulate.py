"""`tellegen simulate`: an operating point or a transient."""

from __future__ import annotations

import sys

import click

from tellegen.cli import _common as c
from tellegen.cli._progress import FlightBar, simulated


@click.command()
@c.file_argument
@click.argument("name", required=False)
@c.out_option
@c.options(c.set_option, c.seed_option, c.cells_option, c.allow_option)
@c.timeout_option
@click.option(
    "--parts",
    is_flag=True,
    help="Cut a spiking circuit at its delays: the parts run on their own "
    "and exchange spikes. Quicker by about their number.",
)
def command(
    file: str, name: str | None, out: str, overrides: tuple[str, ...], seed: int | None,
    cells: tuple[str, ...], allow: tuple[str, ...], timeout: float, parts: bool,
) -> None:  # fmt: skip
    """Run the simulate block NAME of FILE (the only one, if not named) in ngspice.

    Without a `transient` line in the block it is an operating point; with a `sweep` line it is run
    for each of its values. Signals, netlist and a report are kept in a run folder; `waves.npz` holds
    the signals as numpy arrays. The points of a transient go to the run folder while it runs; Ctrl-C
    stops it there, and `tellegen resume` goes on (not with a sweep or `--parts`).
    """
    from tellegen.sims.simulate import simulate

    with c.errors(), FlightBar() as bar:
        result = simulate(
            file, name, overrides=overrides, seed=seed, cells=cells, allow=allow, out=out,
            timeout=timeout, in_parts=parts, progress=bar.swept, flown=bar.update,
        )  # fmt: skip
        bar.stop()
        simulated(result)
        if not result.finished:
            sys.exit(c.STOPPED)
