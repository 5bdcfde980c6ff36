"""Weights over time: found among what is recorded, drawn, and recorded in parts as in one piece."""

import json

import numpy as np
import pytest

from tellegen.files import Files
from tellegen.pipeline import Compilation
from tellegen.sims.report import write_report
from tellegen.sims.simulate import simulate
from tellegen.sims.simulation.binding import bind_simulation
from tellegen.sims.simulation.partitioned import CannotPartition
from tellegen.source import Source

TEXT = """
import cmos
network Net {
    input  pre[2]: spike
    node   m[2], w[2]
    output out[2]: spike
    cells: lif[2](m, out, tau_m = 10 ms)
    s: connect pre -> m by one_to_one using plastic_exp(w = w, weight = 60 nA, tau = 5 ms, delay = 1 ms)
    r: connect pre -> w by one_to_one using stdp(post = out, a_plus = 20 mV, a_minus = 10 mV, delay = 1 ms)
    x: curr_exp(out[0], m[1], weight = 5 nA, delay = 2 ms)
}
simulate Run for Net {
    drive pre = spikes(2 ms, 12 ms), spikes(4 ms)
    transient 25 ms step 0.5 ms
    record r.weight, w, r.pre_trace, r.weight[1], out
}
"""


def bound(text):
    return bind_simulation(Compilation(Source("test.tgn", text), Files(()), ()), "Run")


def run(text, out, **named):
    return simulate(Compilation(Source("test.tgn", text), Files(()), ()), out=out, **named)


def test_weights_are_found_among_what_is_recorded():
    plan = bound(TEXT).plan
    assert set(plan.weights) == {"r.weight", "w[0]", "w[1]", "r.weight[1]"}
    still = TEXT.replace("record r.weight, w, r.pre_trace, r.weight[1], out", "record m, out")
    assert bound(still).plan.weights == ()


def test_a_whole_and_its_parts_record_the_same_within_cells(tmp_path):
    told = []
    whole = run(TEXT, tmp_path)
    parts = run(TEXT, tmp_path, in_parts=True, flown=lambda t, stop: told.append((t, stop)))
    assert told == sorted(told) and told[-1] == pytest.approx((25e-3, 25e-3))
    assert len(told) > 5
    assert list(parts.signals) == list(whole.signals)
    grew = whole.signals["r.weight"][-1]
    assert (np.abs(grew - 0.5) > 5e-3).all() and grew[0] != pytest.approx(grew[1], rel=1e-3)
    for name, values in whole.signals.items():
        assert parts.signals[name].shape[1:] == values.shape[1:]
        if name != "out":  # the edges of spikes are steep
            flat = values.reshape(len(whole.time), -1).T
            at = np.stack([np.interp(parts.time, whole.time, v) for v in flat], axis=1)
            found = parts.signals[name].reshape(at.shape)
            assert np.abs(found - at).max() < 0.03 * max(1.0, np.abs(at).max()), name
    # Each is off the sum over its pairs by up to 0.004 V, ngspice's own error at these steps.
    assert parts.signals["r.weight"][-1] == pytest.approx(grew, rel=1e-2)
    assert np.array_equal(parts.signals["r.weight[1]"], parts.signals["r.weight"][:, 1])
    for result in (whole, parts):
        record = json.loads((result.folder / "run.json").read_text())
        assert record["weights"] == ["r.weight", "w[0]", "w[1]", "r.weight[1]"]
        assert record["parts"] is (result is parts)
        page = write_report(result.folder).read_text()
        assert (result.folder / "weight_trajectory.png").stat().st_size > 1000
        assert "<h2>Weights</h2>" in page


def test_a_run_without_weights_draws_none(tmp_path):
    text = TEXT.replace("record r.weight, w, r.pre_trace, r.weight[1], out", "record out")
    result = run(text.replace("25 ms step", "5 ms step"), tmp_path)
    page = write_report(result.folder).read_text()
    assert "<h2>Weights</h2>" not in page
    assert not (result.folder / "weight_trajectory.png").exists()


def test_nodes_within_cells_are_recorded_in_one_piece_only(tmp_path):
    found = bound(TEXT)
    inside = found.plan.manifest.paths[found.compiled.flat.count]
    text = TEXT.replace("r.pre_trace,", f"r.pre_trace, {inside},")
    with pytest.raises(CannotPartition, match="not nodes within cells"):
        run(text, tmp_path, in_parts=True)
