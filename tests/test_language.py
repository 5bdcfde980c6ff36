"""The language as text: reading, printing, numbers with units, overrides."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tellegen.diagnostics import Sink, render
from tellegen.pipeline import Compilation
from tellegen.quantity import PLAIN, UnknownUnit, describe, in_range, is_unit, spelled, unit
from tellegen.source import Source
from tellegen.syntax import parse as parsing
from tellegen.syntax import tree as t
from tellegen.syntax.format import format_unit
from tellegen.syntax.overrides import apply_overrides
from tellegen.values import Number, Unknown, evaluate

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.tgn"))
BAD = sorted((ROOT / "tests" / "bad").glob("*/*.tgn"))


def read(text: str) -> t.Unit:
    """The tree of a text without syntax errors."""
    sink = Sink()
    unit = parsing.parse(Source("<text>", text), sink)
    assert unit is not None
    assert not sink.found, "\n".join(map(render, sink.found))
    return unit


def errors(text: str) -> list[str]:
    """`line:column message` of each syntax error."""
    sink = Sink()
    parsing.parse(Source("<text>", text), sink)
    return [f"{d.primary.span.line}:{d.primary.span.column} {d.message}" for d in sink.found]


# ---------------------------------------------------------------- printing what was read

SPAN = Source("<made>", "").span(0, 0)
WORDS = {p.pattern.value for p in parsing.parser().terminals if p.pattern.type == "str"}
WORDS |= {"input", "output", "node", "ground"}

names = st.builds(
    t.Name,
    st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,6}", fullmatch=True).filter(lambda n: n not in WORDS),
    st.just(SPAN),
)
UNITS = ["", "V", "kohm", "uS", "uS/V^2", "1/s", "%", "µS", "m*kg", "e5", "V^-1"]
numbers = st.one_of(
    st.integers(0, 10**9).map(str),
    st.floats(0, 1e300).map(lambda x: f"{x:.6f}"),
    st.floats(1e-300, 1e300).map(lambda x: f"{x:.3e}"),
)
quantities = st.builds(
    t.Quantity, numbers, st.sampled_from([u for u in UNITS if u[:1] != "1"]), st.just(SPAN)
)
texts = st.builds(
    t.String, st.text(st.characters(exclude_characters='"\\\n', exclude_categories=["Cs"]), max_size=9),
    st.just(SPAN),
)  # fmt: skip


def _expressions(inner):
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        st.builds(t.Interval, inner, inner, st.just(SPAN)),
        st.builds(t.Sequence, several, st.just(SPAN)),
        st.builds(t.Binary, st.sampled_from("+-*/"), inner, inner, st.just(SPAN)),
        st.builds(t.Negative, inner, st.just(SPAN)),
        calls(inner),
        paths(inner),
    )


def arguments(inner):
    named = st.builds(t.Argument, names, st.sampled_from("=~"), inner, st.booleans(), st.just(SPAN))
    bare = st.builds(t.Argument, st.none(), st.just(""), inner, st.booleans(), st.just(SPAN))
    # The first has nothing before it that an arrow could come from.
    return st.lists(named | bare, max_size=3).map(
        lambda found: tuple(
            t.Argument(a.name, a.operator, a.value, a.arrow and k > 0, SPAN)
            for k, a in enumerate(found)
        )
    )


def calls(inner):
    return st.builds(t.Call, names, arguments(inner), st.just(SPAN))


def paths(inner):
    ends = st.none() | inner
    slices = st.builds(t.Slice, ends, ends, st.just(SPAN))
    steps = st.builds(t.Step, names, st.lists(inner | slices, max_size=2).map(tuple), st.just(SPAN))
    return st.builds(t.Path, st.lists(steps, min_size=1, max_size=3).map(tuple), st.just(SPAN))


expressions = st.recursive(quantities | texts | paths(quantities), _expressions, max_leaves=3)
rules = calls(expressions)
shapes = st.lists(expressions, max_size=2).map(tuple)
plain_paths = paths(quantities)


def some(strategy, least=1):
    return st.lists(strategy, min_size=least, max_size=2).map(tuple)


cells = st.builds(t.Cell, st.none() | names, names, st.just(SPAN))
kinds = st.sampled_from(["input", "output", "node", "ground"])
terminals = plain_paths | st.builds(t.Pair, plain_paths, plain_paths, st.just(SPAN))
network_statements = st.one_of(
    st.builds(t.Port, kinds, names, shapes, st.none() | names, st.just(SPAN)),
    st.builds(t.Alias, kinds, names, some(terminals), st.just(SPAN)),
    st.builds(t.Supply, names, expressions, st.just(SPAN)),
    st.builds(t.Instance, names, cells, shapes, arguments(expressions), st.just(SPAN)),
    st.builds(
        t.Connection, names, some(plain_paths), st.none() | some(plain_paths), rules, cells,
        arguments(expressions), st.just(SPAN),
    ),
)  # fmt: skip
networks = st.builds(
    t.Network, names, some(st.builds(t.Parameter, names, expressions, st.just(SPAN)), 0),
    some(network_statements, 0), st.just(SPAN),
)  # fmt: skip


def assignments(word):
    return st.builds(t.Assignment, st.just(word), plain_paths, expressions, st.just(SPAN))


def settings_of(word, values):
    return st.builds(t.Setting, st.just(word), values.map(lambda v: (v,)), st.just(SPAN))


transients = st.builds(
    t.Setting, st.just("transient"), st.tuples(expressions, expressions), st.just(SPAN)
)
seeds = settings_of("seed", expressions)
task_statements = st.one_of(
    st.builds(t.Data, rules, some(expressions, 0), st.just(SPAN)),
    assignments("drive"), assignments("target"), settings_of("decode", rules),
    settings_of("cost", rules), st.builds(t.Measure, plain_paths, st.none() | plain_paths, st.just(SPAN)),
)  # fmt: skip
train_statements = st.one_of(
    st.builds(t.Vary, some(plain_paths), rules, st.just(SPAN)),
    settings_of("starts", expressions), settings_of("shots", expressions),
    settings_of("bits", expressions),
    st.builds(t.Learn, some(plain_paths), st.none() | expressions, rules, st.just(SPAN)),
    settings_of("update", rules), settings_of("epochs", expressions),
    settings_of("batch", expressions), seeds, transients,
)  # fmt: skip
simulate_statements = st.one_of(
    assignments("drive"), st.builds(t.Record, some(plain_paths), st.just(SPAN)), seeds, transients
)


def experiments(kind, statements):
    return st.builds(t.Experiment, st.just(kind), names, names, some(statements, 0), st.just(SPAN))


units = st.builds(
    t.Unit,
    some(st.builds(t.Import, names, st.just(SPAN)), 0),
    some(networks, 0),
    st.lists(
        experiments("task", task_statements)
        | experiments("train", train_statements)
        | experiments("simulate", simulate_statements),
        max_size=3,
    ).map(tuple),
    st.just(Source("<made>", "")),
)


@given(units)
def test_what_is_printed_reads_as_the_same(unit: t.Unit) -> None:
    text = format_unit(unit)
    again = read(text)
    assert again == unit
    assert format_unit(again) == text


@pytest.mark.parametrize("file", [*EXAMPLES, *BAD], ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_files_print_and_read_as_the_same(file: Path) -> None:
    unit = parsing.parse(Source(file.name, file.read_text("utf-8")), Sink())
    assert unit is not None
    assert read(format_unit(unit)) == unit


# ---------------------------------------------------------------- lines

SHORT = "network N { input a; r: connect a -> b by f(x = 1 V) using lib.cell(g ~ u(1, 2)) }"


@pytest.mark.parametrize(
    "text",
    [
        "network N {\n input a\n r: connect a -> b by f(x = 1 V) using lib.cell(g ~ u(1, 2))\n}",
        "network N {\n\n  input a # comment; with a semicolon\n\n r: connect a\n -> b\n by f(x =\n"
        " 1 V)\n using lib.cell(\n g ~ u(1,\n 2\n)\n)\n}\n",
        "network N { input a\n r: connect a -> b # one; two\n # three\n\n by f(x = 1 V) using lib.cell"
        "(g ~ u(1, 2))\n} # the end; really",
        ";;\nnetwork N { ; input a ;; r: connect a -> b by f(x = 1 V) using lib.cell(g ~ u(1, 2)); };",
        SHORT.replace(";", "\r\n"),
        SHORT.replace(" ", "\t"),
        "# only a comment\n" + SHORT,
    ],
)
def test_where_statements_go_on(text: str) -> None:
    assert read(text) == read(SHORT)


@pytest.mark.parametrize("text", ["", "\n", "# nothing", ";", " \t\r\n", "\n\n# a\n;\n# b\n"])
def test_empty_texts(text: str) -> None:
    assert read(text) == t.Unit((), (), (), Source("", ""))


@pytest.mark.parametrize(
    "text",
    [
        "network N {" + "\n" * 20_000 + "r: connect a\n" + "\n" * 20_000 + "by f using c() }",
        "network N {" + " " * 100_000 + "\n" + ";" * 100_000 + "}",
        "#" + "x;" * 100_000 + "\nnetwork N { }",
        "network N { r: c(" + ", ".join(["a"] * 5_000) + ") }",
    ],
    ids=["blank-lines", "blanks", "comment", "arguments"],
)
def test_long_texts_are_read_quickly(text: str) -> None:
    assert read(text).networks


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("network N {\n inptu a\n outptu b\n}", ["2:2 `inptu` begins no statement",
                                                 "3:2 `outptu` begins no statement"]),
        ("network N {\n input a[2\n output b\n}", ["2:9 `[` is not closed"]),
        ("network N {\n r: c(a,\n g = (1\n s: c(b)\n}", ["3:6 `(` is not closed"]),
        ("network N {\n input a,\n output b\n}", ["2:9 nothing follows `,`"]),
        ("network N {\n supply a = 1 V +\n}", ["2:17 nothing follows `+`"]),
        ("network N {\n input a\ntask T for N { }", ["1:11 `{` is not closed"]),
        ("network N {\n input a", ["1:11 `{` is not closed"]),
        ("network N { }\n}\nnetwork M { x }", ["2:1 `}` closes nothing",
                                              "3:13 `x` begins no statement"]),
        ("network N { r: c(f = \"a) }", ["1:22 the quoted text does not end on its line"]),
        ("network N { r: c(f = \"a\\b\") }", ["1:22 a quoted text cannot hold a backslash"]),
        ("network N { r: c(\x1b[31m) }", ["1:18 the character U+001B is not expected here"]),
        ("nonsense\nnetwork N { input }", ["1:1 `nonsense` is not expected here",
                                          "2:19 `}` is not expected here"]),
    ],
)  # fmt: skip
def test_one_error_for_one_mistake(text: str, expected: list[str]) -> None:
    assert errors(text) == expected


def test_reading_stops_after_enough_errors() -> None:
    found = errors("network N {" + "\n x" * 100 + "\n}")
    assert len(found) == parsing.MOST_ERRORS


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000 + "1" + ")" * 10_000,
        "-" * 10_000 + "1",
        "1" + " + 1" * 10_000,
        "f(" * 10_000 + ")" * 10_000,
        "a[" * 10_000 + "0" + "]" * 10_000,
        "(1 + " * 5_000 + "1" + ")" * 5_000,
        " * ".join(["f(" * 20 + "1" + ")" * 20] * 200),
    ],
)
def test_depth_is_limited(text: str) -> None:
    (error,) = errors(f"network N {{\n supply a = {text}\n}}")
    assert error.endswith("this expression is too long, or nested too deeply")


@pytest.mark.parametrize(
    "text",
    [
        "a[" * 28 + "0" + "]" * 28,
        "f(x ~ " * 28 + "0" + ")" * 28,
        "-" * 110 + "1",
        "1" + " - 1" * 110,
        "(1 + " * 22 + "1" + ")" * 22,
    ],
)
def test_what_is_not_too_deep_is_evaluated(text: str) -> None:
    unit = read(f"network N {{\n supply a = {text}\n}}")
    assert read(format_unit(unit)) == unit
    (statement,) = unit.networks[0].statements
    assert isinstance(statement, t.Supply)
    evaluate(statement.value, {}, Sink(), names=True)


# ---------------------------------------------------------------- quantities


def value(text: str) -> tuple[object, list[str]]:
    """The value of an expression and the diagnostics' codes."""
    sink = Sink()
    statement = read(f"network N {{ supply a = {text} }}").networks[0].statements[0]
    assert isinstance(statement, t.Supply)
    return evaluate(statement.value, {}, sink), [d.code for d in sink.found]


@pytest.mark.parametrize(
    ("text", "expected", "symbol"),
    [
        ("10 kohm", 1e4, "ohm"), ("10kohm", 1e4, "ohm"), ("1.5 pF", 1.5e-12, "F"), ("5 uS", 5e-6, "S"),
        ("5 µS", 5e-6, "S"), ("5 μS", 5e-6, "S"), ("3 MS", 3e6, "S"), ("3 mS", 3e-3, "S"),
        ("90 deg", 1.5707963267948966, "rad"), ("3 GHz", 3e9, "Hz"), ("50 %", 0.5, ""), ("2", 2.0, ""),
        ("2 uS/V^2", 2e-6, "S/V^2"), ("1 kohm * 2 mA", 2.0, "V"), ("1 V / 2 kohm", 5e-4, "A"),
        ("1 / 10 kohm", 1e-4, "S"), ("-1 V + 3 V", 2.0, "V"), ("2 * (1 V - 3 V)", -4.0, "V"),
        ("1e3 V", 1e3, "V"), ("1e-3V", 1e-3, "V"), ("8 V / 2 / 2", 2.0, "V"), ("--1 V", 1.0, "V"),
        ("1 V*s", 1.0, "Wb"), ("1 Ω", 1.0, "ohm"), ("1 s^-1", 1.0, "Hz"),
    ],
)  # fmt: skip
def test_quantities(text: str, expected: float, symbol: str) -> None:
    found, codes = value(text)
    assert not codes
    assert isinstance(found, Number)
    assert found.value == pytest.approx(expected, rel=1e-15)
    assert found.dimension == unit(symbol).dimension


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1 v", "unknown-unit"), ("1 KOHM", "unknown-unit"), ("1 foot", "unknown-unit"),
        ("1 S/n", "unknown-unit"), ("1 V + 1 A", "unit-mismatch"), ("1 V + 1", "unit-mismatch"),
        ("1 V .. 1 A", "unit-mismatch"), ("1 / 0", "out-of-range"), ("1e999 V", "out-of-range"),
        ("1e300 V * 1e300", "out-of-range"), ("1 / 1e-320", "out-of-range"),
        ("1e5e5", "unknown-unit"), ("n", "unknown-name"), ('"a" + 1', "wrong-kind"), ("f(1) * 2", "wrong-kind"),
    ],
)  # fmt: skip
def test_wrong_quantities(text: str, code: str) -> None:
    found, codes = value(text)
    assert codes == [code]
    assert isinstance(found, Unknown)


@given(st.text(max_size=12) | st.from_regex(r"[a-zA-Zµ%]{1,4}([*/^][a-zA-Z0-9-]{1,3}){0,3}"))
def test_any_text_is_a_unit_or_is_not(text: str) -> None:
    try:
        found = unit(text)
    except UnknownUnit:
        assert not is_unit(text)
        return
    assert is_unit(text)
    assert found.factor > 0
    assert describe(found.dimension)


@given(st.floats(-1e14, 1e14), st.sampled_from(["ohm", "S", "V", "s", "S/V^2", "m", "", "deg"]))
def test_numbers_are_spelled_as_they_read(number: float, symbol: str) -> None:
    text = spelled(number, symbol)
    found, codes = value(text.replace("e+", "e"))
    assert not codes
    assert isinstance(found, Number)
    assert found.value == pytest.approx(number, rel=1e-5, abs=1e-300)
    assert found.dimension == (unit(symbol).dimension if symbol else PLAIN)


def test_ranges_in_words() -> None:
    infinite = float("inf")
    assert in_range(0, 1) == "from 0 to 1"
    assert in_range(1e-12, 1e3, "S") == "from 1 pS to 1 kS"
    assert in_range(0, infinite, "s") == "at least 0 s"
    assert in_range(1e-300, infinite, "V") == "more than 0 V"
    assert in_range(-infinite, 5e-3, "V") == "at most 5 mV"


# ---------------------------------------------------------------- overrides

FILE = """
import resistive
network Half(g = 1 uS) { input x; output y; up: resistor(x, y, g = g); down: resistor(y, gnd) }
task Ask for Half { data iris split 0.6; drive x = 1 V; target y = 0.5 V; decode nearest }
train Ask { learn up.g by coupled(nudge = 0.1, rate = 1 uS/V^2); update synchronous; epochs 3 }
simulate Look for Half { drive x = 1 V; transient 1 ms step 1 us }
"""


def overridden(*settings: str) -> tuple[str, list[str]]:
    sink = Sink()
    return format_unit(apply_overrides(read(FILE), settings, sink)), [d.message for d in sink.found]


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ("train.epochs=5", "epochs 5"), ("Ask.epochs = 2 * 3", "epochs 2 * 3"),
        ("train.seed=4", "seed 4"), ("train.batch=7", "batch 7"), ("simulate.seed=1", "seed 1"),
        ("Half.g=2 uS", "network Half(g = 2 uS) {"),
        ("train.learn.rate=3 uS/V^2", "learn up.g by coupled(nudge = 0.1, rate = 3 uS/V^2)"),
        ("train.learn.in=1 uS .. 1 mS",
         "learn up.g in 1 uS .. 1 mS by coupled(nudge = 0.1, rate = 1 uS/V^2)"),
        ("train.learn=coupled_sign(nudge = 0.2, size = 1 uS)",
         "learn up.g by coupled_sign(nudge = 0.2, size = 1 uS)"),
        ("task.drive.x=scaled(features, 0 V .. 5 V)", "drive x = scaled(features, 0 V .. 5 V)"),
        ("task.target.y=0.25 V", "target y = 0.25 V"),
        ("simulate.drive.x=sine(0 V, 1 V, 1 kHz)", "drive x = sine(0 V, 1 V, 1 kHz)"),
        ("train.update=asynchronous(p = 0.5)", "update asynchronous(p = 0.5)"),
        ("train.update=synchronous", "update synchronous"),
        ("task.data=wine", "data wine split 0.6"), ("task.data.split=0.5, 0.2", "data iris split 0.5, 0.2"),
        ("task.decode=argmax", "decode argmax"),
        ("simulate.transient.stop=2 ms", "transient 2 ms step 1 us"),
        ("Look.transient.step=2 us", "transient 1 ms step 2 us"),
    ],
)  # fmt: skip
def test_overrides(setting: str, line: str) -> None:
    text, wrong = overridden(setting)
    assert not wrong
    assert line in [x.strip() for x in text.splitlines()]


def test_the_last_override_wins() -> None:
    assert "epochs 6" in overridden("train.epochs=5", "train.epochs=6")[0]


@given(
    st.text(max_size=30)
    | st.builds(
        "{}.{}={}".format,
        st.sampled_from(["train", "task", "simulate", "Half", "Ask", "Look", "x"]),
        st.sampled_from(["epochs", "g", "seed", "data", "data.split", "learn", "learn.rate", "learn.in", "drive.x", "target.y", "update", "transient", "x.y"]),
        st.sampled_from(["", "1", "1 V", "f(x)", "a, b", '"t"', "(", "-", "a[", "1 ..", "~", "é", "\n"])
        | st.text(max_size=5),
    )
)  # fmt: skip
def test_any_override_is_applied_or_reported(setting: str) -> None:
    compilation = Compilation(Source("<text>", FILE), overrides=(setting,))
    unit = compilation.syntax
    if not compilation.sink.found:
        assert read(format_unit(unit)) == unit
