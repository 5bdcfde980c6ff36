"""The differential-pair integrator against its equation: decay, steady gain and the response to a spike.

`cmos.dpi_synapse` at both of its levels. The decay after a standard spike is fitted over a time constant and
held against the `tau` that was asked for, C UT/(kappa Itau), over a decade of Itau. The steady current of a
spike of twelve time constants is held against Ith (Iw/Itau - 1), over a decade of Iw. The peak of one
standard spike is held against the differential equation, tau (1 + Ith/I) dI/dt = Ith Iw/Itau - I - Ith,
integrated by SciPy from the output's leak. The equation takes the pair for weakly inverted and every slope
for equal. At the currents of single spikes the pair is not: the deviation grows with the root of Iw over
the pair's specific current (Enz, Krummenacher, Vittoz, Analog Integr. Circuits Signal Process. 8, 83
(1995)). The cell's sizes were chosen against these rows: they are no independent check of them. The rows "elsewhere"
are one: other gains, another capacitor and shorter and longer time constants, none of which sizes were chosen for.
A part of a peak's deviation is ngspice's own error: both peaks are found at a tenth of the cell's `trtol` too.
Full run: 3 minutes on busy cores. `--quick`: fewer points.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.integrate import solve_ivp

from benchmarks.rows import Row
from tellegen.arrays import Values

Point = tuple[float, float, float]
C, UT, KAPPA, GAIN, WIDTH = 1e-12, 0.02586, 0.755, 5.0, 1e-4
LEVELS = ("transistor", "behavioural")
# Gains, capacitors, time constants: where no size was chosen. Iw is 2 and 4 nA per pF, as it is where they were.
ELSEWHERE: list[Point] = [
    (2.5, C, 5e-3), (2.5, C, 20e-3), (10.0, C, 5e-3), (10.0, C, 20e-3),
    (GAIN, 3 * C, 5e-3), (GAIN, 3 * C, 20e-3), (GAIN, C, 1e-3), (GAIN, C, 50e-3),
]  # fmt: skip
FINE = 0.1  # trtol
_EQUATION = "the differential equation, by SciPy"


def response(
    level: str, tau: float, iw: float, width: float, gain: float = GAIN, c: float = C,
    trtol: float | None = None,
) -> tuple[Values, Values]:  # fmt: skip
    """Times (s) and current (A) for one spike that begins at `tau`, in ngspice; `trtol` instead of the cell's."""
    from tellegen.cells import find_library
    from tellegen.cells.solver import Solver, tightest
    from tellegen.emit.spice import options
    from tellegen.sims.ngspice.deck import run_deck

    library = find_library("cmos")
    assert library is not None
    cell = library.cells["dpi_synapse"].levels[level]
    solver = cell.solver
    if trtol is not None:
        solver = tightest([solver, Solver(options=(("trtol", trtol),))])
    found = run_deck("\n".join([
        "* dpi", cell.text, f"Xc pre out vdd {cell.subcircuit} tau={tau} iw={iw} gain={gain} c={c}",
        "Vdd vdd 0 1.8", "Vout out 0 0.5", f"Vpre pre 0 pulse(0 1.8 {tau} 1u 1u {width - 1e-6} 100)",
        *options(solver), ".save i(vout)",
        f".tran {tau / 50} {tau + width + 4 * tau} 0 {tau / 50}", ".end",
    ]))  # fmt: skip
    return found["time"], found["vout#branch"]


def decay(time: Values, current: Values, tau: float) -> float:
    """The fitted time constant after the spike."""
    top = int(np.argmax(current))
    marks = time[top] + tau * np.linspace(0.1, 1.1, 21)
    return float(-1 / np.polyfit(marks, np.log(np.interp(marks, time, current)), 1)[0])


def peak(tau: float, iw: float, rest: float, gain: float = GAIN, c: float = C) -> float:
    """The current at the end of a spike by the differential equation, in its logarithm."""
    itau = c * UT / (KAPPA * tau)
    ith = gain * itau

    def slope(_t: float, y: Values) -> Values:
        current = np.exp(y)
        return np.asarray((ith * iw / itau - current - ith) / (tau * (current + ith)))

    found = solve_ivp(slope, (0, WIDTH), [np.log(rest)], rtol=1e-8, atol=1e-10)
    return float(np.exp(found.y[0, -1]))


def steady(tau: float, iw: float) -> float:
    """The current that a spike without end leads to."""
    return GAIN * (iw - C * UT / (KAPPA * tau))


def _peaks(level: str, points: list[Point], trtol: float | None = None) -> list[float]:
    """How far peaks are from the equation, at 2 and 4 nA per pF, for each gain, capacitor and time constant."""
    off = []
    for gain, c, tau in points:
        for iw in (2e3 * c, 4e3 * c):
            _, current = response(level, tau, iw, WIDTH, gain, c, trtol)
            off.append(float(current.max()) / peak(tau, iw, float(current[0]), gain, c) - 1)
    return off


def _row(what: str, level: str, off: list[float], bound: float, reference: str) -> Row:
    worst = max(off, key=abs)
    return Row(f"{what}, {level}, worst of {len(off)}", worst, (min(off), max(off)), "1",
               f"within {100 * bound:g} %", reference, abs(worst) <= bound)  # fmt: skip


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    taus = (5e-3,) if quick else (2e-3, 5e-3, 10e-3, 20e-3)
    long = (2e-10,) if quick else (0.6e-10, 1e-10, 2e-10, 6e-10)
    for level in LEVELS:
        decays = [
            decay(*response(level, tau, iw, WIDTH), tau) / tau - 1
            for tau in taus
            for iw in (2e-9, 4e-9)
        ]
        peaks = _peaks(level, [(GAIN, C, tau) for tau in taus])
        gains = [
            float(response(level, tau, iw, 12 * tau)[1].max()) / steady(tau, iw) - 1
            for tau in (5e-3,)
            for iw in long
        ]
        yield _row("time constant", level, decays, 0.05, "C UT/(kappa Itau), a decade of Itau")
        yield _row("steady gain", level, gains, 0.05, "Ith (Iw/Itau - 1), a decade of Iw")
        yield _row("peak after one spike", level, peaks, 0.05, _EQUATION)
    if quick:
        return
    for level in LEVELS:
        yield _row("peak elsewhere", level, _peaks(level, ELSEWHERE), 0.05, _EQUATION)
    at = [(GAIN, C, tau) for tau in taus]
    for what, points in (("peak after one spike", at), ("peak elsewhere", ELSEWHERE)):
        off = _peaks("transistor", points, FINE)
        yield _row(f"{what} at trtol {FINE:g}", "transistor", off, 0.05, _EQUATION)
