"""Digits by two meshes with an opto-electronic nonlinearity between them, trained in situ.

Nine principal components of scikit-learn's digits, fitted on the training digits, and a constant enter as fields of ten
modes, and the network of `_light_network.py` tells ten classes by the powers behind its second mesh. Without the
constant a digit and its negative would be the same to all detectors.

Gradients are those of Hughes et al. (2018) and Pai et al. (2023), measured in ngspice: light from ahead and from behind
in one circuit (`sims/learning/backpropagation.py`), the slope of the activation from the detected powers. The same network in
NumPy has the same first phases, batches and optimiser, its gradient by the chain rule. Beside them: a mesh without
activation, and scikit-learn's logistic regression on the same components.

Sizes, gain, scales and rate were chosen on the NumPy network with seeds 100 and 101. Full run: 8 minutes on busy cores.
`--quick`: one seed, an epoch of 150 digits.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from benchmarks._light_network import LOGIT, UNIT, Circuit, Network, Twin, accuracy, train
from benchmarks.rows import Row
from tellegen.arrays import Indices, Values

N, CLASSES = 10, 10
CONSTANT = 3.0  # standard deviations
SEEDS, EPOCHS, BATCH, RATE = 3, 12, 30, 0.1
TRAIN, WATCHED = 600, 200
Labels = Indices


@dataclass(frozen=True, eq=False)
class Digits:
    """Fields (samples, N) of digits in the root of a watt, and their labels."""

    fields: Values
    labels: Labels
    test_fields: Values
    test_labels: Labels


def data(seed: int, train: int) -> Digits:
    """A split of the digits, as fields."""
    x, labels = load_digits(return_X_y=True)
    x, fresh, labels, true = train_test_split(x, labels, train_size=train, stratify=labels, random_state=seed)  # fmt: skip
    components = PCA(N - 1).fit(x)
    scale = np.sqrt(UNIT) / components.transform(x).std(axis=0).mean()

    def fields(pixels: Values) -> Values:
        scaled = scale * components.transform(pixels)
        return np.hstack([scaled, np.full((len(scaled), 1), CONSTANT * np.sqrt(UNIT))])

    return Digits(fields(x), labels, fields(fresh), true)


def learn(network: Network, digits: Digits, seed: int, epochs: int) -> tuple[Values, list[float]]:
    """The phases after training, and the accuracy on some of the test digits before each epoch and at the end."""
    rng = np.random.default_rng(seed)
    start = rng.uniform(0, 2 * np.pi, size=(2, *network.shape[1:]))[: network.shape[0]]
    watched = digits.test_fields[:WATCHED], digits.test_labels[:WATCHED]
    curve: list[float] = []
    phases = train(
        network, start, digits.fields, digits.labels, epochs=epochs, batch=BATCH, rate=RATE, random=rng,
        watch=lambda phases: curve.append(accuracy(network, phases, *watched)),
    )  # fmt: skip
    return phases, curve


def entropy(powers: Values, labels: Labels) -> float:
    """The mean cross entropy of a softmax of powers (samples, CLASSES)."""
    logits = LOGIT * powers
    top = logits.max(axis=1)
    total = np.log(np.exp(logits - top[:, None]).sum(axis=1)) + top
    return float((total - logits[np.arange(len(labels)), labels]).mean())


def slopes(circuit: Circuit, phases: Values, some: Sequence[tuple[int, ...]], fields: Values, labels: Labels) -> Values:  # fmt: skip
    """Derivatives of the cross entropy by some phases, by differences of the fourth order in ngspice."""
    step, found = 1e-2, []
    for index in some:
        costs = []
        for steps in (-2, -1, 1, 2):
            moved = phases.copy()
            moved[index] += steps * step
            costs.append(entropy(circuit.powers(moved, fields), labels))
        found.append((costs[0] - 8 * costs[1] + 8 * costs[2] - costs[3]) / (12 * step))
    return np.array(found)


_curves: dict[str, list[list[float]]] = {}


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    _curves.clear()
    circuit, twin = Circuit(N, CLASSES), Twin(N, CLASSES)
    digits = data(0, 150 if quick else TRAIN)
    phases = np.random.default_rng(0).uniform(0, 2 * np.pi, size=circuit.shape)
    few = digits.fields[:5], digits.labels[:5]
    apart = np.abs(circuit.powers(phases, few[0]) - twin.powers(phases, few[0])).max() / UNIT
    yield Row("detected powers, ngspice and NumPy: largest difference", float(apart), None, "mW", "<= 1e-9",
              "matrices and the activation's closed form", bool(apart <= 1e-9))  # fmt: skip
    situ = circuit.gradient(phases, *few)
    scale = np.abs(situ).max()
    some = [(m, p, k) for m in (0, 1) for p in (0, 1) for k in range(0, situ.shape[-1], 15)]
    wanted = slopes(circuit, phases, some, *few)
    error = float(np.abs(np.array([situ[i] for i in some]) - wanted).max() / scale)
    yield Row(f"gradient in situ: worst of {len(some)} phases", error, None, "1", "<= 1e-6",
              "differences of the fourth order in ngspice", error <= 1e-6)  # fmt: skip
    error = float(np.abs(situ - twin.gradient(phases, *few)).max() / scale)
    yield Row(f"gradient in situ: worst of all {situ.size} phases", error, None, "1", "<= 1e-6",
              "chain rule in NumPy", error <= 1e-6)  # fmt: skip

    found: dict[str, list[float]] = {}
    seconds = 0.0
    for seed in range(1 if quick else SEEDS):
        digits = data(seed, 150 if quick else TRAIN)
        test = digits.test_fields, digits.test_labels
        if quick:
            test = test[0][:WATCHED], test[1][:WATCHED]
        networks: dict[str, Any] = {"in situ, ngspice": circuit, "NumPy": twin, "one mesh, NumPy": Twin(N, CLASSES, 1)}  # fmt: skip
        for name, network in networks.items():
            began = time.process_time()
            trained, curve = learn(network, digits, seed, 1 if quick else EPOCHS)
            if network is circuit:
                seconds += time.process_time() - began
            _curves.setdefault(name, []).append(curve)
            found.setdefault(name, []).append(accuracy(network, trained, *test))
            if network is circuit:
                # The phases of the circuit in the equations: whether only the judge differs.
                found.setdefault("phases from ngspice, in NumPy", []).append(accuracy(twin, trained, *test))  # fmt: skip
        regression = LogisticRegression(max_iter=5000).fit(digits.fields / np.sqrt(UNIT), digits.labels)  # fmt: skip
        found.setdefault("logistic regression, scikit-learn", []).append(
            float(regression.score(test[0] / np.sqrt(UNIT), test[1]))
        )
    over = f"{len(found['NumPy'])} seeds, mean"
    for name, values in found.items():
        yield Row(f"{name}: test accuracy, {over}", float(np.mean(values)), (min(values), max(values)), "1",
                  "", "", None)  # fmt: skip
    gaps = np.abs(np.subtract(found["in situ, ngspice"], found["NumPy"]))
    yield Row("in situ and NumPy: largest difference of accuracy", float(gaps.max()), None, "1",
              "<= 0.02", "the same network in NumPy", bool(gaps.max() <= 0.02))  # fmt: skip
    yield Row("solves", float(circuit.solves), None, "1", "", "", None)
    yield Row("training in ngspice: CPU time a digit, watching included",
              seconds / (len(gaps) * (150 if quick else EPOCHS * TRAIN)), None, "s", "", "", None)  # fmt: skip


def draw(_rows: list[Row], folder: Path) -> None:
    """Accuracy after each epoch."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    styles = {"in situ, ngspice": ("C0", "-", 3.0), "NumPy": ("k", "--", 1.0), "one mesh, NumPy": ("C1", ":", 1.0)}  # fmt: skip
    for name, (colour, style, width) in styles.items():
        for k, curve in enumerate(_curves[name]):
            axes.plot(curve, style, color=colour, linewidth=width, label=name if k == 0 else None)
    axes.set(xlabel="epoch", ylabel=f"accuracy on {WATCHED} test digits", ylim=(0, 1))
    axes.legend(loc="lower right")
    figure.savefig(folder / "digits.png", dpi=110)
