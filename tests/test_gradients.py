"""Gradients measured on a circuit: by parameter shift and in situ, against derivatives of matrices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import unitary_group

import tellegen
from tellegen import meshes
from tellegen.sims.learning.gradients import in_situ
from tellegen.sims.learning.parameter_shift import jacobian

BOTH = """
import photonic
network Both {{
    input  a[3]: optical, z[3]: optical
    output y[3]: optical, back[3]: optical
    node   u[3]: optical, w[3]: optical
    mesh:        connect a -> u by reck using mzi(level = {level}, loss = 0.5)
    screen:      phase_shifter[3](u, y, level = {level})
    rear_screen: phase_shifter[3](z, w, level = {level})
    rear:        connect w -> back by reck(back = true) using mzi_back(level = {level}, loss = 0.5)
}}
"""
PAIRS = {"mesh": "rear", "screen": "rear_screen"}


def power(mesh: meshes.Mesh, light: np.ndarray, weights: np.ndarray) -> float:
    """The weighted power behind a mesh each of whose interferometers loses 0.5 dB, by NumPy."""
    field = light.astype(complex)
    for k, theta, phi in zip(mesh.top, mesh.theta, mesh.phi, strict=True):
        step = 10 ** (-0.5 / 20) * meshes.interferometer(theta, phi)
        field[k : k + 2] = step @ field[k : k + 2]
    return float(weights @ np.abs(field) ** 2)


@pytest.mark.parametrize("level", ["phases", "gains"])
def test_both_routes_are_the_derivative_of_the_matrix(level):
    mesh = meshes.reck(unitary_group.rvs(3, random_state=0))
    rng = np.random.default_rng(0)
    weights, light = rng.normal(size=3), rng.normal(size=3) + 1j * rng.normal(size=3)
    emitted = tellegen.compile_text(BOTH.format(level=level)).emit()
    at = {"mesh.theta": mesh.theta, "mesh.phi": mesh.phi, "screen.phase": mesh.screen}
    with tellegen.Session(emitted.netlist, emitted.manifest) as session:
        session.drive("a", light)
        for name, values in at.items():
            group, phase = name.split(".")
            session.write(name, values)
            session.write(f"{PAIRS[group]}.{phase}", values)
        situ = in_situ(session, "y", "z", lambda field: weights * field, PAIRS)
        shifted = jacobian(lambda points: session.scan(points, "y.power"), at)
    assert shifted["mesh.theta"].shape == (3, 3)
    for name in at:
        assert np.allclose(situ[name], shifted[name] @ weights, atol=1e-10)
    assert np.allclose(situ["screen.phase"], 0, atol=1e-10)  # no detector sees it
    step = 1e-4
    for name, part in (("mesh.theta", "theta"), ("mesh.phi", "phi")):
        for k in range(3):
            ends = []
            for sign in (1, -1):
                moved = getattr(mesh, part) + sign * step * np.eye(3)[k]
                ends.append(power(replace(mesh, **{part: moved}), light, weights))
            want = (ends[0] - ends[1]) / (2 * step)
            assert np.isclose(situ[name][k], want, atol=1e-7)
