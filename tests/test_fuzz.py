"""No input gives a traceback, hangs, runs a command, or reads a file that it should not.

Texts come from the grammar, from programs that are nearly right, and from bytes that are nearly those of
the examples. Every one is checked with all its experiments, its diagnostics are rendered, and whatever
is accepted is emitted. `HYPOTHESIS_PROFILE=long pytest tests/test_fuzz.py` looks longer.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.lark import from_lark

from tellegen.bench import Bench
from tellegen.cells.library import load_all
from tellegen.cli import main
from tellegen.diagnostics import Sink, as_json, render
from tellegen.emit.spice import Emitted
from tellegen.files import Files
from tellegen.pipeline import Build, Compilation, open_file
from tellegen.sims.check import check_experiments
from tellegen.sims.ngspice.deck import run_decks
from tellegen.sims.ngspice.netlist import checked_netlist
from tellegen.sims.simulation.binding import bind_simulation
from tellegen.sims.sorts import bind_train
from tellegen.source import Source
from tellegen.syntax.format import format_unit
from tellegen.syntax.parse import parse, parser

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.tgn"))
BAD = sorted((ROOT / "tests" / "bad").glob("*/*.tgn"))
LONGEST = 60.0  # seconds for one input, on a busy machine
LONG = pytest.mark.skipif(settings().max_examples < 1000, reason="HYPOTHESIS_PROFILE=long runs it")

# ---------------------------------------------------------------- what happens meanwhile

COMMANDS = (
    "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty", "subprocess.Popen",
    "pty.spawn", "socket.", "urllib.", "ftplib.", "smtplib.", "webbrowser.", "ctypes.dlopen",
)  # fmt: skip
OWN = [
    *(ROOT / folder for folder in ("compiler", "grammar", "cells", "sims")),
    *(Path(p).resolve() for p in sys.path if p),
    Path(sys.prefix).resolve(),
    Path(sys.base_prefix).resolve(),
]
_happened: list[str] | None = None


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _happened is None:
        return
    if event.startswith(COMMANDS):
        _happened.append(f"{event} {arguments!r}")
    elif event in ("open", "os.listdir", "os.scandir", "os.remove", "os.rename", "os.mkdir"):
        _happened.append(f"{event} {os.fsdecode(arguments[0])!s}" if _named(arguments) else event)


def _named(arguments: tuple[Any, ...]) -> bool:
    return bool(arguments) and isinstance(arguments[0], str | bytes | os.PathLike)


sys.addaudithook(_audit)


@contextmanager
def harmless(*folders: Path) -> Iterator[None]:
    """Nothing is run, and nothing read but our own code and what lies in the given folders."""
    global _happened
    _happened = []
    try:
        yield
    finally:
        happened, _happened = _happened, None
    allowed = [*OWN, *(f.resolve() for f in folders)]
    for what in happened:
        event, _, name = what.partition(" ")
        assert not event.startswith(COMMANDS), what
        assert event in ("open", "os.listdir", "os.scandir"), what
        if not name or name.isdigit():
            continue  # a file that is open already
        path = Path(name).resolve()
        assert any(path.is_relative_to(a) for a in allowed), what


@pytest.fixture(scope="module", autouse=True)
def everything_is_loaded() -> None:
    """Load what is loaded lazily, so that a test sees the reading of inputs alone."""
    for file in EXAMPLES:
        check(open_file(file))


def check(compilation: Compilation) -> Sink:
    """What `tellegen check` and then `tellegen compile` do."""
    start = time.perf_counter()
    compilation.check()
    check_experiments(compilation)
    sink = compilation.sink
    for diagnostic in sink.found:
        text = render(diagnostic)
        assert all(c.isprintable() for line in text.split("\n") for c in line)
    assert len(json.loads(as_json(sink.found))) == len(sink.found)
    for netlist in netlists(compilation) if not sink.errors else ():
        check_netlist(netlist)
    assert time.perf_counter() - start < LONGEST
    return sink


def netlists(compilation: Compilation) -> Iterator[str]:
    """The netlist of every experiment and every network of a sound file."""
    for kind, name in compilation.experiments:
        if kind == "train":
            yield bind_train(compilation, name).plan.netlist
        elif kind == "simulate":
            yield bind_simulation(compilation, name).plan.netlist
    for name in compilation.networks:
        # A network that is meant as a cell may lack what only its surroundings give it.
        compiled = compilation.sound(name, Build(), standalone=False)
        if compiled is not None:
            emitted = compiled.emit(Bench(clamps=tuple(compiled.circuit.top.outputs)))
            check_manifest(emitted)
            yield emitted.netlist


NAME = r"[a-zA-Z0-9_]+"
NUMBER = r"-?\d+(\.\d+)?(e[+-]?\d+)?"
CARDS = [
    rf"\.options method=(gear|trap)( [a-z]+={NUMBER})*",
    rf"X{NAME}( {NAME})+( {NAME}={NUMBER})*",  # instances
    rf"[VI]{NAME} {NAME} {NAME} (dc {NUMBER}|(pulse|sin|pwl)\({NUMBER}( {NUMBER})*\))",  # inputs
    rf"[VR]{NAME} {NAME} {NAME} {NUMBER}",  # supplies, switches of clamps, ties
    rf"\.subckt( {NAME})+",
    rf"\.ends {NAME}",
    r"\.op|\.end",
    rf"\.tran {NUMBER} {NUMBER}( {NUMBER} {NUMBER})?",
    rf"\.print tran( v\({NAME}(,{NAME})?\))+",  # what `ngspice -b` shows of it
]
CELL_TEXTS = [
    definition.text.rstrip("\n")
    for lib in load_all()
    for cell in lib.cells.values()
    for level in cell.levels.values()
    for definition in level.definitions
]


def check_netlist(netlist: str) -> None:
    """Every card is one that the emitter means to write; cells stand in it as their files have them."""
    checked_netlist(netlist)
    for text in CELL_TEXTS:
        netlist = netlist.replace(text, "")
    cards: list[str] = []
    for line in netlist.split("\n"):
        assert all(c.isprintable() for c in line)
        if line.startswith("*"):
            assert line.startswith("* ")  # `*#` would be a command
        elif line.startswith("+ "):
            cards[-1] += line[1:]
        elif line:
            cards.append(line)
    for card in cards:
        assert any(re.fullmatch(known, card) for known in CARDS), card


def check_manifest(emitted: Emitted) -> None:
    """The manifest's positions are those nodes on which the sources and clamps of the netlist stand."""
    cards = {line.split()[0].lower(): line.split() for line in emitted.netlist.split("\n") if line}
    names = [*emitted.manifest.nodes, "0"]
    for port in emitted.manifest.inputs.values():
        for source, high, low in zip(port.sources, port.positive, port.negative, strict=True):
            ends = [names[high], names[low]]
            assert cards[source][1:3] == (ends[::-1] if port.kind == "current" else ends)
    for port in emitted.manifest.outputs.values():
        clamps = zip(port.switches, port.sources, port.positive, port.negative, strict=True)
        for switch, source, high, low in clamps:
            assert cards[switch][1] == names[high]
            assert cards[source][2] == names[low]


# ---------------------------------------------------------------- programs that are nearly right

pick = st.sampled_from


def mostly(good: list[Any], odd: list[Any]) -> st.SearchStrategy[Any]:
    """One of the good ones, or now and then an odd one."""
    return st.integers(0, 11).flatmap(lambda k: pick(odd if k == 11 else good))


def line(template: str, *strategies: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*strategies).map(lambda parts: template.format(*parts))


SIZE = mostly(["1", "2", "3", "4", "n"], ["0", "-1", "2.5", "300", "1000000000", "1 V", "z"])
NODE = mostly(
    ["x", "y", "h", "x[0]", "h[0]", "y[0]"],
    [
        "gnd",
        "z",
        "x[9]",
        "h[0:2]",
        "x[0:1]",
        "unit.b",
        "e0.n",
        "n",
        "h[-1]",
        "h[0][0]",
        "h[0, 0]",
        "(x, h)",
    ],
)
ONE = mostly(
    ["x[0]", "y[0]", "h[0]", "gnd"], ["x", "h[7]", "z", "1 V", '"h"', "e0.n", "unit", "h[0:0]"]
)
VALUE = mostly(
    ["1 uS", "2.5 uS", "1 / 10 kohm", "g", "2 * g", "g + 1 uS", "-(-1 uS)", "0.1 mS"],
    ["2 kohm", "1", "0", "-1", "3 V", "n", "1e308", "1e999", "1 uS .. 2 uS", "(1 uS, 2 uS)", '"text"',
     "1 / 0", "uniform(1 uS, 2 uS)", "true", "1000000000", "-1e300 S", "1e-300 S", "1 uS/V^2"],
)  # fmt: skip
DRAW = mostly(
    ["uniform(1 uS, 10 uS)", "loguniform(0.3 uS, 10 uS)", "lognormal(1 uS, 0.3)",
     "truncated_normal(5 uS, 1 uS, 1 uS, 9 uS)", "normal(mean = 5 uS, sd = 1 nS)"],
    ["integers(1, 5)", "uniform(2 uS, 1 uS)", "normal(1 uS, 1e300 S)", "integers(0, 1e300)", "odd(1)",
     "uniform(-1e308 S, 1e308 S)", "lognormal(1 uS, 1e10)", "truncated_normal(1 uS, 0 S, 2 uS, 3 uS)",
     "loguniform(1e-300 S, 1e300 S)", "1 uS", "uniform", "truncated_normal(1 uS, 1 uS, 9 uS, 2 uS)"],
)  # fmt: skip
ARGUMENT = st.one_of(
    line("g = {}", VALUE),
    line("g ~ {}", DRAW),
    mostly(
        ["g = 1 uS"],
        ["", "c = 1 pF", "g = 1 uS, g = 2 uS", "p = x", "q = 1", "n = gnd", "code ~ odd"],
    ),
)
EDGE = mostly(
    ["resistor", "resistive.resistor", "Unit"],
    ["capacitor", "digipot", "diode", "nmos_edge_ground", "voltage_driver_ideal", "Top", "resistr", "a.b",
     "diode_rails", "current_driver", "bidirectional_amplifier"],
)  # fmt: skip
RULE = mostly(
    ["all_to_all", "pairwise_bernoulli(0.9)", "fixed_indegree(1)", "fixed_outdegree(k = 1)",
     "fixed_total_number(1)", "all_to_all(autapses = true)", "fixed_indegree(2, multapses = true)",
     'edges("edges.csv")'],
    ["one_to_one", "grid(2, 2)", "torus(2, 3)", "pairwise_bernoulli(p = 2)", "grid(1, 1)", "edges", "any",
     "fixed_total_number(1000000000)", "fixed_indegree(10000000, multapses = true)", "pairwise_bernoulli(0)",
     'edges("../secret.csv")', 'edges("/etc/passwd")', 'edges("edges.csv/../../x")', 'edges("folder")',
     'edges("link.csv")', 'edges("pipe")', 'edges("/dev/stdin")', 'edges("")', 'edges("wide.csv")',
     'edges("broken.csv")', 'edges("~/x")', 'edges("file:///etc/passwd")', 'edges("http://localhost/x")'],
)  # fmt: skip
CONNECTION = st.one_of(
    line("connect {} -> {} by {} using {}({})", NODE, NODE, RULE, EDGE, ARGUMENT),
    line("connect {} by {} using {}({})", mostly(["h", "(x, h)", "(h, y)"], ["x[0]", "z", "(x, x)"]),
         RULE, EDGE, ARGUMENT),
)  # fmt: skip
INSTANCE = st.one_of(
    line("{}({}, {}, {})", EDGE, ONE, ONE, ARGUMENT),
    line("resistor[{}]({}, {}, {})", SIZE, ONE, ONE, ARGUMENT),
    line("Unit[{}]({}, {})", SIZE, ONE, ONE),
    line("digipot({}, {}, code = {}, levels = 128, full = 100 kohm)", ONE, ONE,
         mostly(["1", "7", "128"], ["0", "129", "1.5", "1e9"])),
    line("diode({}, gnd)", ONE),
    line("capacitor({}, {}, c = {})", ONE, ONE, mostly(["1 pF"], ["0 F", "1 ohm", "-1 F"])),
)  # fmt: skip
OTHER = st.one_of(
    line("supply vdd = {}", mostly(["1 V", "-2.5 V"], ["1 A", "1e300 V", "x", "1 V / 0"])),
    line(
        "{} s = {}",
        mostly(["output", "input", "ground"], ["node"]),
        mostly(
            ["h[0]", "(h[0], y[0])", "h[0], y[0]", "e0"],
            ["gnd", "z", "e0[9]", "(x, y)", "x", "(gnd, gnd)"],
        ),
    ),
    line("input i{}", mostly(["", "[2]", ": current"], [": optical", ": odd", "[0]", ": spin"])),
    mostly(
        ["# a comment; with more"],
        ["node x", "node gnd", "supply x = 1 V", "e0: resistor(x[0], gnd)"],
    ),
)
SOUND = [
    "first: connect x -> h by all_to_all using resistor(g ~ uniform(1 uS, 10 uS))",
    "second: connect h -> y by all_to_all using resistor(g ~ uniform(1 uS, 10 uS))",
]
UNIT = [
    "network Unit(g = 1 uS) { input a; output b; r: resistor(a, b, g = g); s: resistor(b, gnd) }\n",
    "network Unit(g = 1 uS) { input a; output b; node m\n r: resistor(a, m, g ~ uniform(g, 2 * g))\n"
    " s: resistor(m, b, g = g)\n t: resistor[2](m, gnd) }\n",
    "network Unit { input a; output b; inner: Part(a, b) }\n"
    "network Part { input p; output q; r: connect p -> q by all_to_all using resistor() }\n",
    "network Unit { input a; output b; inner: Unit(a, b) }\n",
    "network Unit { input a[2]; output b; r: connect a -> b by all_to_all using resistor(g = 1 V) }\n",
]


@st.composite
def networks(draw: st.DrawFn) -> str:
    body = [f"input x[{draw(SIZE)}]", f"output y[{draw(SIZE)}]", f"node h[{draw(SIZE)}]", *SOUND]
    for k, what in enumerate(draw(st.lists(INSTANCE | CONNECTION, max_size=3))):
        body.append(f"e{k}: {what}")
    body += draw(st.lists(OTHER, max_size=1))
    if not draw(st.integers(0, 9)):
        body = draw(st.permutations(body))[draw(st.integers(0, 1)) :]
    return f"network Top(n = {draw(SIZE)}, g = 1 uS) {{\n    " + "\n    ".join(body) + "\n}\n"


COLUMNS = mostly(
    ["1 V", "scaled(a, 0 V .. 5 V)", "scaled(features, 1 V .. 0 V)", "standardized(a, 0 V, 1 V)",
     "times(b, 1 mV)"],
    ["features", "1 mA", "class", "f(x)", "concat()", "times(features, 0 V .. 1 V)", "scaled(1 V, 1 V)",
     "x", "1 V .. 2 V", "concat(scaled(a, 0 V .. 1 V), 1 V)", "1 V, 2 V", "dc(1 V)", "onehot", '"a"',
     "times(a, 1e308 V)", "scaled(scaled(a, 0 V .. 1 V), 0 A .. 1e300 A)"],
)  # fmt: skip
DATA = mostly(
    ['csv("data.csv", label = "kind")', 'csv("data.csv", label = "kind") split 0.7, 0.2'],
    ["iris", 'csv("edges.csv")', "nothing", 'csv("../secret.csv")', 'csv("/etc/passwd")', 'csv("pipe")',
     'csv("broken.csv")', "csv", "_sklearn", "__init__", "csv(1)", "iris split 0", "iris split 0.5, 0.6",
     'csv("data.csv")', 'csv("data.csv", label = "a")', "iris split 1 V", 'csv("data.csv", "kind") split 1'],
)  # fmt: skip
TARGET = mostly(
    ["class_mean(amplify = 2)", "0.5 V", "times(a, 1 V)"],
    [
        "class_mean",
        "1",
        "onehot(class, 0 V, 1 V)",
        "q",
        "code(low = 0 V, high = 1 V)",
        'code("x 1", "y 0", low = 0 V, high = 1 V)',
        'code("x", 1, "", low = 0 V, high = 1 A)',
    ],
)
TASK = line(
    "task T for {} {{\n data {}\n drive x = {}\n target y = {}\n{}}}\n",
    mostly(["Top"], ["Unit", "None"]), DATA, COLUMNS, TARGET,
    mostly([""], [" decode nearest\n", " decode argmax\n", " drive i = 1 V\n", " drive x = 1 V\n", " decode q\n"]),
)  # fmt: skip
TRAIN = line(
    "train T {{\n learn {}{} by {}\n update {}\n epochs {}\n batch 2\n seed {}\n{}}}\n",
    mostly(["first.g", "first.g, second.g"], ["e0.g", "e1.inner.r.g", "first", "x", "first.g, first.g"]),
    mostly(["", " in 1 uS .. 2 uS"], [" in 2 uS .. 1 uS", " in 1 V", " in 1 V .. 2 V", " in 1 uS"]),
    mostly(["coupled(nudge = 0.5, rate = 1 uS/V^2)", "coupled_sign(nudge = 0.1, size = 1 nS)"],
           ["coupled(0.5, 1 uS)", "coupled", "os(1)", "__init__(1)", "coupled(2, 1 uS/V^2)"]),
    mostly(["synchronous", "asynchronous(p = 0.5)"], ["asynchronous", "never", "asynchronous(2)"]),
    mostly(["1", "40"], ["0", "1000000000", "1.5", "1 s"]),
    mostly(["1", "0"], ["-1", "9007199254740993", "1e300", "x"]),
    mostly([""], [" transient 1 ms step 1 us\n", " transient 1 us step 1 ms\n", " transient 1 V step 1\n",
                 " transient 1 ms step 1 us\n window 0.5 ms .. 1 ms\n", " window 0 s .. 1 s\n"]),
)  # fmt: skip
SERIES = line(
    "task R for {} {{\n data {}\n drive x = {}\n target {}\n{}}}\n"
    "train R {{\n learn {} by {}\n {}\n washout {}\n{}}}\n",
    mostly(["Top"], ["Unit", "None"]),
    mostly(["sine_square(periods = 4) split 0.6, 0.2", 'csv("data.csv", label = "kind")'], ["narma10(19)", "iris"]),
    mostly(["hold(times(signal, 1 V), 1 ms)", "hold(times(signal, 1 V), 1 ms, mask = binary(3), bias = 1 V)"],
           ["hold(signal, 1 ms)", "hold(times(a, 1 V), 1 s, mask = (1, -1))", "hold(times(signal, 1 V), 1 V)", "1 V",
            "hold(times(signal, 1 V), 1 ms, mask = 1 V)", "hold(1 V, 1 ms, mask = odd(3))", "hold()", "hold",
            "hold(hold(1 V, 1 ms), 1 ms)", "hold(times(signal, 1 V), 1 ms, mask = (1, x))"]),
    mostly(["class"], ["a", "q", "y = 1 V", "f(x)", "y = class", "class, a"]),
    mostly([""], [" decode nearest\n", " drive x = 1 V\n", " target class\n"]),
    mostly(["readout"], ["readout, first.g", "readout in 0 .. 1", "first.g", "readout[0]"]),
    mostly(["ridge(alpha = 1e-6)", "ridge(alpha = (1e-6, 1))"], ["ridge", "ridge(-1)", "coupled", "ridge(x)", "os(1)"]),
    mostly(["transient step 10 us"], ["transient 1 ms step 1 us", "transient step 1 s", "transient step"]),
    mostly(["0", "4"], ["1000", "-1", "1.5", "x"]),
    mostly(["", " record y\n"], [" record q\n", " record x, x\n", " epochs 3\n", " washout 1\n"]),
)  # fmt: skip
QUBIT = """import photonic
network Q {{
    input a[2]: optical
    output y[2]: optical
    node u[2]: optical
    mesh: connect a -> u by clements using mzi(level = gains)
    basis: connect u -> y by clements using mzi()
}}
"""
VARY = line(
    QUBIT + "task V for {} {{\n drive a = {}\n measure {}\n cost {}\n{}}}\n"
    "train V {{\n vary {} by {}\n starts {}\n{}}}\n",
    mostly(["Q"], ["Top", "None"]),
    mostly(["1 W, 0 W", "amplitudes((1, 0), (0, 1))"],
           ["0 W", "amplitudes(a)", "1 V", "amplitudes(1 W)", "amplitudes", "light(1 W)", "1e300 W", "-1 W"]),
    mostly(["y in basis"], ["y", "x", "y in mesh", "y in q", "y[0] in basis", "y in basis[0]", "basis in y"]),
    mostly(["pauli_sum(Z = 1 Ha, X = 0.5 eV)", "pauli_sum(I = 1)", 'hermitian("pauli.csv", scale = 1 Ha)'],
           ["pauli_sum(ZZ = 1)", "pauli_sum(A = 1)", "pauli_sum()", "pauli_sum", "pauli_sum(Z = x)",
            "pauli_sum(Z = 1 V)", "pauli_sum(Z = 1e300 Ha, X = 1e300 Ha)", "pauli_sum(Z ~ 1)",
            'hermitian("../secret.csv")', 'hermitian("data.csv")', "hermitian(1)", 'compiling("/dev/zero")',
            'compiling("pauli.csv")', "classifying(1, 2)", "classifying(a)", "os(1)"]),
    mostly([""], [" data iris\n", ' data csv("data.csv", label = "kind")\n', " target y = 1 V\n", " decode nearest\n"]),
    mostly(["mesh.theta, mesh.phi"], ["mesh.theta, mesh.theta", "basis.phi", "mesh.loss", "q", "mesh.theta[0]"]),
    mostly(["bfgs(flat = 1 mHa)", "adam(steps = 3)"],
           ["bfgs", "bfgs(flat = -1)", "adam(rate = 1 V)", "adam(steps = 0)", "coupled(0.5, 1)", "os(1)"]),
    mostly(["1", "3"], ["0", "-1", "1e9", "1.5", "x"]),
    mostly(["", " shots 10\n", " bits 8\n"], [" bits 1\n", " shots 0\n", " epochs 2\n", " learn q by r\n"]),
)  # fmt: skip
WAVE = mostly(
    ["1 V", "dc(1 V)", "pulse(0 V, 1 V, width = 1 us)", "sine(0 V, 1 V, 1 kHz, phase = 90 deg)",
     "pwl((0 s, 0 V), (1 ms, 1 V))", 'csv("wave.csv", scale = 1 V)'],
    ["1 V, 2 V", "1 mA", "x", "f(x)", 'csv("../secret.csv")', "pwl((1 ms, 0 V), (0 s, 1 V))", "pwl()",
     "sine(0 V, 1e308 V, 1e308 Hz)", 'csv("wave.csv", column = 9)', 'csv("edges.csv")', "pwl(1)", "dc",
     'csv("pipe")', 'csv("/dev/zero")', "pwl((1 ms, 0 V, 2 V))", "0 V .. 1 V", 'pulse("a")'],
)  # fmt: skip
SIMULATION = line(
    "simulate S for {} {{\n drive x = {}\n record {}\n{}}}\n",
    mostly(["Top"], ["Unit", "None"]), WAVE,
    mostly(["y", "y, h", "first.drop", "h[0]", "x, second.drop"], ["unit.y", "q", "e0.drop", "h[99]", "first"]),
    mostly(["", " transient 1 ms step 1 us\n"],
           [" transient 1e300 s step 1 s\n", " transient 1 us step 1 ms\n", " transient 0 s step 0 s\n"]),
)  # fmt: skip


@st.composite
def programs(draw: st.DrawFn) -> str:
    parts = [
        draw(
            mostly(["import resistive\n"], ["import ../../x\n", "import os\n", "", 'import "a"\n'])
        )
    ]
    unit = draw(mostly(UNIT[:3], UNIT[3:]))
    top = draw(networks())
    parts += [top, unit] if draw(st.booleans()) else [unit, top]
    blocks = draw(
        mostly(
            [
                (),
                (TASK,),
                (TASK, TRAIN),
                (SIMULATION,),
                (TASK, TRAIN, SIMULATION),
                (SERIES,),
                (VARY,),
            ],
            [(TRAIN,)],
        )
    )
    parts += [draw(block) for block in blocks]
    return "\n".join(parts)


BITS = [
    "(", ")", "[", "]", "{", "}", ",", ";", ":", "=", "~", "->", "..", "-", "*", "/", ".", '"', "#", "\\", "%",
    "\n", "\r", "\t", "\0", "\x1b[31m", "\x85", "\u2028", "\u00a0", "\ufeff", "\u202e", "é", "µ", "−", "“",
    "\U0001f600", "e\u0301", "ﬁ", "by", "using", "connect", "network", "input", "in", "split", "9" * 400,
    "1e9999", "0x10", "((((", "]]]]", "/etc/passwd", "../..", ".control", "*#", ".include", "`", "$(touch x)",
]  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> str:
    text = draw(texts)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        end = min(len(text), at + draw(pick([0, 0, 1, 2, 5, 20, 200])))
        text = text[:at] + draw(pick(BITS) | st.text(max_size=3)) + text[end:]
    return text


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder as a `.tgn` file may stand in, with a secret beside it."""
    with tempfile.TemporaryDirectory() as name:
        outside = Path(name)
        (outside / "secret.csv").write_text("0,1\n1,0\n")
        inside = outside / "inside"
        (inside / "folder").mkdir(parents=True)
        (inside / "edges.csv").write_text("source,target,g [uS]\n0,1,1\n1,0,2\n")
        (inside / "wide.csv").write_text("a,b,q [V],g [ohm]\n0,1,1,1\n")
        (inside / "data.csv").write_text("a,b,kind\n1,2,red\n3,4,blue\n5,6,red\n")
        (inside / "pauli.csv").write_text("0,1\n1,0\n")
        (inside / "wave.csv").write_text("0,0\n0.001,1\n")
        (inside / "broken.csv").write_bytes(b"a,b\n\xff\x00,1\n")
        (inside / "link.csv").symlink_to("../secret.csv")
        os.mkfifo(inside / "pipe")
        yield inside


def checked(text: str, folder: Path) -> Sink:
    with harmless(folder):
        return check(Compilation(Source("input.tgn", text), Files((folder,))))


# ---------------------------------------------------------------- the properties


@settings(max_examples=settings().max_examples // 2)
@given(programs())
def test_programs(folder: Path, text: str) -> None:
    checked(text, folder)


@given(mutated(programs()))
def test_mutated_programs(folder: Path, text: str) -> None:
    checked(text, folder)


def _spaced() -> dict[str, st.SearchStrategy[str]]:
    """Strategies for the words of the grammar, with the blanks that keep them apart."""
    found: dict[str, st.SearchStrategy[str]] = {
        "NAME": pick([f" {n} " for n in ("x", "y", "h", "first", "resistor", "all_to_all", "Top", "g", "iris")]),
        "QUANTITY": pick([f" {q} " for q in ("1", "2 V", "1 uS", "3 kohm", "0", "1e300 V", "10 xx")]),
        "STRING": pick([' "a.csv" ', ' "" ', ' "../secret.csv" ']),
        "PORT_KIND": pick([" input ", " output ", " node ", " ground "]),
        "_END": pick(["\n", ";", "\n\n # a; b\n"]),
    }  # fmt: skip
    for terminal in parser().terminals:
        if terminal.pattern.type == "str":
            found[terminal.name] = st.just(f" {terminal.pattern.value} ")
    return found


@settings(max_examples=settings().max_examples // 4)
@given(from_lark(parser(), start="start", explicit=_spaced()))
def test_texts_from_the_grammar(folder: Path, text: str) -> None:
    checked(text, folder)


@given(mutated(pick([f.read_text("utf-8") for f in (*EXAMPLES, *BAD)])))
def test_mutated_files(folder: Path, text: str) -> None:
    sink = checked(text, folder)
    unit = parse(Source("input.tgn", text), Sink())
    if unit is not None and not any(d.code == "syntax" for d in sink.found):
        again = parse(Source("printed.tgn", format_unit(unit)), Sink())
        assert again == unit


@st.composite
def mutated_bytes(draw: st.DrawFn) -> bytes:
    data = draw(pick(EXAMPLES)).read_bytes()
    data = draw(pick([b"", b"\xef\xbb\xbf", b"\xff\xfe"])) * (not draw(st.integers(0, 3))) + data
    if draw(st.booleans()):
        data = data.replace(
            b"\n", draw(pick([b"\r\n", b"\r", b"\n\n", b" ", b"\x0c", b"\xe2\x80\xa8"]))
        )
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(data)))
        end = at + draw(st.integers(0, 8))
        data = data[:at] + draw(st.binary(max_size=4)) + data[end:]
    return data


@given(mutated_bytes(), pick(["text", "json"]))
@example(b"", "json")
@example(b"\0" * 1000, "text")
@example(b"\xff" * 1000, "json")
@example("import resistive\n".encode("utf-16"), "text")
@example(b"network " + b"x" * 500_000 + b" {", "text")
@example(b"a" * 1_000_000, "text")
@example(b"(" * 1_000_000, "text")
@example(b"\n" * 1_000_000, "text")
@example(b"{" * 300_000, "text")
@example(b"x: " * 300_000, "text")
@example(b'"' * 300_000, "text")
@example(b"1" * 900_000, "text")
@example(b"network N { supply a = " + b"9" * 900_000 + b" V }", "json")
@example(b"network N { input " + b"a, " * 30_000 + b"b }", "text")
@example(b"network N { supply a = " + b"1 V + " * 100_000 + b"1 V }", "text")
@example(b"network N {\n" + b"x\n" * 400_000 + b"}", "text")
@example(b"network N {\n" + b"r: resistor(a, b\n" * 50_000 + b"}", "text")
@example(b"network N {\n" + b"r: resistor(a,\n" * 50_000 + b"}", "text")
@example(b"network N { x" + b"#\n" * 400_000 + b"}", "text")
@example(b"network N { r: connect a" + b"\n" * 800_000 + b" by }", "text")
@example(b"network N {\n" + b"r: resistor(a, b)\n" * 5_000 + b"}", "json")
@example(b"".join(b"network N%d { input a; r: c(a) }\n" % k for k in range(3_000)), "json")
@example(b"".join(b"import a%d\n" % k for k in range(3_000)), "text")
def test_files_of_any_bytes(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, how: str
) -> None:
    with tempfile.TemporaryDirectory() as name:
        file = Path(name, "input.tgn")
        file.write_bytes(data)
        start = time.perf_counter()
        with harmless(Path(name), ROOT / "examples"):
            result = CliRunner().invoke(main, ["check", str(file), *["--json"] * (how == "json")])
        assert time.perf_counter() - start < LONGEST
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code in (0, 1)
    if how == "json":
        assert isinstance(json.loads(result.stdout), list)


# ---------------------------------------------------------------- what a file may ask for

FAN = "import resistive\nnetwork Top {{\n input x[{}]\n output y[{}]\n e: connect x -> y by {} using resistor()\n}}"
PART = "network {} {{ input a; output b; r: {}[{}](a, b{}); s: resistor(b, gnd) }}\n"


def tower(height: int, drawn: str) -> str:
    """Networks of which each is made of two of the one below."""
    text = f"import resistive\nnetwork N0 {{ input a; output b; r: resistor(a, b{drawn}); s: resistor(b, gnd) }}\n"
    for k in range(height):
        text += f"network N{k + 1} {{ input a; output b; node m; u: N{k}(a, m); v: N{k}(m, b) }}\n"
    return text


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("network N { node a[1000000000] }", {"out-of-range"}),
        ("network N { node a[100000, 100000] }", {"out-of-range"}),
        ("network N { node a[1000, 1000]; node b[1000, 1000] }", {"out-of-range"}),
        (FAN.format(100_000, 100_000, "all_to_all"), {"out-of-range"}),
        (FAN.format(4_000, 4_000, "all_to_all"), {"out-of-range"}),
        (FAN.format(4_000, 4_000, "pairwise_bernoulli(0.9)"), {"out-of-range"}),
        (FAN.format(100, 100, "fixed_indegree(10000000, multapses = true)"), {"out-of-range"}),
        (FAN.format(100, 100, "fixed_total_number(10000000, multapses = true)"), {"out-of-range"}),
        ("import resistive\n" + PART.format("A", "resistor", 10_000, ", g ~ uniform(1 uS, 2 uS)")
         + PART.format("B", "A", 10_000, "") + PART.format("C", "B", 10_000, ""), {"out-of-range"}),
        ("import resistive\n" + PART.format("A", "resistor", 1, "")
         + PART.format("B", "A", 100_000, "") , {"out-of-range"}),
        (tower(19, ""), {"out-of-range"}),
        pytest.param(tower(19, ", g ~ uniform(1 uS, 2 uS)"), {"out-of-range"}, marks=LONG),
        (tower(300, ""), {"out-of-range"}),
    ],
)  # fmt: skip
def test_limits(folder: Path, text: str, codes: set[str]) -> None:
    sink = checked(text, folder)
    assert {d.code for d in sink.errors} - {"floating-node"} == codes


def test_a_million_mistakes_are_not_all_reported(folder: Path) -> None:
    text = (
        "import resistive\nnetwork N {\n"
        + "".join(f"r{k}: resistor(a, b)\n" for k in range(2_000))
        + "}"
    )
    assert 100 <= len(checked(text, folder).found) <= 500


# ---------------------------------------------------------------- the file itself


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("missing", 1, "missing-file"), ("empty", 0, ""), ("large", 1, "bad-file"), ("binary", 1, "bad-file"),
        ("fifo", 1, "bad-file"), ("unreadable", 1, "bad-file"), ("device", 1, "bad-file"), ("link", 0, ""),
        ("loop", 1, "missing-file"), ("folder", 2, ""), ("long-name", 1, "bad-file"), ("marked", 0, ""),
    ],
)  # fmt: skip
def test_files_of_any_kind(
    tmp_path: Path, kind: str, status: int, code: str, options: list[str]
) -> None:
    file = tmp_path / "input.tgn"
    match kind:
        case "empty":
            file.touch()
        case "large":
            with file.open("wb") as out:
                out.truncate(50_000_000)
        case "binary":
            file.write_bytes(b"network \xff { }")
        case "fifo":
            os.mkfifo(file)
        case "unreadable":
            file = Path(
                "/proc/self/mem"
            )  # an ordinary file that even root cannot read from its start
        case "device":
            file = Path("/dev/zero")
        case "link":
            file.symlink_to(ROOT / "examples" / "iris.tgn")
        case "loop":
            file.symlink_to(file)
        case "folder":
            file.mkdir()
        case "long-name":
            file = tmp_path / ("x" * 300)
        case "marked":
            file.write_bytes(b"\xef\xbb\xbfnetwork N { }\r\n")
    result = CliRunner().invoke(main, ["check", str(file), *options])
    assert isinstance(result.exception, SystemExit) or result.exception is None
    assert result.exit_code == status
    if options and status != 2:
        assert [d["code"] for d in json.loads(result.stdout)] == ([code] if code else [])
    elif code:
        assert f"error[{code}]: " in result.stderr


@pytest.mark.parametrize(
    "name", ["../secret.csv", "/etc/passwd", "link.csv", "folder/../../secret.csv"]
)
def test_files_outside_are_not_read(folder: Path, name: str) -> None:
    program = f"""import resistive
    network Top {{
        input x; output y
        a: resistor(x, y)
        b: resistor(y, gnd)
    }}
    network Other {{ input x; output y; e: connect (x, y) by edges("{name}") using resistor() }}
    task T for Top {{ data csv("{name}"); drive x = 1 V; target y = 1 V }}
    simulate S for Top {{ drive x = csv("{name}"); transient 1 ms step 1 us }}
    """
    assert {d.code for d in checked(program, folder).errors} == {"forbidden-file"}


def test_the_watch_sees_what_it_should(folder: Path) -> None:
    with pytest.raises(AssertionError, match="secret"), harmless(folder):
        (folder / ".." / "secret.csv").read_text()
    with pytest.raises(AssertionError, match=r"os\.system"), harmless(folder):
        os.system("true")


# ---------------------------------------------------------------- what reaches ngspice

GOOD = """import resistive
network Unit { input a; output b; r: resistor(a, b); s: resistor(b, gnd) }
network Top {
    input x[2]; output y; supply v = 1 V
    e: connect x -> y by edges("edges.csv") using resistor()
    f: Unit(x[0], y)
    g: resistor(v, y)
}
"""


@given(
    st.text(max_size=40)
    | st.lists(
        pick([*BITS, ".control\nshell touch pwned\n.endc", "\r\n", "*#", "+", "'"]), max_size=5
    ).map("".join)
)
def test_no_name_of_a_file_leaves_its_comment(folder: Path, name: str) -> None:
    (folder / "edges.csv").write_text("0,0\n1,0\n")
    compilation = Compilation(Source(name, GOOD), Files((folder,)))
    for netlist in [compilation.compile(n, seed=0).emit().netlist for n in ("Top",)]:
        check_netlist(netlist)
    for diagnostic in check(
        Compilation(Source(name, GOOD.replace("resistor", "x")), Files((folder,)))
    ).found:
        assert name.isprintable() or name not in render(diagnostic)


@pytest.mark.parametrize(
    "name", ["a\n.control\nquit\n.endc\n.tgn", "*#quit.tgn", "a'b\"c;$(d)`e`.tgn", "é\udcff.tgn"]
)
def test_files_of_any_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(GOOD.replace('edges("edges.csv")', "all_to_all"))
    result = CliRunner().invoke(main, ["compile", str(tmp_path / name)])
    assert result.exit_code == 0
    check_netlist(result.stdout)


def test_quoted_texts_reach_comments_only(folder: Path) -> None:
    (folder / "Marked.csv").write_text("0,0\n1,0\n")
    netlist = Compilation(
        Source("a.tgn", GOOD.replace("edges.csv", "Marked.csv")), Files((folder,))
    )
    lines = netlist.compile("Top").emit().netlist.split("\n")
    assert [line[:2] for line in lines if "Marked" in line] == ["* "]


def test_ngspice_runs_what_is_accepted(folder: Path) -> None:
    accepted: list[str] = []

    @settings(max_examples=300, derandomize=True, database=None, phases=[Phase.generate])
    @given(programs())
    def collect(text: str) -> None:
        compilation = Compilation(Source("input.tgn", text), Files((folder,)))
        if not check(compilation).errors:
            accepted.extend(netlists(compilation))

    collect()
    decks = sorted(set(accepted), key=len)[-60:]
    assert len(decks) >= 40
    for deck, result in zip(decks, run_decks(decks), strict=True):
        assert not isinstance(result, Exception), f"{result}\n{deck}"
