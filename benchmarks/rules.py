"""Every plasticity rule on its own protocol, beside a reference simulation of its equation.

The modules of `benchmarks/plasticity`, one a rule: the circuit in ngspice, and the published equation
summed over spikes or integrated on a fine grid, written without regard to the circuit. A row is the
worst relative error of the weight change over the points of the protocol; points whose change is less
than a tenth of the largest are left out. Full run: 13 minutes. `--quick`: fewer points.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.rows import Row


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    folder = Path(__file__).parent / "plasticity"
    for name in sorted(p.stem for p in folder.glob("[!_]*.py")):
        module = importlib.import_module(f"benchmarks.plasticity.{name}")
        for row in module.run(quick):
            yield replace(row, name=f"{name}: {row.name}")
