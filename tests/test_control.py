"""Controllers named in a `simulate` block: held against the loops' difference equations; stopping, resuming."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from tellegen.pipeline import Compilation
from tellegen.sims import plugins
from tellegen.sims.controllers import Controller
from tellegen.sims.run_folder import RunFolderError
from tellegen.sims.simulate import resume_simulation, simulate
from tellegen.sims.simulation.binding import bind_simulation
from tellegen.sims.simulation.control import PACKAGE
from tellegen.sims.simulation.partitioned import CannotPartition
from tellegen.source import Source

TEXT = """
import resistive

network Rc {
    input  u
    output y
    r: resistor(u, y, g = 1 mS)
    c: capacitor(y, gnd, c = 1 uF)
}

simulate Hold for Rc {
    control pi(read = y, drive = u, setpoint = 1 V, kp = 5, ki = 2000 Hz) every 50 us
    record u, y
    transient 5 ms step 10 us
}
"""
TAU, EVERY = 1e-3, 50e-6


def write(tmp_path, text=TEXT):
    file = tmp_path / "loop.tgn"
    file.write_text(text)
    return file


def test_a_pi_loop_follows_its_difference_equation(tmp_path):
    told = []
    result = simulate(write(tmp_path), out=tmp_path, flown=lambda t, stop: told.append((t, stop)))
    decay, y, u, total, exact = np.exp(-EVERY / TAU), 0.0, 0.0, 0.0, []
    for _ in range(100):
        y = y * decay + u * (1 - decay)
        exact.append(y)
        total += (1 - y) * EVERY
        u = 5 * (1 - y) + 2000 * total
    at = EVERY * np.arange(1, 101)
    place = np.searchsorted(result.time, at * (1 - 1e-9))
    assert result.time[place] == pytest.approx(at, rel=1e-9)
    assert result.signals["y"][place] == pytest.approx(np.array(exact), abs=2e-5)
    assert result.finished
    assert told and all(0 < t <= stop == 5e-3 for t, stop in told)
    record = json.loads((result.folder / "run.json").read_text())
    assert record["control"]["name"] == "pi" and record["control"]["arguments"]["kp"] == 5


def test_a_two_point_controller_keeps_a_signal_between_its_bounds(tmp_path):
    text = TEXT.replace(
        "pi(read = y, drive = u, setpoint = 1 V, kp = 5, ki = 2000 Hz) every 50 us",
        "two_point(read = y, drive = u, low = 0.9 V, high = 1.1 V, on = 2 V) every 10 us",
    )
    result = simulate(write(tmp_path, text), out=tmp_path)
    y = result.signals["y"][result.time > 2e-3]
    # It overshoots by what happens within one interval: 2 V over 1 ms for 10 us at most.
    assert 0.88 < y.min() < 0.9 and 1.1 < y.max() < 1.12


def test_a_stopped_run_goes_on_to_the_same_bits(tmp_path, cut, goes_on):
    file = write(tmp_path, TEXT.replace("5 ms step", "120 ms step"))
    whole = simulate(file, out=tmp_path / "whole")
    folder = cut(file, "Hold", whole)
    spoiled = tmp_path / "spoiled"
    shutil.copytree(folder, spoiled)
    goes_on(folder, whole)
    table = np.memmap(spoiled / "points.f64", mode="r+", dtype=float)
    table[3 * 100 + 1] += 1e-15
    table.flush()
    with pytest.raises(RunFolderError, match="differs from what was kept"):
        resume_simulation(spoiled)


def test_parts_have_no_controller(tmp_path):
    with pytest.raises(CannotPartition, match="controller"):
        simulate(write(tmp_path), out=tmp_path, in_parts=True)
    assert not list(tmp_path.glob("Hold*"))


def test_every_controller_says_what_it_is():
    for name in plugins.names(PACKAGE):
        found = plugins.load(PACKAGE, name)
        assert isinstance(found, Controller) and found.name == name and found.doc
        assert found.drives and set(found.reads) | set(found.drives) <= set(found.arguments)


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (("pi(", "pid("), "unknown-name", "unknown controller `pid`"),
        (("read = y", "read = z"), "unknown-name", "no signal `z` to read"),
        (("drive = u", "drive = v"), "unknown-name", "unknown input `v`"),
        (("kp = 5,", "kp = 5, kd = 1,"), "unknown-argument", "no argument `kd`"),
        (("setpoint = 1 V", "setpoint = 1 A"), "unit-mismatch", "voltage"),
        ((" every 50 us", ""), "arity", "reads no spikes"),
        (("every 50 us", "every 50 mV"), "unit-mismatch", "`every`"),
        (("every 50 us", "every 1 s"), "out-of-range", "`every`"),
        (("    record", "    drive u = 1 V\n    record"), "duplicate-name", "controller too"),
        (("    transient 5 ms step 10 us\n", ""), "wrong-kind", "takes part in a transient"),
        (("output y", "output y\n    input  w\n    q: resistor(w, y, g = 1 S)"), "undriven-input", "`w`"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_shown_at_its_place(change, code, words):
    text = TEXT.replace(*change)
    assert text != TEXT
    compilation = Compilation(Source("loop.tgn", text))
    with pytest.raises(Exception, match="error"):
        bind_simulation(compilation, "Hold")
    found = compilation.sink.errors
    assert code in [d.code for d in found]
    assert any(words in d.message for d in found)


def test_a_long_flight_needs_no_more_memory_than_a_short_one(tmp_path):
    # The points go to the disk: 90,000 of them of 3 numbers would be 2 MB in memory.
    code = """
import resource, sys
from pathlib import Path
sys.path.insert(0, "tests")
from test_inflight import DRIVEN, begin
f = begin(DRIVEN + "ra u q 1k\\nca q 0 1u\\n", ["u", "q"], step=1e-6, stop=0.1, file=Path(sys.argv[1]))
f.control(lambda e: e.drive("u", 1.0 - float(e.read("q"))), every=1e-3, until=0.02)
first = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
f.control(lambda e: e.drive("u", 1.0 - float(e.read("q"))), every=1e-3)
print(first, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, f.recorder.count)
"""
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "points"], capture_output=True, text=True, check=True)  # fmt: skip
    first, last, count = map(int, done.stdout.split())
    assert count > 90_000
    assert last - first < 1000  # kilobytes
