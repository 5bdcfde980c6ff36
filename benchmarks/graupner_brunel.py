"""Graupner and Brunel's calcium rule: the curves of all nine parameter sets over the spikes' distance.

The cell `cmos.calcium` in ngspice, beside the model's equations integrated here: calcium exactly,
between spikes and threshold crossings; the efficacy by Runge-Kutta. The efficacy begins at the boundary
of its two states, 60 pairings at 1 Hz follow, without noise. The signs along the curve, and where they
change, must be the same; for the six classes the signs must be those that name the class.

Parameters: the authors' table (PNAS 109, 3991 (2012), Table S1, as in their public code). Full run: 9
sets of 31 distances, about 5 minutes. `--quick`: 5 pairings, three sets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.rows import Row

PERIOD, START = 1.0, 0.3
# Steps of ngspice while calcium may cross its thresholds, and for how many of its time constants.
FINE, AFTER = 2e-4, 1.5
# Far apart, the sets are made to change nothing: what is less than this share of the largest change
# counts as none.
NONE = 0.05


@dataclass(frozen=True)
class Set:
    """A row of the authors' table (times in seconds); `pattern` the signs that name a class."""

    tau_ca: float
    c_pre: float
    c_post: float
    theta_p: float
    gamma_d: float
    gamma_p: float
    tau: float
    delay: float
    pattern: str = ""


SETS = {
    "DP": Set(20e-3, 1, 2, 1.3, 200, 321.808, 150, 13.7e-3, "-+"),
    "DPD": Set(20e-3, 0.9, 0.9, 1.3, 250, 550, 150, 4.6e-3, "-+-"),
    "DPD'": Set(20e-3, 1, 2, 2.5, 50, 600, 150, 2.2e-3, "-+-"),
    "P": Set(20e-3, 2, 2, 1.3, 160, 257.447, 150, 0, "+"),
    "D": Set(20e-3, 0.6, 0.6, 1.3, 500, 550, 150, 0, "-"),
    "D'": Set(20e-3, 1, 2, 3.5, 60, 600, 150, 0, "-"),
    "hippocampal slices": Set(48.8373e-3, 1, 0.275865, 1.3, 313.0965, 1645.59, 688.355, 18.8008e-3),
    "hippocampal cultures": Set(11.9536e-3, 0.58156, 1.76444, 1.3, 61.141, 113.6545, 33.7596, 10e-3),
    "cortical slices": Set(22.6936e-3, 0.5617539, 1.23964, 1.3, 331.909, 725.085, 346.3615, 4.6098e-3),
}  # fmt: skip


def _spikes(one: Set, distance: float, pairings: int) -> tuple[list[float], list[float]]:
    """When calcium comes: from pre, late by the delay, and from post `distance` after pre."""
    pre = [START + k * PERIOD for k in range(pairings)]
    return [t + one.delay for t in pre], [t + distance for t in pre]


def circuit(one: Set, distances: Sequence[float], pairings: int, level: str = "") -> list[float]:
    """The change of the efficacy after the pairings, in ngspice."""
    from benchmarks.plasticity._common import Bench, changes

    params = {
        name: getattr(one, name)
        for name in ("tau_ca", "c_pre", "c_post", "theta_p", "gamma_d", "gamma_p", "tau")
    } | {"w0": 0.5}
    benches = []
    for distance in distances:
        pre, post = _spikes(one, distance, pairings)
        stop = START + pairings * PERIOD
        fine = np.arange(-5e-3, AFTER * one.tau_ca, FINE)
        marks = np.unique(np.concatenate([t + fine for t in (*pre, *post)]).round(6))
        marks = marks[np.diff(marks, prepend=0) > FINE / 2]
        # a comparator of transistors has capacitances, which make ngspice see its switching
        at = [] if level == "transistor" else marks.tolist()
        longest = 5e-3 if level == "transistor" else 1e-2
        benches.append((Bench({"pre": pre, "post": post}, {}, stop, longest, at), params))
    return changes("calcium", benches, level)


def reference(one: Set, distance: float, pairings: int) -> float:
    """The same by the equations: dc/dt = -c/tau_ca + jumps, tau drho/dt = ..."""
    pre, post = _spikes(one, distance, pairings)
    events = sorted([(t, one.c_pre) for t in pre] + [(t, one.c_post) for t in post])
    events.append((START + pairings * PERIOD, 0.0))
    calcium, last, rho = 0.0, 0.0, 0.5
    for time, jump in events:
        # Within the interval calcium only falls: it leaves the two thresholds one after the other.
        cuts = {last, time}
        for threshold in (1.0, one.theta_p):
            if calcium > threshold:
                cuts.add(min(time, last + one.tau_ca * np.log(calcium / threshold)))
        marks = sorted(cuts)
        for a, b in pairwise(marks):
            middle = calcium * np.exp(-((a + b) / 2 - last) / one.tau_ca)
            rho = _advanced(one, rho, b - a, middle > one.theta_p, middle > 1.0)
        calcium = calcium * np.exp(-(time - last) / one.tau_ca) + jump
        last = time
    return float(rho - 0.5)


def _advanced(one: Set, rho: float, duration: float, high: bool, low: bool) -> float:
    """The efficacy after a time, by Runge-Kutta."""

    def slope(r: float) -> float:
        drift = -r * (1 - r) * (0.5 - r)
        return float((drift + one.gamma_p * (1 - r) * high - one.gamma_d * r * low) / one.tau)

    steps = max(1, int(np.ceil(duration / (2e-3 if high or low else 0.1))))
    h = duration / steps
    for _ in range(steps):
        k1 = slope(rho)
        k2 = slope(rho + h / 2 * k1)
        k3 = slope(rho + h / 2 * k2)
        k4 = slope(rho + h * k3)
        rho += h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return rho


def signs(changes: np.ndarray) -> str:
    """The signs along a curve, each once, where it changes anything."""
    large = np.abs(changes) > NONE * np.abs(changes).max()
    found = ["+" if c > 0 else "-" for c in changes[large]]
    return "".join(s for k, s in enumerate(found) if not k or s != found[k - 1])


def crossings(distances: np.ndarray, changes: np.ndarray) -> np.ndarray:
    """Where a curve changes its sign, straight between its points."""
    changes = np.where(np.abs(changes) > NONE * np.abs(changes).max(), changes, 0.0)
    some = changes != 0
    distances, changes = distances[some], changes[some]
    k = np.flatnonzero(np.sign(changes[:-1]) * np.sign(changes[1:]) < 0)
    share = changes[k] / (changes[k] - changes[k + 1])
    return np.asarray(distances[k] + share * (distances[k + 1] - distances[k]))


_curves: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    from joblib import Parallel, delayed

    pairings = 5 if quick else 60
    distances = np.linspace(-0.1, 0.1, 9 if quick else 31) + 5e-4
    names = ["DP", "P", "D"] if quick else list(SETS)
    measured = Parallel(n_jobs=2)(
        delayed(circuit)(SETS[name], distances.tolist(), pairings) for name in names
    )
    for name, values in zip(names, measured, strict=True):
        found = np.array(values)
        wanted = np.array([reference(SETS[name], float(d), pairings) for d in distances])
        _curves[name] = distances, found, wanted
        same = signs(found) == signs(wanted) and SETS[name].pattern in ("", signs(found))
        error = float(np.abs(found - wanted).max() / np.abs(wanted).max())
        yield Row(f"{name}: signs {signs(found)}, deviation", error, None, "1",
                  f"signs {SETS[name].pattern or signs(wanted)}", "authors' table", same)  # fmt: skip
        ours, theirs = crossings(distances, found), crossings(distances, wanted)
        if len(theirs):
            off = float(np.abs(ours - theirs).max()) if len(ours) == len(theirs) else float("nan")
            yield Row(f"{name}: zero crossings, furthest off", off * 1e3, None, "ms", "<= 1",
                      "equations", bool(off <= 1e-3))  # fmt: skip


def draw(_rows: list[Row], folder: Path) -> None:
    """The nine curves."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 7.5), layout="constrained")
    panels = figure.subplots(3, 3, sharex=True)
    for ax, (name, (distances, found, wanted)) in zip(panels.flat, _curves.items(), strict=False):
        ax.axhline(0, color="0.8", lw=0.8)
        ax.plot(distances * 1e3, wanted, color="0.6", lw=3, label="equations")
        ax.plot(distances * 1e3, found, color="tab:blue", lw=1, marker=".", ms=3, label="ngspice")
        ax.set_title(name, fontsize=10)
    panels[2, 1].set_xlabel("post after pre (ms)")
    panels[1, 0].set_ylabel("change of the efficacy")
    panels[0, 0].legend(frameon=False, fontsize=8)
    figure.savefig(folder / "curves.png", dpi=150)
