"""Postsynaptic trains of single spikes and bursts of two to four, with a presynaptic train."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.plasticity._common import Bench, changes, trace, within
from benchmarks.rows import Row

ETA, BURST, TAU, MA, RATE, P0 = 0.02, 16e-3, 20e-3, 2.0, 5.0, 0.15


def reference(pre: list[float], post: list[float]) -> float:
    """Events and bursts one after the other; their averages decay between them."""
    events, bursts = RATE * MA, RATE * MA * P0
    change, last, inside, counted = 0.0, 0.0, -1.0, False
    for t in post:
        decay = np.exp(-(t - last) / MA)
        events, bursts, last = events * decay, bursts * decay, t
        if t - inside > BURST:
            change -= ETA * trace(pre, TAU, t) * bursts / events
            events, counted = events + 1, False
        elif not counted:
            change += ETA * trace(pre, TAU, t)
            bursts, counted = bursts + 1, True
        inside = t
    return float(change)


def run(quick: bool) -> Iterator[Row]:
    """The rows of the rule."""
    rng = np.random.default_rng(7)
    cases = []
    for share in (0.5,) if quick else (0.0, 0.2, 0.5, 0.9):
        post: list[float] = []
        for start in 0.05 + 0.11 * np.arange(9):
            extra = int(rng.integers(1, 4)) if rng.random() < share else 0
            post += [float(start + 9e-3 * k) for k in range(1 + extra)]
        pre = sorted((rng.choice(2000, 40, replace=False) * 5e-4 + 1.3e-3).tolist())
        cases.append((pre, post))
    found = changes("bdsp", [
        (Bench({"pre": a, "post": b}, {}, 1.1, 5e-4), {"eta": ETA, "tau_ma": MA}) for a, b in cases
    ])  # fmt: skip
    yield within("singles and bursts", found, [reference(*c) for c in cases], 0.05, "Payeur 2021")
