"""A network drawn once, run as transistors and as behavioural circuits."""

import pytest

from tellegen.files import Files
from tellegen.pipeline import Compilation
from tellegen.sims.simulation.binding import bind_simulation
from tellegen.sims.simulation.runs import run_plan
from tellegen.source import Source

TEXT = """
import cmos

network One {
    supply vdd = 1.8 V
    input  pre[3]: spike
    node   membrane
    output out: spike
    neuron:   adaptive_neuron(membrane, out)
    synapses: dpi_synapse[3](pre, membrane, iw = (3 nA, 4 nA, 5 nA), tau = 10 ms)
}

simulate Run for One {
    drive  pre = regular(80 Hz, start = 2 ms), regular(50 Hz, start = 4 ms), regular(60 Hz, start = 9 ms)
    transient 56 ms step 1 ms
    record out
    level  LEVEL
}
"""


@pytest.fixture(scope="module")
def spikes():
    found = {}
    for level in ("transistor", "behavioural"):
        compilation = Compilation(Source("one.tgn", TEXT.replace("LEVEL", level)), Files(()))
        (point,) = run_plan(bind_simulation(compilation, "Run").plan)
        found[level] = point.spikes["out"][0]
    return found


def test_both_levels_spike_alike(spikes):
    transistor, behavioural = spikes["transistor"], spikes["behavioural"]
    assert len(transistor) == len(behavioural) >= 3
    assert behavioural == pytest.approx(transistor, rel=0.05)
