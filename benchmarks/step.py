"""One step of coupled learning in ngspice: Tellegen beside PySpice and SciPy.

A step is a free solve, a clamped solve, and an update of every edge from the voltages across it in both,
one sample at a time, on random planar networks of resistors (Delaunay graphs pruned to 2.5 edges a
node; 2 to 8 voltage inputs, 2 or 4 outputs). The ways:

- tellegen: the engine, on the netlist and manifest that `tellegen.compile_file` gives
- pyspice rebuild: the usual script: a PySpice circuit is built for each solve
- pyspice alter: one circuit in PySpice's `NgSpiceShared`, changed by its `alter_device`, then `op`;
  voltages through its analysis object, as in its documentation, and again ("private reads") past it
  from the arrays behind its objects, which is quicker but no part of its interface
- scipy: the matrix in SciPy's sparse LU, factored for each phase
- scipy schur: the same with one factorisation a step, and the clamp as a low-rank correction of it

All use the same ngspice library, and their ngspice work is done in their own process, which is fresh
for each measurement (the PySpice script slows as it runs, for its circuits are never removed). The ways
take turns; a ratio is that of two neighbours in a round, a figure the median of the rounds, its spread
the smallest and largest. Time is CPU time of process and children. All ways must arrive at the same
conductances. Last, 100,000 steps of Tellegen's, for memory.
Full run: 7 rounds, about 5 minutes. `--quick`: one round of the sizes 16 and 64, 2,000 steps for memory.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.rows import Row, at_least, measured

SIZES, QUICK_SIZES = (16, 64, 256, 1024), (16, 64)
ROUNDS, QUICK_ROUNDS = 7, 1
MEMORY_STEPS, QUICK_MEMORY_STEPS, MEMORY_SIZE = 100_000, 2_000, 64
# Steps of a measurement, for about a second of it; few of the script that slows as it runs.
STEPS = {
    "tellegen": {16: 2000, 64: 1000, 256: 200, 1024: 40},
    "pyspice rebuild": {16: 30, 64: 12, 256: 4, 1024: 2},
    "pyspice alter": {16: 400, 64: 150, 256: 40, 1024: 10},
    "pyspice alter (private reads)": {16: 400, 64: 150, 256: 40, 1024: 10},
    "scipy": {16: 3000, 64: 2000, 256: 500, 1024: 150},
    "scipy schur": {16: 3000, 64: 2000, 256: 700, 1024: 200},
}
OVER_REBUILD = {16: 15, 64: 20, 256: 20, 1024: 20}
OVER_ALTER = 3
# One thread for all: the matrices are small.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
AGREEMENT = 1e-6  # gmin and the closed clamps' resistance move the last digits


def measure(way: str, size: int, steps: int) -> dict[str, float | list[float]]:
    """Run some steps one way in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks._step_ways", way, str(size), str(steps)],
        cwd=Path(__file__).parents[1],
        env={**os.environ, **ONE_THREAD},
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, float | list[float]] = json.loads(done.stdout.splitlines()[-1])
    return found


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    sizes = QUICK_SIZES if quick else SIZES
    times: dict[tuple[str, int], list[float]] = defaultdict(list)
    early: dict[tuple[str, int], np.ndarray] = {}
    for _ in range(QUICK_ROUNDS if quick else ROUNDS):
        for size in sizes:
            for way, steps in STEPS.items():
                found = measure(way, size, steps[size])
                times[way, size].append(found["us"])
                early[way, size] = np.array(found["early"])
    for size in sizes:
        for way in STEPS:
            value, spread = measured(times[way, size])
            yield Row(f"{size:4} nodes: {way}", value, spread, "us/step", "", "", None)
    for other, target in (
        ("pyspice rebuild", OVER_REBUILD),
        ("pyspice alter", dict.fromkeys(SIZES, OVER_ALTER)),
        ("pyspice alter (private reads)", {}),
        ("scipy", {}),
        ("scipy schur", {}),
    ):
        for size in sizes:
            ratios = np.array(times[other, size]) / np.array(times["tellegen", size])
            name = f"{size:4} nodes: faster than {other}"
            yield at_least(name, ratios.tolist(), target.get(size), "same run")
    for way in STEPS:
        worst = max(
            float(np.abs(early[way, size] / early["scipy", size] - 1).max()) for size in sizes
        )
        if way != "scipy":
            yield Row(f"conductances after {EARLY} steps: {way}", worst, None, "1",
                      f"<= {AGREEMENT:g}", "scipy", worst <= AGREEMENT)  # fmt: skip
    yield from memory(QUICK_MEMORY_STEPS if quick else MEMORY_STEPS)


def memory(steps: int) -> Iterator[Row]:
    """Memory, speed and agreement over many steps."""
    found = measure("tellegen", MEMORY_SIZE, steps)
    reference = measure("scipy", MEMORY_SIZE, steps)
    grown = float(found["grown"]) / 1e6  # type: ignore[arg-type]
    yield Row(f"{MEMORY_SIZE} nodes, {steps:,} steps: resident memory grew by", grown, None, "MB",
              "<= 1", "after the first hundredth of them", grown <= 1)  # fmt: skip
    yield Row("  time of a step in them", float(found["us"]), None, "us/step", "", "", None)  # type: ignore[arg-type]
    last, expected = np.array(found["last"]), np.array(reference["last"])
    worst = float(np.abs(last / expected - 1).max())
    yield Row("  conductances after them", worst, None, "1", f"<= {AGREEMENT:g}", "scipy",
              worst <= AGREEMENT)  # fmt: skip


EARLY = 5  # steps after which the ways are compared, before the time is taken


def draw(rows: list[Row], folder: Path) -> None:
    """A figure of the times."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    found = {row.name: row for row in rows}
    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    for way in STEPS:
        points = [(n, found[f"{n:4} nodes: {way}"]) for n in SIZES]
        values = np.array([row.value for _, row in points])
        spread = np.array([row.spread for _, row in points]).T
        axes.errorbar(SIZES, values, abs(spread - values), marker="o", capsize=3, label=way)
    axes.set(xscale="log", yscale="log", xlabel="nodes", ylabel="CPU time of a step (µs)")
    axes.set_xticks(SIZES, [str(n) for n in SIZES], minor=False)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(folder / "step.svg")
    plt.close(figure)
