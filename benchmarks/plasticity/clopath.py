"""Pairs of presynaptic spikes and postsynaptic action potentials, 10 ms apart at 5 to 50 Hz.

The membrane is a given waveform: rest, and for each action potential a triangle of 2 ms up to 20 mV with
a slow after-depolarisation.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.plasticity._common import (
    GRID,
    Bench,
    changes,
    grid,
    lowpass_on,
    trace_on,
    within,
)
from benchmarks.rows import Row

A_LTD, A_LTP, THM, THP = 0.14, 80e3, -70.6e-3, -45.3e-3
TX, TM, TP, REST = 15e-3, 10e-3, 7e-3, -70.6e-3


def membrane(spikes: list[float], stop: float) -> tuple[list[float], list[float]]:
    """The waveform around action potentials."""
    times, values = [0.0], [REST]
    for k, t in enumerate(spikes):
        after = spikes[k + 1] - 1e-3 if k + 1 < len(spikes) else stop
        end = min(t + 40e-3, after - 1e-4)
        back = REST + 15e-3 * (1 - (end - t - 1e-3) / 39e-3)
        times += [t - 1e-3, t, t + 1e-3, end, end + 1e-4]
        values += [REST, 20e-3, REST + 15e-3, back, REST]
    return times, values


def reference(pre: list[float], wave: tuple[list[float], list[float]], stop: float) -> float:
    """The equations on a grid."""
    t = grid(stop)
    u = np.interp(t, *wave)
    minus, plus = lowpass_on(u, TM, REST), lowpass_on(u, TP, REST)
    down = sum(A_LTD * max(float(np.interp(s, t, minus)) - THM, 0) for s in pre)
    above = np.maximum(u - THP, 0) * np.maximum(plus - THM, 0)
    return float(A_LTP * (trace_on(t, pre, TX) * above).sum() * GRID - down)


def run(quick: bool) -> Iterator[Row]:
    """The rows of the rule."""
    cases = []
    for rate in (10, 40) if quick else (5, 10, 20, 30, 40, 50):
        for distance in (10e-3, -10e-3):
            pre = (0.05 + np.arange(5) / rate).tolist()
            stop = pre[-1] + 0.1
            cases.append((pre, membrane([s + distance for s in pre], stop), stop))
    found = changes("clopath", [
        (Bench({"pre": p}, {"vmem": w}, s, 5e-5), {"w_min": -5.0, "w_max": 5.0}) for p, w, s in cases
    ])  # fmt: skip
    yield within("pairs of 5 to 50 Hz", found, [reference(*c) for c in cases], 0.05, "Clopath 2010")
