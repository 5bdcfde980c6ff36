"""A presynaptic train while the membrane wanders through both thresholds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.plasticity._common import GRID, Bench, changes, grid, trace_on, within
from benchmarks.rows import Row

ETA, GAMMA, THD, THP, TAU = 100.0, 2.0, -55e-3, -70e-3, 10e-3


def reference(pre: list[float], wave: tuple[list[float], list[float]], stop: float) -> float:
    """The equation on a grid."""
    t = grid(stop)
    u = np.interp(t, *wave)
    drive = np.maximum(THP - u, 0) - GAMMA * np.maximum(u - THD, 0)
    return float(ETA * (drive * trace_on(t, pre, TAU)).sum() * GRID)


def run(quick: bool) -> Iterator[Row]:
    """The rows of the rule."""
    rng = np.random.default_rng(4)
    cases = []
    for middle in (-75e-3, -50e-3) if quick else (-80e-3, -75e-3, -60e-3, -50e-3, -45e-3):
        times = np.arange(0, 0.51, 0.02)
        wave = (times.tolist(), (middle + 5e-3 * rng.standard_normal(len(times))).tolist())
        pre = sorted((rng.choice(900, 25, replace=False) * 5e-4 + 1e-3).tolist())
        cases.append((pre, wave, 0.5))
    found = changes("h_mpdp", [(Bench({"pre": p}, {"vmem": w}, s), {}) for p, w, s in cases])
    yield within("wandering membrane", found, [reference(*c) for c in cases], 0.05, "Albers 2016")
