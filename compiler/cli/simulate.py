"""`tellegen simulate`: an operating point or a transient."""

from __future__ import annotations

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from tellegen.cli import _common as c


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
    the signals as numpy arrays.
    """
    from tellegen.sims.report import write_report
    from tellegen.sims.simulate import simulate

    with c.errors():
        with Console(stderr=True).status("simulating") as shown:

            def progress(done: int, of: int) -> None:
                if of > 1:
                    shown.update(f"simulating: {done} of {of} values of the sweep")

            result = simulate(
                file, name, overrides=overrides, seed=seed, cells=cells, allow=allow, out=out,
                timeout=timeout, in_parts=parts, progress=progress,
            )  # fmt: skip
        page = write_report(result.folder)
        table = Table(title=f"{result.plan.name} ({result.plan.network})")
        heads = (
            ("signal", "unit", "value")
            if result.time is None
            else ("signal", "unit", "least", "most", "last")
        )
        for head in heads:
            table.add_column(head)
        for signal, values in result.signals.items():
            unit = result.units[signal]
            if result.time is None:
                said = " ".join(f"{v:.6g}" for v in np.ravel(values)[:8])
                table.add_row(signal, unit, said + (" ..." if np.size(values) > 8 else ""))
            else:
                last = " ".join(f"{v:.6g}" for v in np.ravel(values[-1])[:4])
                table.add_row(signal, unit, f"{values.min():.6g}", f"{values.max():.6g}", last)
        Console().print(table)
        for figure in sorted(result.folder.glob("*.png")):
            click.echo(f"  figure  {figure}")
        click.echo(f"  report  {page}")
        click.echo(f"  run     {result.folder}")
