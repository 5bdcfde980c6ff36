"""What a second of each cell of the library `cmos` costs: CPU time and time points.

Each cell at each of its levels, found by listing the library, stands on the bench of its first self-test, with
50 Hz at every input of spikes (the second 3 ms after the first, and so on), for a second of biological time with
the step that the cell bears. The profile is the CPU time of ngspice alone, its time points, and how long a point
takes. Beside the neuron and the synapse of transistors stand decks written by hand, of the published circuits in
as many transistors as they need, on the same device cards, at 50 Hz and 300 pA, with tolerances as one sets them
by hand for picoamperes, and with those of the cell: the library's cells are to be no slower. How far the peaks
of the synapses and the neurons' intervals are from those of the same deck at a hundredth of the tolerances is shown beside. The
library's synapse has two transistors more: its switch is a pair, and a mirror turns its output's direction. The decks by hand have no mismatch, nor fitted widths
of spikes and times. Full run: 6 minutes. `--quick`: a fifth of a second of three cells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from benchmarks.rows import Row, at_least, measured
from tellegen.cells.cell import Cell

Values = NDArray[np.float64]
PERIOD, SHIFT, FIRST, WIDTH = 20e-3, 3e-3, 5e-3, 1e-4
STEP = 1e-3
QUICK = ("adaptive_neuron", "dpi_synapse", "stdp")
_SOURCE = re.compile(r"\s*v\w*\s+(\w+)\s+0\s", re.IGNORECASE)

_BY_HAND = "method=gear reltol=1e-3 abstol=1e-15 chgtol=1e-18 gmin=1e-16 vntol=1e-6"
_BIAS = """
.subckt into_n g vdd i=1n
I1 vdd g {i}
M1 g g 0 0 cmos_n w=0.5u l=4u
.ends
.subckt into_p g vdd i=1n
I1 g 0 {i}
M1 g g vdd vdd cmos_p w=0.5u l=4u
.ends
.subckt inverter in out vdd l=0.5u
M1 out in vdd vdd cmos_p w=1u l={l}
M2 out in 0 0 cmos_n w=0.5u l={l}
.ends
"""
# Bartolozzi, Indiveri, Neural Comput. 19, 2581 (2007): six transistors, 1 pF, 10 ms.
_SYNAPSE = """
X1 vw vdd into_n i=4n
X2 vtau vdd into_p i=4p
X3 vthr vdd into_p i=20p
M1 a pre 0 0 cmos_n w=0.5u l=2u
M2 s vw a 0 cmos_n w=0.5u l=4u
M3 vdd vthr s 0 cmos_n w=0.5u l=1u
M4 vc vc s 0 cmos_n w=0.5u l=1u
M5 vc vtau vdd vdd cmos_p w=0.5u l=4u
M6 out vc vdd vdd cmos_p w=0.5u l=4u
C1 vdd vc 1p
"""
# Livi, Indiveri, ISCAS 2009, 2898: membrane, comparison with a current, feedback, reset, adaptation.
_NEURON = """
X1 vlk vdd into_n i=5.2p
X2 vthr vdd into_n i=20p
X3 vspk vdd into_n i=200p
X4 vref vdd into_n i=150p
X5 vpw vdd into_n i=600p
X6 vaw vdd into_p i=500p
X7 vag vdd into_n i=5p
X8 vat vdd into_n i=1p
M1 0 vthr iin vdd cmos_p w=0.5u l=1u
M2 m m iin vdd cmos_p w=0.5u l=1u
M3 m vlk 0 0 cmos_n w=0.5u l=4u
C1 m 0 3p
M4 a m 0 0 cmos_n w=0.5u l=4u
M5 a a vdd vdd cmos_p w=0.5u l=4u
M6 b a vdd vdd cmos_p w=0.5u l=4u
M7 b vspk 0 0 cmos_n w=0.5u l=4u
M8 f a vdd vdd cmos_p w=2u l=4u
M9 m nb f vdd cmos_p w=0.5u l=0.5u
XA b nb vdd inverter l=2u
XB nb raw vdd inverter
XC raw rawb vdd inverter
M10 r rawb vdd vdd cmos_p w=1u l=0.5u
M11 r vref 0 0 cmos_n w=0.5u l=4u
M12 m r 0 0 cmos_n w=0.5u l=0.5u
C2 r 0 1p
M13 x rawb vdd vdd cmos_p w=1u l=0.5u
M14 x vpw 0 0 cmos_n w=0.5u l=4u
C3 x 0 0.3p
XD x spikeb vdd inverter
XE spikeb spike vdd inverter
M15 c spikeb vdd vdd cmos_p w=0.5u l=2u
M16 d vaw c vdd cmos_p w=0.5u l=4u
M17 0 vag d vdd cmos_p w=0.5u l=1u
M18 e e d vdd cmos_p w=0.5u l=1u
M19 e vat 0 0 cmos_n w=0.5u l=4u
M20 m e 0 0 cmos_n w=0.5u l=4u
C4 e 0 3p
"""


def train(number: int) -> str:
    """The source of the train at a cell's input of that number."""
    first = FIRST + number * SHIFT
    return f"pulse(0 1.8 {first:g} 1u 1u {WIDTH - 1e-6:g} {PERIOD:g})"


def bench(cell: Cell) -> list[str]:
    """The cards of the first self-test, with a train at each input of spikes."""
    takes = [n for n, p in cell.ports.items() if (p.discipline, p.direction) == ("spike", "in")]
    kept = [
        card for card in cell.selftests[0].bench
        if not ((found := _SOURCE.match(card)) and found[1].lower() in takes)
    ]  # fmt: skip
    return kept + [f"Vtrain{k} {port} 0 {train(k)}" for k, port in enumerate(takes)]


def deck(cell: Cell, stop: float, params: dict[str, float] | None = None) -> str:
    """The deck of a cell at its level."""
    from tellegen.emit.spice import options

    values = {n: p.default for n, p in cell.params.items() if p.default is not None}
    values |= cell.selftests[0].params if params is None else params
    given = " ".join(f"{name}={value!r}" for name, value in values.items())
    spikes = [n for n, p in cell.ports.items() if (p.discipline, p.direction) == ("spike", "out")]
    saved = spikes[0] if spikes else next(iter(cell.ports))
    step = min(cell.max_step or STEP, STEP)
    return "\n".join([
        f"* {cell.name}", cell.text.rstrip(), f"Xc {' '.join(cell.ports)} {cell.subcircuit} {given}",
        *bench(cell), *options(cell.solver), f".save v({saved})", f".tran {STEP:g} {stop:g} 0 {step:g}", ".end", "",
    ])  # fmt: skip


def by_hand(circuit: str, drive: str, saved: str, devices: str, stop: float) -> str:
    """The deck of a circuit written by hand, with the tolerances of such decks."""
    return "\n".join([
        "* by hand", devices, _BIAS, circuit, "Vdd vdd 0 1.8", drive, f".options {_BY_HAND}",
        f".save v({saved})", f".tran {STEP:g} {stop:g} 0 {STEP:g}", ".end", "",
    ])  # fmt: skip


def tight(text: str) -> str:
    """The deck with a hundredth of its tolerances and a tenth of its longest step."""
    scaled = re.sub(
        r"(reltol|abstol|vntol|chgtol)=(\S+)", lambda m: f"{m[1]}={float(m[2]) / 100:g}", text
    )
    longest = f" 0 {STEP:g}\n"
    return scaled.replace(".options ", ".options trtol=1 ").replace(longest, f" 0 {STEP / 10:g}\n")


def timed(text: str) -> tuple[float, int, Values]:
    """CPU seconds of a deck in this process's ngspice, its time points, and the times of spikes of what it saves."""
    import time

    from tellegen.sims.ngspice.deck import DeckRunner
    from tellegen.sims.ngspice.events import crossings

    runner = DeckRunner()
    start = time.process_time()
    found = runner.run(text)
    took = time.process_time() - start
    (saved,) = (v for n, v in found.items() if n != "time")
    return took, len(found["time"]), crossings(found["time"], saved)


def peak(text: str) -> float:
    """The largest current (A) of a synapse's output in the last period of its deck."""
    from tellegen.sims.ngspice.deck import DeckRunner

    found = DeckRunner().run(re.sub(r"\.save .*", ".save i(vout)", text))
    (current,) = (v for n, v in found.items() if n != "time")
    return float(np.abs(current[found["time"] > found["time"][-1] - PERIOD]).max())


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    from tellegen.cells import find_library

    library = find_library("cmos")
    assert library is not None
    stop = 0.2 if quick else 1.0
    # A process for each deck: ngspice slows down with what it has run before.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as process:
        for cell in library.cells.values():
            for level, at in cell.levels.items():
                if quick and cell.name not in QUICK:
                    continue
                took, points, _ = process.submit(timed, deck(at, stop)).result()
                name = f"{cell.name}, {level}" if level else cell.name
                yield Row(
                    f"{name}: CPU per biological second", took / stop, None, "s", "", "", None
                )
                yield Row(
                    f"{name}: time points per biological second",
                    points / stop,
                    None,
                    "1",
                    "",
                    "",
                    None,
                )
                yield Row(f"{name}: CPU per time point", took / points, None, "s", "", "", None)
        shared = library.cells["adaptive_neuron"].levels["transistor"].definitions
        devices = "".join(d.text for d in shared if d.names[0] in ("cmos_n", "cmos_p"))
        yield from _beside(process, library.cells["dpi_synapse"].levels["transistor"], by_hand(
            _SYNAPSE, f"Vout out 0 0.5\nVpre pre 0 {train(0)}", "pre", devices, stop), stop, 15)  # fmt: skip
        yield from _beside(process, library.cells["adaptive_neuron"].levels["transistor"], by_hand(
            _NEURON, "Iin vdd iin pwl(0 0 10m 0 10.1m 300p)", "spike", devices, stop), stop, 3)  # fmt: skip


def _beside(
    process: ProcessPoolExecutor, cell: Cell, hand: str, stop: float, rounds: int
) -> Iterator[Row]:
    """A cell at its defaults and the circuit by hand, in turn, the quicker the more often: CPU time for each spike, in or out.

    By hand it is run with the tolerances of such decks, and, to tell what tolerances cost from what the circuit does,
    with those of the cell.
    """
    from tellegen.emit.spice import options

    asked = next(card for card in options(cell.solver) if card.startswith(".options"))
    decks = {
        "": deck(cell, stop, {}),
        " by hand": hand,
        " by hand, at the cell's tolerances": hand.replace(f".options {_BY_HAND}", asked),
    }
    found: dict[str, list[float]] = {way: [] for way in decks}
    times: dict[str, Values] = {}
    for _ in range(1 if stop < 1 else rounds):
        for way, text in decks.items():
            took, _, spikes = process.submit(timed, text).result()
            found[way].append(took / len(spikes))
            times[way] = spikes
    for way, values in found.items():
        value, spread = measured(values)
        yield Row(f"{cell.name}{way}: CPU per spike", value, spread, "s", "", "", None)
    for way in list(decks)[1:]:
        ratios = [a / b for a, b in zip(found[way], found[""], strict=True)]
        yield at_least(
            f"{cell.name}:{way} over the library's", ratios, 1.0, "the published circuit"
        )
    if "out" in cell.ports:
        for way, text in decks.items():
            seen, exact = (process.submit(peak, t).result() for t in (text, tight(text)))
            yield Row(f"{cell.name}{way}: peak of the output's current off a tight run", seen / exact - 1, None,
                      "1", "", "", None)  # fmt: skip
    if any(port.direction == "out" for port in cell.ports.values() if port.discipline == "spike"):
        for way, text in decks.items():
            _, _, exact = process.submit(timed, tight(text)).result()
            least = min(len(exact), len(times[way]))
            off = np.diff(times[way][:least]) / np.diff(exact[:least]) - 1
            yield Row(f"{cell.name}{way}: mean deviation of the intervals from a tight run", float(np.abs(off).mean()),
                      (float(off.min()), float(off.max())), "1", "", "", None)  # fmt: skip
