"""The opto-electronic neuron in a network, and the meshes of contrastive Hebbian learning."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.contrastive_hebbian import Circuit, N, contraction, holding, in_numpy
from benchmarks.photonic_neuron import BEHAVIOURS, bursts, circuit, equations


@pytest.mark.parametrize("name", ["phasic spiking", "integration"])
def test_a_behaviour_is_elicited_and_is_that_of_the_equations(name):
    case = BEHAVIOURS[name]
    spikes, want = circuit(case)[0], equations(case)
    assert case.shown(spikes)
    assert spikes == pytest.approx(want, abs=0.2)


def test_bursts_are_parted_by_gaps():
    assert bursts(np.array([1.0, 2, 3, 30, 31, 60])) == [3, 2, 1]


def test_a_contraction_is_the_real_part_of_a_unitary_matrix():
    w = contraction(np.random.default_rng(0).normal(size=(3, N)))
    u = holding(w)
    assert np.allclose(u @ u.conj().T, np.eye(N), atol=1e-12)
    assert np.allclose(u[:3].real, w, atol=1e-12)


def test_free_and_clamped_phases_are_operating_points_of_one_circuit():
    rng = np.random.default_rng(1)
    a, b = (0.6 * contraction(rng.normal(size=(rows, N))) for rows in (N, 3))
    x, t = 0.3 * rng.normal(size=(2, N)), 0.3 * rng.normal(size=(2, 3))
    for found, want in zip(Circuit()(a, b, x, t), in_numpy(a, b, x, t), strict=True):
        assert np.allclose(found, want, atol=1e-8)
