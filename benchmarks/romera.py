"""Seven classes of two microwaves, told by which of four coupled oscillators lock to which, by training their currents.

The experiment of Romera et al., Nature 563, 230 (2018): two microwaves, whose frequencies are combinations of the formants of
a spoken vowel, reach four spin-torque oscillators. A vowel is recognised where exactly those oscillators lock that stand for it. What learns is the
four currents: where an oscillator should lock and does not, its frequency moves towards the microwave's; where it
locks and should not, away from it. The frequency falls with the current.

Here the oscillators are `sto_auto`, every one of which pushes all four, as a common line does: they share the node of the
force, whose four resistors in parallel are 1/4 ohm, hence the 4 in the couplings. Devices scatter: the four frequencies at equal
currents are a comb of 8 MHz, each off by a normal 3 MHz; a seed draws devices and vowels. Vowels stand beside each other in one
netlist, each with copies of the same four devices under the same currents, and one copy has no microwaves: it tells the
frequencies of the free oscillators, from which "towards" follows. A frequency is the slope of the recorded phase; locked is what is
nearer than 0.4 MHz to a microwave. Tolerances are looser than the library's, which take longer; a row compares.

The vowels are a stand-in: the measurements of Hillenbrand et al., J. Acoust. Soc. Am. 97, 3099 (1995), are copyrighted, so first and
second formants are drawn around their published means for women, with independent deviations of 8 % and 6 %, which are
ours. Microwave A is combined so that it tells the open vowels from the others, B so that it grows with the second formant; each class is one
combination of lock of the first oscillator to A, and of one of the others or none to B.

Beside it: the untrained currents, also with every pattern of locks renamed to the class that it most often comes from, and a linear
discriminant of the two frequencies. Full run: 10 minutes on two busy cores. `--quick`: one seed, 3 updates, two vowels of a class.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.rows import Row, measured

Values = NDArray[np.float64]
Classes = NDArray[np.int64]
Bits = NDArray[np.bool_]

# First and second formant (Hz), whether oscillator 0 is to lock to A, and which one to B, if any.
VOWELS: dict[str, tuple[float, float, bool, int | None]] = {
    "iy": (437, 2761, True, None),
    "ih": (483, 2365, True, 3),
    "ae": (669, 2349, False, 3),
    "er": (523, 1588, True, 2),
    "ah": (936, 1551, False, 2),
    "uw": (459, 1105, True, 1),
    "aw": (781, 1136, False, 1),
}
SCATTER = (0.08, 0.06)
FORCE, COUPLING = 1.0, 0.2  # MHz
COMB, MISMATCH = 8.0, 3.0  # MHz
START, LEAST, MOST = 3.1e-3, 1.9e-3, 6.5e-3  # A; the threshold is 1.55 mA
STEP, SETTLE, STOP = 3.3e-9, 150e-9, 450e-9  # s: longest step, when the phase begins to count, end
LOOSE = ".options reltol=1e-3 vntol=1e-6"
NEAR = 0.4  # MHz
BATCH, UPDATES, RATE = 2, 20, 0.8e-3
EACH = 12  # vowels of a class, in training and in test
ROMERA = "Romera 2018: 89 % in training, 84 % in test"
# Currents before and after, devices and training vowels of the first seed, for the figure.
_shown: list[tuple[Values, Values, Values, Values, Classes]] = []


def microwaves(formants: Values) -> Values:
    """The frequencies (n, 2) of A and B in MHz, from the rotating frame's, of formants (n, 2) in hertz."""
    first, second = np.log(formants).T
    a = -9.0 - 10.0 * (first + 0.2 * second - 7.63)
    b = 18.0 * (second - 0.1 * first - 6.38)
    return np.stack([a, b], axis=1)


def vowels(each: int, rng: np.random.Generator) -> tuple[Values, Classes]:
    """Microwaves (n, 2) of `each` vowels of every class, in random order, and their classes."""
    means = np.array([v[:2] for v in VOWELS.values()])
    classes = rng.permutation(np.repeat(np.arange(len(means)), each))
    drawn = means[classes] * np.exp(rng.normal(size=(len(classes), 2)) * SCATTER)
    return microwaves(drawn), classes.astype(np.int64)


def patterns() -> Bits:
    """Which oscillators lock to which microwaves (classes, 4, 2)."""
    asked = np.zeros((len(VOWELS), 4, 2), dtype=bool)
    for k, (_, _, low, at) in enumerate(VOWELS.values()):
        asked[k, 0, 0] = low
        if at is not None:
            asked[k, at, 1] = True
    return asked


def frequencies(currents: Values, detunings: Values, waves: Values, cards: tuple[str, ...] = (LOOSE,)) -> tuple[Values, Values]:  # fmt: skip
    """The frequencies (n, 4) of four oscillators under microwaves (n, 2), and free (4,); all in MHz."""
    from tellegen.pipeline import Compilation
    from tellegen.sims.flight import Flight
    from tellegen.sims.netlist import with_cards
    from tellegen.sims.simulation_binding import bind_simulation
    from tellegen.source import Source

    n = len(waves) + 1
    devices = "\n".join(
        f"output x{k}[{n}]: spin\noutput y{k}[{n}]: spin\n"
        f"o{k}: sto_auto[{n}](i[{k}], x{k}, y{k}, fu = fu, fv = fv, detuning = {d:.9g} MHz, shift = -40 MHz, damping = 10 MHz, start = 0.5)\n"
        f"c{k}: couple_amplitude[{n}](x{k}, y{k}, fu, fv, strength = {4 * COUPLING} MHz)"
        for k, d in enumerate(detunings)
    )
    drives = "\n".join(
        f"drive {source}{part} = {', '.join([*(_sine(f, part) for f in waves[:, k]), '0 V'])}"
        for k, source in enumerate("ab")
        for part in "xy"
    )
    # The junctions of all copies share the current that enters.
    shared = ", ".join(f"{n * i:.12g} A" for i in currents)
    found = bind_simulation(Compilation(Source("<romera>", f"""
        import spintronic
        network Arrays {{
            input i[4]: current
            input ax[{n}]: spin, ay[{n}]: spin, bx[{n}]: spin, by[{n}]: spin
            node  fu[{n}]: spin, fv[{n}]: spin
            sa: couple_amplitude[{n}](ax, ay, fu, fv, strength = {4 * FORCE} MHz)
            sb: couple_amplitude[{n}](bx, by, fu, fv, strength = {4 * FORCE} MHz)
            {devices}
        }}
        simulate Locking for Arrays {{
            drive i = {shared}
            {drives}
            transient {STOP * 1e9:.9g} ns step {STEP * 1e9:.9g} ns
        }}
    """)), "Locking").plan  # fmt: skip
    names = [f"{part}{k}" for k in range(4) for part in "xy"]
    netlist = with_cards(found.netlist, cards)
    with Flight(netlist, found.manifest, record=names, step=STEP, stop=STOP) as flight:
        flight.advance(STOP)
        seen = flight.waveforms()
    at = seen.time > SETTLE
    x, y = (np.stack([seen.values[f"{part}{k}"][at] for k in range(4)], axis=1) for part in "xy")
    turns = np.unwrap(np.arctan2(y, x), axis=0) / (2 * np.pi)
    slopes = np.polyfit(1e6 * seen.time[at], turns.reshape(len(turns), -1), 1)[0].reshape(4, n).T
    return slopes[:-1], slopes[-1]


def _sine(frequency: float, part: str) -> str:
    """A part of exp(2 pi i f t) of a frequency in MHz, which may be negative, as a drive."""
    if part == "x":
        return f"sine(0 V, 1 V, {abs(frequency):.9g} MHz, phase = {np.pi / 2:.12g} rad)"
    return f"sine(0 V, {np.sign(frequency):g} V, {abs(frequency):.9g} MHz)"


def locks(found: Values, waves: Values) -> Bits:
    """Which oscillators, of frequencies (n, 4), are locked to which microwaves (n, 2): (n, 4, 2)."""
    return np.abs(found[:, :, None] - waves[:, None, :]) < NEAR


def said(locked: Bits) -> Classes:
    """The class whose pattern is exactly the one that is found, or -1."""
    same = (locked[:, None] == patterns()).all(axis=(2, 3))
    return np.where(same.any(axis=1), same.argmax(axis=1), -1)


@dataclass(frozen=True)
class Update:
    """Currents (4,) after an update, and the accuracy of the batch before it."""

    currents: Values
    accuracy: float


def train(detunings: Values, waves: Values, classes: Classes, updates: int, rng: np.random.Generator) -> Iterator[Update]:  # fmt: skip
    """Move the currents, a batch with equally many vowels of each class after the other."""
    currents = np.full(4, START)
    asked = patterns()
    for t in range(updates):
        batch = np.concatenate([rng.choice(np.flatnonzero(classes == k), BATCH, replace=False) for k in range(len(asked))])  # fmt: skip
        found, free = frequencies(currents, detunings, waves[batch])
        locked, wanted = locks(found, waves[batch]), asked[classes[batch]]
        towards = np.sign(waves[batch][:, None, :] - free[:, None])
        wrong = wanted.astype(float) - locked
        # A larger current is a lower frequency.
        step = -RATE / (1 + t / 10) * (wrong * towards).sum(axis=2).mean(axis=0)
        currents = np.clip(currents + step, LEAST, MOST)
        yield Update(currents, float((said(locked) == classes[batch]).mean()))


def all_locks(currents: Values, detunings: Values, waves: Values) -> Bits:
    """As :func:`locks`, some tens of arrays a netlist."""
    size = BATCH * len(VOWELS)
    parts = [waves[k : k + size] for k in range(0, len(waves), size)]
    return np.concatenate([locks(frequencies(currents, detunings, p)[0], p) for p in parts])


def renamed(known: Bits, classes: Classes, locked: Bits) -> Classes:
    """The classes of patterns, each named after the class that it most often comes from among those known."""
    votes: dict[bytes, Values] = {}
    for pattern, k in zip(known, classes, strict=True):
        votes.setdefault(pattern.tobytes(), np.zeros(len(VOWELS)))[k] += 1
    return np.array([int(votes[p.tobytes()].argmax()) if p.tobytes() in votes else -1 for p in locked])  # fmt: skip


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    found: dict[str, list[float]] = {}
    moved: list[float] = []
    _shown.clear()
    for seed in range(1 if quick else 3):
        rng = np.random.default_rng(seed)
        # At equal currents the oscillators stand at a comb around the frame; 40 MHz / 3 is their shift there.
        detunings = COMB * (np.arange(4) - 1.5) + 40 / 3 + rng.normal(size=4) * MISMATCH
        each = 2 if quick else EACH
        (waves, classes), (tests, truth) = vowels(each, rng), vowels(each, rng)
        before = np.full(4, START)
        *_, last = train(detunings, waves, classes, 3 if quick else UPDATES, rng)
        after = last.currents
        moved.append(1e3 * float(np.abs(after - before).max()))
        for name, currents in (("untrained", before), ("trained", after)):
            seen, unseen = (all_locks(currents, detunings, w) for w in (waves, tests))
            for part, told in (
                ("training", said(seen) == classes),
                ("test", said(unseen) == truth),
                ("test, patterns renamed", renamed(seen, classes, unseen) == truth),
            ):
                found.setdefault(f"{name}: {part}", []).append(100 * float(told.mean()))
        linear = LinearDiscriminantAnalysis().fit(waves, classes)
        found.setdefault("linear discriminant of the two frequencies: test", []).append(
            100 * float(linear.score(tests, truth))
        )
        few = tests[: 4 if quick else BATCH * len(VOWELS)]
        strict = locks(frequencies(after, detunings, few, ())[0], few)
        found.setdefault("locks told alike at the library's tolerances", []).append(
            100 * float((strict == unseen[: len(few)]).mean())
        )
        if not _shown:
            _shown.append((before, after, detunings, waves, classes))
    untrained = measured(found["untrained: test, patterns renamed"])[0]
    for name, shares in found.items():
        value, spread = measured(shares)
        if name == "trained: test" and not quick:
            yield Row(name, value, spread, "%", ">= 84, above the untrained, renamed", ROMERA, value >= 84 and value > untrained)  # fmt: skip
        else:
            yield Row(name, value, spread, "%", "", "", None)
    value, spread = measured(moved)
    yield Row("largest change of a current", value, spread, "mA", "", "from 3.1 mA", None)


def draw(_rows: list[Row], folder: Path) -> None:
    """Which oscillators lock, over the plane of the two frequencies, before and after; the vowels on top."""
    from matplotlib.figure import Figure

    before, after, detunings, waves, classes = _shown[0]
    a, b = np.linspace(-19, -5, 12), np.linspace(-5, 21, 20)
    grid = np.stack(np.meshgrid(a, b), axis=-1).reshape(-1, 2)
    figure = Figure(figsize=(9, 5), layout="constrained")
    for axes, currents, title in zip(figure.subplots(1, 2, sharey=True), (before, after), ("before", "after"), strict=True):  # fmt: skip
        told = said(all_locks(currents, detunings, grid)).reshape(len(b), len(a))
        axes.pcolormesh(a, b, np.ma.masked_less(told, 0), cmap="Set2", vmin=0, vmax=7, shading="nearest")  # fmt: skip
        for k, name in enumerate(VOWELS):
            at = waves[classes == k]
            axes.scatter(*at.T, s=12, c=[k] * len(at), cmap="Set2", vmin=0, vmax=7, edgecolors="black", linewidths=0.5)  # fmt: skip
            axes.annotate(name, at.mean(axis=0), ha="center", weight="bold")
        axes.set(xlabel="microwave A (MHz)", title=f"{title} training")
    figure.axes[0].set(ylabel="microwave B (MHz)")
    figure.savefig(folder / "romera.png", dpi=110)
