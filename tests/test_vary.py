"""Variational tasks and trainings in the language: costs against matrices, stopping and going on, run folders."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tellegen import meshes
from tellegen.pipeline import open_file
from tellegen.sims import run_folder as rf
from tellegen.sims.report import write_report
from tellegen.sims.sorts import bind_train
from tellegen.sims.training import resume, train
from tellegen.sims.variational.ansatz import VariationalError

EXAMPLES = Path(__file__).parents[1] / "examples"
QUBIT = """
import photonic
network Qubit {
    input  a[2]: optical
    output y[2]
    node   u[2]: optical, v[2]: optical, w[2]: optical
    mesh:   connect a -> u by clements using mzi(level = gains)
    screen: phase_shifter[2](u, v, level = gains)
    basis:  connect v -> w by clements using mzi(level = gains)
    seen:   photodetector[2](w, y, load = 1 ohm)
}
task Energy for Qubit {
    drive   a = 1 mW, 0 W
    measure y in basis
    cost    pauli_sum(Z = 0.3 Ha, X = 10.8845544498 eV, I = 0.1 Ha)
}
train Energy { vary mesh.theta, mesh.phi, screen.phase by bfgs(flat = 1 mHa); starts 2; seed 3 }
"""
ENERGY = 0.1 - 0.5  # of 0.3 Z + 0.4 X, up to the last digits of the eV


def run(tmp_path, text, name=None, **how):
    file = tmp_path / "test.tgn"
    file.write_text(text)
    return train(file, name, out=tmp_path / "runs", **how)


def evaluations(folder):
    with np.load(folder / rf.CHECKPOINT) as kept:
        return {name: kept[name] for name in kept.files}


def test_an_energy_in_units_from_block_to_report(tmp_path):
    seen = []
    result = run(tmp_path, QUBIT, varied=lambda step, plan: seen.append(step.start))
    assert result.finished
    assert result.plan.unit == "Ha"
    assert result.plan.least == pytest.approx(ENERGY, abs=1e-6)
    assert -1e-9 < result.value - result.plan.least < 1e-5
    assert result.reason == "the cost is flat"
    assert set(seen) == {0, 1}
    # The light of the best phases is the ground state, told by matrices alone.
    p = result.phases
    state = meshes.Mesh(
        2, np.array([0]), p["mesh.theta"], p["mesh.phi"], p["screen.phase"]
    ).matrix()
    h = np.array([[0.4, 0.4], [0.4, -0.2]])
    assert (state[:, 0].conj() @ h @ state[:, 0]).real == pytest.approx(ENERGY, abs=1e-5)
    run_json = rf.read_json(result.folder)
    assert run_json["value"] == result.value
    assert len((result.folder / "evaluations.csv").read_text().splitlines()) == len(seen) + 1
    # What was trained is a netlist that shows the same powers: for Z, what the detectors read.
    assert f"theta={p['mesh.theta'][0]:.12g}"[:14] in (result.folder / "trained.cir").read_text()
    page = write_report(result.folder).read_text()
    assert (result.folder / "cost.png").stat().st_size > 5000
    for said in ("lowest eigenvalue", "the cost is flat", "bfgs (flat = 0.001", "mesh.theta[0]"):
        assert said in page


def test_settings_from_the_command_line(tmp_path):
    overrides = ["train.vary.steps=1", "train.shots=50", "train.bits=4", "task.cost.Z=-0.3 Ha",
                 "train.starts=1"]  # fmt: skip
    result = run(tmp_path, QUBIT, overrides=overrides)
    assert (result.plan.shots, result.plan.bits, result.plan.settings["steps"]) == (50, 4, 1)
    assert result.reason == "all steps are made"
    step = 2 * np.pi / 16
    assert all(np.allclose(v % step % step, 0, atol=1e-9) | np.isclose(v % step, step) for v in
               np.concatenate([x.ravel() for x in result.phases.values()]))  # fmt: skip


def test_it_begins_with_the_circuits_own_phases_where_no_starts_are_said(tmp_path):
    text = re.sub(r" X = [^,]*,", "", QUBIT.replace("starts 2; ", ""))
    result = run(tmp_path, text)
    assert np.array_equal(result.varied.found[0].evaluations[0].point, np.zeros(4))
    # theta = 0 crosses all light, where Z has no slope.
    assert result.reason == "the cost is flat where it began"


@pytest.mark.parametrize(
    ("level", "noise"), [("gains", ""), ("phases", ""), ("phases", "shots 500; bits 6; ")]
)
def test_a_run_that_goes_on_has_the_same_numbers(tmp_path, level, noise):
    rule = "adam(rate = 0.5 rad, steps = 4)" if noise else "bfgs(flat = 10 mHa)"
    text = QUBIT.replace("level = gains", f"level = {level}").replace("starts", f"{noise}starts")
    made = run(tmp_path, text.replace("bfgs(flat = 1 mHa)", rule))
    whole = evaluations(made.folder), made.phases
    some = len(whole[0]["start"]) // 2 + 1
    rf.write_arrays(made.folder, rf.CHECKPOINT, {n: v[:some] for n, v in whole[0].items()})
    again = []
    result = resume(made.folder, varied=lambda step, plan: again.append(step))
    assert result.finished
    assert len(again) == len(whole[0]["start"]) - some
    found = evaluations(made.folder)
    assert all(np.array_equal(found[name], v) for name, v in whole[0].items())
    assert all(np.array_equal(result.phases[name], v) for name, v in whole[1].items())


def test_ctrl_c_saves_and_more_starts_can_be_asked_for(tmp_path):
    file = tmp_path / "test.tgn"
    file.write_text(QUBIT.replace("starts 2", "starts 400"))
    command = [sys.executable, "-m", "tellegen", "train", str(file), "-o", str(tmp_path / "runs")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as p:
        assert p.stderr.readline().startswith("start 1 of 400")
        assert p.stderr.readline().startswith("start 2")
        p.send_signal(signal.SIGINT)
        out, _ = p.communicate(timeout=60)
    assert p.returncode == 130
    (folder,) = (tmp_path / "runs").iterdir()
    assert f"tellegen resume {folder}" in out
    assert rf.read_json(folder)["status"] == "stopped"
    kept = evaluations(folder)
    starts = int(kept["start"].max()) + 2
    result = resume(folder, overrides=[f"train.starts={starts}"])
    assert len(result.varied.found) == starts
    assert all(np.array_equal(v, evaluations(folder)[n][: len(v)]) for n, v in kept.items())
    with pytest.raises(rf.RunFolderError, match="cannot go on"):
        resume(folder, overrides=["task.cost.Z=0.2 Ha"])


def test_a_matrix_from_a_file_and_its_scale(tmp_path):
    # Real and imaginary parts, side by side: 0.5 Y in millihartree.
    (tmp_path / "h.csv").write_text("0,0, 0,-500\n0,500, 0,0\n")
    text = re.sub(r"pauli_sum\(.*\)", 'hermitian("h.csv", scale = 1 mHa)', QUBIT)
    result = run(tmp_path, text)
    assert result.plan.least == pytest.approx(-0.5)
    assert result.value == pytest.approx(-0.5, abs=1e-5)


def test_a_unitary_is_compiled(tmp_path):
    s = 2**-0.5
    (tmp_path / "u.csv").write_text(f"{s},{s}\n{s},{-s}\n")
    text = re.sub(r"pauli_sum\(.*\)", 'compiling("u.csv")', QUBIT).replace(
        "drive   a = 1 mW, 0 W", ""
    )
    result = run(tmp_path, text.replace("1 mHa", "1e-5"))
    p = result.phases
    made = meshes.Mesh(2, np.array([0]), p["mesh.theta"], p["mesh.phi"], p["screen.phase"]).matrix()
    assert result.varied.noiseless < 1e-8
    assert abs(np.trace(np.array([[s, s], [s, -s]]) @ made)) / 2 == pytest.approx(1, abs=1e-6)


STATES = """
import photonic
network Teller {
    input  a[2]: optical
    output y[2]: optical
    mesh: connect a -> y by clements using mzi(level = gains, loss = 0.3)
}
task Two for Teller {
    data    csv("states.csv", label = "class") split 0.5
    drive   a = amplitudes(concat(r0, r1), concat(i0, i1))
    measure y
    cost    classifying(left, right)
}
train Two { vary mesh.theta, mesh.phi by bfgs(flat = 1e-5); starts 2; seed 1 }
"""


def test_classes_of_states(tmp_path):
    rng = np.random.default_rng(0)
    kind = np.arange(24) % 2
    centre = np.array([[1, 0.3j], [0.5, 0.8]])[kind]
    states = centre + 0.2 * (rng.normal(size=(24, 2)) + 1j * rng.normal(size=(24, 2)))
    rows = ["r0,r1,i0,i1,class"]
    rows += [f"{s[0].real},{s[1].real},{s[0].imag},{s[1].imag},{('left', 'right')[k]}"
             for s, k in zip(states, kind, strict=True)]  # fmt: skip
    (tmp_path / "states.csv").write_text("\n".join(rows))
    result = run(tmp_path, STATES)
    about = result.plan.classes
    unit = states / np.linalg.norm(states, axis=1, keepdims=True)
    # The best projector on one mode, from the difference of the two density matrices (Helstrom 1969).
    rho = [sum(np.outer(s, s.conj()) for s in unit[about.train][kind[about.train] == c])
           for c in (0, 1)]  # fmt: skip
    best = (len(about.train) / 2 - np.linalg.eigvalsh(rho[0] - rho[1])[-1]) / len(about.train)
    assert result.plan.least == pytest.approx(best)
    assert -1e-9 < result.value - best < 1e-5
    assert set(result.accuracy) == {"train", "test"}
    found = json.loads((result.folder / "run.json").read_text())
    assert found["results"]["train"]["error"] == pytest.approx(result.value)
    assert np.sum(found["confusion"]["test"]) == len(about.test)
    assert "probability of error" in write_report(result.folder).read_text()


DOUBLED = """\
*% summary = "A phase shifter that light passes twice"
*% reference = "none"
*% [ports]
*% a = { discipline = "optical", direction = "in" }
*% b = { discipline = "optical", direction = "out" }
*% [dc]
*% paths = [["b", "gnd"]]
*% [params.phase]
*% unit = "rad"
*% default = 0
*% [programmable.phase]
*% elements = ["G1", "G2", "G3", "G4"]
.subckt doubled a_re a_im b_re b_im phase=0
G1 0 b_re a_re 0 {cos(2*phase)}
G2 b_re 0 a_im 0 {sin(2*phase)}
G3 0 b_im a_re 0 {sin(2*phase)}
G4 0 b_im a_im 0 {cos(2*phase)}
Rre b_re 0 1
Rim b_im 0 1
.ends doubled
"""


def test_a_phase_without_the_two_term_rule_is_found_by_measuring(tmp_path):
    folder = tmp_path / "cells" / "own"
    folder.mkdir(parents=True)
    (folder / "library.toml").write_text('title = "Own"\ndescription = "of a test"\n')
    (folder / "doubled.cir").write_text(DOUBLED)
    text = QUBIT.replace("import photonic", "import photonic\nimport own")
    text = text.replace("phase_shifter[2](u, v, level = gains)", "own.doubled[2](u, v)")
    with pytest.raises(VariationalError, match=r"`screen.phase\[0\]` has no two-term rule"):
        run(tmp_path, text, cells=[tmp_path / "cells"])
    (made,) = (tmp_path / "runs").iterdir()
    assert rf.read_json(made)["status"] == "failed"


def test_photons_need_detectors_that_show_watts(tmp_path):
    text = QUBIT.replace(", load = 1 ohm", "")
    with pytest.raises(VariationalError, match="more light than is sent"):
        run(
            tmp_path,
            text.replace("bfgs(flat = 1 mHa)", "adam(steps = 2)").replace(
                "starts", "shots 9; starts"
            ),
        )


def test_the_example_is_the_hamiltonian_of_its_source():
    plan = bind_train(open_file(EXAMPLES / "hydrogen.tgn"), "Ground").plan
    # Colless et al. 2018: -1.137 Ha at 0.75 angstrom, the full configuration interaction of STO-3G.
    assert plan.least == pytest.approx(-1.1371, abs=2e-4)
