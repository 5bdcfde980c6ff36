"""The building blocks of `cmos`: several together, mismatch, and the same circuits with BSIM4 devices."""

import re

import numpy as np
import pytest

import tellegen
from benchmarks.blocks import (
    BLOCKS,
    LEVELS,
    block,
    comparator_delays,
    competition,
    digital_currents,
    mirror_offsets,
    simulate,
    twin,
    twins,
    winner_power,
)
from tellegen.cells import find_library
from tellegen.cells.expression import compiled

_DEVICE = re.compile(r"^M.*delvto=.*$", re.MULTILINE)
_AREA = re.compile(r"cmos_mm\((?:[^,]+),(?:[^,]+),(.+)\)\}")


@pytest.mark.parametrize("kind", ["n", "p"])
def test_the_offset_of_a_mirror_follows_pelgroms_law(kind):
    draws = np.random.default_rng(0).uniform(0, 1, 400)
    offsets = mirror_offsets(kind, draws)
    # each device deviates by 3.5 mV um over the root of its area, a pair by the root of 2 times that
    expected = np.sqrt(2) * 3.5e-9 / np.sqrt(1.5e-6 * 12e-6)
    assert np.std(offsets) == pytest.approx(expected, rel=0.11)  # three standard errors
    assert abs(np.mean(offsets)) < 3 * expected / np.sqrt(len(draws))


def spelled_out(text):
    """The text with its functions of one argument written out where they are called."""
    for name, argument, body in re.findall(
        r"^\.func (\w+)\((\w+)\) *\{(.*)\}$", text, re.MULTILINE
    ):
        parts = re.split(rf"\b{name}\((\w+)\)", text)
        alone = re.compile(rf"\b{argument}\b")
        parts[1::2] = ["(" + alone.sub(given, body) + ")" for given in parts[1::2]]
        text = "".join(parts)
    return text


def test_mismatch_is_that_of_each_devices_own_area():
    found = 0
    for cell in find_library("cmos").cells.values():
        definitions = cell.levels.get("transistor", cell).definitions
        text = spelled_out("\n".join(d.text for d in definitions).replace("\n+", ""))
        for card in _DEVICE.findall(text):
            sizes = [re.search(rf" {key}=(\S+)", card) for key in "wlm"]
            gate = compiled("*".join(f"({x[1].strip('{}')})" for x in sizes if x))
            area = compiled(_AREA.search(card)[1])
            names = {name: 1.5 + len(name) for name in gate.names | area.names}
            assert area(names) == pytest.approx(gate(names), rel=0.1, abs=0), card
            found += 1
    assert found > 100


@pytest.mark.parametrize(("kind", "sign"), [("n", 1), ("p", -1)])
def test_bsim4_devices_carry_the_same_currents(kind, sign):
    cell = twin(block("current_comparator", "transistor"))
    points = [(v, d, length) for v in (0.1, 0.2, 0.4, 1.0) for d in (0.5, 1.5) for length in (1, 8)]
    cards = [
        card
        for k, (v, d, length) in enumerate(points)
        for card in (
            f"Vg{k} g{k} 0 {sign * v}",
            *(
                f"V{k}x{m} d{k}x{m} 0 {sign * d}\nM{k}x{m} d{k}x{m} g{k} 0 0 cmos_{kind}{m} w=1u l={length}u"
                for m in ("", "4")
            ),
        )
    ]
    models = "".join(
        d.text
        for d in block("current_comparator", "transistor").definitions
        if f"cmos_{kind}" in d.names
    )
    (found,) = simulate(cell, [[".op", models, *cards]])
    ratios = [found[f"v{k}x4#branch"][0] / found[f"v{k}x#branch"][0] for k in range(len(points))]
    assert ratios == pytest.approx(np.ones(len(points)), abs=0.06)


def test_blocks_of_bsim4_pass_their_self_tests_and_agree():
    assert "cmos_n4 w=" in twin(block("bump", "transistor")).text
    for ours, theirs in twins(BLOCKS):
        assert theirs.passed, theirs
        if ours.expected:
            assert theirs.measured == pytest.approx(ours.measured, rel=0.03), theirs


@pytest.mark.parametrize("level", LEVELS)
def test_the_largest_of_many_inputs_wins_by_a_percent(level):
    inputs = [1e-9] * 15 + [1.01e-9]
    (found,) = simulate(block("winner_take_all", level), [competition(2e-9, inputs)])
    outputs = np.array([found[f"v{k}#branch"][0] for k in range(16)])
    assert outputs[15] == pytest.approx(2e-9, rel=0.02)
    assert np.abs(outputs[:15]).max() < 0.01e-9


@pytest.mark.parametrize("level", LEVELS)
def test_near_a_tie_the_ratio_follows_lazzaros_law(level):
    assert np.abs(winner_power(level, True)).max() < 0.02


@pytest.mark.parametrize("level", LEVELS)
def test_every_code_of_a_digital_weight(level):
    assert np.abs(digital_currents(level, True, 6)).max() < 0.01


def test_comparators_are_equally_fast_at_both_levels():
    transistor, behavioural = (comparator_delays(level, True) for level in LEVELS)
    assert behavioural == pytest.approx(transistor, rel=0.05)


CHAIN = """
import cmos
import resistive

network Chain {
    supply vdd = 1.8 V
    node   product
    output high
    x: digital_weight_4(out = a, code = 6, unit = 100 pA)
    y: digital_weight_6(out = b, code = 40, unit = 50 pA)
    node a, b
    m: translinear_multiplier(a, b, product, iu = 1 nA)
    c: current_comparator(product, high, ith = 1.1 nA)
}
"""


@pytest.mark.parametrize("level", LEVELS)
def test_weights_multiply_and_can_be_written_while_the_circuit_runs(level):
    text = CHAIN.replace("out = ", "").replace(")\n", f", level = {level})\n")
    emitted = tellegen.compile_text(text).emit()
    with tellegen.Flight(
        emitted.netlist, emitted.manifest, record=["high"], step=5e-5, stop=2e-3
    ) as flight:
        flight.advance(0.5e-3)
        assert flight.read("high") == pytest.approx(1.8, abs=0.01)  # 0.6 nA times 2 is 1.2 nA
        flight.write("x.code", 5)
        flight.advance(1.8e-3)
        assert flight.read("high") == pytest.approx(0, abs=0.01)  # 0.5 nA times 2 is 1 nA
