"""A pairing, then a reward of 0.1 s after 0.1 to 2 s: the eligibility trace decides."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.plasticity._common import Bench, changes, within
from benchmarks.rows import Row

A_PLUS, A_MINUS, TAU, TAU_C, RATE = 1.0, 1.5, 20e-3, 1.0, 1.0
PAIR, LENGTH, RISE = 0.05, 0.1, 1e-4


def reference(distance: float, late: float) -> float:
    """The integral of trace times reward, from the second spike of the pair on."""
    charge = A_PLUS * np.exp(-distance / TAU) if distance > 0 else -A_MINUS * np.exp(distance / TAU)
    start = late - max(distance, 0)
    return float(
        RATE * charge * TAU_C * (np.exp(-start / TAU_C) - np.exp(-(start + LENGTH) / TAU_C))
    )


def run(quick: bool) -> Iterator[Row]:
    """The rows of the rule."""
    cases = [
        (d, late) for d in (10e-3, -10e-3) for late in ((0.5,) if quick else (0.1, 0.3, 1.0, 2.0))
    ]
    benches = []
    for distance, late in cases:
        on = PAIR + late
        wave = ([0, on - RISE / 2, on + RISE / 2, on + LENGTH - RISE / 2, on + LENGTH + RISE / 2],
                [0, 0, 1, 1, 0])  # fmt: skip
        spikes = {"pre": [PAIR], "post": [PAIR + distance]}
        benches.append((Bench(spikes, {"reward": wave}, on + 0.2), {}))
    wanted = [reference(*c) for c in cases]
    for level, bound in (("behavioural", 0.05), ("transistor", 0.15)):
        found = changes("three_factor", benches, level)
        yield within(f"{level}, late rewards", found, wanted, bound, "Izhikevich 2007")
