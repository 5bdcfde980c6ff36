"""The building blocks of `cmos` against their equations, at both levels, over a decade of their bias.

Each row is the worst relative deviation of a block from a closed form over a decade of its bias and, within that,
over its inputs: comparator, winner-take-all (Lazzaro 1989: outputs that add up to the bias, and the power law near
a tie), bump (Delbruck 1991), bistable weight, translinear multiplier, capacitor weight and digital weights. The
behavioural levels are to be within 5 %; for transistors the deviation is listed as it is. What has no closed form,
the comparator's delay, is held between the two levels. Three more rows are about the devices: mirrors against
Pelgrom's law (Pelgrom, Duinmaijer, Welbers, IEEE J. Solid-State Circuits 24, 1433 (1989)) over many mismatch
numbers, the spread of a digital weight's full current against the same law, and the blocks with BSIM4 devices in
the place of BSIM3. Full run: 90 seconds. `--quick`: fewer points.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.rows import Row
from tellegen.arrays import Values
from tellegen.cells import find_library
from tellegen.cells.cell import Cell
from tellegen.cells.definitions import Definition
from tellegen.emit.spice import options
from tellegen.sims.errors import SimulationError
from tellegen.sims.ngspice.deck import run_decks
from tellegen.sims.ngspice.events import crossings
from tellegen.sims.ngspice.verify import Outcome, verify

UT = 0.02586
LEVELS = ("transistor", "behavioural")
BLOCKS = (
    "current_comparator", "winner_take_all", "bump", "bistable_weight", "translinear_multiplier",
    "capacitor_weight", "digital_weight_4", "digital_weight_6",
)  # fmt: skip
Circuit = list[str]


def block(name: str, level: str) -> Cell:
    """A block of the library `cmos` at one level."""
    library = find_library("cmos")
    assert library is not None
    return library.cells[name].levels[level]


def simulate(cell: Cell, circuits: Sequence[Circuit]) -> list[dict[str, Values]]:
    """The vectors of each circuit around instances of a cell.

    A circuit is its analysis and its cards; `@` in them is the cell's subcircuit.
    """
    decks = [
        "\n".join(["* block", cell.text, "Vdd vdd 0 1.8", *cards, *options(cell.solver), analysis,
                   ".end", ""]).replace("@", cell.subcircuit)
        for analysis, *cards in circuits
    ]  # fmt: skip
    found = []
    for vectors in run_decks(decks):
        if isinstance(vectors, SimulationError):
            raise vectors
        found.append({name: np.real(vector) for name, vector in vectors.items()})
    return found


def decade(middle: float, quick: bool) -> list[float]:
    """Values over a decade around a middle."""
    return [float(v) for v in middle * np.logspace(-0.5, 0.5, 2 if quick else 5)]


def comparator_thresholds(level: str, quick: bool) -> list[float]:
    """The input at which the output changes, over ith, less 1."""
    circuits = [
        [
            f".dc Iin {0.9 * ith} {1.1 * ith} {ith / 1000}",
            "Iin 0 iin 0",
            f"X1 iin out vdd @ ith={ith}",
        ]
        for ith in decade(1e-9, quick)
    ]
    found = simulate(block("current_comparator", level), circuits)
    return [
        float(np.linspace(0.9, 1.1, len(f["out"]))[np.argmax(f["out"] > 0.9)] - 1) for f in found
    ]


def comparator_delays(level: str, quick: bool) -> Values:
    """The charge, delay times what is left of the current, of steps up and down (C)."""
    steps = [(ith, above) for ith in decade(1e-9, quick) for above in (1.2, 2.0)]
    circuits = []
    for ith, above in steps:
        unit = 1e-13 / ith
        circuits.append([
            f".tran {unit / 10} {20 * unit} 0 {unit / 100}",
            f"Iin 0 iin pulse({0.5 * ith} {above * ith} {unit} 1n 1n {9 * unit} 1)",
            f"X1 iin out vdd @ ith={ith}",
        ])  # fmt: skip
    charges = []
    found = simulate(block("current_comparator", level), circuits)
    for (ith, above), f in zip(steps, found, strict=True):
        (up,) = crossings(f["time"], f["out"]) - 1e-13 / ith
        (down,) = crossings(f["time"], f["out"], rising=False) - 10e-13 / ith
        charges += [up * (above - 1) * ith, down * 0.5 * ith]
    return np.array(charges)


def competition(ib: float, inputs: Sequence[float]) -> Circuit:
    """Cells that share `ib` at rest: the outputs are `vK#branch`, the inputs' nodes `aK`."""
    share = ib / len(inputs)
    return [".op", *(
        card for k, current in enumerate(inputs) for card in (
            f"I{k} 0 a{k} {current}", f"V{k} o{k} 0 0.9", f"X{k} a{k} o{k} c vdd @ ib={share}")
    )]  # fmt: skip


def winner_sums(level: str, quick: bool) -> list[float]:
    """What the winner of five takes where it is 1 % ahead, over the bias, less 1."""
    inputs = (1e-9, 1.01e-9, 0.8e-9, 0.5e-9, 1e-10)
    biases = decade(1e-9, quick)
    found = simulate(block("winner_take_all", level), [competition(ib, inputs) for ib in biases])
    return [float(f["v1#branch"][0] / ib) - 1 for ib, f in zip(biases, found, strict=True)]


def winner_power(level: str, quick: bool) -> list[float]:
    """The power g of the outputs' ratio near a tie over kappa (VE + V)/UT, less 1.

    VE + V is the input device's current over its conductance, and kappa the output device's slope: for
    transistors each is measured on a device by itself, with the voltages of the tie.
    """
    currents, ahead = decade(1e-9, quick), 1.0004
    pairs = [(i, i * more) for i in currents for more in (1, ahead)]
    found = simulate(block("winner_take_all", level), [competition(p[0], p) for p in pairs])
    ties, nears = found[::2], found[1::2]
    power = [np.log(f["v1#branch"] / f["v0#branch"])[0] / np.log(ahead) for f in nears]
    at = [(float(f["a0"][0]), float(f["c"][0])) for f in ties]
    devices = [(45 + v, 0.77) for v, _ in at] if level == "behavioural" else _lone_devices(at)
    return [
        float(g / (kappa * early / UT)) - 1
        for g, (early, kappa) in zip(power, devices, strict=True)
    ]


def _lone_devices(at: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Current over conductance (V) of the input device and slope of the output device.

    They are those at a voltage of the input and one of the common node.
    """
    step = 2e-3
    found = simulate(block("winner_take_all", "transistor"), [[
        ".op", ".options reltol=1e-6", f"Vc c 0 {c}",
        "M1 d1 c 0 0 cmos_n w=1u l=8u", f"V1 d1 0 {v}",
        "M2 d2 c 0 0 cmos_n w=1u l=8u", f"V2 d2 0 {v + step}",
        "M3 d3 g3 c 0 cmos_n w=1u l=4u", "V3 d3 0 1.45", f"Vg3 g3 0 {v}",
        "M4 d4 g4 c 0 cmos_n w=1u l=4u", "V4 d4 0 1.45", f"Vg4 g4 0 {v + step}",
    ] for v, c in at])  # fmt: skip
    logs = [[float(np.log(-f[f"v{k}#branch"])[0]) for k in (1, 2, 3, 4)] for f in found]
    return [(step / (i2 - i1), (i4 - i3) / step * UT) for i1, i2, i3, i4 in logs]


def bump_currents(level: str, quick: bool) -> list[float]:
    """All three outputs over the equation, less 1, within 90 mV."""
    circuits, expected = [], []
    for ib in decade(1e-9, quick):
        for s in (4.0,) if quick else (1.0, 4.0, 16.0):
            for apart in (-0.09, -0.06, -0.03, 0.0, 0.03, 0.06, 0.09):
                y = 0.79 * apart / UT
                peak = ib / (1 + 4 / s * np.cosh(y / 2) ** 2)
                rest = ib - peak
                expected.append(
                    {"vo": peak, "va": rest / (1 + np.exp(-y)), "vb": rest / (1 + np.exp(y))}
                )
                circuits.append([
                    ".op", f"V1 v1 0 {0.9 + apart / 2}", f"V2 v2 0 {0.9 - apart / 2}", "Vo o 0 0.9",
                    "Va a 0 0.9", "Vb b 0 0.9", f"X1 v1 v2 o a b vdd @ ib={ib} s={s}",
                ])  # fmt: skip
    found = simulate(block("bump", level), circuits)
    return [
        float(f[f"{source}#branch"][0] / current) - 1
        for f, currents in zip(found, expected, strict=True)
        for source, current in currents.items()
    ]


def bistable_moves(level: str, quick: bool) -> list[float]:
    """Ways from the start over the solution of c dw/dt = ib tanh(kappa (w-threshold)/(2 UT)), less 1."""
    circuits, starts = [], (-0.3, -0.05, 0.05, 0.3)
    biases = decade(1e-11, quick)
    for ib in biases:
        end = 0.2e-12 / ib  # what moves a saturated weight by 0.2 V
        analysis = f".tran {end / 100} {end} 0 {end / 100}"
        circuits += [[analysis, f"X1 w vdd @ ib={ib} w0={0.8 + start}"] for start in starts]
    found = simulate(block("bistable_weight", level), circuits)
    slope = 0.78 / (2 * UT)
    off = []
    for start, f in zip(starts * len(biases), found, strict=True):
        final = np.arcsinh(np.sinh(slope * start) * np.exp(slope * 0.2)) / slope
        off.append(float((f["w"][-1] - 0.8 - start) / (final - start)) - 1)
    return off


def products(level: str, quick: bool) -> list[float]:
    """The output over a b/iu, less 1, for factors between a third and three times iu."""
    factors = (1 / 3, 3.0) if quick else (1 / 3, 1.0, 3.0)
    cases = [(iu, a, b) for iu in decade(1e-9, quick) for a in factors for b in factors]
    found = simulate(block("translinear_multiplier", level), [
        [".op", f"Ia 0 a {a * iu}", f"Ib 0 b {b * iu}", "Vo o 0 0.9", f"X1 a b o vdd @ iu={iu}"]
        for iu, a, b in cases
    ])  # fmt: skip
    return [
        float(f["vo#branch"][0] / (a * b * iu)) - 1
        for (iu, a, b), f in zip(cases, found, strict=True)
    ]


def capacitor_steps(level: str, quick: bool) -> list[float]:
    """Three spikes up or down over 3 istep width/c, less 1."""
    spikes = "pulse(0 1.8 1m 1u 1u 99u 5m)"
    cases = [(istep, way) for istep in decade(1e-9, quick) for way in (1, -1)]
    found = simulate(block("capacitor_weight", level), [
        [".tran 0.1m 14m 0 0.5m", f"Vup up 0 {spikes if way > 0 else 0}",
         f"Vdown down 0 {spikes if way < 0 else 0}", f"X1 up down w vdd @ istep={istep} ileak=0"]
        for istep, way in cases
    ])  # fmt: skip
    return [
        float(f["w"][-1] - f["w"][0]) / (way * 3 * istep * 1e-4 / 4e-12) - 1
        for (istep, way), f in zip(cases, found, strict=True)
    ]


def capacitor_leaks(level: str, quick: bool) -> list[float]:
    """What is forgotten over ileak t/c, less 1."""
    found = simulate(block("capacitor_weight", level), [
        [f".tran {0.02e-12 / leak} {1e-12 / leak} 0 {0.02e-12 / leak}", "Vup up 0 0", "Vdown down 0 0",
         f"X1 up down w vdd @ ileak={leak}"]
        for leak in decade(1e-12, quick)
    ])  # fmt: skip
    return [float(f["w"][0] - f["w"][-1]) / 0.25 - 1 for f in found]


def digital_currents(level: str, quick: bool, bits: int) -> list[float]:
    """The currents of all codes but 0 over code times unit, less 1."""
    units = decade(3e-10, quick)
    found = simulate(block(f"digital_weight_{bits}", level), [
        [f".dc v.x1.vcode 1 {2**bits - 1} 1", "Vo o 0 0.9", f"X1 o vdd @ unit={unit}"]
        for unit in units
    ])  # fmt: skip
    codes = np.arange(1, 2**bits)
    return [
        float(ratio) - 1
        for unit, f in zip(units, found, strict=True)
        for ratio in f["vo#branch"] / (codes * unit)
    ]


def mirror_offsets(kind: str, draws: Values) -> Values:
    """Offset voltages (V) of mirrors of a kind, `n` or `p`, a mismatch number each, at 1 nA.

    An offset is the logarithm of a mirror's error over the slope of its device, which is measured as well.
    """
    rail, bulk, level, sign = ("", "0", 0.3, 1) if kind == "n" else ("vdd", "vdd", 1.5, -1)
    mirrors = [
        card for k, m in enumerate((0.0, *draws)) for card in (
            f"I{k} 0 a{k} {sign * 1e-9}", f"V{k} b{k} 0 {level}",
            f"X{k} a{k} b{k} {rail} cmos_mirror_{kind} mm={m}")
    ]  # fmt: skip
    devices = [
        card for k in (0, 1) for card in (
            f"Vs{k} d{k} 0 {level}", f"Vg{k} g{k} a0 {sign * k * 1e-3}",
            f"Mg{k} d{k} g{k} {bulk} {bulk} cmos_{kind} w=1.5u l=12u")
    ]  # fmt: skip
    cards = [".op", ".options reltol=1e-6", *mirrors, *devices]
    (found,) = simulate(block("current_comparator", "transistor"), [cards])
    slope = float(np.log(found["vs1#branch"] / found["vs0#branch"])[0]) / 1e-3
    currents = np.array([found[f"v{k}#branch"][0] for k in range(len(draws) + 1)])
    return np.asarray(np.log(currents[1:] / currents[0]) / slope)


def twin(cell: Cell) -> Cell:
    """A cell of transistors with BSIM4 devices in the place of BSIM3."""
    import tellegen.cells

    devices = (Path(tellegen.cells.__file__).parent / "cmos" / "_devices.cir").read_text()
    models = re.findall(r"^\.model cmos_[np]4 .*\n(?:\+.*\n)+", devices, re.MULTILINE)
    changed = (
        replace(d, text=re.sub(r"\bcmos_([np]) (?=w=)", r"cmos_\g<1>4 ", d.text))
        for d in cell.definitions
    )
    added = Definition(("cmos_n4", "cmos_p4"), "".join(models), "", "cmos")
    made = replace(cell, definitions=(added, *changed))
    return replace(made, levels={"transistor": made})


def twins(names: Sequence[str]) -> Iterator[tuple[Outcome, Outcome]]:
    """The self-tests of blocks of transistors, with BSIM3 and with BSIM4 devices."""
    ours = [block(name, "transistor") for name in names]
    alone = [replace(cell, levels={"transistor": cell}) for cell in ours]
    yield from zip(verify(alone), verify([twin(cell) for cell in ours]), strict=True)


def _row(what: str, level: str, off: Sequence[float], reference: str) -> Row:
    worst = max(off, key=abs)
    asked = level == "behavioural"
    return Row(f"{what}, {level}, worst of {len(off)}", worst, (min(off), max(off)), "1",
               "within 5 %" if asked else "", reference,
               abs(worst) <= 0.05 if asked else None)  # fmt: skip


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    measures = {
        "comparator: threshold": (comparator_thresholds, "ith"),
        "winner-take-all: 1 % ahead takes the bias": (winner_sums, "Lazzaro (1989): the sum of the biases"),
        "winner-take-all: power near a tie": (winner_power, "Lazzaro (1989): kappa (VE + V)/UT"),
        "bump: three currents within 90 mV": (bump_currents, "Delbruck (1991), kappa 0.79"),
        "bistable weight: way from four starts": (bistable_moves, "solution of the equation, kappa 0.78"),
        "multiplier: factors 1/3 to 3": (products, "a b/iu"),
        "capacitor weight: spikes": (capacitor_steps, "istep width/c"),
        "capacitor weight: forgetting": (capacitor_leaks, "ileak t/c"),
    }  # fmt: skip
    for what, (measure, reference) in measures.items():
        for level in LEVELS:
            yield _row(what, level, measure(level, quick), reference)
    for bits in (4, 6):
        for level in LEVELS:
            off = digital_currents(level, quick, bits)
            yield _row(f"digital weight of {bits} bits: all codes", level, off, "code times unit")
    charges = [comparator_delays(level, quick) for level in LEVELS]
    off = (charges[1] / charges[0] - 1).tolist()
    yield _row(
        "comparator: delay over that of the transistors", "behavioural", off, "the transistors"
    )
    draws = np.random.default_rng(0).uniform(0, 1, 100 if quick else 1000)
    law = np.sqrt(2) * 3.5e-9 / np.sqrt(18e-12)
    for kind in ("n", "p"):
        ratio = float(np.std(mirror_offsets(kind, draws)) / law)
        yield Row(f"mirror, {kind}-type: spread of the offset, {len(draws)} draws, over the law", ratio, None, "1",
                  "within 10 %", "Pelgrom (1989): root of 2 times 3.5 mV um over the root of the area",
                  abs(ratio - 1) <= 0.1)  # fmt: skip
    yield _full_current(draws[:20] if quick else draws[:200])
    off = [
        theirs.measured / ours.measured - 1
        for ours, theirs in twins(BLOCKS)
        if ours.expected and ours.measured and theirs.measured
    ]
    worst = max(off, key=abs)
    yield Row(f"blocks of BSIM4 over blocks of BSIM3, worst of {len(off)}", worst, (min(off), max(off)),
              "1", "within 3 %", "the same netlist with the other model", abs(worst) <= 0.03)  # fmt: skip


def _full_current(draws: Values) -> Row:
    """The spread of a 4-bit weight's largest current, by Pelgrom's law and weak inversion."""
    cards = [
        card for k, m in enumerate(draws) for card in (
            f"V{k} o{k} 0 0.9", f"X{k} o{k} vdd @ code=15 unit=1e-10 mismatch={m}")
    ]  # fmt: skip
    (found,) = simulate(block("digital_weight_4", "transistor"), [[".op", *cards]])
    full = np.array([found[f"v{k}#branch"][0] for k in range(len(draws))])
    spread = float(np.std(np.log(full)))
    # a unit's own deviation, that of fifteen units in branches, and that of the bias's device
    law = 0.66 / UT * 3.5e-9 / np.sqrt(8e-12) * np.sqrt(1 + 1 / 15)
    return Row(f"digital weight of 4 bits: spread of the full current, {len(draws)} draws", spread, None,
               "1", f"{law:.3g} within 20 %", "Pelgrom (1989), kappa 0.66",
               abs(spread / law - 1) <= 0.2)  # fmt: skip
