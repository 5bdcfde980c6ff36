"""NARMA10 and Mackey-Glass by one spin-torque oscillator of 24 virtual nodes.

NARMA10 (Atiya and Parlos, IEEE Trans. Neural Networks 11, 697 (2000)) asks for a product over ten samples, which one
oscillator does not remember: it is shown as it is, and with the states of the ten samples before at the read-out, a
delay line behind the oscillator. Mackey-Glass (Science 197, 287 (1977)), tau 17, is foretold 20 units of time
ahead; a reservoir of skyrmions has an error of about 0.2 there (Sun et al., Nature Communications 14, 3434 (2023);
number from memory). No figure of a single oscillator without feedback is known to us for either.

The operating point is that of `memory.py`, without the thermal field and with it. Controls: ridge regression on the
input delayed by up to 0 and by up to 10, and an echo-state network of as many units (spectral radius 0.9, inputs
0.5). What the physics adds is the states of eleven samples against the inputs of eleven samples. Numbers
are NRMSE on the test, over seeds of input, mask and noise; Mackey-Glass has no seed but the mask's.
Full run: 10 minutes on two busy cores. `--quick`: one seed, 150 samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks._reservoirs import RIDGE, averaged, echo_state, history
from benchmarks.rows import Row, measured

NODES, TAPS, WASHOUT, AHEAD = 24, 11, 30, 20
Values = NDArray[np.float64]
# Target and outputs on the test of the first seed, by task and way, for the figure.
_shown: dict[tuple[str, str], tuple[Values, Values]] = {}


def taps(states: Values) -> Values:
    """States (samples, nodes) with those of the samples before (samples, nodes * TAPS)."""
    return np.hstack([history(s, TAPS) for s in states.T])


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    from tellegen.files import Files
    from tellegen.sims.datasets.mackey_glass import mackey_glass
    from tellegen.sims.datasets.narma10 import narma10
    from tellegen.sims.readout import fit, in_time, nrmse
    from tellegen.sims.reservoir import binary_mask, masked

    _shown.clear()
    errors: dict[tuple[str, str], list[float]] = {}
    count = 150 if quick else 1000
    for seed in range(1 if quick else 2):
        rng = np.random.default_rng(seed)
        series = {
            "NARMA10": narma10.call(Files(), samples=count, seed=seed),
            "Mackey-Glass": mackey_glass.call(
                Files(), samples=count, ahead=AHEAD, tau=17, start=1.2
            ),
        }
        for task, data in series.items():
            signal = data.columns["signal"]
            signal = 2 * (signal - signal.min()) / (signal.max() - signal.min()) - 1
            wanted = data.columns["next"][:, None]
            parts = in_time(count, 0.6, 0.15, WASHOUT)
            drive = 2.706e-3 + 1.948e-3 * masked(signal, binary_mask(NODES, rng))
            point = {"field": 0.2, "interval": 0.32e-9, "nodes": NODES}
            quiet = averaged(drive, **point)
            warm = averaged(drive, **point, noise=rng.normal(size=len(drive)), temperature=300.0)
            for way, states in {
                "oscillator": quiet,
                "oscillator, 300 K": warm,
                f"oscillator, states of {TAPS} samples": taps(quiet),
                f"oscillator, states of {TAPS} samples, 300 K": taps(warm),
                "input": signal[:, None],
                f"inputs of {TAPS} samples": history(signal, TAPS),
                f"echo-state network, {NODES} units": echo_state(
                    signal, NODES, seed, radius=0.9, leak=1.0, scale=0.5
                ),
            }.items():
                outputs = fit(states, wanted, parts, RIDGE).predict(states)[parts.test]
                errors.setdefault((task, way), []).append(nrmse(outputs, wanted[parts.test]))
                _shown.setdefault((task, way), (wanted[parts.test, 0], outputs[:, 0]))
    for (task, way), values in errors.items():
        value, spread = measured(values)
        yield Row(f"{task}: {way}", value, spread, "NRMSE", "", "", None)
    for task in ("NARMA10", "Mackey-Glass"):
        lined = measured(errors[task, f"oscillator, states of {TAPS} samples"])[0]
        inputs = measured(errors[task, f"inputs of {TAPS} samples"])[0]
        yield Row(f"{task}: error with the oscillator / with the inputs alone", lined / inputs, None, "1",
                  "" if quick else "< 1", "the same read-out on the delayed inputs", None if quick else lined < inputs)  # fmt: skip


def draw(_rows: list[Row], folder: Path) -> None:
    """Targets and what the oscillator and the inputs alone give."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    for axes, task in zip(figure.subplots(2), ("NARMA10", "Mackey-Glass"), strict=True):
        axes.plot(_shown[task, "oscillator"][0][:100], "k", linewidth=1, label="target")
        for way in (
            "oscillator",
            f"oscillator, states of {TAPS} samples",
            f"inputs of {TAPS} samples",
        ):
            axes.plot(_shown[task, way][1][:100], linewidth=1, label=way)
        axes.set(ylabel=task)
    figure.axes[0].legend(fontsize="small", ncols=2)
    figure.axes[1].set(xlabel="sample")
    figure.savefig(folder / "narma.png", dpi=110)
