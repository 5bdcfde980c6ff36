"""Spin-torque oscillators: threshold, frequency, linewidth and locking in ngspice, against equation and theory.

The cells of `spintronic` with their default device, an FeB free layer of 60 nm radius with perpendicular axis. Six points of
field and current are held against the Landau-Lifshitz-Gilbert-Slonczewski equation by SciPy, written a second time in Cartesian
components (`_sto_theory.py`), as steady orbits, and against a table of earlier, shorter integrations in its windows; the
threshold, the diffusion of the phase at 300 K and the locking to a microwave field against
Slavin and Tiberkevich, IEEE Trans. Magn. 45, 1875 (2009), with constants averaged from the material's; the auto-oscillator against
Adler's equation. Speeds are CPU seconds of `ngspice -b` on the same microsecond; the plain deck is the equation in Cartesian
components, three sources, with the step that gives the frequency as well. Full run: 6 minutes; `--quick`: fewer points, no macrospin
with noise.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator, Sequence
from math import pi
from pathlib import Path

import numpy as np
from scipy.optimize import curve_fit

from benchmarks._sto_theory import (
    ALPHA,
    GAMMA,
    HK,
    LAMBDA,
    TORQUE,
    integrate,
    orbit,
    threshold,
)
from benchmarks.rows import Row
from tellegen.arrays import Values

# Field (T), current (mA), and what a table by the same equation gives (DOP853 at 1e-11, constants of four digits): frequency
# (GHz) by the zeros of mx from 40 to 100 ns, mean of mz from 60 to 100 ns. It starts at mx = 0.1; the slow orbits
# are not at rest there yet.
TABLE = (
    (0.2, 2.5, 6.2401, 0.5463), (0.2, 2.0, 6.4582, 0.7177), (0.2, 4.0, 5.9553, 0.3211),
    (0.02, 0.5, 1.6737, 0.9442), (0.02, 1.0, 0.7484, 0.1565), (0.02, 2.5, 0.4402, 0.0321),
)  # fmt: skip
START = float(np.arcsin(0.1))  # rad
LINES = (1.8, 2.0, 2.5, 3.5)  # mA, where the linewidth is measured
KELVIN = 300.0
BEATS = (1.2, 1.5, 2.0)  # detunings over the half width, on each side
PHASES = (-0.9, -0.6, 0.0, 0.6, 0.9)


def cells(*names: str) -> str:
    """The text of some cells, what they share once."""
    from tellegen.cells import find_library

    library = find_library("spintronic")
    assert library is not None
    pasted = dict.fromkeys(d.text for n in names for d in library.cells[n].definitions)
    return "".join(pasted)


def deck(names: Sequence[str], cards: Sequence[str], save: str, stop: float, step: float) -> str:
    """A transient of `stop` ns with steps of `step` ps and the tolerances of the cells."""
    from tellegen.cells import find_library
    from tellegen.cells.solver import tightest
    from tellegen.emit.spice import options

    library = find_library("spintronic")
    assert library is not None
    asked = tightest([library.cells[n].solver for n in names])
    return "\n".join([
        "* sto", cells(*names), *cards, *options(asked), f".save {save}",
        f".tran {step}p {stop}n 0 {step}p", ".end",
    ])  # fmt: skip


def macrospin(
    field: float, current: float, stop: float, start: float = 0.1, frame: float = 6.24e9
) -> str:
    """One macrospin at a direct current (mA)."""
    return deck(
        ["sto_macrospin"],
        [
            f"Xs d mx my mz hx hy hz sto_macrospin field={field} start={start} frame={frame}",
            f"I1 0 d {current}m",
        ],
        "mx my mz xs.psi", stop, 10,
    )  # fmt: skip


def solved(texts: Sequence[str]) -> Iterator[dict[str, Values]]:
    """The vectors of some decks, times in ns."""
    from tellegen.sims.errors import SimulationError
    from tellegen.sims.ngspice.deck import run_decks

    for found in run_decks(texts, timeout=900):
        if isinstance(found, SimulationError):
            raise found
        found["time"] = found["time"] * 1e9
        yield found


def mean(time: Values, value: Values, start: float, stop: float = np.inf) -> float:
    """The mean over time from `start` to `stop`."""
    on = (time >= start) & (time <= stop)
    return float(np.trapezoid(value[on], time[on]) / (time[on][-1] - time[on][0]))


def rotation(time: Values, angle: Values, start: float) -> float:
    """The mean rate (rad/ns) of an angle from `start` on."""
    on = time >= start
    return float(np.polyfit(time[on], angle[on], 1)[0])


def crossings(time: Values, value: Values, start: float, stop: float) -> float:
    """The frequency (1/ns) by the times at which a value rises through zero, from `start` to `stop`."""
    on = (time >= start) & (time <= stop)
    t, x = time[on], value[on]
    k = np.flatnonzero((x[:-1] < 0) & (x[1:] >= 0))
    at = t[k] - x[k] * (t[k + 1] - t[k]) / (x[k + 1] - x[k])
    return float((len(at) - 1) / (at[-1] - at[0]))


# ---------------------------------------------------------------- points


def growth(time: Values, mx: Values, omega: float) -> float:
    """The rate (1/ns) with which a small precession about a tilted direction grows."""

    def shape(t: Values, c: float, a: float, b: float, w: float, r: float) -> Values:
        return np.asarray(c + np.exp(r * t) * (a * np.cos(w * t) + b * np.sin(w * t)))

    found, _ = curve_fit(shape, time, mx, p0=[0, 0.05, 0, omega, 0])
    return float(found[4])


def thresholds(quick: bool) -> Iterator[Row]:
    """By the Cartesian cell: small orbits about the tilted rest come too near to the pole for spherical angles."""
    for field in (0.2,) if quick else (0.2, 0.02):
        expected = threshold(field)
        currents = expected * np.array([0.85, 0.95, 1.05, 1.15])
        stop = 10 if field > 0.1 else 40
        texts = [
            deck(
                ["sto_cartesian"],
                [f"Xs d mx my mz hx hy hz sto_cartesian field={field} start=0.04", f"I1 0 d {i}"],
                "mx", stop, 2,
            )
            for i in currents
        ]  # fmt: skip
        rates = [growth(f["time"], f["mx"], GAMMA * (field + HK)) for f in solved(texts)]
        slope, offset = np.polyfit(currents, rates, 1)
        value = 1e3 * -offset / slope
        yield Row(f"threshold at {field} T, Cartesian macrospin", value, None, "mA", "within 1 %",
                  f"{1e3 * expected:.4f}: 4 alpha e Ms V H/(hbar eta lambda)",
                  abs(value / (1e3 * expected) - 1) <= 0.01)  # fmt: skip


def points(quick: bool) -> Iterator[Row]:
    """Frequency and mean mz: in the windows of the table, against it, and of the steady orbits, against SciPy."""
    table = TABLE[:1] if quick else TABLE
    stops = [240.0 if field > 0.1 else 400.0 for field, *_ in table]
    texts = [
        macrospin(field, current, stop, START, frame=1e9 * f)
        for (field, current, f, _), stop in zip(table, stops, strict=True)
    ]
    for found, (field, current, f, mz), stop in zip(solved(texts), table, stops, strict=True):
        begin = 0.5 * stop
        got = f + rotation(found["time"], found["xs.psi"], begin) / (2 * pi)
        level = mean(found["time"], found["mz"], begin)
        time, m = integrate(field, 1e-3 * current, stop, START)
        exact = rotation(time, np.unwrap(np.arctan2(m[1], m[0])), begin) / (2 * pi)
        flat = mean(time, m[2], begin)
        where = f"{field} T, {current} mA"
        early, slow = (
            crossings(found["time"], found["mx"], 40, 100),
            mean(found["time"], found["mz"], 60, 100),
        )
        yield Row(f"frequency at {where}, macrospin, 40 to 100 ns", early, None, "GHz", f"{f} +- 0.005",
                  "the table, in its window", abs(early - f) <= 0.005)  # fmt: skip
        yield Row(f"mean mz at {where}, macrospin, 60 to 100 ns", slow, None, "1", f"{mz} +- 0.002",
                  "the table, in its window", abs(slow - mz) <= 0.002)  # fmt: skip
        near = 0.005 if field > 0.1 else 0.001 * f
        yield Row(f"frequency at {where}, macrospin", got, None, "GHz", f"{exact:.4f} +- {near:.2g}",
                  "SciPy, the same steady orbit", abs(got - exact) <= near)  # fmt: skip
        yield Row(f"mean mz at {where}, macrospin", level, None, "1", f"{flat:.4f} +- 0.002",
                  "SciPy, the same steady orbit", abs(level - flat) <= 0.002)  # fmt: skip


def gear(quick: bool) -> Iterator[Row]:
    """What the method does that the compiler refuses, on the plain deck."""
    text = plain(100, 5, 2.5e-3).replace("method=trap", "method=gear")
    (found,) = solved([text])
    yield Row("mean mz at 0.2 T, 2.5 mA by Gear's method, plain deck", mean(found["time"], found["mz"], 50),
              None, "1", "", "0.546 is true; the compiler refuses this method", None)  # fmt: skip


# ---------------------------------------------------------------- the average over an orbit


def averages(quick: bool) -> Iterator[Row]:
    """The orbit average beside the macrospin, where it holds."""
    currents = (2.5,) if quick else (1.7, 2.0, 2.5, 3.0, 4.0)
    frequencies, amplitudes = [], []
    # from the orbit itself: near the threshold the way to it would take long
    starts = [float(np.arccos(orbit(0.2, 1e-3 * i).mz)) for i in currents]
    full = solved(
        [macrospin(0.2, i, 240, start) for i, start in zip(currents, starts, strict=True)]
    )
    cards = ["Xa d out np nh sto_averaged temperature=0"]
    slow = solved([
        deck(["sto_averaged"], [*cards, f"I1 0 d {i}m"], "xa.p xa.f", 1000, 1000) for i in currents
    ])  # fmt: skip
    for whole, average in zip(full, slow, strict=True):
        f = 6.24 + rotation(whole["time"], whole["xs.psi"], 160) / (2 * pi)
        on = whole["time"] >= 160
        amplitude = 0.5 * (whole["mx"][on].max() - whole["mx"][on].min())
        p = average["xa.p"][-1]
        frequencies.append(float(average["xa.f"][-1] / f - 1))
        amplitudes.append(float(2 * np.sqrt(p * (1 - p)) / amplitude - 1))
    for what, found in (("frequency", frequencies), ("amplitude", amplitudes)):
        worst = max(found, key=abs)
        yield Row(f"{what} of the orbit average, worst of {len(found)}", worst, (min(found), max(found)), "1",
                  "within 1 %", f"the macrospin cell at 0.2 T, {currents[0]} to {currents[-1]} mA",
                  abs(worst) <= 0.01)  # fmt: skip


# ---------------------------------------------------------------- speed


def plain(stop: float, step: float, current: float) -> str:
    """The equation as it stands, in Cartesian components: a capacitor and a source each, default tolerances but Newton's."""
    g, a = GAMMA / (1 + ALPHA**2), ALPHA
    h = f"(0.2+({HK})*v(mz))"
    s = f"({TORQUE * current}/(1+{LAMBDA}*v(mx)))"
    return "\n".join([
        "* plain",
        f"Bx 0 mx I={g}*(-({h}*v(my)+{a}*{h}*v(mx)*v(mz)+{s}*(v(my)*v(my)+v(mz)*v(mz))))",
        f"By 0 my I={g}*(-(-{h}*v(mx)+{a}*{h}*v(my)*v(mz)-{s}*v(mx)*v(my)+{a}*{s}*v(mz)))",
        f"Bz 0 mz I={g}*({a}*{h}*(v(mx)*v(mx)+v(my)*v(my))+{s}*v(mx)*v(mz)+{a}*{s}*v(my))",
        "C1 mx 0 1n", "C2 my 0 1n", "C3 mz 0 1n",
        f".ic v(mx)={np.sin(0.1)} v(my)=0 v(mz)={np.cos(0.1)}",
        ".options method=trap reltol=1e-6 vntol=1e-9 trtol=1e9", ".save mx my mz",
        f".tran {step}p {stop}n 0 {step}p", ".end",
    ])  # fmt: skip


def cpu(text: str) -> tuple[float, dict[str, Values]]:
    """CPU seconds of `ngspice -b` on a deck, and its vectors."""
    from tellegen.sims.ngspice.deck import run_batch

    def used() -> float:
        found = resource.getrusage(resource.RUSAGE_CHILDREN)
        return found.ru_utime + found.ru_stime

    before = used()
    found = run_batch(text, timeout=900)
    return used() - before, found


def turns(found: dict[str, Values]) -> float:
    """Frequency in GHz of a trace of mx and my, from 60 ns on."""
    time = 1e9 * found["time"]
    return rotation(time, np.unwrap(np.arctan2(found["my"], found["mx"])), 60) / (2 * pi)


def speed(quick: bool) -> Iterator[Row]:
    """CPU seconds of each formulation."""
    stop = 100.0 if quick else 1000.0
    drive = "I1 0 d pulse(2.3m 2.7m 0 0.1n 0.1n 99.9n 200n)"
    steady = "I1 0 d 2.5m"
    spin = ["Xs d mx my mz hx hy hz sto_macrospin"]
    xyz = ["Xs d mx my mz hx hy hz sto_cartesian"]
    slow = ["Xa d out np nh sto_averaged temperature=0"]
    auto = ["Xa d u v fu fv out sto_auto detuning=117.3meg"]
    ways = {
        "plain deck, steps of 2 ps": plain(stop, 2, 2.5e-3),
        "sto_macrospin, steps of 10 ps": deck(["sto_macrospin"], [*spin, steady], "mx my", stop, 10),
        "sto_cartesian, steps of 2 ps": deck(["sto_cartesian"], [*xyz, steady], "mx my", stop, 2),
        "sto_averaged, input every 100 ns": deck(["sto_averaged"], [*slow, drive], "xa.p", 100 * stop, 10000),
        "sto_auto, input every 100 ns": deck(["sto_auto"], [*auto, drive], "u v", 100 * stop, 10000),
    }  # fmt: skip
    seconds, off = {}, {}
    for name, text in ways.items():
        taken, found = cpu(text)
        seconds[name] = taken / (found["time"][-1] * 1e6)
        off[name] = (
            f", frequency off by {abs(turns(found) / 6.2401 - 1):.1e}" if "my" in found else ""
        )
    base, ours, *_ = ways
    for name, taken in seconds.items():
        yield Row(f"simulated time per CPU second, {name}", 1 / taken, None, "us/s", "",
                  f"{taken:.3g} CPU seconds per us{off[name]}", None)  # fmt: skip
    ratio = seconds[base] / seconds[ours]
    yield Row("speed-up of sto_macrospin over the plain deck", ratio, None, "1", ">= 2",
              "the same microsecond, the frequency no less accurate", ratio >= 2)  # fmt: skip
    ratio = seconds[ours] / seconds["sto_averaged, input every 100 ns"]
    yield Row("speed-up of sto_averaged over sto_macrospin", ratio, None, "1", "", "200 to 1000 expected", None)  # fmt: skip


# ---------------------------------------------------------------- locking


def beat(time: Values, phase: Values, start: float) -> float:
    """The mean rate (rad/ns) of a slipping phase over whole slips after `start`; 0 where there are fewer than two."""
    on = time >= start
    t, turned = time[on], np.abs(phase[on] - phase[on][0]) / (2 * pi)
    count = int(np.floor(turned[-1]))
    if count < 2:
        return 0.0
    return float(2 * pi * (count - 1) / (np.interp(count, turned, t) - np.interp(1, turned, t)))


def _locked(name: str, half: float, middle: float, beats: list[tuple[float, float]], held: list[tuple[float, float]],
            law: str) -> Iterator[Row]:  # fmt: skip
    """Rows of one oscillator: (detuning, beat) outside of the range, (detuning, phase) inside, all rates in rad/ns."""
    widths = [float(np.sqrt(max(d * d - b * b, 0)) / half - 1) for d, b in beats]
    worst = max(widths, key=abs)
    yield Row(f"locking range from beats, {name}, worst of {len(widths)}", worst, (min(widths), max(widths)),
              "1", "within 5 %", f"beat^2 = detuning^2 - half width^2, {law}", abs(worst) <= 0.05)  # fmt: skip
    phases = [float(np.angle(np.exp(1j * (p - middle - np.arcsin(d / half))))) for d, p in held]
    worst = max(phases, key=abs)
    yield Row(f"locked phase, {name}, worst of {len(phases)}", worst, (min(phases), max(phases)), "rad",
              "within 5 % of pi/2", f"arcsin(detuning/half width), {law}", abs(worst) <= 0.05 * pi / 2)  # fmt: skip


def auto_locking(quick: bool) -> Iterator[Row]:
    """The auto-oscillator under a force, beside Adler's equation."""
    shift, damping, q, zeta = -5e8, 4e6, 1.0, 2.5 / 1.55
    power = (zeta - 1) / (zeta + q)
    relaxation = 2e-9 * pi * damping * (zeta - 1)
    nu = 2e-9 * pi * shift * power / relaxation
    half = 0.05 * relaxation
    force = half * np.sqrt(power) / np.hypot(1, nu)

    def text(detuning: float, stop: float) -> str:
        own = -shift * power + 1e9 * detuning / (2 * pi)
        return deck(
            ["sto_auto"],
            [f"Xa d u v fu fv out sto_auto detuning={own:.12g} start={np.sqrt(power)}", "I1 0 d 2.5m",
             f"If 0 fu {force:.12g}"],
            "u v", stop, 20000,
        )  # fmt: skip

    outside, inside = _detunings(half, quick)
    beats, held = [], []
    for d, found in zip(outside, solved([text(d, 80 / half) for d in outside]), strict=True):
        phase = np.unwrap(np.arctan2(found["v"], found["u"]))
        beats.append((d, beat(found["time"], phase, 10 / half)))
    for d, found in zip(inside, solved([text(d, 40 / half) for d in inside]), strict=True):
        held.append((d, float(np.arctan2(found["v"][-1], found["u"][-1]))))
    yield from _locked("sto_auto", float(half), float(np.arctan(nu)), beats, held,
                       "Adler with F sqrt(1+nu^2)/sqrt(p), nu = -48")  # fmt: skip


def _detunings(half: float, quick: bool) -> tuple[list[float], list[float]]:
    """Detunings outside and inside of a locking range of twice `half`."""
    outside = [sign * half * k for k in BEATS for sign in (1, -1)]
    inside = [half * k for k in PHASES]
    return (outside[2:3], inside[1:2]) if quick else (outside, inside)


def spin_locking(quick: bool) -> Iterator[Row]:
    """The macrospin in a field that rotates in its plane, beside the theory from its material."""
    steady = orbit(0.2, 2.5e-3)
    unit, middle = steady.locking(1.0)
    half = 0.1 * steady.relaxation
    amplitude = half / unit
    (free,) = solved([macrospin(0.2, 2.5, 120)])
    own = 6.24 + rotation(free["time"], free["xs.psi"], 60) / (2 * pi)

    def text(detuning: float, stop: float) -> str:
        f = own + detuning / (2 * pi)
        return deck(
            ["sto_macrospin"],
            [f"Xs d mx my mz hx hy hz sto_macrospin frame={1e9 * f:.12g} start=0.99", "I1 0 d 2.5m",
             f"Ix 0 hx sin(0 {amplitude:.9g} {f:.12g}g 0 0 90)", f"Iy 0 hy sin(0 {amplitude:.9g} {f:.12g}g)"],
            "xs.psi", stop, 10,
        )  # fmt: skip

    outside, inside = _detunings(half, quick)
    beats, held = [], []
    for d, found in zip(outside, solved([text(d, 60 / half) for d in outside]), strict=True):
        beats.append((d, beat(found["time"], found["xs.psi"], 10 / half)))
    for d, found in zip(inside, solved([text(d, 20 / half) for d in inside]), strict=True):
        held.append((d, -mean(found["time"], found["xs.psi"], 18 / half)))
    yield from _locked("macrospin in a rotating field", half, middle, beats, held,
                       "Slavin and Tiberkevich from the material")  # fmt: skip


# ---------------------------------------------------------------- noise


def diffusion(time: Values, phases: Sequence[Values], lags: Values, start: float) -> Values:
    """Variance of the phase's change (rad^2) over each lag (ns), a row for each oscillator."""
    grid = np.arange(start, time[-1], 0.1)
    rows = []
    for phase in phases:
        on = np.interp(grid, time, phase)
        on -= np.polyval(np.polyfit(grid, on, 1), grid)
        rows.append(
            [float(np.mean((on[n:] - on[:-n]) ** 2)) for n in np.round(lags / 0.1).astype(int)]
        )
    return np.array(rows)


def noisy(cell: str, current: float, stop: float) -> tuple[str, list[str]]:
    """Four oscillators at 300 K, each with streams of its own, and the names of their phases."""
    if cell == "sto_averaged":
        names = ["sto_averaged", "white_noise"]
        cards = [
            card for k in range(4) for card in (
                f"Xo{k} d{k} out{k} np{k} nh{k} sto_averaged temperature={KELVIN}", f"I{k} 0 d{k} {current}m",
                f"Xp{k} np{k} white_noise interval=400p stream=0.1{k}7", f"Xh{k} nh{k} white_noise interval=400p stream=0.6{k}3",
            )
        ]  # fmt: skip
        step = 200.0
    else:
        names = ["sto_macrospin", "thermal_field"]
        cards = [
            card for k in range(4) for card in (
                f"Xo{k} d{k} mx{k} my{k} mz{k} hx{k} hy{k} hz{k} sto_macrospin", f"I{k} 0 d{k} {current}m",
                f"Xt{k} hx{k} hy{k} hz{k} thermal_field temperature={KELVIN} stream=0.3{k}9",
            )
        ]  # fmt: skip
        step = 10.0
    saved = [f"xo{k}.psi" for k in range(4)]
    return deck(names, cards, " ".join(saved), stop, step), saved


def linewidths(quick: bool) -> Iterator[Row]:
    """Phase diffusion at 300 K, beside the law."""
    plans = [("sto_averaged", 2000.0 if quick else 20000.0)]
    if not quick:
        plans.append(("sto_macrospin", 2000.0))
    for cell, stop in plans:
        for current in (
            LINES if cell == "sto_averaged" and not quick else LINES[1 : 2 if quick else 3]
        ):
            steady = orbit(0.2, 1e-3 * current)
            # where the law has its long slope; the macrospin's few microseconds do not resolve more
            lags = np.array([4.0, 12.0]) / steady.relaxation
            text, saved = noisy(cell, current, stop)
            (found,) = solved([text])
            got = diffusion(found["time"], [found[name] for name in saved], lags, 50)
            slopes = (got[:, 1] - got[:, 0]) / (lags[1] - lags[0]) / (2 * pi) * 1e3
            due = float(
                np.diff(steady.variance(lags, KELVIN))[0] / (lags[1] - lags[0]) / (2 * pi) * 1e3
            )
            value, error = float(slopes.mean()), float(slopes.std(ddof=1) / 2)
            close = abs(value - due) <= 3 * error + 0.1 * due
            yield Row(f"linewidth at {current} mA, 300 K, {cell}", value, (value - error, value + error), "MHz",
                      f"{due:.3g}, within 10 % and three standard errors",
                      "Slavin and Tiberkevich, with the constants of the orbit average", close)  # fmt: skip


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    for part in (thresholds, points, gear, averages, auto_locking, spin_locking, speed, linewidths):
        yield from part(quick)


def draw(rows: Sequence[Row], folder: Path) -> None:
    """The linewidth over the current: law, orbit average, macrospin."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 4))
    currents = np.linspace(1.65, 3.8, 100)
    law = [1e3 * orbit(0.2, 1e-3 * i).linewidth(KELVIN) for i in currents]
    axes.semilogy(currents, law, color="black", label="Slavin and Tiberkevich")
    bare = [1e3 * orbit(0.2, 1e-3 * i).white(KELVIN) / (2 * pi) for i in currents]
    axes.semilogy(currents, bare, "k--", label="the same without nonlinear shift")
    for cell, mark in (("sto_averaged", "o"), ("sto_macrospin", "s")):
        found = [r for r in rows if r.name.startswith("linewidth") and r.name.endswith(cell)]
        axes.errorbar(
            [float(r.name.split()[2]) for r in found], [r.value for r in found],
            [r.value - r.spread[0] for r in found if r.spread], fmt=mark, capsize=3, label=f"ngspice, {cell}",
        )  # fmt: skip
    axes.set_xlabel("current (mA)")
    axes.set_ylabel("linewidth at 300 K (MHz)")
    axes.legend()
    figure.savefig(folder / "linewidth.png", dpi=110, bbox_inches="tight")
    pyplot.close(figure)
