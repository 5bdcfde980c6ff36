"""Every example checks, compiles and runs, and says at its head what it is and what to expect."""

import csv
import math
import shlex
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tellegen.cli import main
from tellegen.pipeline import open_file
from tellegen.sims.check import check_experiments, staged
from tellegen.sims.ngspice.locate import find_program
from tellegen.sims.reservoir.binding import BoundReservoir
from tellegen.sims.simulate import simulate
from tellegen.sims.sorts import bind_train
from tellegen.sims.training import train
from tellegen.sims.variational.binding import BoundVariational

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.tgn"))
BRIEFLY = {
    "digits": ["task.data.split=0.02, 0.01"],
    "breast_cancer": ["task.data.split=0.1, 0.05"],
    "photonic_iris": ["task.data.split=0.02, 0.02"],
    "photonic_feedback": ["task.data.split=0.04, 0.02"],
    "reservoir_rc": ["task.data.periods=40"],
    "reservoir_oscillator": ["task.data.periods=20"],
    "reservoir_array": ["task.data.periods=16"],
    "vowels": [
        "task.data.split=0.05, 0.03",
        "train.transient.stop=6 ns",
        "train.window=3 ns .. 6 ns",
    ],
    "hydrogen": ["train.vary.steps=3", "train.starts=1"],
}


def blocks(kind):
    return [(f, n) for f in EXAMPLES for k, n in open_file(f).experiments if k == kind]


def named(blocks):
    return [f"{file.stem}-{name}" for file, name in blocks]


@pytest.mark.parametrize("file", EXAMPLES, ids=[f.stem for f in EXAMPLES])
def test_it_checks_without_a_word(file):
    compilation = open_file(file)
    compilation.check()
    check_experiments(compilation)
    assert not compilation.sink.found


@pytest.mark.parametrize("file", EXAMPLES, ids=[f.stem for f in EXAMPLES])
def test_its_netlist_is_complete(file):
    for kind, name in open_file(file).experiments:
        if kind != "task":
            netlist = staged(open_file(file), "netlist", name, None)
            assert netlist.endswith(".end\n")
            assert ".control" not in netlist


@pytest.mark.parametrize("file", EXAMPLES, ids=[f.stem for f in EXAMPLES])
def test_its_netlist_runs_in_plain_ngspice(file, tmp_path):
    deck = tmp_path / "deck.cir"
    for kind, name in open_file(file).experiments:
        if kind != "task":
            deck.write_text(staged(open_file(file), "netlist", name, None))
            done = subprocess.run(
                [find_program(), "-b", deck],
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            assert "Voltage" in done.stdout  # of a node, as an operating point is printed


@pytest.mark.parametrize("file", EXAMPLES, ids=[f.stem for f in EXAMPLES])
def test_its_head_says_what_it_is(file):
    text = file.read_text()
    head = text.split("import", 1)[0]
    assert head.startswith("# ")
    for command in head.replace("\n#", "").split("`")[1::2]:
        if command.startswith("tellegen"):
            arguments = shlex.split(command)[1:]
            assert arguments[0] in main.list_commands(None)
            assert arguments[1] == f"examples/{file.name}"
            main.get_command(None, arguments[0]).make_context(arguments[0], arguments[1:])


TRAININGS, READOUTS, VARIED = [], [], []
SORTS = {BoundReservoir: READOUTS, BoundVariational: VARIED}
for one in blocks("train"):
    SORTS.get(type(bind_train(open_file(one[0]), one[1])), TRAININGS).append(one)


@pytest.mark.parametrize(("file", "name"), TRAININGS, ids=named(TRAININGS))
def test_it_trains(file, name, tmp_path):
    result = train(
        file, name, overrides=["train.epochs=2", *BRIEFLY.get(file.stem, [])], out=tmp_path
    )
    assert result.finished
    assert all(math.isfinite(e) for e in result.error.values())
    for values in result.parameters.values():
        assert np.isfinite(values).all()
        assert (values[0] != values[-1]).any()


@pytest.mark.parametrize(("file", "name"), READOUTS, ids=named(READOUTS))
def test_it_reads_out(file, name, tmp_path):
    result = train(file, name, overrides=BRIEFLY[file.stem], out=tmp_path)
    assert np.isfinite(result.outputs).all()
    assert result.accuracy["test"] > 0.8


@pytest.mark.parametrize(("file", "name"), VARIED, ids=named(VARIED))
def test_it_varies(file, name, tmp_path):
    result = train(file, name, overrides=BRIEFLY[file.stem], out=tmp_path)
    first = result.varied.found[0].values[0]
    assert result.finished
    assert result.plan.least < result.varied.noiseless < first


def test_a_pulse_charges_the_capacitor(tmp_path):
    (file,) = (f for f in EXAMPLES if f.stem == "rc")
    result = simulate(file, "Step", out=tmp_path)
    at = np.searchsorted(result.time, 2e-6)
    seen = np.interp(2e-6, result.time[at - 2 : at + 2], result.signals["out"][at - 2 : at + 2])
    assert seen == pytest.approx(5 * (1 - math.exp(-1)), rel=2e-3)


def test_diodes_clip_a_sine(tmp_path):
    (file,) = (f for f in EXAMPLES if f.stem == "rc")
    result = simulate(file, "Clip", out=tmp_path)
    out, a = result.signals["out"], result.signals["a"]
    assert 0.5 < out.max() < 0.7
    assert out.min() == pytest.approx(-out.max(), rel=1e-3)
    np.testing.assert_allclose(result.signals["series.drop"], a - out, atol=1e-9)


def test_the_lattice_learns_its_map(tmp_path):
    (file,) = (f for f in EXAMPLES if f.stem == "regression")
    result = train(file, overrides=["train.epochs=8"], out=tmp_path)
    assert result.error["test"] < 1e-9


def test_regression_data_are_the_map_that_the_examples_state():
    (file,) = (f for f in EXAMPLES if f.stem == "regression")
    rows = list(csv.DictReader(file.with_suffix(".csv").read_text().splitlines()))
    assert len(rows) == 60
    for row in rows:
        x1, x2, y1, y2 = (float(row[k]) for k in ("x1", "x2", "y1", "y2"))
        assert y1 == pytest.approx(0.2 * x1 + 0.3 * x2, abs=1e-4)
        assert y2 == pytest.approx(0.1 * x1 + 0.5 * x2, abs=1e-4)


def test_exclusive_or_is_learned(tmp_path):
    (file,) = (f for f in EXAMPLES if f.stem == "xor")
    result = train(file, overrides=["train.epochs=60"], out=tmp_path)
    assert result.accuracy["train"] == 1
