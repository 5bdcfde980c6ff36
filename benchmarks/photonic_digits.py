"""Digits by two meshes with an opto-electronic nonlinearity between them, trained in situ.

Nine principal components of scikit-learn's digits, fitted on the training digits, and a constant enter as fields of ten
modes. Behind the first mesh stands the electro-optic activation of Williamson et al., IEEE J. Sel. Top. Quantum
Electron. 26, 7700412 (2020), arXiv 1903.04579, in every mode: a tenth of the light is detected, and the voltage turns
one arm of an interferometer through which the rest passes. The powers behind the second mesh are the logits of a
softmax. Without the constant a digit and its negative would be the same to all detectors.

Gradients are those of Hughes et al. (2018) and Pai et al. (2023), measured in ngspice: light from ahead and from behind
in one circuit (`sims/backpropagation.py`), the slope of the activation from the detected powers. The same network in
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
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from benchmarks.rows import Row
from tellegen import compile_text
from tellegen.meshes import clements
from tellegen.sims.backpropagation import Layer, back_propagate
from tellegen.sims.engine import Engine
from tellegen.sims.variational import adam

N, CLASSES = 10, 10
UNIT = 1e-3  # watt: power of an input at one standard deviation, on average
CONSTANT = 3.0  # standard deviations
TAP, LOAD, VPI = 0.1, 2e3, 2.0  # share of power; ohm; volt
TURN = np.pi * TAP * LOAD / VPI  # rad a watt before the activation
LOGIT = 2.0 / UNIT  # a watt
SEEDS, EPOCHS, BATCH, RATE = 3, 12, 30, 0.1
TRAIN, WATCHED = 600, 200
TEXT = f"""
import photonic
network Activation {{
    input  z: optical
    output y: optical
    node   rest: optical, tapped: optical, up: optical, down: optical, turned: optical, seen
    tap:   coupler(z, gnd, rest, tapped, error = {np.arcsin(np.sqrt(TAP)) - np.pi / 4} rad)
    eye:   photodetector(tapped, seen, dark = 0 A, load = {LOAD} ohm)
    split: coupler(rest, gnd, up, down)
    turn:  phase_modulator(up, turned, seen, vpi = {VPI} V)
    join:  coupler(turned, down, gnd, y)
}}
network Digits {{
    input  a[{N}]: optical, b1[{N}]: optical, b2[{N}]: optical
    output z1[{N}]: optical, z2[{N}]: optical, r1[{N}]: optical, r2[{N}]: optical
    node   h[{N}]: optical
    one:   connect a -> z1 by clements using mzi(level = gains)
    bend:  Activation[{N}](z1, h)
    two:   connect h -> z2 by clements using mzi(level = gains)
    rear1: connect b1 -> r1 by clements(back = true) using mzi_back(level = gains)
    rear2: connect b2 -> r2 by clements(back = true) using mzi_back(level = gains)
}}
"""
Values = NDArray[np.float64]
Fields = NDArray[np.complex128]
Labels = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Digits:
    """Fields (samples, N) of digits in the root of a watt, and their labels."""

    fields: Values
    labels: Labels
    test_fields: Values
    test_labels: Labels


class Network(Protocol):
    """What is trained, by phases (meshes, theta or phi, interferometers)."""

    meshes: int

    def gradient(self, phases: Values, fields: Values, labels: Labels) -> Values:
        """The derivative of the mean cross entropy, in the shape of the phases."""

    def powers(self, phases: Values, fields: Values) -> Values:
        """Detected powers (samples, CLASSES) in watt."""


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


def through(z: Fields) -> Fields:
    """The field behind an activation that a field z meets."""
    half = TURN * np.abs(z) ** 2 / 2
    return np.asarray(1j * np.sqrt(1 - TAP) * np.exp(1j * half) * np.cos(half) * z)


def pull(z: Fields, g: Fields) -> Fields:
    """dL/dz from z and from dL/dy of the field behind the activation.

    With m = (1 + e^{i TURN |z|^2}) / 2 the activation is c m z, and |z|^2 depends on z and on z*.
    """
    c, turned = 1j * np.sqrt(1 - TAP), np.exp(1j * TURN * np.abs(z) ** 2)
    by_power = np.real(g * c * z * 1j * turned) * TURN
    return np.asarray(g * c * (1 + turned) / 2 + by_power * np.conj(z))


def by_logits(z: Fields, labels: Labels) -> Fields:
    """dL/dz* of the cross entropy of a softmax of powers, for fields (samples, N)."""
    powers = LOGIT * np.abs(z) ** 2
    shares = np.exp(powers - powers.max(axis=-1, keepdims=True))
    shares /= shares.sum(axis=-1, keepdims=True)
    return np.asarray(LOGIT * (shares - np.eye(CLASSES)[labels]) * z)


class Circuit:
    """The network in ngspice."""

    meshes = 2

    def __init__(self) -> None:
        emitted = compile_text(TEXT).emit()
        self.engine = Engine(emitted.netlist, emitted.manifest)
        self.solves = 0
        self.manifest, self.drive, self.read = emitted.manifest, self.engine.drive, self.engine.read
        self.layers = [
            Layer("z1", "b1", "r1", {"one": "rear1"}, pull),
            Layer("z2", "b2", "r2", {"two": "rear2"}),
        ]

    def solve(self) -> None:
        """Find an operating point, and count it."""
        self.engine.solve()
        self.solves += 1

    def gradient(self, phases: Values, fields: Values, labels: Labels) -> Values:
        """See `Network`."""
        self._write(phases)

        def adjoint(z: Fields, sample: int) -> Fields:
            return by_logits(z, labels[sample]) / len(labels)

        _, found = back_propagate(self, "a", fields, self.layers, adjoint)
        return np.array([[found[f"{m}.theta"], found[f"{m}.phi"]] for m in ("one", "two")])

    def powers(self, phases: Values, fields: Values) -> Values:
        """See `Network`."""
        self._write(phases)
        seen = []
        for field in fields:
            self.drive("a", field.astype(complex))
            self.solve()
            seen.append((self.read("z2") ** 2).sum(axis=-1))
        return np.array(seen)

    def _write(self, phases: Values) -> None:
        for k, (theta, phi) in enumerate(phases, 1):
            for name in (("one", "two")[k - 1], f"rear{k}"):
                self.engine.write(f"{name}.theta", theta)
                self.engine.write(f"{name}.phi", phi)


class Twin:
    """The same in NumPy, its gradient by the chain rule; with one mesh there is no activation."""

    def __init__(self, meshes: int = 2) -> None:
        self.meshes = meshes
        # Column by column: the upper modes of its interferometers, and which of the mesh they are.
        self.columns: list[tuple[Labels, Labels]] = []
        top, met = clements(np.eye(N)).top, np.zeros(N, dtype=int)
        column = np.zeros(len(top), dtype=int)
        for j, k in enumerate(top):
            column[j] = met[k : k + 2].max()
            met[k : k + 2] = column[j] + 1
        for c in range(met.max()):
            which = np.flatnonzero(column == c)
            self.columns.append((top[which], which))

    def gradient(self, phases: Values, fields: Values, labels: Labels) -> Values:
        """See `Network`."""
        z, tapes, before = np.asarray(fields, dtype=complex), [], []
        for k in range(self.meshes):
            z, tape = self._ahead(phases[k], z)
            tapes.append(tape)
            before.append(z)
            z = through(z) if k < self.meshes - 1 else z
        g = np.conj(by_logits(z, labels)) / len(labels)
        found = np.zeros_like(phases)
        for k in reversed(range(self.meshes)):
            g, found[k] = self._behind(phases[k], g, tapes[k])
            g = pull(before[k - 1], g) if k else g
        return found

    def powers(self, phases: Values, fields: Values) -> Values:
        """See `Network`."""
        z = np.asarray(fields, dtype=complex)
        for k in range(self.meshes):
            z, _ = self._ahead(phases[k], z)
            z = through(z) if k < self.meshes - 1 else z
        return np.asarray(np.abs(z) ** 2)

    def _ahead(self, phases: Values, z: Fields) -> tuple[Fields, list[tuple[Fields, Fields]]]:
        """The fields behind a mesh, and for each column those behind phi and behind theta."""
        z, tape = z.copy(), []
        for k, which in self.columns:
            theta, phi = phases[:, which]
            outer = z[:, k] * np.exp(1j * phi)
            u, v = _coupler(outer, z[:, k + 1])
            inner = u * np.exp(1j * theta)
            z[:, k], z[:, k + 1] = _coupler(inner, v)
            tape.append((outer, inner))
        return z, tape

    def _behind(
        self, phases: Values, g: Fields, tape: list[tuple[Fields, Fields]]
    ) -> tuple[Fields, Values]:
        """dL/dz before a mesh from that behind it, and the derivatives by its phases."""
        g, found = g.copy(), np.zeros_like(phases)
        for (k, which), (outer, inner) in zip(reversed(self.columns), reversed(tape), strict=True):
            theta, phi = phases[:, which]
            by_inner, by_v = _coupler(g[:, k], g[:, k + 1])
            by_outer, g[:, k + 1] = _coupler(by_inner * np.exp(1j * theta), by_v)
            g[:, k] = by_outer * np.exp(1j * phi)
            # e^{ip} a has the derivative i e^{ip} a, and the cost that of twice the real part.
            found[0, which] = 2 * np.real(1j * inner * by_inner).sum(axis=0)
            found[1, which] = 2 * np.real(1j * outer * by_outer).sum(axis=0)
        return g, found


def _coupler(a: Fields, b: Fields) -> tuple[Fields, Fields]:
    return (a + 1j * b) / np.sqrt(2), (1j * a + b) / np.sqrt(2)


def train(network: Network, digits: Digits, seed: int, epochs: int) -> tuple[Values, list[float]]:
    """The phases after training, and the accuracy on some of the test digits after each epoch."""
    rng = np.random.default_rng(seed)
    start = rng.uniform(0, 2 * np.pi, size=(2, 2, N * (N - 1) // 2))[: network.meshes]
    count = len(digits.labels) // BATCH
    batches = (
        batch
        for _ in range(epochs)
        for batch in rng.permutation(len(digits.labels))[: count * BATCH].reshape(count, BATCH)
    )
    watched = digits.test_fields[:WATCHED], digits.test_labels[:WATCHED]
    curve: list[float] = []
    steps = 0

    def slope(flat: Values) -> Values:
        nonlocal steps
        if steps % count == 0:
            curve.append(accuracy(network, flat.reshape(start.shape), *watched))
        steps += 1
        batch = next(batches)
        found = network.gradient(flat.reshape(start.shape), digits.fields[batch], digits.labels[batch])  # fmt: skip
        return found.ravel()

    result = adam(lambda flat: 0.0, start.ravel(), jac=slope, maxiter=epochs * count, rate=RATE)
    phases = result.x.reshape(start.shape)
    curve.append(accuracy(network, phases, *watched))
    return phases, curve


def accuracy(network: Network, phases: Values, fields: Values, labels: Labels) -> float:
    """The share of digits whose detector has most light."""
    return float((network.powers(phases, fields).argmax(axis=1) == labels).mean())


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
    circuit, twin = Circuit(), Twin()
    digits = data(0, 150 if quick else TRAIN)
    phases = np.random.default_rng(0).uniform(0, 2 * np.pi, size=(2, 2, N * (N - 1) // 2))
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
        networks: dict[str, Any] = {"in situ, ngspice": circuit, "NumPy": twin, "one mesh, NumPy": Twin(1)}  # fmt: skip
        for name, network in networks.items():
            began = time.process_time()
            trained, curve = train(network, digits, seed, 1 if quick else EPOCHS)
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
