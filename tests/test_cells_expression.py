"""SPICE arithmetic: the same numbers as Python's on the safe part, and as ngspice's own."""

import os
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tellegen.cells.expression import ExpressionError, compiled, evaluate
from tellegen.sims.errors import SimulationError
from tellegen.sims.ngspice.deck import run_deck

LIBRARIES = [None, *filter(None, os.environ.get("TELLEGEN_TEST_LIBRARIES", "").split(":"))]
NAMES = {"a": 2.0, "b": 3.0, "m": -2.0, "is": 1e-14, "full": 100e3, "code": 37.0, "levels": 128.0}

# Every one of these is read by ngspice too (test_ngspice_reads_the_same).
VALUES = {
    "1/3": 1 / 3,
    "full*code/levels": 100e3 * 37 / 128,
    "a-b-1": -2,
    "12/a/b": 2,
    "a+b*2": 8,
    "-a^2": -4,
    "2*a^b": 16,
    "a**b": 8,
    "(2^3)^2": 64,
    "2^(3^2)": 512,
    "a^(-b)": 0.125,
    "m^3": 8,  # SPICE takes the power of the magnitude
    "m**2": 4,
    "pow(m,3)": -8,
    "-(-a)": 2,
    "a-(-b)": 5,
    "max(a,b)-min(-a,b)": 5,
    "sqrt(a*8)+abs(m)": 6,
    "exp(-a/b)": np.exp(-2 / 3),
    "log(10)": np.log(10),
    "log10(1000)": 3,
    "floor(2.5)+floor(-2.5)": -1,
    "1.5k+2meg+3m+4u": 2001500.003004,
    "1e-3*2.5E2": 0.25,
    "IS*1T": 0.01,
    "40*(32k/40)^(code/(100-1))": 40 * 800 ** (37 / 99),
}


@pytest.mark.parametrize("text", VALUES)
def test_value(text):
    assert evaluate(text, NAMES) == pytest.approx(VALUES[text], rel=1e-15)


@pytest.mark.parametrize("library", LIBRARIES)
def test_ngspice_reads_the_same(library):
    params = " ".join(f"{name}={value!r}" for name, value in NAMES.items())
    sources = [f"V{k} n{k} 0 {{{text}}}" for k, text in enumerate(VALUES)]
    deck = "\n".join(["* numparam", f".param {params}", *sources, ".op", ".end"])
    found = run_deck(deck, library=library and Path(library))
    for k, text in enumerate(VALUES):
        assert found[f"n{k}"][0] == pytest.approx(float(evaluate(text, NAMES)), rel=1e-15), text


@pytest.mark.parametrize("library", LIBRARIES)
def test_what_is_refused_is_what_ngspice_reads_otherwise(library):
    """The reasons for the refusals below; a future ngspice may change them."""

    def value(text):
        deck = f"* numparam\n.param a=2 b=3\nV1 n 0 {{{text}}}\n.op\n.end"
        return run_deck(deck, library=library and Path(library))["n"][0]

    assert value("2^3^2") == 64  # Python: 512
    for text in ("a*-b", "pi"):
        with pytest.raises(SimulationError):
            value(text)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 0),
        ("a+", 2),
        ("a b", 2),
        ("2^3^2", 2),
        ("a*-b", 2),
        ("a^-b", 2),
        ("a--b", 2),
        ("--a", 1),
        ("+a", 0),
        ("a*(b+2", 2),
        ("10ohm", 2),
        ("1e3k", 3),
        ("1e400", 0),
        ("a.b", 1),
        ("a[0]", 1),
        ("a if b else c", 2),
        ("lambda: a", 6),
        ("a == b", 2),
        ("'a'", 0),
        ("1+__import__(a)", 2),
        ("1+max(a)", 2),
        ("sqrt(a, b)", 0),
        ("eval(a)", 0),
        ("a" * 1001, 1000),
    ],
)
def test_refused_at(text, position):
    with pytest.raises(ExpressionError) as caught:
        compiled(text)
    assert caught.value.position == position


@pytest.mark.parametrize("text", ["(" * 400 + "a" + ")" * 400, "-" * 900 + "a", "a+" * 450 + "a"])
def test_depth_ends_in_a_value_or_an_error(text):
    with suppress(ExpressionError):
        compiled(text)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=40) | st.text("ab12 .+-*/^(),e", max_size=25))
def test_any_text_is_read_or_refused(text):
    try:
        compiled(text)
    except ExpressionError as error:
        assert 0 <= error.position <= len(text)


def test_arrays_broadcast():
    code = np.arange(1, 129)
    found = evaluate("full*code/levels", {"full": 1e5, "levels": 128, "code": code})
    np.testing.assert_array_equal(found, 1e5 * code / 128)
    grid = evaluate("a/b", {"a": np.ones((3, 1)), "b": np.arange(1, 5)})
    assert grid.shape == (3, 4)
    assert evaluate("2*3", {}).shape == ()
    assert evaluate(7.5, {}) == 7.5


def test_compiled_once():
    assert compiled("1/g") is compiled("1/g")
    assert compiled("1/G+g*full").names == {"g", "full"}


@pytest.mark.parametrize(
    ("text", "names", "says"),
    [
        ("1/g", {"g": 0.0}, "divide by zero"),
        ("1/g", {"g": np.array([1.0, 0.0])}, "divide by zero"),
        ("sqrt(g)", {"g": -1.0}, "invalid"),
        ("exp(g)", {"g": 1e4}, "overflow"),
        ("1/0", {}, "divide by zero"),
        ("1/g", {}, "needs a value for `g`"),
    ],
)
def test_no_value(text, names, says):
    with pytest.raises(ValueError, match=says):
        evaluate(text, names)


# ---------------------------------------------------------------- against Python's arithmetic

_LEAVES = st.sampled_from(["a", "b"]) | st.floats(0.1, 9.0).map(lambda x: f"{x:.3f}")
_UNARY = ("-{}", "sqrt(abs({}))", "exp({}/50)", "abs({})")
_BINARY = ("{}+{}", "{}-{}", "{}*{}", "{}/(abs({})+1)", "min({},{})", "max({},{})")


def _grown(inner):
    wrapped = inner.map(lambda text: f"({text})")
    return (
        st.builds(str.format, st.sampled_from(_UNARY), wrapped)
        | st.builds(str.format, st.sampled_from(_BINARY), wrapped, wrapped)
        | st.builds("abs({})^{}".format, wrapped, st.sampled_from(["2", "0.5", "(1/3)"]))
        | st.builds("{}*{}-{}/3".format, _LEAVES, _LEAVES, _LEAVES)  # precedence, unparenthesised
    )


@settings(max_examples=300, deadline=None)
@given(st.recursive(_LEAVES, _grown, max_leaves=12), st.floats(0.1, 5), st.floats(0.1, 5))
def test_agrees_with_python(text, a, b):
    functions = {"sqrt": np.sqrt, "exp": np.exp, "abs": abs, "min": min, "max": max}
    try:
        with np.errstate(all="raise", under="ignore"):
            want = eval(text.replace("^", "**"), functions, {"a": a, "b": b})
    except (ArithmeticError, FloatingPointError):
        return
    assert evaluate(text, {"a": a, "b": b}) == pytest.approx(float(want), rel=1e-12, abs=1e-300)
