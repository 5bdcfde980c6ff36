"""Memory and parity as the targets of a `train` block: the run says the capacity."""

import json

import numpy as np
import pytest

from tellegen import train
from tellegen.sims.reservoir.capacity import without_chance

LINE = """\
import resistive
network Ladder {
    input  u
    output y[2]
    node   a
    feed:  resistor(u, a, g = 1 mS)
    store: capacitor(a, gnd, c = 1 uF)
    link:  resistor(a, y[0], g = 0.5 mS)
    later: capacitor(y[0], gnd, c = 1 uF)
    tap:   resistor(u, y[1], g = 1 mS)
    load:  resistor(y[1], gnd, g = 1 mS)
}
task Bits for Ladder {
    data   random_bits(samples = 260, delays = 4) split 0.5, 0.1
    drive  u = hold(times(signal, 1 V), 1 ms)
    target TARGET
}
train Bits {
    learn     readout by ridge(alpha = 1e-8)
    record    y, store.drop
    washout   10
    transient step 50 us
}
"""


@pytest.mark.parametrize("target", ["memory", "parity"])
def test_a_run_says_its_capacity(tmp_path, target):
    file = tmp_path / "bits.tgn"
    file.write_text(LINE.replace("TARGET", target))
    result = train(file, out=tmp_path / "runs")
    test = result.plan.parts.test
    expected = [
        np.corrcoef(result.outputs[test, k], result.plan.targets[test, k])[0, 1] ** 2
        for k in range(4)
    ]
    assert result.correlations == pytest.approx(expected)
    capacity = result.results["test"]["capacity"]
    assert capacity == pytest.approx(without_chance(np.array(expected), len(test)).sum())
    # Two capacitors remember two bits; a linear circuit knows no parity.
    assert 1.0 < capacity <= 2.1 if target == "memory" else abs(capacity) < 0.2
    run = json.loads((result.folder / "run.json").read_text())
    assert run["squared_correlations"] == pytest.approx(expected)
