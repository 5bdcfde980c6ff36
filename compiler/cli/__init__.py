"""The command line: one file a command, found without a registry.

A module here that has a `command` adds it to `tellegen`. Commands import the simulator's side only when
they run, so that `--help` and `check` stay quick and work on a machine without ngspice.
"""

from __future__ import annotations

import importlib
from importlib.resources import files

import click

_ORDER = (
    "check",
    "compile",
    "import",
    "export",
    "train",
    "simulate",
    "resume",
    "report",
    "cells",
    "verify",
    "explain",
    "doctor",
)


class _Commands(click.Group):
    """Loads a command's module when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        found = {
            p.name[:-3]
            for p in files(__name__).iterdir()
            if p.name.endswith(".py") and not p.name.startswith("_")
        }
        return sorted(found, key=lambda n: (_ORDER.index(n) if n in _ORDER else len(_ORDER), n))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        found = importlib.import_module(f"{__name__}.{cmd_name}").command
        assert isinstance(found, click.Command)
        return found


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tellegen")
def main() -> None:
    """Compile networks that learn to SPICE, and train them in ngspice.

    \b
    A first session:
      tellegen check    examples/iris.tgn     what is wrong with a file, line by line
      tellegen compile  examples/iris.tgn     the SPICE netlist, ready for `ngspice -b`
      tellegen train    examples/iris.tgn     train it in ngspice; writes a run folder
      tellegen report   runs/Flowers-001      one HTML page about the run

    Exit status: 0 ok, 1 something is wrong with the input, 2 wrong usage, 3 ngspice is missing,
    4 the simulation failed, 130 stopped by Ctrl-C.
    """  # noqa: D301 - click wants the backspace itself
