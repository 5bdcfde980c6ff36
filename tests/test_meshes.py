"""Decompositions of matrices into meshes, against random unitary matrices of SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import unitary_group

from tellegen import meshes

WAYS = [meshes.clements, meshes.reck]
SPECIAL = [
    np.eye(5),
    np.eye(5)[::-1],
    np.diag(np.exp(1j * np.arange(4.0))),
    np.roll(np.eye(6), 1, axis=0),
    np.fft.fft(np.eye(8)) / np.sqrt(8),
    np.array([[1j]]),
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("n", [2, 3, 4, 5, 8, 16, 33])
def test_a_mesh_has_the_matrix_that_it_was_made_of(way, n):
    for seed in range(3):
        u = unitary_group.rvs(n, random_state=seed)
        mesh = way(u)
        assert len(mesh.top) == n * (n - 1) // 2
        assert np.abs(mesh.matrix() - u).max() < 1e-13 * n


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("u", SPECIAL)
def test_matrices_with_zeros_have_meshes_too(way, u):
    assert np.abs(way(u).matrix() - u).max() < 1e-13


@pytest.mark.parametrize(("way", "deep"), [(meshes.clements, 8), (meshes.reck, 13)])
def test_depth(way, deep):
    mesh = way(unitary_group.rvs(8, random_state=1))
    depth = np.zeros(8, dtype=int)
    for k in mesh.top:
        depth[k : k + 2] = depth[k : k + 2].max() + 1
    assert depth.max() == deep


def test_an_interferometer_is_two_couplers_and_two_phases():
    coupler = np.array([[1, 1j], [1j, 1]]) / np.sqrt(2)
    theta, phi = 0.7, 2.1
    parts = coupler @ np.diag([np.exp(1j * theta), 1]) @ coupler @ np.diag([np.exp(1j * phi), 1])
    assert np.allclose(meshes.interferometer(theta, phi), parts, rtol=0, atol=1e-15)


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (5, 2)])
def test_any_matrix_is_two_meshes_and_gains_between(shape):
    m = np.random.default_rng(3).normal(size=shape)
    u, gains, v, scale = meshes.singular(m)
    between = np.zeros(shape)
    np.fill_diagonal(between, gains)
    made = scale * meshes.clements(u).matrix() @ between @ meshes.reck(v).matrix()
    assert gains.max() == 1
    assert np.abs(made - m).max() < 1e-12


@pytest.mark.parametrize("bad", [np.ones((2, 2)), np.eye(3)[:2], np.full((2, 2), np.nan), 1.0])
def test_what_is_not_unitary_is_refused(bad):
    for way in WAYS:
        with pytest.raises(ValueError, match=r"unitary|square"):
            way(bad)
