"""Closed loops between Python and a running transient, held against their solutions.

1. Proportional control of an RC: Python reads the capacitor every interval T and holds the source at
   k (1 - y) until the next. Between two exchanges the circuit is a plain RC, so the sampled loop has an
   exact solution, a difference equation: the deviation from it is ngspice's own error. From the
   continuous loop (tau/(1+k) and k/(1+k)) it deviates by the holding, which is of first order in T.
2. A phase-locked loop: the oscillator is a circuit, its phase the voltage of a capacitor charged by
   its frequency; Python compares it with the reference and sets the frequency. Its equation is
   Adler's, d(e)/dt = dw - K sin(e), and has a closed solution; held for T, again first order.

The order is the slope of log(error) over log(T). Both on every ngspice that the checkout has. Full run
about half a minute; `--quick`: three intervals instead of five.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.exchange import builds, environment, version
from benchmarks.rows import Row

TAU, GAIN, STOP = 1e-3, 5.0, 2e-3
K, DETUNED, REFERENCE = 2000.0, 1200.0, 2 * np.pi * 1000.0
INTERVALS = (4e-5, 2e-5, 1e-5, 5e-6, 2.5e-6)

RC = """
import resistive
network Rc {
    input  u
    output y
    r: resistor(u, y, g = 1 mS)
    c: capacitor(y, gnd, c = 1 uF)
}
"""
# The phase in radian is the voltage; 1 V at `u` is 1 mA into 1 uF, that is 1000 rad/s.
OSCILLATOR = """
import resistive
network Oscillator {
    input  u: current
    output phase
    c:    capacitor(phase, gnd, c = 1 mF)
    leak: resistor(phase, gnd, g = 1 pS)
    join: resistor(u, phase, g = 1 S)
}
"""


class Proportional:
    """Controls the RC."""

    def __init__(self) -> None:
        self.log: list[tuple[float, float]] = []

    def __call__(self, exchange: object) -> None:
        """One exchange."""
        y = float(exchange.read("y"))  # type: ignore[attr-defined]
        self.log.append((exchange.time, y))  # type: ignore[attr-defined]
        exchange.drive("u", GAIN * (1 - y))  # type: ignore[attr-defined]


class PhaseLock:
    """Compares the oscillator's phase with the reference's and sets its frequency."""

    def __init__(self) -> None:
        self.log: list[tuple[float, float]] = []

    def __call__(self, exchange: object) -> None:
        """One exchange."""
        time = exchange.time  # type: ignore[attr-defined]
        error = REFERENCE * time - float(exchange.read("phase"))  # type: ignore[attr-defined]
        self.log.append((time, error))
        exchange.drive("u", 1e-3 * _frequency(error))  # type: ignore[attr-defined]


def _frequency(error: float) -> float:
    return float(REFERENCE - DETUNED + K * np.sin(error))


def controlled_rc(interval: float) -> dict[str, float]:
    """Deviations of the controlled RC from its sampled and its continuous solution."""
    from tellegen import Flight, compile_text

    emitted = compile_text(RC).emit()
    step = min(interval / 20, 2e-6)
    with Flight(
        emitted.netlist, emitted.manifest, record=["y"], step=step, stop=STOP, external=["u"]
    ) as flight:
        flight.drive("u", GAIN)
        flight.advance(1e-12)  # from the operating point at u = k on
        log = np.array(flight.control(Proportional(), every=interval).log)
    times, found = log.T
    decay, y, u = np.exp(-interval / TAU), GAIN, GAIN
    sampled = []
    for _ in times:
        y = y * decay + u * (1 - decay)
        u = GAIN * (1 - y)
        sampled.append(y)
    final = GAIN / (1 + GAIN)
    # The continuous loop closes where the sampled one does, at its first exchange.
    continuous = final + (found[0] - final) * np.exp(-(1 + GAIN) * (times - times[0]) / TAU)
    return {
        "sampled": float(np.abs(found - sampled).max()),
        "continuous": float(np.abs(found - continuous).max()),
    }


def locked(interval: float) -> dict[str, float]:
    """Deviation of the locking oscillator's phase from Adler's solution."""
    from tellegen import Flight, compile_text

    emitted = compile_text(OSCILLATOR).emit()
    with Flight(
        emitted.netlist, emitted.manifest, record=["phase"], step=min(interval / 10, 2e-6), stop=STOP,
        external=["u"],
    ) as flight:  # fmt: skip
        flight.drive("u", 0.0)
        flight.advance(1e-12)
        flight.drive("u", 1e-3 * _frequency(0.0))
        times, found = np.array(flight.control(PhaseLock(), every=interval).log).T
    return {"adler": float(np.abs(found - adler(times)).max())}


def adler(times: np.ndarray) -> np.ndarray:
    """The phase error of a first-order loop that starts at 0 and locks: d(e)/dt = dw - K sin(e)."""
    root = np.sqrt(K**2 - DETUNED**2)
    start = np.arctanh(K / root) if root > K else np.arctanh(root / K)
    # tan(e/2) = (K - root coth(root t/2 + c)) / dw, with c from e(0) = 0.
    return np.asarray(2 * np.arctan((K - root / np.tanh(root * times / 2 + start)) / DETUNED))


def deviations(intervals: list[float]) -> dict[str, list[float]]:
    """Every deviation at every interval, with this process's ngspice."""
    found = [controlled_rc(t) | locked(t) for t in intervals]
    return {name: [f[name] for f in found] for name in found[0]}


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    intervals = INTERVALS[:3] if quick else INTERVALS
    for build in builds():
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.closed_loop", *map(str, intervals)],
            env=environment(build), capture_output=True, text=True, check=True,
            cwd=Path(__file__).parents[1],
        )  # fmt: skip
        found = json.loads(done.stdout.splitlines()[-1])
        name = f"ngspice {version(build)}"
        worst = max(found["sampled"])
        yield Row(f"{name}: controlled RC, off its difference equation", worst, None, "V", "<= 1e-05",
                  "exact sampled loop", worst <= 1e-5)  # fmt: skip
        for key, said, source in (
            (
                "continuous",
                "controlled RC, order of the deviation from the continuous loop",
                "hold: 1",
            ),
            ("adler", "phase-locked loop, order of the deviation from Adler's solution", "hold: 1"),
        ):
            order = float(np.polyfit(np.log(intervals), np.log(found[key]), 1)[0])
            yield Row(
                f"{name}: {said}", order, None, "1", "1 +- 0.1", source, abs(order - 1) <= 0.1
            )
            value = found[key][-1]
            yield Row(f"{name}:   at {intervals[-1]:g} s", value, None,
                      "V" if key == "continuous" else "rad", "", "", None)  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(deviations([float(t) for t in sys.argv[1:]])))
