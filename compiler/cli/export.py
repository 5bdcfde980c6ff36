"""`tellegen export`: a network of light as a netlist of gdsfactory and SAX."""

from __future__ import annotations

from pathlib import Path

import click

from tellegen.cli import _common as c


@click.command()
@c.file_argument
@click.argument("network", required=False)
@click.option(
    "-o", "--out", type=click.Path(dir_okay=False), help="Write to this file, not to stdout."
)
@c.options(c.cells_option, c.allow_option, c.set_option, c.seed_option)
def command(
    file: str, network: str | None, out: str | None,
    cells: tuple[str, ...], allow: tuple[str, ...], overrides: tuple[str, ...], seed: int | None,
) -> None:  # fmt: skip
    """Write NETWORK of FILE (by default its last one) as a netlist in the YAML of gdsfactory and SAX.

    Its elements are to be interferometers, couplers, waveguides and phase shifters. Components are called
    as the cells, and so are settings, in rad, dB and seconds; ports are called as in SAX, `in0`, `out0`.

    \b
    Example:
      tellegen export mesh.tgn Layer -o mesh.yml
    """  # noqa: D301 - click wants the backspace itself
    from tellegen.netlists.circuit import netlists_of
    from tellegen.netlists.netlist import as_yaml
    from tellegen.pipeline import open_file

    with c.errors():
        compilation = open_file(file, cells=cells, allow=allow, overrides=overrides, seed=seed)
        compiled = compilation.compile(compilation.network_name(network), seed=seed or 0)
        netlists = netlists_of(compiled.circuit, compilation.sink)
        compilation.sink.raise_errors()
        c.show(compilation.sink.warnings)
        text = as_yaml(netlists)
        if out:
            Path(out).write_text(text, "utf-8")
        else:
            click.echo(text, nl=False)
