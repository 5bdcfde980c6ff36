"""The parameter-shift rule in ngspice against finite differences, and which phases need more than two terms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import unitary_group

import tellegen
from tellegen import meshes
from tellegen.sims.learning.parameter_shift import jacobian, terms

MESH = """
import photonic
network Mesh {{
    input  a[4]: optical
    output y[4]
    node   u[4]: optical, v[4]: optical
    mesh:   connect a -> u by clements using mzi(level = {level}, loss = {loss}, first = 0.05 rad)
    screen: phase_shifter[4](u, v, level = {level})
    seen:   photodetector[4](v, y, dark = 0 A, load = 1 ohm)
}}
"""
FIELD = np.array([0.5, 0.5j, -0.5, 0.3 + 0.4j])


def session_of(text):
    emitted = tellegen.compile_text(text).emit()
    return tellegen.Session(emitted.netlist, emitted.manifest)


@pytest.fixture(scope="module")
def lossy():
    """Detector powers of a mesh with losses and splitting errors."""
    with session_of(MESH.format(level="gains", loss=0.4)) as session:
        yield mesh_powers(session)


def mesh_powers(session):
    session.drive("a", FIELD)

    def measure(points):
        parts = {"mesh.theta": points[:, :6], "mesh.phi": points[:, 6:12]}
        return session.scan({**parts, "screen.phase": points[:, 12:]}, "y")

    return measure


def differences(measure, at, h=1e-2):
    """Central differences with the leading error removed (Richardson)."""
    steps = np.eye(len(at))

    def central(width):
        return (measure(at + width * steps) - measure(at - width * steps)) / (2 * width)

    return (4 * central(h / 2) - central(h)) / 3


def near(found, expected, relative=1e-6):
    return np.abs(found - expected).max() < relative * np.abs(expected).max()


def test_every_phase_of_a_mesh_has_the_two_term_rule_with_loss_and_splitting_errors(lossy):
    at = np.random.default_rng(1).uniform(0, 2 * np.pi, 16)
    found = jacobian(lossy, at)
    assert near(found, differences(lossy, at))
    # A screen before detectors does nothing; before another mesh it would.
    assert np.abs(found[12:]).max() < 1e-12


def test_derivatives_are_those_of_the_matrix():
    at = np.random.default_rng(2).uniform(0, 2 * np.pi, 16)
    top = meshes.clements(unitary_group.rvs(4, random_state=0)).top

    def numpy(points):
        return np.array(
            [abs(meshes.Mesh(4, top, p[:6], p[6:12], p[12:]).matrix() @ FIELD) ** 2 for p in points]
        )

    text = MESH.format(level="phases", loss=0).replace("first = 0.05 rad", "first = 0 rad")
    with session_of(text) as session:
        found = jacobian(mesh_powers(session), at)
    assert np.abs(found - jacobian(numpy, at)).max() < 1e-11
    assert near(found, differences(numpy, at))


SHARED = """
import photonic
network Shared {
    input  a[2]: optical
    output y[2]
    node   u[2]: optical
    one: mzi(a[0], a[1])
    two: mzi(one.c, one.d, u[0], u[1], phi = 0.5 rad)
    seen: photodetector[2](u, y, dark = 0 A, load = 1 ohm)
}
"""


def test_a_phase_that_two_elements_share_needs_four_terms():
    with session_of(SHARED) as session:
        session.drive("a", np.array([0.8, 0.6j]))

        def measure(points):
            return session.scan(dict.fromkeys(("one.theta", "two.theta"), points[:, 0]), "y")

        at = np.array([0.7])
        true = differences(measure, at)
        assert near(jacobian(measure, at, order=2), true)
        assert near(jacobian(measure, at, order=[3]), true)
        assert not near(jacobian(measure, at), true, 0.05)


def test_heaters_that_warm_each_other_are_shifted_by_phase_not_by_drive(lossy):
    apart = np.abs(np.subtract.outer(np.arange(12), np.arange(12)))
    k = np.where(apart == 0, 1.0, np.where(apart == 1, 0.05, 0.0))
    drives = np.random.default_rng(3).uniform(0, 2 * np.pi, 12)

    def phases(points):
        return lossy(np.hstack([points, np.zeros((len(points), 4))]))

    def driven(points):
        return phases(points @ k.T)

    true = differences(driven, drives)
    assert near(np.tensordot(k.T, jacobian(phases, k @ drives), 1), true)
    assert not near(jacobian(driven, drives), true, 0.01)


def test_a_cost_that_is_not_linear_in_powers_takes_the_chain_rule(lossy):
    at = np.random.default_rng(4).uniform(0, 2 * np.pi, 16)
    target = np.array([0.1, 0.2, 0.3, 0.4])

    def cost(points):
        return ((lossy(points) - target) ** 2).sum(axis=1)

    true = differences(cost, at)
    error = 2 * (lossy(at[None])[0] - target)
    assert near(jacobian(lossy, at) @ error, true)
    assert not near(jacobian(cost, at), true, 0.01)


def test_the_general_rule_is_exact_up_to_its_order():
    rng = np.random.default_rng(5)
    for order in (1, 2, 3):
        f = np.arange(1, order + 1)
        c, s = rng.normal(size=(2, order))

        def wave(points, c=c, s=s, f=f):
            return np.cos(points * f) @ c + np.sin(points * f) @ s

        at = 0.4
        slope = (-f * np.sin(f * at)) @ c + (f * np.cos(f * at)) @ s
        assert np.isclose(jacobian(wave, [at], order)[0], slope, rtol=1e-12)
    with pytest.raises(ValueError, match="at least 1"):
        terms(0)
