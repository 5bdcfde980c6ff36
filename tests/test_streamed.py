"""Plain transients of a `simulate` block: streamed, told, stopped, resumed; held against closed forms."""

import json
import shutil

import numpy as np
import pytest

from tellegen.sims import run_folder as rf
from tellegen.sims.run_folder import RunFolderError
from tellegen.sims.simulate import resume_simulation, simulate

TEXT = """
import resistive

network Rc {
    input  u
    node   h
    output y
    a: resistor(u, h, g = 1 mS)
    b: capacitor(h, gnd, c = 1 pF)
    r: resistor(h, y, g = 1 mS)
    c: capacitor(y, gnd, c = 1 uF)
}

simulate Charge for Rc {
    drive  u = 1 V
    record y
    transient 5 ms step 10 us
}
"""
DRIVEN = TEXT.replace("drive  u = 1 V", "drive  u = sine(0 V, 1 V, 100 Hz)")
SWEPT = TEXT.replace("drive  u = 1 V", "sweep x = 1 V, 2 V\n    drive  u = x")
OP = TEXT.replace("    transient 5 ms step 10 us\n", "")


def write(tmp_path, text):
    file = tmp_path / "rc.tgn"
    file.write_text(text)
    return file


def test_points_of_what_is_recorded_go_to_the_folder_and_progress_is_told(tmp_path):
    told = []
    result = simulate(
        write(tmp_path, DRIVEN), out=tmp_path, flown=lambda t, stop: told.append((t, stop))
    )
    assert result.finished and told and all(0 <= t <= stop == 5e-3 for t, stop in told)
    table = np.fromfile(result.folder / rf.POINTS).reshape(-1, 2)  # time and y, not h
    assert np.array_equal(table[:, 0], result.time)
    assert np.array_equal(table[:, 1], result.signals["y"])
    # 2 kohm into 1 uF: the answer to a sine that begins at 0 V.
    w, tau, t = 200 * np.pi, 2e-3, result.time
    exact = np.sin(w * t) - w * tau * np.cos(w * t) + w * tau * np.exp(-t / tau)
    assert result.signals["y"] == pytest.approx(exact / (1 + (w * tau) ** 2), abs=1e-4)
    record = json.loads((result.folder / rf.RUN).read_text())
    assert record["status"] == "finished" and record["points"] is None


def test_a_stopped_transient_goes_on_to_the_same_bits(tmp_path, cut, goes_on):
    file = write(tmp_path, DRIVEN.replace("5 ms step", "120 ms step"))
    whole = simulate(file, out=tmp_path / "whole")
    folder = cut(file, "Charge", whole)
    record = rf.read_json(folder)
    with np.load(folder / rf.WAVES) as waves:
        count = record["points"]
        assert np.array_equal(waves["y"][:count], whole.signals["y"][:count])
    killed = tmp_path / "killed"
    shutil.copytree(folder, killed)
    rf.write_json(killed, rf.RUN, record | {"status": "running", "points": None})
    with (killed / rf.POINTS).open("rb+") as points:
        points.truncate(16 * 1000 + 5)  # in the middle of a row
    for found in (folder, killed):
        goes_on(found, whole)
        assert np.array_equal(np.fromfile(found / rf.POINTS)[::2], whole.time)


@pytest.mark.parametrize(
    ("text", "why"), [(SWEPT, "sweeps"), (OP, "only trainings and transients")]
)
def test_what_cannot_be_resumed_says_why(tmp_path, text, why):
    result = simulate(write(tmp_path, text), out=tmp_path)
    record = rf.read_json(result.folder)
    rf.write_json(result.folder, rf.RUN, record | {"status": "stopped"})
    with pytest.raises(RunFolderError, match=why):
        resume_simulation(result.folder)
