"""A spiking circuit of transistors in one netlist, beside the same circuit in parts.

Ten inputs (Poisson, 40 Hz) reach ten adaptive neurons through a hundred differential-pair synapses whose
weights differ; every neuron sends its spikes, 5 ms late, to the next one. In one netlist each spike
makes ngspice take small steps for all devices; in parts (a neuron and its synapses each) only for those
that it concerns. Spike times are compared one by one; CPU time is that of all processes. Full run: 0.1
s of biological time, about 5 minutes. `--quick`: three neurons, three inputs.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator

import numpy as np

from benchmarks.rows import Row
from tellegen.pipeline import Compilation
from tellegen.source import Source

TEXT = """
import cmos

network Layer {{
    supply vdd = 1.8 V
    input  pre[{n}]: spike
    node   membrane[{n}]
    output out[{n}]: spike
    neurons: adaptive_neuron[{n}](membrane, out)
    synapses: connect pre -> membrane by all_to_all using dpi_synapse(iw ~ lognormal({iw} nA, 0.2), tau = 10 ms)
    ring: connect out -> membrane by edges("ring.csv") using dpi_synapse(iw = {iw} nA, tau = 10 ms, delay = 5 ms)
}}

simulate Run for Layer {{
    drive pre = poisson(40 Hz)
    transient {stop} ms step 1 ms
    record out
    seed 4
}}
"""


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    import tempfile
    from pathlib import Path

    from tellegen.files import Files
    from tellegen.sims.simulate import bind_simulation, run_in_parts, run_plan

    n, stop = (3, 60) if quick else (10, 100)
    with tempfile.TemporaryDirectory() as folder:
        rows = "".join(f"{k},{(k + 1) % n}\n" for k in range(n))
        Path(folder, "ring.csv").write_text(rows)
        text = TEXT.format(n=n, stop=stop, iw=8)
        compilation = Compilation(Source("layer.tgn", text), Files((Path(folder),)))
        bound = bind_simulation(compilation, "Run")
        spikes, took = {}, {}
        for way, runs in (("whole", run_plan(bound.plan)), ("parts", run_in_parts(bound))):
            before = _cpu()
            (point,) = runs
            took[way] = _cpu() - before
            spikes[way] = point.spikes["out"]
    counts = {way: sum(map(len, found)) for way, found in spikes.items()}
    yield Row("spikes in one netlist", counts["whole"], None, "1", "", "", None)
    yield Row("spikes in parts", counts["parts"], None, "1", f"{counts['whole']}", "one netlist",
              counts["parts"] == counts["whole"])  # fmt: skip
    worst = max(
        (float((np.abs(a - b) / a).max()) for a, b in zip(spikes["whole"], spikes["parts"], strict=True)
         if len(a) and len(a) == len(b)), default=float("nan"),
    )  # fmt: skip
    yield Row(
        "spike times, furthest off", worst, None, "1", "<= 0.01", "one netlist", worst <= 0.01
    )
    for way, seconds in took.items():
        yield Row(
            f"CPU per biological second, {way}", seconds / stop * 1e3, None, "s", "", "", None
        )
    ratio = took["whole"] / took["parts"]
    yield Row("one netlist over parts", ratio, None, "1", "" if quick else ">= 5", "same run",
              None if quick else ratio >= 5)  # fmt: skip
