"""Random back-propagation of an opto-electronic network on Iris, beside linear regression on the same splits.

Two meshes of five modes in one circuit of ngspice. Four features and a constant enter as fields; detectors behind the
first mesh drive modulators of five lasers' light, which the second mesh turns; three of its detectors are the
classes. The error at the detectors reaches the hidden layer through a fixed random matrix instead of the second
mesh: Lillicrap et al., Nature Communications 7, 13276 (2016); El Srouji et al., arXiv 2208.13144, find that it matches
linear regression on hardware. After each epoch both meshes take the nearest unitary of what the update asks for.
Rate, scales and half-wave voltage were chosen on a NumPy model with seeds 100 to 109. Full run: 1 minute.
`--quick`: two seeds, five epochs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import unitary_group
from sklearn.datasets import load_iris
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from benchmarks.rows import Row
from tellegen import compile_text
from tellegen.meshes import clements
from tellegen.sims.engine import Engine

N, CLASSES = 5, 3
VPI, SCALE, TARGET = 2.0, 1.0, 2.5  # volt; root of a watt a standard deviation; watt
RATE, MOMENTUM, EPOCHS = 0.3, 0.8, 30
TEXT = f"""
import photonic
network Neurons {{
    input  a[{N}]: optical, light[{N}]: optical
    output y[{N}], h[{N}], first[{N}]: optical, second[{N}]: optical
    node   u[{N}]: optical, w[{N}]: optical, on[{N}]: optical
    one:    connect a -> u by clements using mzi(level = gains)
    turn:   phase_shifter[{N}](u, first, level = gains)
    hidden: photodetector[{N}](first, h, dark = 0 A, load = 1 ohm)
    neuron: amplitude_modulator[{N}](light, on, h, vpi = {VPI} V)
    two:    connect on -> w by clements using mzi(level = gains)
    back:   phase_shifter[{N}](w, second, level = gains)
    seen:   photodetector[{N}](second, y, dark = 0 A, load = 1 ohm)
}}
"""
Forward = Callable[[NDArray[Any], NDArray[Any], NDArray[Any]], tuple[NDArray[Any], ...]]


def in_numpy(
    x: NDArray[Any], one: NDArray[Any], two: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Fields before the hidden and the last detectors, for inputs (samples, N) and two unitaries."""
    first = x @ one.T
    return first, neuron(abs(first) ** 2) @ two.T


def neuron(h: NDArray[Any]) -> NDArray[Any]:
    """The field behind a modulator that h volts drive."""
    return np.asarray(np.cos(np.pi * h / (2 * VPI)))


class Circuit:
    """The same in ngspice."""

    def __init__(self) -> None:
        emitted = compile_text(TEXT).emit()
        self.engine = Engine(emitted.netlist, emitted.manifest)
        self.engine.drive("light", np.ones(N, dtype=complex))
        self.solves = 0

    def __call__(
        self, x: NDArray[Any], one: NDArray[Any], two: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """See `in_numpy`."""
        for unitary, mesh, screen in ((one, "one", "turn"), (two, "two", "back")):
            found = clements(unitary)
            self.engine.write(f"{mesh}.theta", found.theta)
            self.engine.write(f"{mesh}.phi", found.phi)
            self.engine.write(f"{screen}.phase", found.screen)
        first, second = [], []
        for row in x:
            self.engine.drive("a", row.astype(complex))
            self.engine.solve()
            first.append(self.engine.read("first") @ [1, 1j])
            second.append(self.engine.read("second") @ [1, 1j])
        self.solves += len(x)
        return np.array(first), np.array(second)


def data(seed: int) -> tuple[NDArray[Any], ...]:
    """Training and test features and labels: 90 and 60 flowers."""
    x, labels = load_iris(return_X_y=True)
    return tuple(train_test_split(x, labels, test_size=60, stratify=labels, random_state=seed))


def regression(seed: int) -> float:
    """Accuracy of linear regression to one-hot classes."""
    x, fresh, labels, true = data(seed)
    fitted = LinearRegression().fit(x, np.eye(CLASSES)[labels])
    return float((fitted.predict(fresh).argmax(1) == true).mean())


def train(forward: Forward, seed: int, epochs: int, hidden: bool = True) -> float:
    """Accuracy on the test flowers; `hidden` is whether the first mesh learns."""
    x, fresh, labels, true = data(seed)
    scaler = StandardScaler().fit(x)

    def fields(features: NDArray[Any]) -> NDArray[Any]:
        scaled = SCALE * scaler.transform(features)
        return np.hstack([scaled, np.ones((len(scaled), 1))])

    rng = np.random.default_rng(seed)
    weights = [unitary_group.rvs(N, random_state=rng) for _ in range(2)]
    feedback = rng.normal(size=(N, CLASSES))
    inputs, wanted = fields(x), TARGET * np.eye(CLASSES)[labels]
    moving = [np.zeros((N, N), dtype=complex) for _ in range(2)]
    for _ in range(epochs):
        first, second = forward(inputs, *weights)
        h = abs(first) ** 2
        error = abs(second[:, :CLASSES]) ** 2 - wanted
        last = np.hstack([error, np.zeros((len(x), N - CLASSES))]) * second
        slope = -np.pi / (2 * VPI) * np.sin(np.pi * h / (2 * VPI))
        inner = (error @ feedback.T) * slope * first
        steps = [inner.T @ inputs if hidden else 0, last.T @ neuron(h)]
        for k, step in enumerate(steps):
            moving[k] = MOMENTUM * moving[k] - RATE * np.asarray(step) / len(x)
            left, _, right = np.linalg.svd(weights[k] + moving[k])
            weights[k] = left @ right
    _, second = forward(fields(fresh), *weights)
    return float(((abs(second[:, :CLASSES]) ** 2).argmax(1) == true).mean())


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    seeds = range(2 if quick else 10)
    epochs = 5 if quick else EPOCHS
    circuit = Circuit()
    # The circuit is what the NumPy model says.
    rng = np.random.default_rng(0)
    u, v = (unitary_group.rvs(N, random_state=rng) for _ in range(2))
    x = rng.normal(size=(5, N))
    apart = max(
        np.abs(a - b).max() for a, b in zip(circuit(x, u, v), in_numpy(x, u, v), strict=True)
    )
    yield Row("fields of ngspice and NumPy: largest difference", float(apart), None, "W^0.5", "<= 1e-9",
              "matrices and the modulator's cosine", bool(apart <= 1e-9))  # fmt: skip
    found = np.array([train(circuit, seed, epochs) for seed in seeds])
    linear = np.array([regression(seed) for seed in seeds])
    frozen = np.array([train(in_numpy, seed, epochs, hidden=False) for seed in seeds])
    name = f"test accuracy over {len(seeds)} splits"
    better = bool(found.mean() >= linear.mean())
    yield Row(f"random back-propagation, {name}, mean", float(found.mean()), _ends(found), "1",
              ">= linear regression", f"linear regression: {linear.mean():.4f}", None if quick else better)  # fmt: skip
    yield Row(f"linear regression, {name}, mean", float(linear.mean()), _ends(linear), "1", "",
              "scikit-learn", None)  # fmt: skip
    yield Row(f"the same with the first mesh as drawn, NumPy, {name}, mean", float(frozen.mean()),
              _ends(frozen), "1", "", "", None)  # fmt: skip
    gain = found - linear
    error = float(gain.std(ddof=1) / np.sqrt(len(gain)))
    yield Row("difference, mean with its standard error", float(gain.mean()),
              (float(gain.mean()) - error, float(gain.mean()) + error), "1", "", "paired by split", None)  # fmt: skip
    yield Row("solves", float(circuit.solves), None, "1", "", "", None)


def _ends(values: NDArray[Any]) -> tuple[float, float]:
    return float(values.min()), float(values.max())
