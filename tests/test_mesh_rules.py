"""Meshes by rule, in their two encodings: against matrices, against each other, from files, of networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import unitary_group

import tellegen
from tellegen import meshes

EXAMPLE = Path(__file__).parents[1] / "examples" / "mesh.tgn"

LAYER = """
import photonic
network Layer(n = 4, slip = 0 rad) {{
    input  a[n]: optical
    output y[n]: optical
    node   u[n]: optical
    mesh:   connect a -> u by {rule} using mzi(level = {level}, first = slip)
    screen: phase_shifter[n](u, y, level = {level})
}}
simulate Look for Layer {{
    drive a = 1 W, 0 W, 0 W, 0 W
}}
"""
MAKERS = {"clements": meshes.clements, "reck": meshes.reck}


def layer(rule: str, level: str, n: int) -> tellegen.Session:
    text = LAYER.format(rule=rule, level=level).replace("n = 4", f"n = {n}")
    emitted = tellegen.compile_text(text).emit()
    return tellegen.Session(emitted.netlist, emitted.manifest)


def matrix_of(session: tellegen.Session, n: int) -> np.ndarray:
    """The matrix that a circuit is, input by input."""
    columns = []
    for one in np.eye(n, dtype=complex):
        session.drive("a", one)
        session.solve()
        columns.append(session.read("y") @ [1, 1j])
    return np.array(columns).T


def put(session: tellegen.Session, mesh: meshes.Mesh) -> None:
    session.write("mesh.theta", mesh.theta)
    session.write("mesh.phi", mesh.phi)
    session.write("screen.phase", mesh.screen)


@pytest.mark.parametrize("rule", MAKERS)
def test_the_two_encodings_are_the_same_matrix_and_stay_so_when_it_is_changed(rule):
    n = 5
    with layer(rule, "phases", n) as nodes, layer(rule, "gains", n) as gains:
        for seed in (1, 2):
            u = unitary_group.rvs(n, random_state=seed)
            for session in (nodes, gains):
                put(session, MAKERS[rule](u))
            found, other = matrix_of(nodes, n), matrix_of(gains, n)
            assert np.abs(found - u).max() < 1e-12
            assert np.abs(other - u).max() < 1e-12
            assert np.abs(found - other).max() < 1e-12


def saved(path, matrix):
    pairs = np.stack([matrix.real, matrix.imag], axis=-1).reshape(len(matrix), -1)
    np.savetxt(path, pairs, delimiter=",", fmt="%.17g")


@pytest.mark.parametrize("rule", MAKERS)
@pytest.mark.parametrize("level", ["phases", "gains"])
def test_a_mesh_is_set_by_a_file(rule, level, tmp_path):
    u = unitary_group.rvs(4, random_state=3)
    saved(tmp_path / "u.csv", u)
    text = LAYER.format(rule=f'{rule}("u.csv")', level=level)
    text = text.replace(
        f"phase_shifter[n](u, y, level = {level})",
        f"connect u -> y by screen(mesh) using phase_shifter(level = {level})",
    )
    (tmp_path / "layer.tgn").write_text(text)
    found = tellegen.simulate(tmp_path / "layer.tgn", out=tmp_path)
    assert np.abs(found.signals["y"] @ [1, 1j] - u[:, 0]).max() < 1e-12


def test_a_file_of_real_numbers_and_interferometers_that_are_networks(tmp_path):
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    np.savetxt(tmp_path / "turn.csv", turn, delimiter=",")
    (tmp_path / "turn.tgn").write_text("""
import photonic
network Lossy {
    input  a: optical, b: optical
    output c: optical, d: optical
    node   e: optical, f: optical
    first: mzi(a, b, e, f, theta = 90 deg)
    upper: phase_shifter(e, c)
    lower: phase_shifter(f, d)
}
network Turn {
    input  a[2]: optical, b[3]: optical
    output y[2]: optical, z[3]: optical
    node   u[2]: optical
    mesh:   connect a -> u by clements("turn.csv") using mzi()
    screen: connect u -> y by screen(mesh) using phase_shifter()
    other:  connect b -> z by reck using Lossy()
}
simulate Look for Turn {
    drive a = 1 W, 0 W
    drive b = 0 W, 0 W, 4 W
    record y, z.power, other.e.power
}
""")
    found = tellegen.simulate(tmp_path / "turn.tgn", out=tmp_path)
    assert np.abs(found.signals["y"] @ [1, 1j] - turn[:, 0]).max() < 1e-12
    assert np.isclose(found.signals["z.power"].sum(), 4)
    assert np.allclose(found.signals["z.power"], [1, 1, 2])


def test_any_matrix_by_singular_values_as_the_documentation_says(tmp_path):
    m = np.random.default_rng(0).normal(size=(3, 3))
    left, gains, right, scale = meshes.singular(m)
    emitted = tellegen.compile_text("""
import photonic
network Any {
    input  a[3]: optical
    output y[3]: optical
    node   u[3]: optical, v[3]: optical, w[3]: optical, x[3]: optical
    right:  connect a -> u by clements using mzi()
    first:  phase_shifter[3](u, v)
    weight: mzi[3](v, gnd, w, gnd)
    left:   connect w -> x by clements using mzi()
    second: phase_shifter[3](x, y)
}
""").emit()
    with tellegen.Session(emitted.netlist, emitted.manifest) as session:
        for name, screen, mesh in (
            ("right", "first", meshes.clements(right)),
            ("left", "second", meshes.clements(left)),
        ):
            session.write(f"{name}.theta", mesh.theta)
            session.write(f"{name}.phi", mesh.phi)
            session.write(f"{screen}.phase", mesh.screen)
        # An interferometer passes i e^{i theta/2} sin(theta/2) of its upper input: undo its phase.
        theta = 2 * np.arcsin(gains)
        session.write("weight.theta", theta)
        session.write("weight.phi", -theta / 2 - np.pi / 2)
        assert np.abs(scale * matrix_of(session, 3) - m).max() < 1e-11


def test_the_example_is_a_fourier_transform(tmp_path):
    found = tellegen.simulate(EXAMPLE, "Alternating", out=tmp_path)
    volts = found.signals["seen"]
    assert np.isclose(volts[2], 14.63, atol=0.01)  # of 16 mW, at 1 kohm
    assert np.delete(volts, 2).max() < 1e-3
    coded = found.signals["coded.power"]
    assert np.allclose(coded, 4e-3)
