"""Training runs: they learn, repeat, survive, and go on to the same numbers."""

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest

from tellegen import CompileError, resume, train
from tellegen.sims import run_folder as rf
from tellegen.sims.errors import Cause, SimulationError
from tellegen.sims.rules import LocalityError, rule

BOARD = """
import resistive
network Board {
    node   n[9]
    input  source = n[0], n[8]
    output target = n[4], n[5]
    edge:  connect n by grid(3, 3) using resistor(g ~ uniform(2 uS, 8 uS))
}
task Divide for Board {
    drive  source = 5 V, 0 V
    target target = 1.5 V, 2 V
}
train Divide {
    learn  edge.g in 0.1 uS .. 100 uS by coupled(nudge = 0.5, rate = 1 uS/V^2)
    epochs 400
    seed   3
}
"""

FLOWERS = """
import resistive
network Net {
    input  x[8]
    output y[3]
    node   h[6]
    first:  connect x -> h by all_to_all using resistor(g ~ loguniform(0.3 uS, 10 uS))
    second: connect h -> y by all_to_all using resistor(g ~ loguniform(0.3 uS, 10 uS))
}
task Flowers for Net {
    data   iris split 0.3, 0.2
    drive  x = concat(scaled(features, 0 V .. 5 V), scaled(features, 5 V .. 0 V))
    target y = class_mean(amplify = 4)
}
train Flowers {
    learn  first.g, second.g in 0.01 uS .. 100 uS by coupled(nudge = 0.5, rate = 1 uS/V^2)
    update asynchronous(p = 0.5)
    batch  2
    epochs 5
}
"""


@pytest.fixture
def file(tmp_path):
    def write(text, name="net.tgn"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def same_numbers(a: Path, b: Path):
    assert (a / rf.METRICS).read_bytes() == (b / rf.METRICS).read_bytes()
    assert (a / rf.TRAINED).read_bytes() == (b / rf.TRAINED).read_bytes()
    np.testing.assert_array_equal(np.load(a / rf.PARAMETERS), np.load(b / rf.PARAMETERS))


def test_a_network_learns_to_divide(file, tmp_path):
    result = train(file(BOARD), out=tmp_path)
    assert result.finished
    assert result.error["train"] < 1e-8
    history = result.parameters["edge.g"]
    assert history.shape == (401, 12)
    assert (history >= 0.1e-6).all() and (history <= 100e-6).all()


def test_the_trained_netlist_says_what_the_session_said(file, tmp_path):
    from tellegen.sims.ngspice.deck import run_batch

    result = train(file(BOARD), out=tmp_path)
    found = run_batch((result.folder / rf.TRAINED).read_text())
    outputs = result.outcome.evaluations["train"].outputs["target"][0]
    np.testing.assert_allclose([found["n_4"][0], found["n_5"][0]], outputs, rtol=1e-9)


def test_same_seed_same_numbers_and_another_seed_others(file, tmp_path):
    path = file(FLOWERS)
    a, b, c = (train(path, out=tmp_path, seed=s) for s in (1, 1, 2))
    same_numbers(a.folder, b.folder)
    assert (a.folder / rf.METRICS).read_bytes() != (c.folder / rf.METRICS).read_bytes()
    assert a.accuracy["train"] > 0.6


def test_resume_goes_on_to_the_same_numbers(file, tmp_path):
    path = file(FLOWERS)
    whole = train(path, out=tmp_path, overrides=["train.epochs=5"])
    part = train(path, out=tmp_path, overrides=["train.epochs=2"])
    assert part.outcome.state.epoch == 2
    on = resume(part.folder, overrides=["train.epochs=5"])
    assert on.outcome.state.epoch == 5
    same_numbers(whole.folder, on.folder)


def test_resume_refuses_another_circuit(file, tmp_path):
    part = train(file(FLOWERS), out=tmp_path, overrides=["train.epochs=1"])
    source = part.folder / rf.SOURCE
    source.write_text(source.read_text().replace("h[6]", "h[7]"))
    with pytest.raises(rf.RunFolderError, match="cannot go on"):
        resume(part.folder)


def test_training_goes_on_after_the_simulator_died(file, tmp_path):
    path = file(FLOWERS)
    whole = train(path, out=tmp_path)
    killed = []

    def kill_once(state, plan):
        if state.epoch == 2 and not killed:
            killed.append([p.kill() for p in psutil.Process().children()])

    survived = train(path, out=tmp_path, progress=kill_once)
    assert killed
    same_numbers(whole.folder, survived.folder)


def test_a_simulator_that_always_dies_is_an_error_with_everything_saved(file, tmp_path):
    with pytest.raises(SimulationError) as found:
        train(file(FLOWERS), out=tmp_path, timeout=1e-3)  # every worker counts as hung at once
    assert found.value.cause is Cause.HUNG
    (folder,) = [p for p in tmp_path.iterdir() if p.is_dir()]
    assert rf.read_json(folder)["status"] == "failed"
    whole = train(file(FLOWERS), out=tmp_path)
    same_numbers(whole.folder, resume(folder).folder)


def test_ctrl_c_saves_and_resume_completes(file, tmp_path):
    path = file(FLOWERS)
    whole = train(path, out=tmp_path / "whole", overrides=["train.epochs=40"])
    command = [sys.executable, "-m", "tellegen", "train", path, "-o", tmp_path / "runs",
               "--set", "train.epochs=40"]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as p:
        assert p.stderr.readline().startswith("epoch 0")
        p.send_signal(signal.SIGINT)
        out, _ = p.communicate(timeout=60)
    assert p.returncode == 130
    (folder,) = (tmp_path / "runs").iterdir()
    assert f"tellegen resume {folder}" in out
    assert rf.read_json(folder)["status"] == "stopped"
    assert rf.read_state(folder).epoch < 40
    same_numbers(whole.folder, resume(folder).folder)


def test_a_rule_that_looks_at_other_edges_is_refused():
    @rule(phases=("free",), reads=("drop",), reference="none")
    def nosy(free):
        return free.drop - free.drop.mean()

    seen = {"free": {"drop": np.array([1.0, 5.0, 2.0, 7.0, 3.0, 9.0])}}
    with pytest.raises(LocalityError, match="`nosy`"):
        nosy.check_locality(seen, {})


def test_levels_and_limits_are_kept(file, tmp_path):
    text = BOARD.replace(
        "resistor(g ~ uniform(2 uS, 8 uS))", "digipot(code ~ integers(20, 100))"
    ).replace(
        "edge.g in 0.1 uS .. 100 uS by coupled(nudge = 0.5, rate = 1 uS/V^2)",
        "edge.code in 10 .. 110 by coupled_sign(nudge = 0.5, size = 1)",
    ).replace("epochs 400", "epochs 150\n    update asynchronous(p = 0.2)")  # fmt: skip
    result = train(file(text), out=tmp_path)
    codes = result.parameters["edge.code"]
    assert (codes == np.rint(codes)).all()
    assert codes.min() >= 10 and codes.max() <= 110
    metrics = result.metrics["train_error"]
    assert metrics[-1] < metrics[0] / 3


def test_a_transient_solve_learns_as_an_operating_point_does(file, tmp_path):
    text = BOARD.replace("epochs 400", "epochs 6")
    still = train(file(text), out=tmp_path)
    moving = train(
        file(text.replace("seed   3", "seed 3\n transient 1 us step 100 ns"), "t.tgn"), out=tmp_path
    )
    np.testing.assert_allclose(moving.parameters["edge.g"], still.parameters["edge.g"], rtol=1e-6)


def test_errors_come_before_anything_is_written(file, tmp_path):
    with pytest.raises(CompileError):
        train(file(BOARD.replace("5 V, 0 V", "5 V")).with_name("missing.tgn"), out=tmp_path / "o")
    with pytest.raises(CompileError):
        train(file(BOARD.replace("uS/V^2", "uS")), out=tmp_path / "o")
    assert not (tmp_path / "o").exists()
