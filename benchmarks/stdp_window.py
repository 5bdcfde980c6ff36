"""The window of `cmos.stdp` at both levels: 15 pairings on each side, and the time constants fitted to them.

Every pairing is a transient of its own in ngspice. The two branches are fitted by a exp(-|dt|/tau) with
SciPy; what is fitted must be what the cell was designed for. Full run: 30 seconds. `--quick`: 5 pairings
on each side.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.optimize import curve_fit

from benchmarks.plasticity._common import Bench, both_ways, changes
from benchmarks.rows import Row

DESIGN = {"a_plus": 0.01, "a_minus": 0.0105, "tau_plus": 16.8e-3, "tau_minus": 33.7e-3}
LEVELS = ("behavioural", "transistor")
_window: dict[str, np.ndarray] = {}  # distances and changes, by level


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    one_side = np.geomspace(1e-3, 80e-3, 5 if quick else 15)
    distances = np.concatenate([-one_side[::-1], one_side])
    for level in LEVELS:
        pairs = [(Bench(both_ways(float(d)), {}, 0.25), DESIGN) for d in distances]
        found = np.array(changes("stdp", pairs, level))
        _window[level] = np.array([distances, found])
        for side, sign in (("plus", 1), ("minus", -1)):
            on = np.sign(distances) == sign
            (a, tau), _ = curve_fit(
                lambda t, a, tau: a * np.exp(-t / tau), np.abs(distances[on]), sign * found[on],
                p0=(0.01, 20e-3),
            )  # fmt: skip
            for name, value, unit in ((f"a_{side}", a, "V"), (f"tau_{side}", tau, "s")):
                off = abs(value / DESIGN[name] - 1)
                yield Row(f"{level}: {name}, fitted to {on.sum()} pairings", float(value), None, unit,
                          f"{DESIGN[name]:g} +- 10 %", "design", bool(off <= 0.1))  # fmt: skip


def draw(_rows: list[Row], folder: Path) -> None:
    """The window."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 3.2), layout="constrained")
    ax = figure.subplots()
    fine = np.linspace(-0.09, 0.09, 400)
    design = np.where(
        fine > 0, DESIGN["a_plus"] * np.exp(-fine / DESIGN["tau_plus"]),
        -DESIGN["a_minus"] * np.exp(fine / DESIGN["tau_minus"]),
    )  # fmt: skip
    ax.axhline(0, color="0.8", lw=0.8)
    ax.plot(fine * 1e3, design * 1e3, color="0.7", lw=2, label="design")
    for level, mark in zip(LEVELS, ("o", "x"), strict=True):
        distances, values = _window[level]
        ax.plot(distances * 1e3, values * 1e3, mark, ms=4, label=level)
    ax.set_xlabel("post after pre (ms)")
    ax.set_ylabel("change of the weight (mV)")
    ax.legend(frameon=False)
    figure.savefig(folder / "window.png", dpi=150)
