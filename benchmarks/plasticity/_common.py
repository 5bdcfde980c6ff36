"""A plasticity cell on a bench of spikes and waveforms, and what its references are made of.

The references are sums over spikes and integrals over fine grids of the rules' published equations;
they know nothing of the circuits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from benchmarks.rows import Row

Values = np.ndarray
WIDTH = 1e-4
# The step of the references' grids: a twentieth of a spike.
GRID = 5e-6


@dataclass(frozen=True)
class Bench:
    """What surrounds a cell: spikes at ports, waveforms (times, values) at others.

    Between the `marks` ngspice takes no step over one of them: where a threshold switches a slow
    weight, its own control of the error does not see the switching.
    """

    spikes: Mapping[str, Sequence[float]]
    waves: Mapping[str, tuple[Sequence[float], Sequence[float]]]
    stop: float
    max_step: float = 1e-3
    marks: Sequence[float] = ()


def pulses(times: Sequence[float]) -> str:
    """A source of standard spikes at the given times."""
    points = ["0 0"]
    for t in sorted(times):
        points.append(f"{t - 5e-7:.10g} 0 {t + 5e-7:.10g} 1.8 {t + WIDTH - 5e-7:.10g} 1.8 {t + WIDTH + 5e-7:.10g} 0")  # fmt: skip
    return f"pwl({' '.join(points)})" if len(points) > 1 else "dc 0"


def decks(
    cell: str, benches: Sequence[tuple[Bench, Mapping[str, float]]], level: str = ""
) -> list[str]:
    """A SPICE deck of the cell for each bench and its parameters."""
    from tellegen.cells import find_library
    from tellegen.emit.spice import options

    library = find_library("cmos")
    assert library is not None
    found = library.cells[cell]
    found = found.levels[level or found.level]
    made = []
    for bench, params in benches:
        cards = [f"* {cell}", found.text.rstrip()]
        given = " ".join(f"{k}={v:.12g}" for k, v in params.items())
        cards.append(f"Xcell {' '.join(found.ports)} {found.subcircuit} {given}".rstrip())
        for port in found.ports:
            if port == "vdd":
                cards.append("Vdd vdd 0 1.8")
            elif port in bench.spikes:
                cards.append(f"V{port} {port} 0 {pulses(bench.spikes[port])}")
            elif port in bench.waves:
                points = " ".join(
                    f"{t:.10g} {v:.10g}" for t, v in zip(*bench.waves[port], strict=True)
                )
                cards.append(f"V{port} {port} 0 pwl({points})")
            elif found.ports[port].direction == "in" or (
                found.ports[port].direction == "out" and "weight" not in found.observables
            ):
                cards.append(f"V{port} {port} 0 0")
        if len(bench.marks):
            points = " ".join(f"{t:.10g} 0" for t in bench.marks)
            cards += [f"Vmarks marks 0 pwl({points})", "Rmarks marks 0 1"]
        if "weight" in found.observables:
            cards.append(".save v(w)")
        cards += [
            *options(found.solver),
            f".tran {bench.max_step:g} {bench.stop:.9g} 0 {bench.max_step:g}",
        ]
        made.append("\n".join([*cards, ".end", ""]))
    return made


def changes(
    cell: str, benches: Sequence[tuple[Bench, Mapping[str, float]]], level: str = ""
) -> list[float]:
    """By how much the cell's weight has changed at the end of each bench, in ngspice."""
    return [float(v[-1] - v[0]) for _, v in weights(cell, benches, level)]


def weights(
    cell: str, benches: Sequence[tuple[Bench, Mapping[str, float]]], level: str = ""
) -> list[tuple[Values, Values]]:
    """The weight over time on each bench, in ngspice."""
    from tellegen.sims.ngspice.deck import run_decks

    found = []
    # transistors on a busy machine take their time
    for result in run_decks(decks(cell, benches, level), timeout=600):
        if isinstance(result, Exception):
            raise result
        found.append((np.asarray(result["time"]), np.asarray(result["w"])))
    return found


def within(
    name: str, found: Sequence[float], wanted: Sequence[float], bound: float, source: str
) -> Row:
    """The worst relative error of changes that are at least a tenth of the largest one."""
    a, b = np.asarray(found, float), np.asarray(wanted, float)
    large = np.abs(b) >= 0.1 * np.abs(b).max()
    worst = float((np.abs(a - b)[large] / np.abs(b)[large]).max())
    value = worst if np.isfinite(a).all() else float("nan")
    return Row(f"{name}: worst of {int(large.sum())} changes", value, None, "1", f"<= {bound:g}", source,
               bool(value <= bound))  # fmt: skip


def trace(times: Sequence[float], tau: float, at: float) -> float:
    """An exponential trace just before a time: every earlier spike counts."""
    t = np.asarray(times, dtype=float)
    t = t[t < at - 1e-9]
    return float(np.exp(-(at - t) / tau).sum())


def grid(stop: float) -> Values:
    """The times of a reference's grid."""
    return np.arange(0.0, stop, GRID)


def trace_on(t: Values, times: Sequence[float], tau: float) -> Values:
    """An exponential trace on a grid."""
    jumps = np.zeros(len(t))
    for time in times:
        jumps[min(int(np.ceil(time / GRID)), len(t) - 1)] += 1
    return np.asarray(lfilter([1.0], [1.0, -np.exp(-GRID / tau)], jumps))


def lowpass_on(values: Values, tau: float, start: float) -> Values:
    """The low pass of a signal on a grid, from `start` on."""
    keep = np.exp(-GRID / tau)
    out, _ = lfilter([1 - keep], [1.0, -keep], values, zi=[keep * start])
    return np.asarray(out)


def both_ways(distance: float) -> dict[str, list[float]]:
    """One pairing: post after pre by a distance, or before it."""
    return {"pre": [0.1], "post": [0.1 + distance]}
