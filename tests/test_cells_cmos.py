"""The library `cmos`: devices, mismatch, neurons and synapses, against theory."""

import math

import numpy as np
import pytest
from scipy.stats import kstest

from tellegen.cells import find_library
from tellegen.emit.spice import options
from tellegen.sims.ngspice.deck import run_deck
from tellegen.sims.ngspice.events import crossings

LIBRARY = find_library("cmos")
UT = 0.02586


def shared(*names):
    """The text of shared definitions, by way of the cells that use them."""
    cell = LIBRARY.cells["adaptive_neuron"]
    return "".join(d.text for d in cell.definitions if d.library)


def drain_currents(model, sign, more=""):
    deck = f"""* device
{shared()}
Vg g 0 0
Vd d 0 {0.6 * sign}
M1 d g 0 0 {model} w=1u l=1u {more}
.options abstol=1e-16 gmin=1e-18 reltol=1e-6
.dc Vg 0 {0.3 * sign} {0.05 * sign}
.end
"""
    return np.abs(run_deck(deck)["vd#branch"])


@pytest.mark.parametrize(("model", "sign", "slope"), [("cmos_n", 1, 0.755), ("cmos_p", -1, 0.665)])
def test_devices_are_exponential_below_threshold(model, sign, slope):
    current = drain_currents(model, sign)
    assert current[0] == pytest.approx(0.5e-12, rel=0.2)
    slopes = np.diff(np.log(current)) / 0.05 * UT
    assert slopes[:4] == pytest.approx(slope, rel=0.03)


def hashed(m, k):
    x = math.sin(12.9898 * m + 78.233 * k) * 43758.5453
    return x - math.floor(x)


def deviation(m, k, area):
    """The library's formula, in Python."""
    size = 3.5e-9 / math.sqrt(area) * math.sqrt(-2 * math.log(hashed(m, k) + 1e-12))
    return size * math.cos(6.283185307 * hashed(m, k + 0.37))


def test_mismatch_is_gaussian_and_independent():
    draws = np.random.default_rng(0).uniform(0, 1, 500)
    table = np.array([[deviation(m, k, 2e-12) for k in (1, 2, 11, 42)] for m in draws])
    for column in table.T:
        assert kstest(column, "norm", args=(0, 3.5e-9 / math.sqrt(2e-12))).pvalue > 0.01
    others = np.corrcoef(table.T) - np.eye(4)
    assert np.abs(others).max() < 4 / math.sqrt(len(draws))


@pytest.mark.parametrize("m", [0.123, 0.77])
def test_ngspice_draws_the_same_mismatch(m):
    matched = drain_currents("cmos_n", 1)
    off = drain_currents("cmos_n", 1, f"delvto={{cmos_mm({m},3,1e-12)}}")
    shift = -np.log(off / matched)[2] * UT / 0.757
    assert shift == pytest.approx(deviation(m, 3, 1e-12), rel=0.02, abs=2e-5)


def test_a_neuron_of_transistors_spikes_and_adapts():
    cell = LIBRARY.cells["adaptive_neuron"]
    deck = f"""* neuron
{cell.text}
Vdd vdd 0 1.8
Xc iin spike vdd adaptive_neuron
Iin vdd iin pwl(0 0 10m 0 10.1m 400p)
{chr(10).join(options(cell.solver))}
.save v(spike)
.tran 1m 0.3
.end
"""
    found = run_deck(deck)
    spikes = crossings(found["time"], found["spike"])
    ends = crossings(found["time"], found["spike"], rising=False)
    intervals = np.diff(spikes)
    assert len(spikes) > 5
    assert intervals[-1] > 1.2 * intervals[0]
    assert np.mean(ends[: len(spikes)] - spikes[: len(ends)]) == pytest.approx(1e-4, rel=0.15)


@pytest.mark.parametrize("level", ["transistor", "behavioural"])
def test_a_synapse_decays_with_tau_at_both_levels(level):
    cell = LIBRARY.cells["dpi_synapse"].levels[level]
    deck = f"""* synapse
{cell.text}
Vdd vdd 0 1.8
Vpre pre 0 pulse(0 1.8 5m 1u 1u 100u 1)
Xc pre out vdd {cell.subcircuit} tau=10m iw=4n
Vout out 0 0.5
{chr(10).join(options(cell.solver))}
.tran 0.1m 30m 0 0.1m
.end
"""
    found = run_deck(deck)
    early, late = np.interp([6e-3, 16e-3], found["time"], found["vout#branch"])
    assert 10e-3 / np.log(early / late) == pytest.approx(10e-3, rel=0.05)


def test_rules_say_what_they_read():
    rules = [c for c in LIBRARY.cells.values() if "weight" in c.observables]
    assert len(rules) >= 14
    assert all(c.locality is not None for c in rules)
