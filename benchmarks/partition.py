"""A spiking circuit of transistors in one netlist, beside the same circuit in parts.

Inputs (Poisson, 40 Hz) reach as many adaptive neurons, each all of them, through differential-pair synapses whose
weights differ; every neuron sends its spikes, 5 ms late, to the next one. In one netlist each spike makes ngspice
take small steps for all devices; in parts (a neuron and its synapses each) only for those that it concerns. Spike
times are compared one by one; CPU time is that of all processes. Three neurons are run at the library's `reltol` and
at a tenth of it, so that it can be told what the two ways differ by from what tolerances do: with the tolerance each
way is held against itself, and the ways against each other. Then ten neurons and a hundred synapses (and the ring's ten),
for 30 ms. Full run: about 15 minutes. `--quick`: the three neurons alone, at the library's
tolerances.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.rows import Row
from tellegen.arrays import Values

TEXT = """
import cmos
import tight

network Layer {{
    supply vdd = 1.8 V
    input  pre[{n}]: spike
    node   membrane[{n}]
    output out[{n}]: spike
    neurons: adaptive_neuron[{n}](membrane, out)
    synapses: connect pre -> membrane by all_to_all using dpi_synapse(iw ~ lognormal({iw} nA, 0.2), tau = 10 ms)
    ring: connect out -> membrane by edges("ring.csv") using dpi_synapse(iw = {iw} nA, tau = 10 ms, delay = 5 ms)
    tolerance: nothing[{n}](membrane)
}}

simulate Run for Layer {{
    drive pre = poisson(40 Hz)
    transient {stop} ms step 1 ms
    record out
    seed 4
}}
"""
# A cell that does nothing but ask for a tolerance: the tightest that a cell asks for counts for all.
TIGHT = """*% summary = "Nothing"
*% reference = "none"
*% [solver]
*% reltol = {reltol}
*% trtol = {trtol}
*% [ports]
*% p = {{}}
*% [[selftest]]
*% name = "no current"
*% bench = ["V1 p 0 1"]
*% expect = [{{ expr = "i(v1)", value = 0, atol = 1e-15, source = "none" }}]
.subckt nothing p
R1 p 0 1e20
.ends nothing
"""
RELTOL, TRTOL = 3e-4, 1.0  # those of `dpi_synapse`
# A spike this much before the end, in parts of the whole time, may fall beyond it in the other way.
END = 0.01
Spikes = Sequence[Values]


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def spikes(
    way: str, n: int, iw: float, stop: float, reltol: float, trtol: float = TRTOL
) -> tuple[Spikes, float]:
    """Times of the spikes in seconds, and the CPU time that they took.

    Args:
        way: "whole" or "parts".
        n: neurons, and inputs.
        iw: median weight in nA.
        stop: in ms.
        reltol: tolerance.
        trtol: by how much the error that ngspice finds in a step may be beyond that.
    """
    import tempfile

    from tellegen.files import Files
    from tellegen.pipeline import Compilation
    from tellegen.sims.simulation.binding import bind_simulation
    from tellegen.sims.simulation.runs import run_in_parts, run_plan
    from tellegen.source import Source

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "ring.csv").write_text("".join(f"{k},{(k + 1) % n}\n" for k in range(n)))
        (folder / "tight").mkdir()
        (folder / "tight" / "library.toml").write_text('title = "Tight"\ndescription = "Tight"\n')
        (folder / "tight" / "nothing.cir").write_text(TIGHT.format(reltol=reltol, trtol=trtol))
        text = TEXT.format(n=n, stop=stop, iw=iw)
        compilation = Compilation(Source("layer.tgn", text), Files((folder,)), cells=(folder,))
        bound = bind_simulation(compilation, "Run")
        if f" reltol={reltol:g} " not in bound.plan.netlist:
            raise RuntimeError(f"the library's tolerance is tighter than {reltol:g}")
        before = _cpu()
        (point,) = run_plan(bound.plan) if way == "whole" else run_in_parts(bound)
        return point.spikes["out"], _cpu() - before


def furthest(a: Spikes, b: Spikes, stop: float) -> float:
    """The largest relative distance of any spike from its like; infinite where one has none.

    A neuron without a spike that could be compared shows nothing, and counts as infinite too.
    """
    worst = 0.0
    for one, other in zip(a, b, strict=True):
        common = min(len(one), len(other))
        beyond = np.concatenate([one[common:], other[common:]])
        if not common or (beyond < (1 - END) * stop * 1e-3).any():
            return float("inf")
        off = np.abs(one[:common] / other[:common] - 1)
        worst = max(worst, float(off.max()))
    return worst


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    stop = 60.0
    found = {
        (way, reltol): spikes(way, 3, 8.0, stop, reltol)[0]
        for reltol in ((RELTOL,) if quick else (RELTOL, RELTOL / 10))
        for way in ("whole", "parts")
    }
    for (way, reltol), trains in found.items():
        yield Row(
            f"three neurons: spikes, {way}, reltol {reltol:g}",
            sum(map(len, trains)),
            None,
            "1",
            "",
            "",
            None,
        )
    loose = [found[way, RELTOL] for way in ("whole", "parts")]
    yield _row("three neurons: parts", furthest(*loose, stop), "one netlist")
    if quick:
        return
    tight = [found[way, RELTOL / 10] for way in ("whole", "parts")]
    yield _row(
        "three neurons: one netlist", furthest(loose[0], tight[0], stop), "itself at reltol/10"
    )
    yield _row(
        "three neurons: parts", furthest(loose[1], tight[1], stop), "themselves at reltol/10"
    )
    yield _row(
        "three neurons: parts at reltol/10", furthest(*tight, stop), "one netlist at reltol/10"
    )
    stop = 30.0
    parts, took_parts = spikes("parts", 10, 6.0, stop, RELTOL)
    whole, took = spikes("whole", 10, 6.0, stop, RELTOL)
    counts = [sum(map(len, found)) for found in (whole, parts)]
    yield Row("ten neurons: spikes in one netlist", counts[0], None, "1", "", "", None)
    yield Row("ten neurons: spikes in parts", counts[1], None, "1", f"{counts[0]}",
              "one netlist", counts[0] == counts[1])  # fmt: skip
    yield _row("ten neurons: parts", furthest(whole, parts, stop), "one netlist")
    for way, seconds in (("one netlist", took), ("parts", took_parts)):
        yield Row(
            f"ten neurons: CPU per biological second, {way}",
            seconds / stop * 1e3,
            None,
            "s",
            "",
            "",
            None,
        )
    yield Row("ten neurons: CPU time, one netlist over parts", took / took_parts, None, "1", ">= 5",
              "same run", took >= 5 * took_parts)  # fmt: skip


def _row(what: str, off: float, reference: str) -> Row:
    return Row(f"{what}, spike furthest off", off, None, "1", "<= 0.01", reference, off <= 0.01)
