"""Optical nets: fields through meshes in ngspice against matrices, and what is no optical net."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import unitary_group

import tellegen
from tellegen import meshes
from tellegen.sims.check import check_experiments
from tellegen.sims.report import write_report


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


NESTED = """
import photonic
import resistive

network Arm(turn = 0.3 rad) {
    input  a: optical
    output b: optical
    node   half: optical
    first:  phase_shifter(a, half, phase = turn)
    second: phase_shifter(half, b, phase = turn)
}

network Pair {
    input  x[2, 2]: optical
    input  bias
    output y[2, 2]: optical
    output volts[2]
    output twice = y[0, 0], y[1, 1]
    arm:   Arm[2, 2](x, y)
    seen:  photodetector[2](y[1, :], volts, dark = 0 A, load = 1 ohm)
    other: resistor(bias, gnd, g = 1 S)
}

simulate Look for Pair {
    drive  x = 1 W, light(4 W, phase = 90 deg), 0 W, 2 W
    drive  bias = 3 V
    record x, x.power, y, y[0, 1], y.power, twice, twice.power, volts, arm[0, 1].half, arm[0, 1].half.power, bias
}
"""


def test_hierarchy_arrays_and_ports_on_nets_of_light(tmp_path):
    file = tmp_path / "nested.tgn"
    file.write_text(NESTED)
    found = tellegen.simulate(file, out=tmp_path)
    field = np.sqrt([[1, 4], [0, 2]]) * np.array([[1, 1j], [1, 1]])
    after = field * np.exp(0.6j)

    def complex_of(name):
        return found.signals[name] @ [1, 1j]

    assert np.allclose(complex_of("x"), field, atol=1e-12)
    assert np.allclose(complex_of("y"), after, atol=1e-12)
    assert np.allclose(complex_of("y[0, 1]"), after[0, 1], atol=1e-12)
    assert np.allclose(complex_of("twice"), [after[0, 0], after[1, 1]], atol=1e-12)
    assert np.allclose(found.signals["x.power"], [[1, 4], [0, 2]], atol=1e-12)
    assert np.allclose(found.signals["y.power"], [[1, 4], [0, 2]], atol=1e-12)
    assert np.allclose(found.signals["twice.power"], [1, 2], atol=1e-12)
    assert np.allclose(found.signals["volts"], [0, 2], atol=1e-9)
    assert np.allclose(complex_of("arm[0, 1].half"), field[0, 1] * np.exp(0.3j), atol=1e-12)
    assert np.isclose(found.signals["arm[0, 1].half.power"], 4)
    assert found.signals["bias"] == 3
    assert found.units["y.power"] == "W" and found.units["y"] == "W^0.5"
    assert write_report(found.folder).exists()


def test_light_in_a_task_is_a_power_and_an_output_of_light_is_not_clamped(tmp_path):
    file = tmp_path / "task.tgn"
    text = """
import photonic
network Splitter {
    input  a[2]: optical
    output y[2]
    output light = m.c
    m: mzi(a[0], a[1], theta = 1 rad)
    seen: photodetector[2](a, y, load = 1 ohm, dark = 0 A)
    dump: phase_shifter(m.d, gnd)
}
task Split for Splitter {
    drive  a = 4 W, 9 W
    target y = 1 V, 2 V
}
"""
    file.write_text(text)
    assert not tellegen.open_file(file).check().errors
    file.write_text(text.replace("target y = 1 V, 2 V", "target light = 1 V"))
    compilation = tellegen.open_file(file)
    check_experiments(compilation)
    assert "wrong-kind" in [d.code for d in compilation.sink.errors]


def test_a_field_is_driven_by_complex_numbers_and_ground_is_dark():
    emitted = tellegen.compile_text("""
import photonic
network Split {
    input  a: optical
    output up: optical
    output down: optical
    m: mzi(a, gnd, up, down, theta = 90 deg)
    node unseen: optical
    s: phase_shifter(up, gnd)
    t: phase_shifter(down, unseen)
}
""").emit()
    with tellegen.Session(emitted.netlist, emitted.manifest) as session:
        session.drive("a", 0.6 + 0.8j)
        session.solve()
        ways = meshes.interferometer(np.pi / 2, 0.0)[:, 0] * (0.6 + 0.8j)
        assert np.allclose(
            [session.read("up") @ [1, 1j], session.read("down") @ [1, 1j]], ways, atol=1e-12
        )
        assert np.allclose(session.read("unseen.power"), 0.5, atol=1e-12)
