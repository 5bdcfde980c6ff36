"""The adaptive neuron three ways: as transistors, as a behavioural circuit, and as its equations.

A current step into `cmos.adaptive_neuron`, without and with adaptation, from 1.3 times the rheobase on. The
equations are those of the differential-pair integrator, for the membrane and for the adaptation (Chicca,
Stefanini, Bartolozzi, Indiveri, Proc. IEEE 102, 1367 (2014); threshold as a current as in the DYNAP-SE's),
integrated by SciPy: C UT/kappa dI/dt = I (Iin/(1 + I/Ith) - Itau - Iahp), that is, linear in the capacitor's
voltage, with the transistors' leaks as the currents at rest, where Itau's transistor, whose drain is the
capacitor, conducts 1 - exp(-V/UT) of its current (sub-threshold, as in Mead's and Vittoz's equations). Compared
are the rate of the steady state, from the last intervals, and how much the interval grows by adaptation. Full
run: 2 minutes. `--quick`: two currents.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.integrate import solve_ivp

from benchmarks.rows import Row
from tellegen.arrays import Values

UT, KAPPA, KAPPA_AHP = 0.02586, 0.75, 0.755
TAU, GAIN, ITHR, T_REF, TAU_AHP, CMEM, WIDTH = 20e-3, 4.0, 200e-12, 5e-3, 0.1, 3e-12, 1e-4
LEAK, LEAK_AHP = 0.068e-12, 0.442e-12  # of an eighth and of seven eighths of a square
ITAU, ITAU_AHP = CMEM * UT / (KAPPA * TAU), CMEM * UT / (KAPPA_AHP * TAU_AHP)
RHEOBASE = ITAU * (1 + ITHR / (GAIN * ITAU))
START = 10e-3
LEVELS = ("transistor", "behavioural")
RATIOS = (1.3, 1.6, 2.0, 3.0, 4.5, 7.0, 11.0)
# Rate and growth of the interval at each current, by way and whether the neuron adapts.
_found: dict[tuple[str, bool], list[tuple[float, float]]] = {}


def circuit(level: str, current: float, iahp: float, stop: float) -> Values:
    """Times of the spikes in ngspice, from the beginning of the step."""
    from tellegen.cells import find_library
    from tellegen.emit.spice import options
    from tellegen.sims.ngspice.deck import run_deck
    from tellegen.sims.ngspice.events import crossings

    library = find_library("cmos")
    assert library is not None
    cell = library.cells["adaptive_neuron"].levels[level]
    found = run_deck("\n".join([
        "* neuron", cell.text, "Vdd vdd 0 1.8", f"Iin vdd iin pwl(0 0 {START} 0 {START + 1e-4} {current})",
        f"Xc iin spike vdd {cell.subcircuit} iahp={iahp}", *options(cell.solver),
        ".save v(spike)", f".tran 1m {START + stop} 0 1m", ".end",
    ]))  # fmt: skip
    return crossings(found["time"], found["spike"]) - START


def equations(current: float, iahp: float, stop: float) -> Values:
    """Times of the spikes by the equations."""
    ith, ith_ahp = GAIN * ITAU, 5 * ITAU_AHP

    def slope(y: Values, spiking: bool, held: bool) -> list[float]:
        membrane, ahp = LEAK * np.exp(y[0]), LEAK_AHP * np.exp(y[1])
        into = current / (1 + membrane / ith) - ITAU * (1 - np.exp(-y[0] / KAPPA)) - ahp
        charge = iahp / (1 + ahp / ith_ahp) if spiking else 0.0
        return [
            0.0 if held else into / (ITAU * TAU),
            (charge - ITAU_AHP * (1 - np.exp(-y[1] / KAPPA_AHP))) / (ITAU_AHP * TAU_AHP),
        ]

    def threshold(_t: float, y: Values) -> float:
        return float(y[0] - np.log(ITHR / LEAK))

    threshold.terminal = True  # type: ignore[attr-defined]
    exact = {"rtol": 1e-7, "atol": 1e-9, "max_step": 5e-3}
    time, state, spikes = 0.0, [0.0, 0.0], []
    while True:
        free = solve_ivp(
            lambda _t, y: slope(y, False, False), (time, stop), state, events=threshold, **exact
        )
        if not len(free.t_events[0]):
            return np.array(spikes)
        time = float(free.t_events[0][0])
        spikes.append(time)
        state = [0.0, float(free.y[1, -1])]
        for spiking, length in ((True, WIDTH), (False, T_REF - WIDTH)):
            held = solve_ivp(
                lambda _t, y, s=spiking: slope(y, s, True), (0, length), state, **exact
            )
            state = [0.0, float(held.y[1, -1])]
        time += T_REF


def rate(spikes: Values) -> float:
    """The rate in hertz of the steady state, from the last intervals."""
    return float(1 / np.diff(spikes)[-3:].mean())


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    ratios = (2.0, 6.0) if quick else RATIOS
    found = _found
    found.clear()
    for ratio in ratios:
        for adapting in (False, True):
            iahp, stop = (3e-9, 0.8) if adapting else (0.0, 0.5 if ratio < 2 else 0.25)
            drive = ratio * RHEOBASE
            ways = {"equations": equations(drive, iahp, stop)}
            ways |= {level: circuit(level, drive, iahp, stop) for level in LEVELS}
            for way, spikes in ways.items():
                # Adaptation holds a weakly driven neuron to a spike now and then: no steady state in reach.
                enough = len(spikes) >= 5
                values = (
                    (rate(spikes), float(np.diff(spikes)[-1] / np.diff(spikes)[0]))
                    if enough
                    else (np.nan, np.nan)
                )
                found.setdefault((way, adapting), []).append(values)
    for level in LEVELS:
        for adapting, what in ((False, "rate"), (True, "adapted rate")):
            got, want = (np.array(found[way, adapting])[:, 0] for way in (level, "equations"))
            yield _row(f"{what}, {level}", got / want - 1)
        got, want = (np.array(found[way, True])[:, 1] for way in (level, "equations"))
        yield _row(f"growth of the interval, {level}", got / want - 1)


def _row(name: str, off: Values) -> Row:
    off = off[np.isfinite(off)]
    worst = float(off[np.argmax(np.abs(off))])
    return Row(f"{name}, worst of {len(off)}", worst, (float(off.min()), float(off.max())), "1",
               "within 10 %", "the integrators' equations, by SciPy", abs(worst) <= 0.1)  # fmt: skip


def draw(_rows: list[Row], folder: Path) -> None:
    """Rate over current."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for (way, adapting), values in _found.items():
        style = {"equations": "-", "transistor": "o", "behavioural": "x"}[way]
        axes.plot(RATIOS, np.array(values)[:, 0], style, color="C1" if adapting else "C0",
                  label=f"{way}{', adapting' if adapting else ''}")  # fmt: skip
    axes.set(xlabel="input current / rheobase", ylabel="rate (Hz)")
    axes.legend()
    figure.savefig(folder / "neuron.png", dpi=120)
