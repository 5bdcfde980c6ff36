"""Variational circuits: energies, compiling and classes against matrices; noise, loss and rounding."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
from scipy.stats import unitary_group

import tellegen
from tellegen import meshes
from tellegen.sims import variational
from tellegen.sims.learning.parameter_shift import jacobian

TEXT = """
import photonic
network Variational(loss = 0) {
    input  a[4]: optical
    output y[4]
    node   u[4]: optical, v[4]: optical, w[4]: optical
    mesh:   connect a -> u by clements using mzi(level = gains, loss = loss)
    screen: phase_shifter[4](u, v, level = gains)
    basis:  connect v -> w by clements using mzi(level = gains)
    seen:   photodetector[4](w, y, dark = 0 A, load = 1 ohm)
}
"""
PHASES = ("mesh.theta", "mesh.phi", "screen.phase")
PAULI = {
    "I": np.eye(2), "X": np.array([[0, 1], [1, 0]]),
    "Y": np.array([[0, -1j], [1j, 0]]), "Z": np.diag([1, -1]),
}  # fmt: skip
# H2 at 0.75 angstrom: Colless et al., Phys. Rev. X 8, 011021 (2018), Z -> -Z.
H2 = {"II": -0.349833, "ZI": 0.388748, "IZ": 0.388748, "XX": 0.181771, "ZZ": 0.0112772}


@pytest.fixture(scope="module")
def session():
    emitted = tellegen.compile_text(TEXT).emit()
    with tellegen.Session(emitted.netlist, emitted.manifest) as running:
        yield running


@pytest.fixture(scope="module")
def lossy():
    emitted = tellegen.compile_text(TEXT.replace("loss = 0)", "loss = 0.5)", 1)).emit()
    with tellegen.Session(emitted.netlist, emitted.manifest) as running:
        yield running


def ansatz(session, **how):
    return variational.Ansatz(session, PHASES, input="a", powers="y", basis="basis", **how)


def operator(cost):
    """The matrix whose expectation value a cost without fields is."""
    n = len(cost.settings[0].weights)
    total = cost.offset * np.eye(n, dtype=complex)
    for setting in cost.settings:
        basis = np.eye(n) if setting.basis is None else setting.basis
        total += basis.conj().T @ np.diag(setting.weights) @ basis
    return total


def matrix(terms):
    return sum(f * reduce(np.kron, [PAULI[c] for c in s]) for s, f in terms.items())


def test_settings_measure_the_operator_that_was_given():
    rng = np.random.default_rng(0)
    for strings in (["II", "ZI", "IZ", "XX", "YY"], ["XYZ", "ZIY", "IXI", "III", "IYZ"]):
        terms = {s: float(f) for s, f in zip(strings, rng.normal(size=5), strict=True)}
        assert np.allclose(operator(variational.pauli_sum(terms)), matrix(terms), atol=1e-14)
    for n in (2, 4, 5):
        h = rng.normal(size=(2, n, n)) * np.array([1, 1j])[:, None, None]
        h = h.sum(0) + h.sum(0).conj().T
        cost = variational.hermitian(h)
        assert np.allclose(operator(cost), h, atol=1e-14)
        assert len(cost.settings) == n + n % 2
    # Terms that share a basis share a setting: Z and X of hydrogen.
    assert len(variational.pauli_sum(H2).settings) == 2


@pytest.mark.parametrize("loss", [False, True])
def test_the_gradient_of_an_energy_is_exact_with_and_without_loss(session, lossy, loss):
    circuit = ansatz(lossy if loss else session)
    cost = variational.pauli_sum(H2)
    at = np.random.default_rng(1).uniform(0, 2 * np.pi, circuit.size)
    value, gradient = circuit.gradient(cost, at)
    # A short step along the gradient changes the cost by its square.
    step = 1e-3 * gradient / np.linalg.norm(gradient)
    ends = circuit.cost(cost, at + np.outer([2, 1, -1, -2], step))
    slope = (8 * (ends[1] - ends[2]) - (ends[0] - ends[3])) / 12 / 1e-3
    assert np.isclose(slope, np.linalg.norm(gradient), rtol=1e-6)
    assert np.isclose(value, circuit.cost(cost, at[None])[0])
    if loss:
        naive = jacobian(lambda points: circuit.cost(cost, points), at)
        assert np.abs(naive - gradient).max() > 1e-4


def test_the_ground_state_of_hydrogen(session):
    circuit = ansatz(session)
    start = np.random.default_rng(2).uniform(0, 2 * np.pi, circuit.size)
    found = variational.minimise(circuit, variational.pauli_sum(H2), start, flat=3e-4)
    exact = np.linalg.eigvalsh(matrix(H2))[0]
    assert -1e-10 < found.value - exact < 1e-6
    assert found.steepness < 3e-4
    assert found.solves[-1] == circuit.solves


def test_a_unitary_is_compiled_up_to_a_phase(session):
    u = unitary_group.rvs(4, random_state=3)
    cost = variational.compiling(u)
    circuit = ansatz(session)
    points = np.random.default_rng(3).uniform(0, 2 * np.pi, (3, circuit.size))
    exact = meshes.clements(u)
    best = np.concatenate([exact.theta, exact.phi, exact.screen + 0.4])
    assert abs(circuit.cost(cost, best[None])[0]) < 1e-12
    for point, value in zip(points, circuit.cost(cost, points), strict=True):
        v = meshes.Mesh(4, exact.top, point[:6], point[6:12], point[12:]).matrix()
        infidelity = 1 - abs(np.trace(u.conj().T @ v) / 4) ** 2
        assert value - 1e-12 <= infidelity <= 2 * value + 1e-12


def test_classes_are_told_apart_as_well_as_quantum_mechanics_allows(session):
    rng = np.random.default_rng(4)
    states = rng.normal(size=(4, 4)) + 1j * rng.normal(size=(4, 4))
    states /= np.linalg.norm(states, axis=1)[:, None]
    labels = [0, 0, 1, 1]
    cost = variational.classifying(states, labels, [0, 0, 1, 1])
    circuit = variational.Ansatz(session, PHASES[:2], input="a", powers="y", basis="basis")
    found = variational.minimise(
        circuit, cost, rng.uniform(0, 2 * np.pi, circuit.size), flat=1e-4, steps=60
    )
    rho = [np.einsum("si,sj->ij", s, s.conj()) / 2 for s in (states[:2], states[2:])]
    # Helstrom, J. Stat. Phys. 1, 231 (1969), with two detectors a class.
    best = 0.5 * (1 - np.linalg.eigvalsh(rho[0] - rho[1])[-2:].sum())
    assert -1e-9 < found.value - best < 1e-5


def test_photons_scatter_as_they_should_and_repeat_with_their_seed(session, lossy):
    cost = variational.pauli_sum(H2)
    at = np.random.default_rng(5).uniform(0, 2 * np.pi, 16)[None]
    true, spread = [], []
    for circuit in (session, lossy):
        true.append(ansatz(circuit).cost(cost, at)[0])
        noisy = ansatz(circuit, shots=1000, seed=1)
        values = noisy.cost(cost, np.repeat(at, 150, 0))
        assert np.array_equal(
            values[:5], ansatz(circuit, shots=1000, seed=1).cost(cost, np.repeat(at, 150, 0))[:5]
        )
        exact = ansatz(circuit).measure(at, cost.settings)[0]
        shares = exact / exact.sum(-1, keepdims=True)
        weights = np.array([s.weights for s in cost.settings])
        variance = (shares * weights**2).sum(-1) - (shares * weights).sum(-1) ** 2
        expected = np.sqrt((variance / (1000 * exact.sum(-1))).sum())
        assert abs(values.mean() - true[-1]) < 4 * expected / np.sqrt(150)
        assert 0.8 < values.std() / expected < 1.2
        spread.append(expected)
    assert spread[1] > spread[0] * 1.05


def test_noise_is_minimised_by_adam(session):
    circuit = ansatz(session, shots=2000, seed=3)
    start = np.random.default_rng(6).uniform(0, 2 * np.pi, circuit.size)
    cost = variational.pauli_sum(H2)
    found = variational.minimise(circuit, cost, start, method=variational.adam, steps=25, rate=0.4)
    true = ansatz(session).cost(cost, found.phases[None])[0]
    assert true - np.linalg.eigvalsh(matrix(H2))[0] < 0.05
    assert "steps" in found.reason


def test_rounded_phases(session):
    circuit, exact = ansatz(session, bits=5), ansatz(session)
    at = np.random.default_rng(7).uniform(0, 2 * np.pi, (1, circuit.size))
    cost = variational.pauli_sum(H2)
    step = 2 * np.pi / 32
    assert np.isclose(
        circuit.cost(cost, at)[0], exact.cost(cost, np.round(at / step) * step)[0], atol=1e-12
    )


def test_what_cannot_be_measured_is_said(session):
    with pytest.raises(ValueError, match="Pauli sum"):
        variational.pauli_sum({"ZZ": 1, "Z": 2})
    with pytest.raises(ValueError, match="Pauli sum"):
        variational.pauli_sum({"ZA": 1})
    with pytest.raises(ValueError, match="conjugate transpose"):
        variational.hermitian([[0, 1], [0, 0]])
    with pytest.raises(ValueError, match="not unitary"):
        variational.compiling(np.ones((2, 2)))
    with pytest.raises(ValueError, match="a label for each"):
        variational.classifying(np.eye(3), [0, 1], [0, 1, 1])
    bare = variational.Ansatz(session, PHASES, input="a", powers="y")
    with pytest.raises(ValueError, match="name the mesh"):
        bare.cost(variational.pauli_sum(H2), np.zeros((1, 16)))
