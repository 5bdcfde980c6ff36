"""`tellegen compile`: a file's netlist, or any stage on the way to it."""

from __future__ import annotations

from pathlib import Path

import click

from tellegen.cli import _common as c

STAGES = ("netlist", "manifest", "syntax", "circuit", "json", "dot")


@click.command()
@c.file_argument
@click.option(
    "-o", "--out", type=click.Path(dir_okay=False), help="Write to this file, not to stdout."
)
@click.option("--emit", "stage", type=click.Choice(STAGES), default="netlist", show_default=True,
              help="What to print.")  # fmt: skip
@click.option(
    "--experiment", metavar="NAME", help="The train or simulate block whose bench is wanted."
)
@click.option("--network", metavar="NAME", help="A network on a bare bench: every input at 0.")
@c.options(c.cells_option, c.allow_option, c.set_option, c.seed_option)
def command(
    file: str, out: str | None, stage: str, experiment: str | None, network: str | None,
    cells: tuple[str, ...], allow: tuple[str, ...], overrides: tuple[str, ...], seed: int | None,
) -> None:  # fmt: skip
    """Compile FILE to a SPICE netlist that runs in plain `ngspice -b`.

    \b
    Stages (--emit):
      netlist   the SPICE netlist, with its cells and its bench
      manifest  what the netlist's names mean, as JSON
      syntax    the file as it was read, in canonical form
      circuit   the elaborated circuit as text
      json      the elaborated circuit as JSON
      dot       the network as a Graphviz graph

    Without --experiment the bench is that of the file's first train or simulate block, if any.
    """  # noqa: D301 - click wants the backspace itself
    from tellegen.pipeline import open_file
    from tellegen.sims.check import staged

    with c.errors():
        compilation = open_file(file, cells=cells, allow=allow, overrides=overrides, seed=seed)
        if stage == "syntax":
            text = compilation.canonical()
        else:
            text = staged(compilation, stage, experiment, network)
        c.show(compilation.sink.warnings)
        if out:
            Path(out).write_text(text, "utf-8")
        else:
            click.echo(text, nl=not text.endswith("\n"))
