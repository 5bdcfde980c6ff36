"""A network of two meshes with an opto-electronic nonlinearity between them, in ngspice and in NumPy.

Behind the first mesh stands the electro-optic activation of Williamson et al., IEEE J. Sel. Top. Quantum Electron. 26,
7700412 (2020), arXiv 1903.04579, in every mode: a tenth of the light is detected, and the voltage turns one arm of an
interferometer through which the rest passes. The powers behind the second mesh are the logits of a softmax.

In ngspice the gradient is measured in situ (`sims/learning/backpropagation.py`), with the slope of the activation from the
detected fields; in NumPy it is the chain rule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np

from tellegen import compile_text
from tellegen.arrays import Complex, Indices, Values
from tellegen.meshes import clements
from tellegen.pipeline import Compiled
from tellegen.revalue import with_values
from tellegen.sims.learning.backpropagation import Layer, back_propagate
from tellegen.sims.ngspice.engine import Engine
from tellegen.sims.variational.minimisation import adam

UNIT = 1e-3  # watt: power of an input at one standard deviation
TAP, LOAD, VPI = 0.1, 2e3, 2.0  # share of power; ohm; volt
TURN = np.pi * TAP * LOAD / VPI  # rad a watt before the activation
LOGIT = 2.0 / UNIT  # a watt
_TEXT = f"""
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
network Layers {{
    input  a[MODES]: optical, b1[MODES]: optical, b2[MODES]: optical
    output z1[MODES]: optical, z2[MODES]: optical, r1[MODES]: optical, r2[MODES]: optical
    node   h[MODES]: optical
    one:   connect a -> z1 by clements using mzi(level = gains)
    bend:  Activation[MODES](z1, h)
    two:   connect h -> z2 by clements using mzi(level = gains)
    rear1: connect b1 -> r1 by clements(back = true) using mzi_back(level = gains)
    rear2: connect b2 -> r2 by clements(back = true) using mzi_back(level = gains)
}}
"""
_MESHES = {"one": "rear1", "two": "rear2"}
Fields = Complex
Labels = Indices


class Network(Protocol):
    """What is trained, by phases (meshes, theta or phi, interferometers).

    Attributes:
        shape: of the phases.
    """

    shape: tuple[int, int, int]

    def gradient(self, phases: Values, fields: Values, labels: Labels) -> Values:
        """The derivative of the mean cross entropy, in the shape of the phases."""

    def powers(self, phases: Values, fields: Values) -> Values:
        """Detected powers (samples, classes) in watt."""


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


def by_powers(z: Fields, labels: Labels, classes: int) -> Fields:
    """dL/dz* of the cross entropy of a softmax, over the gain of the logits, for fields (samples, n)."""
    logits = LOGIT * np.abs(z[..., :classes]) ** 2
    shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares /= shares.sum(axis=-1, keepdims=True)
    found = np.zeros_like(z)
    found[..., :classes] = (shares - np.eye(classes)[labels]) * z[..., :classes]
    return found


class Circuit:
    """The network in ngspice; light from behind is at most as strong as that from ahead."""

    def __init__(self, n: int, classes: int, slips: Mapping[str, Values] | None = None) -> None:
        """Compile and load it.

        Args:
            n: modes.
            classes: how many detectors, from the first mode on, stand for a class.
            slips: splitting errors in rad, `first` and `second` of each mesh (meshes, interferometers): the same ahead and
                from behind.
        """
        self.shape, self.classes = (2, 2, n * (n - 1) // 2), classes
        compiled = compile_text(_TEXT.replace("MODES", str(n)))
        values = {
            f"{name}.{which}": errors[k]
            for which, errors in (slips or {}).items()
            for k, pair in enumerate(_MESHES.items())
            for name in pair
        }
        emitted = Compiled(with_values(compiled.circuit, values), compiled.flat).emit()
        self.engine = Engine(emitted.netlist, emitted.manifest)
        self.manifest, self.drive = emitted.manifest, self.engine.drive
        self.solves = 0
        self.layers = [
            Layer("z1", "b1", "r1", {"one": "rear1"}, pull),
            Layer("z2", "b2", "r2", {"two": "rear2"}),
        ]

    def solve(self) -> None:
        """Find an operating point, and count it."""
        self.engine.solve()
        self.solves += 1

    def read(self, name: str) -> Values:
        """A signal of the last one."""
        return self.engine.read(name)

    def gradient(self, phases: Values, fields: Values, labels: Labels) -> Values:
        """See `Network`."""
        self.write(phases)

        def adjoint(z: Fields, sample: int) -> Fields:
            return by_powers(z, labels[sample], self.classes)

        _, found = back_propagate(self, "a", fields, self.layers, adjoint)
        gradient = np.array([[found[f"{m}.theta"], found[f"{m}.phi"]] for m in _MESHES])
        return gradient * LOGIT / len(labels)

    def powers(self, phases: Values, fields: Values) -> Values:
        """See `Network`."""
        self.write(phases)
        seen = []
        for field in fields:
            self.drive("a", field.astype(complex))
            self.solve()
            seen.append((self.read("z2")[: self.classes] ** 2).sum(axis=-1))
        return np.array(seen)

    def write(self, phases: Values) -> None:
        """Set the phases, ahead and from behind."""
        for values, pair in zip(phases, _MESHES.items(), strict=True):
            for name in pair:
                self.engine.write(f"{name}.theta", values[0])
                self.engine.write(f"{name}.phi", values[1])


class Twin:
    """The same in NumPy, its gradient by the chain rule; with one mesh there is no activation."""

    def __init__(self, n: int, classes: int, meshes: int = 2) -> None:
        self.shape, self.classes = (meshes, 2, n * (n - 1) // 2), classes
        # Column by column: the upper modes of its interferometers, and which of the mesh they are.
        self.columns: list[tuple[Labels, Labels]] = []
        top, met = clements(np.eye(n)).top, np.zeros(n, dtype=int)
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
        for k in range(len(phases)):
            z, tape = self._ahead(phases[k], z)
            tapes.append(tape)
            before.append(z)
            z = through(z) if k < len(phases) - 1 else z
        g = np.conj(by_powers(z, labels, self.classes)) * LOGIT / len(labels)
        found = np.zeros_like(phases)
        for k in reversed(range(len(phases))):
            g, found[k] = self._behind(phases[k], g, tapes[k])
            g = pull(before[k - 1], g) if k else g
        return found

    def powers(self, phases: Values, fields: Values) -> Values:
        """See `Network`."""
        z = np.asarray(fields, dtype=complex)
        for k in range(len(phases)):
            z, _ = self._ahead(phases[k], z)
            z = through(z) if k < len(phases) - 1 else z
        return np.asarray(np.abs(z[:, : self.classes]) ** 2)

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


def train(
    network: Network,
    start: Values,
    fields: Values,
    labels: Labels,
    *,
    epochs: int,
    batch: int,
    rate: float,
    random: np.random.Generator,
    watch: Callable[[Values], None] = lambda phases: None,
) -> Values:
    """The phases after training from `start`; `watch` sees them before each epoch and at the end."""
    count = len(labels) // batch
    batches = (
        which
        for _ in range(epochs)
        for which in random.permutation(len(labels))[: count * batch].reshape(count, batch)
    )
    steps = 0

    def slope(flat: Values) -> Values:
        nonlocal steps
        phases = flat.reshape(start.shape)
        if steps % count == 0:
            watch(phases)
        steps += 1
        which = next(batches)
        return network.gradient(phases, fields[which], labels[which]).ravel()

    result = adam(lambda flat: 0.0, start.ravel(), jac=slope, maxiter=epochs * count, rate=rate)
    phases = result.x.reshape(start.shape)
    watch(phases)
    return phases


def accuracy(network: Network, phases: Values, fields: Values, labels: Labels) -> float:
    """The share of samples whose detector has most light."""
    return float((network.powers(phases, fields).argmax(axis=1) == labels).mean())
