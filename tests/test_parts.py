"""Pulses that arrive at a part: whatever their edges, the part gets to its end and spikes alike."""

import numpy as np
import pytest
from scipy.optimize import brentq

from tellegen import compile_text
from tellegen.sims.inflight.transient import InFlight
from tellegen.sims.ngspice.locate import find_library

NEURON = """
import cmos
network Neuron {
    input  pre: spike
    node   m
    output out: spike
    s: curr_exp(pre, m, weight = 20 nA)
    n: lif(m, out)
}
"""
AT = (2e-3, 6e-3, 10e-3)  # the last edges are 9.9 ms before the end: by then steps are long


@pytest.fixture(scope="module")
def emitted():
    return compile_text(NEURON).emit()


# With 0.3 us, and what its steps came to, ngspice 39.3 once gave up just before the end.
@pytest.mark.parametrize("edge", [5e-8, 1e-7, 3e-7, 1e-6])
def test_a_part_bears_pulses_of_any_edge(emitted, edge):
    flight = InFlight(
        emitted.netlist, emitted.manifest, library=find_library(), record=["out"], spikes=["out"],
        step=0.5e-3, stop=20e-3, max_step=5e-5, external=["pre"],
    )  # fmt: skip
    times = [a + w + s for a in AT for w in (0.0, 1e-4) for s in (-edge / 2, edge / 2)]
    flight.follow("pre", 0, times, [0.0, 1.8, 1.8, 0.0] * len(AT))
    # Pauses in between, the last of them short of the end.
    for until in (7e-3, 20e-3 - 3e-7, 20e-3):
        assert flight.advance(until) == pytest.approx(until, rel=1e-11)
    (found,) = flight.spikes("out")
    flight.close()
    # C dV/dt = I - C V/tau_m with I = 20 nA exp(-t/tau) from the middle of the pulse on, which lasts 0.1 ms.
    c, tau_m, tau, weight, threshold = 1e-9, 20e-3, 5e-3, 20e-9, 15e-3
    late = brentq(
        lambda t: weight / c * (np.exp(-t / tau_m) - np.exp(-t / tau)) / (1 / tau - 1 / tau_m) - threshold, 0, 4e-3,
    )  # fmt: skip
    assert found[0] == pytest.approx(AT[0] + 50e-6 + late, abs=2e-5)
    assert len(found) == 6
