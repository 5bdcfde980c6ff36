"""What a sweep of transients keeps of spikes: their times, and a rate for each value."""

import json

import numpy as np
import pytest

from tellegen.files import Files
from tellegen.pipeline import Compilation
from tellegen.sims.run_folder import read_spikes
from tellegen.sims.simulate import simulate
from tellegen.source import Source

NEURON = """\
import cmos
network Neuron {
    input  i[2]: current
    output out[2]: spike
    n: lif[2](i, out, tau_m = 20 ms)
}
simulate FI for Neuron {
    sweep  amp = 0.5 nA, 1 nA, 2 nA
    drive  i = amp
    record out, n.membrane
    transient 100 ms step 1 ms
}
"""


def rate(current, tau=0.02, rise=15e-3, c=1e-9, t_ref=2e-3):
    """Lapicque's rate of a leaky neuron, in Hz."""
    end = current * tau / c
    return 0.0 if end <= rise else 1 / (t_ref + tau * np.log(end / (end - rise)))


def test_a_swept_current_gives_rates_and_times_of_spikes(tmp_path):
    result = simulate(Compilation(Source("fi.tgn", NEURON), Files(()), ()), out=tmp_path)
    assert result.units["out"] == "Hz"
    counts = np.array([[len(times) for times in trains["out"]] for trains in result.trains])
    assert result.signals["out"] == pytest.approx(counts / 0.1)
    for current, found, trains in zip((0.5e-9, 1e-9, 2e-9), counts, result.trains, strict=True):
        # All intervals are alike, so the count is what fits before the end.
        assert found == pytest.approx(np.floor(0.1 * rate(current)))
        if found[0] > 1:
            intervals = np.diff(trains["out"][0])
            assert intervals == pytest.approx(
                1 / rate(current), rel=0.02
            )  # it spikes by a sharp exponential
    kept = read_spikes(result.folder, "spikes-002.csv")
    assert kept["out"][1] == pytest.approx(result.trains[2]["out"][1], abs=1e-10)
    with np.load(result.folder / "waves.npz") as waves:
        assert waves["out"] == pytest.approx(result.signals["out"])


def test_a_controller_has_the_setting_of_each_value(tmp_path):
    text = """\
import resistive
network Rc {
    input  u
    output y
    r: resistor(u, y, g = 1 mS)
    c: capacitor(y, gnd, c = 1 uF)
}
simulate Hold for Rc {
    sweep   level = 1 V, 2 V
    control pi(read = y, drive = u, setpoint = level, kp = 5, ki = 2000 Hz) every 50 us
    record  y
    transient 5 ms step 50 us
}
"""
    result = simulate(Compilation(Source("hold.tgn", text), Files(()), ()), out=tmp_path)
    low, high = result.signals["y"]
    assert low == pytest.approx(1.0, rel=0.05)
    assert high == pytest.approx(2 * low, rel=1e-6)  # all of it is linear
    said = json.loads((result.folder / "run.json").read_text())["control"]["arguments"]
    assert said["setpoint"] == [1.0, 2.0] and said["kp"] == 5.0
