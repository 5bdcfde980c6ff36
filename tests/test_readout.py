"""Read-outs learned in a `train` block: against the same by hand, splits in time, masks, reports, overrides."""

import csv

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.linear_model import Ridge

from tellegen.cli import main
from tellegen.pipeline import Compilation
from tellegen.sims.report import write_report
from tellegen.sims.run_folder import RunFolderError, read_json
from tellegen.sims.sorts import bind_train
from tellegen.sims.training import resume, train
from tellegen.source import Source
from tellegen.syntax.format import format_unit
from tellegen.syntax.parse import parse

FILE = """import resistive

network Filter {
    input u, still
    output y
    a: resistor(u, y, g = 1 mS)
    b: resistor(still, y, g = 1 mS)
    c: capacitor(y, gnd, c = 1 uF)
}

task Narma for Filter {
    data narma10(samples = 60) split 0.5, 0.25
    drive u = hold(times(signal, 2 V), 1 ms, mask = (1, -1), bias = 0.5 V)
    drive still = 1 V
    target next
}

train Narma {
    learn readout by ridge(alpha = 0.001)
    record y, a.drop
    washout 4
    transient step 50 us
    seed 3
}
"""


def bound(*overrides, seed=None):
    return bind_train(
        Compilation(Source("f.tgn", FILE), overrides=overrides, seed=seed), "Narma"
    ).plan


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    (folder / "f.tgn").write_text(FILE)
    return train(folder / "f.tgn", out=folder)


def test_states_follow_the_closed_form(run):
    signal = run.plan.drives["u"].reshape(-1)
    tau, v, exact = 0.5e-3, (signal[0] + 1) / 2, []
    for u in signal:
        v = (u + 1) / 2 + (v - (u + 1) / 2) * np.exp(-0.5e-3 / tau)
        exact.append((v, u - v))
    assert run.states == pytest.approx(np.array(exact).reshape(60, 4), abs=1e-3)


def test_the_read_out_is_scikit_learns(run):
    x, y = run.states, run.plan.targets
    at = slice(4, 32)  # half of the 56 that the washout leaves
    z = (x - x[at].mean(0)) / x[at].std(0)
    expected = Ridge(alpha=0.001 * 28).fit(z[at], y[at]).predict(z)
    assert run.outputs[:, 0] == pytest.approx(expected.ravel(), rel=1e-6)
    test = slice(46, 60)
    error = np.sqrt(((run.outputs - y)[test] ** 2).mean()) / y[test].std()
    assert run.nrmse["test"] == pytest.approx(error)
    assert run.accuracy == {}


def test_the_folder_holds_it(run):
    rows = list(csv.DictReader((run.folder / "predictions.csv").read_text().splitlines()))
    assert [r["part"] for r in rows[2:6]] == ["washout"] * 2 + ["train"] * 2
    assert float(rows[50]["output0"]) == pytest.approx(run.outputs[50, 0], rel=1e-6)
    said = read_json(run.folder)
    assert said["status"] == "finished" and said["results"]["test"]["nrmse"] == run.nrmse["test"]
    page = write_report(run.folder).read_text()
    assert "Read-out and target" in page and "test NRMSE" in page
    with pytest.raises(RunFolderError, match="from its beginning"):
        resume(run.folder)


def test_a_damaged_folder_still_has_a_page(run):
    (run.folder / "predictions.csv").write_text("sample,part\n0,test\n")
    assert "Read-out and target" not in write_report(run.folder).read_text()


def test_masks_hold_and_splits_follow_the_order_of_time():
    plan = bound()
    signal = (plan.drives["u"][::2] - 0.5) / 2
    assert (plan.drives["u"][1::2] - 0.5) / 2 == pytest.approx(-signal)
    assert plan.interval == pytest.approx(0.5e-3)
    assert list(plan.parts.validation) == list(range(32, 46))
    assert "Vin_still still 0 dc 1\n" in plan.netlist


def test_what_is_said_on_the_command_line():
    plan = bound("train.washout=10", "train.transient.step=10 us", "train.learn.alpha=1, 0.1",
                 "task.target=signal", "task.drive.u=hold(1 V, 2 ms, mask = binary(50))")  # fmt: skip
    assert (plan.washout, plan.alphas, plan.target) == (10, (1, 0.1), "signal")
    assert plan.step == pytest.approx(1e-5)
    one = plan.drives["u"][:50]
    assert set(one) == {-1.0, 1.0}
    drawn = ("task.drive.u=hold(1 V, 2 ms, mask = binary(50))", "train.transient.step=10 us")
    other, again = bound(*drawn, seed=4).drives["u"][:50], bound(*drawn).drives["u"][:50]
    assert (one == again).all() and (one != other).any()


def test_the_statements_are_printed_as_they_are_read():
    unit = parse(Source("f.tgn", FILE), sink=None)
    text = format_unit(unit)
    assert "target next\n" in text and "transient step 50 us\n" in text
    assert parse(Source("f.tgn", text), sink=None) == unit


def test_the_command(tmp_path):
    (tmp_path / "f.tgn").write_text(FILE)
    said = CliRunner().invoke(
        main, ["train", str(tmp_path / "f.tgn"), "--out", str(tmp_path), "--set", "task.data.samples=40"]
    )  # fmt: skip
    assert said.exit_code == 0, said.output
    assert "read-out of 4 states" in said.output and "predictions.png" in said.output
