"""Digits as series, told apart with and without the oscillator: a stand-in for spoken digits.

No package that was found by name on PyPI ships spoken digits (`torchfsdd` fetches them when it runs), so the 8 x 8 images of
scikit-learn's `load_digits` are read from left to right: eight samples in time of eight channels each, as a filter bank gives them. As in Torrejon et al.,
Nature 547, 428 (2017), a binary matrix mixes the channels into the virtual nodes' drives, a linear read-out with the same
weights at every sample has the digit as target, and its outputs are averaged over the digit. Without the
oscillator that is a linear classifier of the time average of the channels. Torrejon's numbers, for spoken
digits and 400 nodes: 99.6 % with a cochlear filter, which is nonlinear itself, 80.3 % with a spectrogram, which is not.

One device at the point of `memory.py`, 64 virtual nodes; equal copies of it take digits at the same time, in one
netlist, each after the other, without a pause. Targets are of this benchmark: better than the same read-out
on the same drive, with the thermal field too. Not yet run in full. `--quick`: 60 digits, 16 nodes.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from benchmarks._reservoirs import averaged_array
from benchmarks.rows import Row

STEPS = 8
INTERVAL, MEAN, SWING = 0.32e-9, 2.706e-3, 1.948e-3
ALPHAS = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2)
Values = NDArray[np.float64]
Classes = NDArray[np.int64]


def accuracy(states: Values, classes: Classes) -> float:
    """The share of test digits told rightly, from states (digits, STEPS, nodes)."""
    from tellegen.sims.readout import fit, in_time

    flat = states.reshape(-1, states.shape[2])
    a, b = (STEPS * round(share * len(states)) for share in (0.6, 0.75))
    parts = in_time(len(flat), a / len(flat), (b - a) / len(flat))
    outputs = fit(flat, np.repeat(np.eye(10)[classes], STEPS, axis=0), parts, ALPHAS).predict(flat)
    said = outputs.reshape(len(states), STEPS, 10).mean(axis=1).argmax(axis=1)
    return float((said == classes)[b // STEPS :].mean())


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    from sklearn.datasets import load_digits

    count, copies, nodes = (60, 6, 16) if quick else (600, 40, 64)
    rng = np.random.default_rng(0)
    data = load_digits()
    chosen = rng.permutation(len(data.target))[:count]
    # (digits, time: columns, channels: rows)
    series = data.images[chosen].transpose(0, 2, 1) / 8 - 1
    classes = data.target[chosen].astype(np.int64)
    mixed = series @ rng.choice([-1.0, 1.0], (nodes, 8)).T
    mixed = np.clip(mixed / (3 * np.sqrt(8) / 2), -1.3, 1.3)
    values = mixed.reshape(copies, -1).T  # each copy has consecutive digits
    noise = rng.normal(size=values.shape)

    def shown(temperature: float) -> Values:
        states = averaged_array(
            MEAN + SWING * values, noise, field=0.2, interval=INTERVAL, nodes=nodes, temperature=temperature
        )  # fmt: skip
        return states.transpose(2, 0, 1).reshape(count, STEPS, nodes)

    alone = accuracy(mixed, classes)
    reference = "Torrejon 2017, spoken digits: 80.3 % (spectrogram) to 99.6 % (cochlear filter)"
    for name, states in {"oscillator": shown(0.0), "oscillator, 300 K": shown(300.0)}.items():
        share = accuracy(states, classes)
        yield Row(f"accuracy: {name}", 100 * share, None, "%", "" if quick else "> the drive's", reference,
                  None if quick else share > alone)  # fmt: skip
    yield Row("accuracy: the masked drive, without the oscillator", 100 * alone, None, "%", "", "the same read-out", None)  # fmt: skip
    yield Row("accuracy: the channels, without the oscillator", 100 * accuracy(series, classes), None, "%", "",
              "the same read-out", None)  # fmt: skip
