"""The circuit of contrastive Hebbian learning with a defect, against equations with the matrices of defective meshes."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks._defects import neighbours
from benchmarks.contrastive_hebbian import OUT, N, contraction, folding, holding
from benchmarks.hebbian_disorder import Defective
from tellegen.meshes import clements

PAIRS = N * (N - 1) // 2


def coupler(error):
    c, s = np.cos(np.pi / 4 + error), np.sin(np.pi / 4 + error)
    return np.array([[c, 1j * s], [1j * s, c]])


def matrix(mesh, first, second):
    """Of a mesh with splitting errors, from the matrices of its couplers and phases."""
    u = np.eye(N, dtype=complex)
    for k, theta, phi, one, two in zip(mesh.top, mesh.theta, mesh.phi, first, second, strict=True):
        inner, outer = np.diag([np.exp(1j * theta), 1]), np.diag([np.exp(1j * phi), 1])
        u[k : k + 2] = coupler(two) @ inner @ coupler(one) @ outer @ u[k : k + 2]
    return np.exp(1j * mesh.screen)[:, None] * u


@pytest.mark.parametrize(
    ("defect", "size"), [("splitting error (rad)", 0.1), ("crosstalk", 0.03), ("bits", 4)]
)
def test_states_are_those_of_the_defective_matrices_ahead_and_from_behind(defect, size):
    rng = np.random.default_rng(1)
    a, b = (0.6 * contraction(rng.normal(size=(rows, N))) for rows in (N, OUT))
    x, t = 0.3 * rng.normal(size=(2, N)), 0.3 * rng.normal(size=(2, OUT))
    circuit = Defective(defect, size, seed=3)
    slips = np.zeros((2, 2, PAIRS))
    if defect.startswith("splitting"):
        slips = size * np.random.default_rng([3, 1]).normal(size=(2, 2, PAIRS))
    meshes = [circuit.phases(clements(holding(w))) for w in (a, b)]
    real = [matrix(mesh, *slips[:, k]).real for k, mesh in enumerate(meshes)]
    assert np.abs(real[0] - a).max() > 0.1
    for found, want in zip(circuit(a, b, x, t), folding(real[0], real[1][:OUT], x, t), strict=True):
        assert np.allclose(found, want, atol=1e-8)


def test_phases_are_rounded_and_warmed():
    wanted = clements(holding(contraction(np.random.default_rng(2).normal(size=(N, N)))))
    few = Defective("bits", 4, 0).phases(wanted)
    for values, exact in ((few.theta, wanted.theta), (few.screen, wanted.screen)):
        assert np.allclose(np.round(values / (np.pi / 8)) * np.pi / 8, values, atol=1e-12)
        assert np.abs(values - exact).max() <= np.pi / 16 + 1e-12
    shares = neighbours(N, screen=True)
    assert shares.shape == (2 * PAIRS + N, 2 * PAIRS + N)
    assert np.array_equal(shares, shares.T)
    # Two phases of the screen, side by side and one further.
    assert shares[-1, -2] == pytest.approx(1)
    assert shares[-1, -3] == pytest.approx(np.exp(-1))


def test_few_photons_are_noise_of_the_quantum_limit():
    rng = np.random.default_rng(4)
    a, b = (0.6 * contraction(rng.normal(size=(rows, N))) for rows in (N, OUT))
    x, t = 0.3 * rng.normal(size=(20, N)), 0.3 * rng.normal(size=(20, OUT))
    seen = []
    for defect, size in (("none", 0), ("photons", 100)):
        circuit = Defective(defect, size, 0)
        seen.append(circuit(a, b, x, t))
        circuit.engine.close()  # a process has one at a time
    errors = np.concatenate([(f - w).ravel() for w, f in zip(*seen, strict=True)])
    # A quarter of a photon in a quadrature; 300 errors, so within 15 % at 3.7 standard errors.
    assert errors.std() == pytest.approx(0.05, rel=0.15)
    assert abs(errors.mean()) < 0.01


def test_much_crosstalk_turns_the_sign_of_weights():
    """Why learning with 3 % stays below a guess: the weights that are there are against the wanted ones."""
    rng = np.random.default_rng(5)
    wanted = [contraction(rng.normal(size=(OUT, N))) for _ in range(30)]

    def agreement(size):
        circuit, found = Defective("crosstalk", size, 0), []
        for w in wanted:
            real = matrix(circuit.phases(clements(holding(w))), *np.zeros((2, PAIRS))).real[:OUT]
            found.append(np.corrcoef(real.ravel(), w.ravel())[0, 1])
        return np.mean(found)

    assert agreement(0.003) > 0.95
    assert agreement(0.03) < -0.3
