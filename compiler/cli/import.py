"""`tellegen import`: a netlist of gdsfactory or SAX as a `.tgn` file."""  # noqa: N999 - called as its command

from __future__ import annotations

from pathlib import Path

import click

from tellegen.cli import _common as c


@click.command()
@c.file_argument
@click.option(
    "-o", "--out", type=click.Path(dir_okay=False), help="Write to this file, not to stdout."
)
@click.option(
    "--wavelength", type=click.FloatRange(0.001, 1000), default=1.55, show_default=True, metavar="UM",
    help="In um, for lengths and indices, where an instance has no `wl`.",
)  # fmt: skip
def command(file: str, out: str | None, wavelength: float) -> None:
    """Turn FILE, a netlist in the YAML of gdsfactory and SAX, into networks of photonic cells.

    Reads `instances`, `connections`, `nets`, the links of `routes`, `ports`, and netlists within netlists;
    passes over placements. What has no counterpart is said, with its line.

    \b
    Example:
      tellegen import mesh.yml -o mesh.tgn
    """  # noqa: D301 - click wants the backspace itself
    from tellegen.cells import find_library
    from tellegen.diagnostics import CompileError, Sink
    from tellegen.files import FileRefused, read_text
    from tellegen.netlists.netlist import as_tgn
    from tellegen.netlists.read import read_netlists
    from tellegen.pipeline import LARGEST_TEXT
    from tellegen.source import Source

    with c.errors():
        sink = Sink()
        path = Path(file)
        try:
            source = Source(file, read_text(path, file, LARGEST_TEXT))
        except FileRefused as refused:
            sink.error(refused.code, str(refused), Source(file, "").span(), help=refused.help)
            raise CompileError(sink.found) from None
        library = find_library("photonic")
        assert library is not None
        netlists = read_netlists(source, library, sink, wavelength, path.name.partition(".")[0])
        sink.raise_errors()
        c.show(sink.warnings)
        heading = (
            f"From {path.name}, a netlist in the form of gdsfactory and SAX, at {wavelength:g} um."
        )
        text = as_tgn(netlists, library, heading)
        if out:
            Path(out).write_text(text, "utf-8")
        else:
            click.echo(text, nl=False)
