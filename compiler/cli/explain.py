"""`tellegen explain`: the long story of a diagnostic."""

from __future__ import annotations

import sys
from importlib.resources import files

import click

from tellegen.cli import _common as c
from tellegen.diagnostics import did_you_mean


def codes() -> list[str]:
    """The codes that have a page."""
    return sorted(
        p.name[:-3] for p in files("tellegen.explain").iterdir() if p.name.endswith(".md")
    )


@click.command()
@click.argument("code", required=False)
def command(code: str | None) -> None:
    """Explain the diagnostic CODE, as in `error[unit-mismatch]`; without CODE list them all."""
    from rich.console import Console
    from rich.markdown import Markdown

    known = codes()
    if code is None:
        click.echo("\n".join(known))
        return
    code = code.strip("[]").removeprefix("error[").removeprefix("warning[")
    if code not in known:
        click.echo(f"error: there is no diagnostic `{code}`", err=True)
        click.echo(did_you_mean(code, known) or "`tellegen explain` lists them", err=True)
        sys.exit(c.DIAGNOSTICS)
    page = files("tellegen.explain").joinpath(f"{code}.md").read_text("utf-8")
    Console().print(Markdown(page))
