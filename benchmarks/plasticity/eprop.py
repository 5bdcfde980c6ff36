"""A wandering membrane and a learning signal that changes its sign; the update on a grid."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.plasticity._common import GRID, Bench, changes, grid, lowpass_on, trace_on, within
from benchmarks.rows import Row

ETA, THETA, GAMMA, TAU_M, TAU_OUT = 1.0, 1.0, 0.3, 20e-3, 10e-3
Wave = tuple[list[float], list[float]]


def reference(pre: list[float], membrane: Wave, error: Wave, stop: float) -> float:
    """Pseudo-derivative times trace, averaged, times the learning signal."""
    t = grid(stop)
    psi = GAMMA * np.maximum(0, 1 - np.abs(np.interp(t, *membrane) - THETA) / THETA)
    eligibility = lowpass_on(psi * trace_on(t, pre, TAU_M), TAU_OUT, 0.0)
    return float(-ETA * (np.interp(t, *error) * eligibility).sum() * GRID)


def run(quick: bool) -> Iterator[Row]:
    """The rows of the rule."""
    rng = np.random.default_rng(6)
    cases = []
    for mean in (0.5,) if quick else (-0.5, 0.2, 0.5, 1.0):
        times = np.arange(0, 1.01, 0.02)
        membrane = (times.tolist(), rng.uniform(0, 1.2, len(times)).tolist())
        error = (times.tolist(), (mean + 0.3 * rng.standard_normal(len(times))).tolist())
        pre = sorted((rng.choice(1800, 40, replace=False) * 5e-4 + 1e-3).tolist())
        cases.append((pre, membrane, error, 1.0))
    found = changes("eprop", [
        (Bench({"pre": p}, {"vmem": m, "error": e}, s, 5e-4), {"w_min": -5.0, "w_max": 5.0})
        for p, m, e, s in cases
    ])  # fmt: skip
    yield within(
        "membrane and learning signal", found, [reference(*c) for c in cases], 0.05, "Bellec 2020"
    )
