"""Spikes in the language and in simulations: supplies, levels, delays, trains, sweeps, parts."""

from pathlib import Path

import numpy as np
import pytest

from tellegen import simulate
from tellegen.diagnostics import CompileError
from tellegen.files import Files
from tellegen.partition import partition
from tellegen.pipeline import Compilation
from tellegen.sims.simulation.binding import bind_simulation
from tellegen.sims.simulation.runs import run_in_parts, run_plan
from tellegen.source import Source

CELLS = (Path(__file__).parent / "bad" / "cells",)

TWO = """
import spiking
network Net {
    supply vdd = 1.8 V
    input  a[2]: spike
    output y[2]
    s: connect a -> y by one_to_one using synapse(i = 2 nA, delay = 2 ms)
    t: synapse(a[0], y[1], level = behavioural)
}
simulate Run for Net {
    drive a = spikes(1 ms, 3 ms), regular(100 Hz, start = 2 ms)
    transient 20 ms step 1 ms
    record y, a
}
"""

RING = """
import cmos
network Ring {
    input  kick: spike
    node   m[3]
    output out[3]: spike
    cells: lif[3](m, out)
    k: curr_exp(kick, m[0], weight = 20 nA, delay = 1 ms)
    a: curr_exp(out[0], m[1], weight = 20 nA, delay = 3 ms)
    b: curr_exp(out[1], m[2], weight = 20 nA, delay = 4 ms)
    c: curr_exp(out[2], m[0], weight = 20 nA, delay = 5 ms)
}
simulate Run for Ring {
    drive kick = spikes(2 ms)
    transient 25 ms step 0.5 ms
    record out, m
}
"""


def compilation(text, **named):
    return Compilation(Source("test.tgn", text), Files(()), CELLS, **named)


def bound(text, **named):
    return bind_simulation(compilation(text, **named), "Run")


def cards(netlist, first):
    return [line for line in netlist.splitlines() if line.lower().startswith(first)]


def test_supplies_levels_and_tolerances_are_in_the_netlist():
    netlist = bound(TWO).plan.netlist
    assert cards(netlist, "xt")[0].split()[1:5] == ["a_0", "y_1", "vdd", "synapse_behavioural"]
    assert cards(netlist, "xs_0")[0].split()[3:5] == ["vdd", "synapse"]
    assert "method=gear" in cards(netlist, ".options")[0]
    assert "abstol=1e-14" in cards(netlist, ".options")[0]
    assert cards(netlist, ".tran") == [".tran 0.001 0.02 0 5e-05"]  # a delay line's longest step


def test_an_experiment_chooses_the_level_of_cells_that_do_not_say():
    netlist = bound(TWO, overrides=("simulate.level=behavioural",)).plan.netlist
    assert ".subckt synapse pre" not in netlist
    assert cards(netlist, "xs_0")[0].split()[4] == "synapse_behavioural"


def test_a_delay_is_one_line_for_each_source_and_delay():
    text = TWO.replace("by one_to_one", "by all_to_all").replace("delay = 2 ms", "delay = 3 ms")
    netlist = bound(text).plan.netlist
    assert len(cards(netlist, "xs_delay")) == 2
    assert len([c for c in cards(netlist, "xs_") if "delay_line" not in c]) == 4


def test_spikes_arrive_after_their_delay(tmp_path):
    (point,) = run_plan(bound(TWO).plan)
    assert [len(t) for t in point.spikes["a"]] == [2, 2]
    assert point.spikes["a"][0] == pytest.approx([1e-3, 3e-3], abs=1e-8)
    assert point.spikes["a"][1] == pytest.approx([2e-3, 12e-3], abs=1e-8)
    y = point.signals["y"][:, 0]  # 2 nA into 1 Gohm while a spike lasts
    middle = np.interp([3.05e-3, 4e-3, 5.05e-3], point.time, y)
    assert middle == pytest.approx([2.0, 0.0, 2.0], abs=1e-3)


def test_poisson_trains_have_their_rate_and_correlation():
    text = """
import spiking
network Net {
    supply vdd = 1.8 V
    input  a[20]: spike
    output y[20]
    s: connect a -> y by one_to_one using synapse()
}
simulate Run for Net {
    drive a = poisson(50 Hz, correlation = 0.4)
    transient 20 s step 1 ms
}
"""
    found = bound(text)
    times = []
    for source in found.drives[0]["a"]:
        numbers = np.array(source.removeprefix("pwl(").removesuffix(")").split(), dtype=float)
        times.append(numbers[2::8])
    rates = np.array([len(t) for t in times]) / 20
    assert rates.mean() == pytest.approx(50, rel=0.08)
    counts = np.array([np.histogram(t, np.arange(0, 20.01, 0.05))[0] for t in times])
    correlations = np.corrcoef(counts)[np.triu_indices(20, 1)]
    assert correlations.mean() == pytest.approx(0.4, abs=0.06)
    again = bound(text)
    assert again.drives == found.drives
    assert bound(text, seed=1).drives != found.drives


def test_a_sweep_keeps_what_came_of_each_value(tmp_path):
    text = TWO.replace("spikes(1 ms, 3 ms), regular(100 Hz, start = 2 ms)", "spikes(1 ms + late)")
    text = text.replace("    drive", "    sweep late = 0 ms .. 4 ms step 2 ms\n    drive")
    result = simulate(compilation(text), out=tmp_path)
    assert result.time is None and len(result.points) == 3
    assert result.signals["y"].shape == (3, 2)
    assert result.plan.sweep.values == pytest.approx((0, 2e-3, 4e-3))
    for late, (time, signals) in zip(result.plan.sweep.values, result.points, strict=True):
        at = np.interp(late + 1e-3 + 2e-3 + 5e-5, time, signals["y"][:, 0])
        assert at == pytest.approx(2.0, abs=1e-3)
    assert {p.name for p in result.folder.glob("waves*.npz")} == {
        "waves.npz", "waves-000.npz", "waves-001.npz", "waves-002.npz",
    }  # fmt: skip


def test_spikes_are_kept_and_drawn(tmp_path):
    from tellegen.sims.report import write_report
    from tellegen.sims.run_folder import read_spikes

    result = simulate(compilation(TWO), out=tmp_path)
    kept = read_spikes(result.folder)
    assert kept["a"][0] == pytest.approx(result.spikes["a"][0], abs=1e-10)
    write_report(result.folder)
    assert (result.folder / "raster.png").stat().st_size > 1000


def test_parts_agree_with_the_whole():
    found = bound(RING)
    cut = partition(found.compiled.circuit, found.compiled.delays)
    assert len(cut.parts) == 3
    assert sorted(cut.delays) == [1e-3, 3e-3, 4e-3, 5e-3]
    (whole,) = run_plan(found.plan)
    (parts,) = run_in_parts(found)
    for a, b in zip(whole.spikes["out"], parts.spikes["out"], strict=True):
        assert len(a) and len(a) == len(b)
        assert b == pytest.approx(a, rel=0.01)
    assert parts.signals["out"].shape[1:] == (3,)
    rest = np.interp(1e-3, parts.time, parts.signals["m[0]"])
    assert rest == pytest.approx(-65e-3, abs=1e-5)


def test_what_cannot_be_cut_is_said():
    from tellegen.sims.simulation.partitioned import CannotPartition

    text = RING.replace("spikes(2 ms)", "sine(0 V, 1 V, 100 Hz)")
    with pytest.raises(CannotPartition, match="driven by spikes"):
        list(run_in_parts(bound(text)))
    with pytest.raises(CannotPartition, match="operating point"):
        list(run_in_parts(bound(RING.replace("transient 25 ms step 0.5 ms", ""))))


def test_two_spikes_too_near_are_refused():
    with pytest.raises(CompileError, match="two widths"):
        bound(TWO.replace("3 ms)", "1.1 ms)"))
