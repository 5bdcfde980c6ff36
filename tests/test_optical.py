"""Optical nets: fields through meshes in ngspice against matrices, and what is no optical net."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import unitary_group

import tellegen
from tellegen import meshes


def text(mesh: meshes.Mesh) -> str:
    """A network of a mesh, an instance a line: its nets are the light between the elements."""
    n = mesh.modes
    nets = [f"a[{k}]" for k in range(n)]
    lines = []
    for i, (k, theta, phi) in enumerate(zip(mesh.top, mesh.theta, mesh.phi, strict=True)):
        lines.append(
            f"m{i}: mzi({nets[k]}, {nets[k + 1]}, theta = {theta!r} rad, phi = {phi!r} rad)"
        )
        nets[k], nets[k + 1] = f"m{i}.c", f"m{i}.d"
    lines += [
        f"s{k}: phase_shifter({nets[k]}, y[{k}], phase = {phase!r} rad)"
        for k, phase in enumerate(mesh.screen)
    ]
    body = "\n".join(lines).replace("np.float64(", "").replace(") rad", " rad")
    return f"import photonic\nnetwork Mesh {{\ninput a[{n}]: optical\noutput y[{n}]: optical\n{body}\n}}\n"


@pytest.mark.parametrize("n", [4, 8])
def test_a_mesh_in_ngspice_is_its_unitary_matrix(n):
    u = unitary_group.rvs(n, random_state=n)
    emitted = tellegen.compile_text(text(meshes.clements(u))).emit()
    made = np.zeros((n, n), dtype=complex)
    with tellegen.Session(emitted.netlist, emitted.manifest) as session:
        for column in range(n):
            field = np.zeros((n, 2))
            field[column, 0] = 1
            session.drive("a", field)
            session.solve()
            made[:, column] = session.read("y").reshape(n, 2) @ [1, 1j]
    assert np.abs(made - u).max() < 1e-12
    assert np.abs(made.conj().T @ made - np.eye(n)).max() < 1e-12


def test_a_phase_is_written_while_the_circuit_runs():
    emitted = tellegen.compile_text("""
import photonic
network Two {
    input  a[2]: optical
    output y[2]
    m: mzi(a[0], a[1])
    node u[2]: optical
    first:  phase_shifter(m.c, u[0])
    second: phase_shifter(m.d, u[1])
    seen: photodetector[2](u, y, dark = 0 A, load = 1 ohm)
}
""").emit()
    with tellegen.Session(emitted.netlist, emitted.manifest) as session:
        session.drive("a", [1, 0, 0, 0])
        for theta in (0.0, 0.4, 2.0, np.pi):
            session.write("m.theta", theta)
            session.solve()
            half = theta / 2
            assert np.allclose(
                session.read("y"), [np.sin(half) ** 2, np.cos(half) ** 2], atol=1e-12
            )
