"""Gradients of meshes with a nonlinearity between them, measured in situ, against differences and the chain rule."""

from __future__ import annotations

import numpy as np
import pytest

import tellegen
from tellegen.sims.learning.backpropagation import Layer, back_propagate
from tellegen.sims.ngspice.engine import Engine

# The neuron detects light and turns that of a laser by the cosine of the voltage.
TWO = """
import photonic
network Two {
    input  a[3]: optical, light[3]: optical, b1[3]: optical, b2[3]: optical
    output z1[3]: optical, z2[3]: optical, r1[3]: optical, r2[3]: optical
    node   h[3], y[3]: optical, u[3]: optical, w[3]: optical
    one:     connect a -> z1 by clements using mzi(loss = 0.2)
    eye:     photodetector[3](z1, h, dark = 0 A, load = 1 ohm)
    neuron:  amplitude_modulator[3](light, y, h, vpi = 2 V, bias = 0.4 V)
    two:     connect y -> u by reck using mzi(first = 0.1 rad)
    screen:  phase_shifter[3](u, z2)
    rear1:   connect b1 -> r1 by clements(back = true) using mzi_back(loss = 0.2)
    turned:  phase_shifter[3](b2, w)
    rear2:   connect w -> r2 by reck(back = true) using mzi_back(first = 0.1 rad)
}
"""
PAIRS = {"one": "rear1", "two": "rear2", "screen": "turned"}
SLOPE = np.pi / 4


def pull(z: np.ndarray, g: np.ndarray) -> np.ndarray:
    """y = cos(SLOPE (|z|^2 + 0.4)) is real and depends on z and z* by the power."""
    return -2 * np.real(g) * SLOPE * np.sin(SLOPE * (abs(z) ** 2 + 0.4)) * np.conj(z)


LAYERS = [
    Layer("z1", "b1", "r1", {"one": "rear1"}, pull),
    Layer("z2", "b2", "r2", {"two": "rear2", "screen": "turned"}),
]


class Counted(Engine):
    """An engine that counts, and writes a phase from ahead and from behind."""

    solves = 0

    def solve(self) -> None:
        super().solve()
        self.solves += 1

    def both(self, name: str, values: np.ndarray) -> None:
        group, phase = name.split(".")
        self.write(name, values)
        self.write(f"{PAIRS[group]}.{phase}", values)


@pytest.fixture(scope="module")
def circuit():
    emitted = tellegen.compile_text(TWO).emit()
    engine = Counted(emitted.netlist, emitted.manifest)
    engine.drive("light", np.ones(3) + 0j)
    yield engine
    engine.close()


def test_the_gradient_of_two_layers_is_that_of_differences(circuit):
    rng = np.random.default_rng(0)
    names = ("one.theta", "one.phi", "two.theta", "two.phi", "screen.phase")
    at = {name: rng.uniform(0, 2 * np.pi, 3) for name in names}
    samples = rng.normal(size=(4, 3)) + 1j * rng.normal(size=(4, 3))
    # A cost of fields and not of powers, so that the screen counts too.
    wanted = rng.normal(size=(4, 3)) + 1j * rng.normal(size=(4, 3))
    for name, values in at.items():
        circuit.both(name, values)
    circuit.solves = 0
    seen, found = back_propagate(circuit, "a", samples, LAYERS, lambda z, k: z - wanted[k])
    assert circuit.solves == len(samples) + len(LAYERS)

    def outputs() -> np.ndarray:
        fields = []
        for sample in samples:
            circuit.drive("a", sample)
            circuit.solve()
            fields.append(circuit.read("z2") @ [1, 1j])
        return np.array(fields)

    assert np.allclose(seen, outputs(), rtol=0, atol=1e-9)
    assert found.keys() == at.keys()
    step = 1e-3
    for name, values in at.items():
        for k in range(3):
            costs = []
            for sign in (1, -1):
                circuit.both(name, values + sign * step * np.eye(3)[k])
                costs.append((abs(outputs() - wanted) ** 2).sum())
            circuit.both(name, values)
            assert found[name][k] == pytest.approx((costs[0] - costs[1]) / (2 * step), abs=2e-5)


def test_a_layer_before_others_needs_a_slope(circuit):
    layers = [Layer("z1", "b1", "r1", {"one": "rear1"}), LAYERS[1]]
    with pytest.raises(ValueError, match="pull"):
        back_propagate(circuit, "a", np.ones((1, 3)), layers, lambda z, k: z)
