"""The traces of the plasticity rules of transistors, alone, against the exponential that they stand for.

Each trace of `stdp`, `triplet_stdp`, `sdsp`, `calcium` and `three_factor` at the sizes that the rule gives it:
one spike, two spikes, and trains of 5 to 60 Hz from rest. A row is the worst relative error of the output current
from 2 % of the time constant after the last spike to three time constants, and just before the last spike where
an earlier one has left more than a tenth of itself; trains that pile up more than seven spikes are left out.
Reference: i times the sum of exponentials over all spikes. The constants of `cmos_log_cap` and `cmos_log_step` are set
on these rows, not on the rules' protocols. One spike is run at a hundredth of the library's tolerance as well: what
remains there is the circuit's error, the difference ngspice's. Full run: 80 seconds. `--quick`: the first trace.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.plasticity._common import WIDTH, pulses, trace
from benchmarks.rows import Row

SOURCE = "i times the sum of exp(-t/tau) over the spikes"
BOUND = 0.05


@dataclass(frozen=True)
class Trace:
    """A log-domain trace: current of a spike, time constant, capacitor, unit outputs that count and all."""

    i: float
    tau: float
    c: float
    m: int
    outs: int

    def deck(self, spikes: Sequence[float], stop: float, reltol: float) -> str:
        """The trace alone, its output into 0.4 V."""
        from tellegen.cells import find_library
        from tellegen.emit.spice import options

        library = find_library("cmos")
        assert library is not None
        rule = library.cells["calcium"].levels["transistor"]
        rest = self.outs - self.m
        return "\n".join([
            "* trace", rule.text.rstrip(),
            "Vdd vdd 0 1.8", f"Vspike spike 0 {pulses(spikes)}", "Vout out 0 0.4",
            f"Xc s vdd cmos_log_cap tau={self.tau} c={self.c} outs={self.outs} unit={self.i}",
            f"Xs spike s vdd cmos_log_step i={self.i} width={WIDTH} c={self.c} unit={self.i}",
            f"Xo out s vdd cmos_log_out m={self.m} unit={self.i}",
            *([f"Xr 0 s vdd cmos_log_out m={rest} unit={self.i}"] if rest else []),
            *options(rule.solver), f".options reltol={reltol}", ".save i(vout)",
            f".tran 1m {stop:.9g} 0 1m", ".end", "",
        ])  # fmt: skip


TRACES = {
    "stdp": Trace(0.8e-9, 20e-3, 4e-12, 1, 1),
    "triplet_stdp, fast": Trace(1e-9, 16.8e-3, 4e-12, 4, 4),
    "triplet_stdp, slow": Trace(0.124e-9, 125e-3, 12e-12, 2, 2),
    "sdsp": Trace(0.5e-9, 60e-3, 12e-12, 4, 16),
    "calcium": Trace(1e-9, 20e-3, 12e-12, 4, 8),
    "three_factor, eligibility": Trace(40e-12, 1.0, 20e-12, 1, 1),
}


def worst(one: Trace, trains: Sequence[Sequence[float]], reltol: float = 1e-3) -> float:
    """The worst relative error over the trains."""
    from tellegen.sims.ngspice.deck import run_decks

    found = 0.0
    decks = [one.deck(s, max(s) + 3.5 * one.tau, reltol) for s in trains]
    for spikes, result in zip(trains, run_decks(decks, timeout=600), strict=True):
        if isinstance(result, Exception):
            raise result
        times, current = np.asarray(result["time"]), np.asarray(result["vout#branch"])
        middle = [t + WIDTH / 2 for t in spikes]
        at = [spikes[-1] + WIDTH + late * one.tau for late in (0.02, 0.25, 0.5, 1, 2, 3)]
        before = spikes[-1] - 1e-5
        if trace(middle, one.tau, before) > 0.1:
            at.append(before)
        wanted = np.array([trace(middle, one.tau, t) for t in at])
        errors = np.interp(at, times, current) / (one.i * one.m) / wanted - 1
        found = max(found, float(np.abs(errors).max()))
    return found


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    start = 0.05
    for name, one in TRACES.items():
        if quick and name != "stdp":
            continue
        pairs = [[start, start + d] for d in (2e-3, 10e-3, 30e-3)]
        trains = [[start + k / rate for k in range(12)] for rate in (5, 10, 20, 40, 60)]
        trains = [train for train in trains if trace(train, one.tau, train[-1]) < 7]
        for what, spikes in (
            ("one spike", [[start]]),
            ("two spikes", pairs),
            ("12 spikes, 5 to 60 Hz", trains),
        ):
            value = worst(one, spikes)
            yield Row(f"{name}: {what}", value, None, "1", f"<= {BOUND:g}", SOURCE, value <= BOUND)
        value = worst(one, [[start]], 1e-5)
        yield Row(f"{name}: one spike, reltol 1e-5", value, None, "1", "", SOURCE, None)
