"""The differential-pair integrator of transistors: its time constant over a decade, and its pulse.

`cmos.dpi_synapse` gets one standard spike. The decay is fitted over a time constant from where it has
begun, and held against the `tau` that was asked for: C UT/(kappa Itau). The peak is held against the DPI's
differential equation, tau (1 + Ith/I) dI/dt = Ith Iw/Itau - I - Ith, integrated by SciPy; the equation
takes all slopes for equal, and what the transistors' different slopes make of it is the deviation. Full run:
5 seconds. `--quick`: fewer points.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.integrate import solve_ivp

from benchmarks.rows import Row

C, UT, KAPPA, GAIN, WIDTH = 1e-12, 0.02586, 0.65, 5.0, 1e-4
# The output transistor's leak, from which the current rises: an eighth of a square.
REST = 6.8e-14


def measured(tau: float, iw: float) -> tuple[float, float]:
    """The fitted time constant and the peak, in ngspice."""
    from tellegen.cells import find_library
    from tellegen.emit.spice import options
    from tellegen.sims.deck import run_deck

    library = find_library("cmos")
    assert library is not None
    cell = library.cells["dpi_synapse"]
    found = run_deck("\n".join([
        "* dpi", cell.text, f"Xc pre out vdd dpi_synapse tau={tau} iw={iw} gain={GAIN} c={C}",
        "Vdd vdd 0 1.8", "Vout out 0 0.5", f"Vpre pre 0 pulse(0 1.8 {tau} 1u 1u {WIDTH - 1e-6} 10)",
        *options(cell.solver), ".save i(vout)", f".tran {tau / 50} {4 * tau} 0 {tau / 50}", ".end",
    ]))  # fmt: skip
    time, current = found["time"], found["vout#branch"]
    top = int(np.argmax(current))
    marks = time[top] + tau * np.linspace(0.1, 1.1, 21)
    slope = np.polyfit(marks, np.log(np.interp(marks, time, current)), 1)[0]
    return float(-1 / slope), float(current[top])


def peak(tau: float, iw: float) -> float:
    """The current at the end of a spike by the differential equation, in its logarithm."""
    itau = C * UT / (KAPPA * tau)
    ith = GAIN * itau

    def slope(_t: float, y: np.ndarray) -> np.ndarray:
        current = np.exp(y)
        return np.asarray((ith * iw / itau - current - ith) / (tau * (current + ith)))

    found = solve_ivp(slope, (0, WIDTH), [np.log(REST)], rtol=1e-8, atol=1e-10)
    return float(np.exp(found.y[0, -1]))


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    taus = (10e-3,) if quick else (5e-3, 10e-3, 20e-3, 50e-3)
    weights = (8e-9, 16e-9) if quick else (6e-9, 10e-9, 20e-9, 60e-9)
    found = {(t, w): measured(t, w) for t in taus for w in weights}
    off = [m[0] / t - 1 for (t, _), m in found.items()]
    worst = float(max(off, key=abs))
    yield Row(f"time constant, worst of {len(off)}", worst, (min(off), max(off)), "1", "within 5 %",
              "C UT/(kappa Itau)", abs(worst) <= 0.05)  # fmt: skip
    off = [m[1] / peak(t, w) - 1 for (t, w), m in found.items()]
    worst = float(max(off, key=abs))
    yield Row(f"peak after one spike, worst of {len(off)}", worst, (min(off), max(off)), "1", "within 5 %",
              "DPI equation, equal slopes", abs(worst) <= 0.05)  # fmt: skip
