"""NARMA10 and Mackey-Glass by one spin-torque oscillator of 24 virtual nodes.

NARMA10 (Atiya and Parlos, IEEE Trans. Neural Networks 11, 697 (2000)) asks for a product over ten samples, which one
oscillator does not remember: it is shown as it is, and with the states of the ten samples before at the read-out, a
delay line behind the oscillator. Mackey-Glass (Science 197, 287 (1977)), tau 17, is foretold 20 units of time ahead.

No figure of a single spin-torque oscillator without feedback is known to us for either. The nearest: Mackey-Glass by
skyrmions and strain (Sun et al., Nature Communications 14, 3434 (2023); 20 steps ahead by the caption of its Fig. 4, 0.2 as a
co-author's public summary says; how long its step is was not read), which the vortex is held against; NARMA10 by one node of
another kind with a delayed feedback and 400 virtual nodes, in simulation (Appeltant et al., Nature Communications 2, 468
(2011); 0.12 in Appeltant's thesis, section 3.3.1, and in a public repeat of the article), which is shown only: a feedback has
the memory that the oscillator lacks. The same section has 0.4 as the least of any linear reservoir; regression on 20 delayed
inputs has that of our series too (`tests/test_reservoir.py`), with eleven, as here, more.

Two oscillators. The macrospin at the point of `memory.py`, read by its amplitude, without the thermal field and with it. The
vortex of `sine_square.py` at 300 K, locked to a microwave field and read as there (amplitude, its square, both quadratures): mean
current 1.6 thresholds, swing 0.97 of it, nodes of 0.0051 relaxation times (0.13 ns), so that a sample is over before the
relaxation is, a force of 0.256 of the relaxation rate, 1.24 rates above the frequency at rest; random masks of 0 and 1. The
vortex's point was looked for in NumPy on other series and one other mask, some 1,200 points, by the sum of both errors of one
sample's states; on that mask it has 0.62 and 0.15, on others 0.69 and 0.21.

Controls: ridge regression on the input delayed by up to 0 and by up to 10, and an echo-state network of as many units (spectral
radius 0.9, inputs 0.5), each unit one number where a node of the vortex shows four. What the physics adds is the states of
eleven samples against the inputs of eleven samples. Numbers are NRMSE on the test, over seeds of input, mask and noise;
Mackey-Glass is one series, under two masks and noises.
Full run: 140 seconds of CPU. `--quick`: one seed, 150 samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks._reservoirs import RIDGE, averaged_array, echo_state, history, vortex, vortices
from benchmarks.rows import Row, measured
from benchmarks.sine_square import looks
from tellegen.arrays import Values

NODES, TAPS, WASHOUT, AHEAD = 24, 11, 30, 20
# Of the vortex, in thresholds and in units of its relaxation rate.
MEAN, SWING, HOLD, FORCE, ABOVE = 1.6, 0.97, 0.0051, 0.256, 1.24
VORTEX = "vortex, locked, 300 K"
SUN = "skyrmions and strain: 0.2 (Sun 2023, as a co-author sums it up; 20 steps: its Fig. 4)"
APPELTANT = "another node, with delayed feedback: 0.12 (Appeltant's thesis, 3.3.1; lowest of a linear reservoir there: 0.4)"  # fmt: skip
# Target and outputs on the test of the first seed, by task and way, for the figure.
_shown: dict[tuple[str, str], tuple[Values, Values]] = {}


def taps(states: Values) -> Values:
    """States (samples, nodes) with those of the samples before (samples, nodes * TAPS)."""
    return np.hstack([history(s, TAPS) for s in states.T])


def locked(signals: Values, rng: np.random.Generator) -> Values:
    """States (samples, nodes, 3, series) of locked vortices driven by series (samples, series) in -1 .. 1."""
    from tellegen.sims.reservoir.reservoir import masked

    device, count = vortex(6e-9), signals.shape[1]
    values = [masked(s, rng.choice([0.0, 1.0], NODES)) for s in signals.T]
    drive = MEAN * (1 + SWING * np.stack(values, axis=1))
    return vortices(
        drive, rng.normal(size=(2, *drive.shape)), np.full(count, FORCE * device.rate),
        interval=1e-9 * HOLD / device.rate, nodes=NODES,
        frame=device.frequency + 1e9 * ABOVE * device.rate / (2 * np.pi),
    )  # fmt: skip


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    from tellegen.files import Files
    from tellegen.sims.datasets.mackey_glass import mackey_glass
    from tellegen.sims.datasets.narma10 import narma10
    from tellegen.sims.reservoir.readout import fit, in_time, nrmse
    from tellegen.sims.reservoir.reservoir import binary_mask, masked

    _shown.clear()
    errors: dict[tuple[str, str], list[float]] = {}
    count, seeds = (150, 1) if quick else (1000, 2)
    parts = in_time(count, 0.6, 0.15, WASHOUT)
    rng = np.random.default_rng(0)
    series = [
        (task, k, data)
        for k in range(seeds)
        for task, data in (
            ("NARMA10", narma10.call(Files(), samples=count, seed=k)),
            (
                "Mackey-Glass",
                mackey_glass.call(Files(), samples=count, ahead=AHEAD, tau=17, start=1.2),
            ),
        )
    ]
    # All series at once: an oscillator for each.
    signals = np.stack([_scaled(data.columns["signal"]) for _, _, data in series], axis=1)
    drive = 2.706e-3 + 1.948e-3 * np.stack(
        [masked(s, binary_mask(NODES, rng)) for s in signals.T], axis=1
    )
    noise = rng.normal(size=drive.shape)
    quiet, warm = (
        averaged_array(drive, noise, field=0.2, interval=0.32e-9, nodes=NODES, temperature=t)
        for t in (0.0, 300.0)
    )
    held = locked(signals, rng)
    for j, (task, seed, data) in enumerate(series):
        signal, wanted = signals[:, j], data.columns["next"][:, None]
        ways = {"macrospin, no thermal field": quiet[..., j], "macrospin, 300 K": warm[..., j], VORTEX: looks(held[..., j])}  # fmt: skip
        ways |= {f"{name}, states of {TAPS} samples": taps(states) for name, states in ways.items()}
        ways |= {
            "input": signal[:, None],
            f"inputs of {TAPS} samples": history(signal, TAPS),
            f"echo-state network, {NODES} units": echo_state(
                signal, NODES, seed, radius=0.9, leak=1.0, scale=0.5
            ),
        }
        for way, states in ways.items():
            outputs = fit(states, wanted, parts, RIDGE).predict(states)[parts.test]
            errors.setdefault((task, way), []).append(nrmse(outputs, wanted[parts.test]))
            _shown.setdefault((task, way), (wanted[parts.test, 0], outputs[:, 0]))
    for (task, way), values in errors.items():
        value, spread = measured(values)
        asked = (task, way) == ("Mackey-Glass", VORTEX) and not quick
        reference = {"NARMA10": APPELTANT, "Mackey-Glass": SUN}[task] if way == VORTEX else ""
        yield Row(f"{task}: {way}", value, spread, "NRMSE", "<= 0.2" if asked else "", reference,
                  value <= 0.2 if asked else None)  # fmt: skip
    for task in ("NARMA10", "Mackey-Glass"):
        lined = measured(errors[task, f"{VORTEX}, states of {TAPS} samples"])[0]
        inputs = measured(errors[task, f"inputs of {TAPS} samples"])[0]
        yield Row(f"{task}: error with the vortex / with the inputs alone, {TAPS} samples each", lined / inputs, None, "1",
                  "" if quick else "< 1", "the same read-out on the delayed inputs", None if quick else lined < inputs)  # fmt: skip


def _scaled(signal: Values) -> Values:
    """A series brought to -1 .. 1."""
    return 2 * (signal - signal.min()) / (signal.max() - signal.min()) - 1


def draw(_rows: list[Row], folder: Path) -> None:
    """Targets and what the oscillator and the inputs alone give."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    for axes, task in zip(figure.subplots(2), ("NARMA10", "Mackey-Glass"), strict=True):
        axes.plot(_shown[task, VORTEX][0][:100], "k", linewidth=1, label="target")
        for way in (
            VORTEX,
            f"{VORTEX}, states of {TAPS} samples",
            f"inputs of {TAPS} samples",
        ):
            axes.plot(_shown[task, way][1][:100], linewidth=1, label=way)
        axes.set(ylabel=task)
    figure.axes[0].legend(fontsize="small", ncols=2)
    figure.axes[1].set(xlabel="sample")
    figure.savefig(folder / "narma.png", dpi=110)
