"""`python -m benchmarks NAME [--quick] [--json]`."""

from __future__ import annotations

import importlib
import json
import math
import sys
import time
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks.rows import Row

FOLDER = Path(__file__).parent
_NOT_BENCHMARKS = ("__init__", "__main__", "rows")


def names() -> list[str]:
    """The benchmarks: every module here with a `run`."""
    found = [p.stem for p in FOLDER.glob("*.py") if p.stem not in _NOT_BENCHMARKS]
    return sorted(n for n in found if not n.startswith("_"))


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("name", required=False)
@click.option("--quick", is_flag=True, help="Under a minute; nothing is kept.")
@click.option("--json", "as_json", is_flag=True, help="Write the rows as JSON.")
def main(name: str | None, quick: bool, as_json: bool) -> None:
    """Run the benchmark NAME and print its rows; without NAME list them.

    A full run keeps its rows, versions and figures in benchmarks/results/NAME/. Exit status 1 where a target is
    missed.
    """
    if name is None:
        for known in names():
            module = importlib.import_module(f"benchmarks.{known}")
            click.echo(f"{known:12} {(module.__doc__ or '').strip().splitlines()[0]}")
        return
    if name not in names():
        raise click.UsageError(f"there is no benchmark `{name}`; known: {', '.join(names())}")
    module = importlib.import_module(f"benchmarks.{name}")
    started = time.monotonic()
    with Console(stderr=True).status(f"benchmark {name}"):
        rows: list[Row] = list(module.run(quick))
    taken = time.monotonic() - started
    content = {
        "benchmark": name, "quick": quick, "seconds": round(taken, 1),
        "rows": [_plain(row) for row in rows], "provenance": _versions(),
    }  # fmt: skip
    if not quick:
        kept = FOLDER / "results" / name
        kept.mkdir(parents=True, exist_ok=True)
        (kept / "rows.json").write_text(json.dumps(content, indent=2) + "\n")
        if hasattr(module, "draw"):
            module.draw(rows, kept)
    if as_json:
        click.echo(json.dumps(content, indent=2))
    else:
        Console(width=None if sys.stdout.isatty() else 150).print(table(name, rows, taken))
    sys.exit(1 if any(row.met is False for row in rows) else 0)


def table(name: str, rows: list[Row], taken: float) -> Table:
    """The rows as a table."""
    made = Table(title=f"{name} ({taken:.0f} s)")
    for head in ("", "value", "spread", "unit", "target", "reference", "met"):
        made.add_column(head, justify="right" if head in ("value", "spread") else "left")
    for row in rows:
        spread = "" if row.spread is None else f"{row.spread[0]:.3g} .. {row.spread[1]:.3g}"
        met = "" if row.met is None else ("yes" if row.met else "NO")
        made.add_row(row.name, f"{row.value:.4g}", spread, row.unit, row.target, row.reference, met)
    return made


def _plain(row: Row) -> dict[str, object]:
    found = asdict(row)
    found["value"] = float(row.value) if math.isfinite(row.value) else None
    if row.met is not None:
        found["met"] = bool(row.met)
    return found


def _versions() -> dict[str, object]:
    from tellegen.sims.provenance import provenance

    return provenance()


if __name__ == "__main__":
    main()
