"""What the commands share: options that many take, and the way errors leave."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import reduce
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from tellegen.diagnostics import CompileError, Diagnostic, TellegenError, as_json, render

DIAGNOSTICS, MISSING, FAILED, STOPPED = 1, 3, 4, 130

_COLOURS = {"error": "bold red", "warning": "bold yellow"}

file_argument = click.argument("file", type=click.Path(dir_okay=False))
cells_option = click.option(
    "--cells", multiple=True, type=click.Path(file_okay=False, exists=True), metavar="FOLDER",
    help="A folder of your own cells (also: TELLEGEN_CELLS). May be given several times.",
)  # fmt: skip
allow_option = click.option(
    "--allow", multiple=True, type=click.Path(file_okay=False, exists=True), metavar="FOLDER",
    help="A folder from which the file may read data, besides its own.",
)  # fmt: skip
set_option = click.option(
    "--set", "overrides", multiple=True, metavar="BLOCK.SETTING=VALUE",
    help="Replace a setting, e.g. train.epochs=5, train.learn.rate='2 uS/V^2', Iris.n=12.",
)  # fmt: skip
seed_option = click.option("--seed", type=click.IntRange(0), help="Replace the file's seed.")
out_option = click.option(
    "-o", "--out", type=click.Path(file_okay=False), default="runs", show_default=True,
    help="Where run folders are made.",
)  # fmt: skip
timeout_option = click.option(
    "--timeout", type=click.FloatRange(1), default=600, show_default=True,
    help="Seconds without progress after which ngspice counts as hung.",
)  # fmt: skip
json_option = click.option("--json", "as_json_", is_flag=True, help="Write JSON instead of text.")


def options(*decorators: Callable[..., Any]) -> Callable[..., Any]:
    """Several options as one decorator, shown in the given order."""
    return lambda command: reduce(lambda c, d: d(c), reversed(decorators), command)


def show(diagnostics: Iterable[Diagnostic]) -> None:
    """Print diagnostics to stderr, in colour on a terminal."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    for diagnostic in diagnostics:
        text = Text(render(diagnostic))
        head = len(f"{diagnostic.severity}[{diagnostic.code}]")
        text.stylize(_COLOURS[diagnostic.severity], 0, head)
        text.highlight_regex(r"(?m)^ *\d* \| *(?P<caret>\^+.*)$", style_prefix="")
        console.print(text)
        console.print()


@contextmanager
def errors(json_: bool = False) -> Iterator[None]:
    """Turn Tellegen's errors into messages and exit codes; anything else is a bug and stays one."""
    try:
        yield
    except CompileError as error:
        if json_:
            click.echo(as_json(error.diagnostics))
        else:
            show(error.diagnostics)
            count = sum(d.severity == "error" for d in error.diagnostics)
            codes = sorted({d.code for d in error.diagnostics if d.severity == "error"})
            click.echo(
                f"{count} error{'s' * (count != 1)}; `tellegen explain {codes[0]}` says more",
                err=True,
            )
        sys.exit(DIAGNOSTICS)
    except TellegenError as error:
        if json_:
            click.echo(json.dumps({"error": str(error)}))
        else:
            click.echo(f"error: {error}", err=True)
        sys.exit(_status(error))
    except BrokenPipeError:
        sys.exit(0)
    except OSError as error:
        if error.strerror is None:
            raise
        where = "" if error.filename is None else f": `{error.filename}`"
        said = f"{error.strerror}{where}"
        click.echo(json.dumps({"error": said}) if json_ else f"error: {said}", err=not json_)
        sys.exit(DIAGNOSTICS)
    except KeyboardInterrupt:
        click.echo("stopped", err=True)
        sys.exit(STOPPED)


def _status(error: TellegenError) -> int:
    name = type(error).__name__
    return {"SimulatorMissing": MISSING, "SimulationError": FAILED}.get(name, DIAGNOSTICS)
