"""A dendritic potential that wanders, presynaptic and somatic spikes; the update on a grid."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.plasticity._common import GRID, Bench, changes, grid, lowpass_on, trace_on, within
from benchmarks.rows import Row

ETA, PHI, K, BETA, THETA, TAU, DELTA = 1e-3, 150.0, 0.5, 333.333, -55e-3, 3e-3, 100e-3


def reference(
    pre: list[float], post: list[float], wave: tuple[list[float], list[float]], stop: float
) -> float:
    """The equations on a grid; a somatic spike is a delta."""
    t = grid(stop)
    s = K * np.exp(BETA * (THETA - np.interp(t, *wave)))
    rate, slope = PHI / (1 + s), BETA * s / (1 + s)
    spikes = np.zeros(len(t))
    for time in post:
        spikes[int(np.ceil(time / GRID))] += 1 / GRID
    error = (spikes - rate) * slope * trace_on(t, pre, TAU)
    return float(ETA * lowpass_on(error, DELTA, 0.0).sum() * GRID)


def run(quick: bool) -> Iterator[Row]:
    """The rows of the rule."""
    rng = np.random.default_rng(5)
    cases = []
    for middle, count in (
        ((-58e-3, 12),) if quick else ((-62e-3, 40), (-58e-3, 12), (-55e-3, 12), (-52e-3, 60))
    ):
        times = np.arange(0, 1.01, 0.02)
        wave = (times.tolist(), (middle + 2e-3 * rng.standard_normal(len(times))).tolist())
        pre = sorted((rng.choice(800, 60, replace=False) * 5e-4 + 1e-3).tolist())
        post = sorted((rng.choice(800, count, replace=False) * 5e-4 + 1.2e-3).tolist())
        cases.append((pre, post, wave, 1.0))
    found = changes("urbanczik_senn", [
        (Bench({"pre": a, "post": b}, {"dendrite": w}, s, 2e-4), {"w_min": -5.0, "w_max": 5.0})
        for a, b, w, s in cases
    ])  # fmt: skip
    yield within(
        "wandering dendrite", found, [reference(*c) for c in cases], 0.05, "Urbanczik, Senn 2014"
    )
