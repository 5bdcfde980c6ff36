"""Trains at 10 to 50 Hz into a depressing and a facilitating synapse: the released parts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.plasticity._common import Bench, decks, within
from benchmarks.rows import Row

TAU_PSC, CHARGE = 3e-3, 1e-12
KINDS = {
    "depressing": {"use": 0.5, "tau_rec": 0.8, "tau_fac": 20e-3},
    "facilitating": {"use": 0.1, "tau_rec": 0.1, "tau_fac": 1.0},
}


def reference(spikes: list[float], use: float, tau_rec: float, tau_fac: float) -> list[float]:
    """The released part at each spike."""
    u, x, last, found = 0.0, 1.0, None, []
    for t in spikes:
        if last is not None:
            u *= np.exp(-(t - last) / tau_fac)
            x = 1 + (x - 1) * np.exp(-(t - last) / tau_rec)
        u += use * (1 - u)
        found.append(float(u * x))
        x -= u * x
        last = t
    return found


def run(quick: bool) -> Iterator[Row]:
    """The rows of the rule."""
    from tellegen.sims.ngspice.deck import run_deck

    for kind, params in KINDS.items():
        found: list[float] = []
        wanted: list[float] = []
        for rate in (20,) if quick else (10, 20, 50):
            spikes = (0.01 + np.arange(10) / rate).tolist()
            bench = Bench({"pre": spikes}, {}, spikes[-1] + 0.05, 2e-4)
            v = run_deck(decks("tsodyks_markram", [(bench, params)])[0])
            time, current = v["time"], v["vout#branch"]
            # The current between two spikes holds the charge of the first and the rest of those before.
            ends = [*spikes[1:], bench.stop]
            rest = 0.0
            for start, end in zip(spikes, ends, strict=True):
                inside = np.linspace(start, end, 4001)
                charge = float(np.trapezoid(np.interp(inside, time, current), inside))
                left = float(np.interp(end, time, current)) * TAU_PSC
                found.append((charge + left - rest) / CHARGE)
                rest = left
            wanted += reference(spikes, **params)
        yield within(kind, found, wanted, 0.05, "Tsodyks 2000")
