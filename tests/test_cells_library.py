"""Cells as files: what the loader reads, what it refuses, and on which line it says so."""

import os
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tellegen.cells import available, find_library, load_all, search_path
from tellegen.cells.header import read_cell
from tellegen.cells.library import OWN
from tellegen.diagnostics import CompileError, Sink
from tellegen.quantity import unit
from tellegen.sims.ngspice.netlist import checked_netlist
from tellegen.source import Source

GOOD = """\
*% summary = "A resistor of two halves"
*% reference = "none"
*% [ports]
*% p = {}
*% n = { direction = "out", doc = "far end" }
*% [dc]
*% paths = [["p", "n"], ["n", "gnd"]]
*% [params.g]
*% unit = "S"
*% default = 1e-5
*% min = 1e-9
*% max = 1
*% doc = "conductance"
*% [params.load]
*% unit = "ohm"
*% default = 1e6
*% [programmable.g]
*% element = "R1"
*% noise = 1e-8
*% sense = "increasing"
*% [observables.drop]
*% expr = "v(p,m)"
*% doc = "voltage across the first half"
*% [observables.current]
*% expr = "i(Vs)"
*% [[selftest]]
*% name = "ohm"
*% params = { g = 1e-4, load = 1e3 }
*% bench = ["V1 p 0 11"]
*% expect = [{ expr = "v(n)", value = 1, source = "divider" }]
* a remark for people
.subckt halves p n g=10u load={1meg}
R1 p m {1/g}
Vs m n 0
Xl n halves_load r={load}
.ends halves
"""
# Helpers stand above their use.
HELPER = """\
.subckt halves_load a r=1
.model halves_m r
R1 a 0
+ {r}
.ends
"""
GOOD = GOOD.replace(".subckt halves p", HELPER + ".subckt halves p")


def read(text, name="halves"):
    sink = Sink()
    cell = read_cell(name, "mylab", Source("halves.cir", text), sink)
    assert (cell is None) == bool(sink.errors)
    return cell, sink.errors


def line_of(text, part):
    return text[: text.index(part)].count("\n") + 1


@pytest.fixture
def mylab(tmp_path):
    folder = tmp_path / "mylab"
    folder.mkdir()
    (folder / "library.toml").write_text('title = "My laboratory"\n')
    (folder / "halves.cir").write_text(GOOD)
    return folder


# ---------------------------------------------------------------- what is read


def test_everything_in_the_header_is_read():
    cell, _ = read(GOOD)
    assert list(cell.ports) == ["p", "n"]
    assert cell.ports["n"].direction == "out"
    assert cell.ports["p"].discipline == "voltage"
    g = cell.params["g"]
    assert (g.unit, g.default, g.min, g.max, g.step) == ("S", 1e-5, 1e-9, 1, None)
    assert cell.params["load"].min is None
    how = cell.programmable["g"]
    assert (how.elements, how.attribute, how.expressions) == (("R1",), "", ("1/g",))
    assert (how.step, how.noise, how.sense) == (None, 1e-8, "increasing")
    assert cell.observables["drop"].expr == "v(p,m)"
    assert cell.observables["drop"].unit == "V"
    assert cell.observables["current"].probe.names == ("vs",)
    assert cell.dc_paths == (("p", "n"), ("n", "gnd"))
    assert cell.dc_sources == ()
    assert cell.defines == ("halves_load", "halves_m", "halves")
    assert g.span.line == line_of(GOOD, "[params.g]")
    (test,) = cell.selftests
    assert test.params == {"g": 1e-4, "load": 1e3}
    assert test.expect[0].rtol == 1e-6


def test_the_text_is_the_subcircuit_without_the_header():
    cell, _ = read(GOOD)
    assert cell.text.startswith("* a remark for people\n.subckt halves_load a r=1\n")
    assert cell.text.endswith(".ends halves\n")
    assert "*%" not in cell.text


def test_limits_may_be_expressions_and_a_parameter_may_be_required():
    text = GOOD.replace("min = 1e-9", 'min = "1/(10*load)"').replace(
        '*% unit = "ohm"\n*% default = 1e6\n', '*% unit = "ohm"\n'
    )
    cell, errors = read(text)
    assert not errors
    assert cell.params["g"].min == "1/(10*load)"
    assert cell.params["load"].default is None


def test_steps_of_a_parameter_are_steps_of_its_writes():
    text = GOOD.replace("*% max = 1\n", "*% max = 1\n*% step = 1e-9\n")
    cell, errors = read(text)
    assert not errors
    assert cell.params["g"].step == cell.programmable["g"].step == 1e-9


# ---------------------------------------------------------------- what is refused, and where


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        # header
        ("*% summary = ", "*% summary ", "*% summary", "not TOML"),
        ('*% summary = "A resistor of two halves"\n', "", "", "`summary` is missing"),
        ('*% reference = "none"', '*% reference = ""', "*% reference", "`reference` is missing"),
        ('"A resistor of', '"\\u001b[2JA', "*% summary", "control characters"),
        ("*% unit = \"S\"", "*% units = \"S\"", "*% units", "does not know `units`"),
        ("*% default = 1e-5", '*% default = "1e-5"', "*% default", "must be a number"),
        ("*% default = 1e-5", "*% default = true", "*% default", "must be a number"),
        ("*% default = 1e-5", "*% default = nan", "*% default", "finite"),
        ("*% default = 1e-5", "*% default = 1" + "0" * 400, "*% default", "finite"),
        ("*% default = 1e-5", "*% default = 2e-5", "*% default", "`10u` on the `.subckt` line"),
        ("*% max = 1\n", "*% max = 1e-6\n", "*% max", "which is less"),
        ("*% max = 1\n", '*% max = "lod"\n', "*% max", "`lod` has no meaning"),
        ("*% max = 1\n", '*% max = "2*"\n', "*% max", "cannot be read"),
        ("*% max = 1\n", "*% max = 1\n*% step = -1\n", "*% step", "must be positive"),
        ("*% max = 1\n", "*% max = 1\n*% step = 4e-9\n", "*% default", "no multiple of the step"),
        ("*% p = {}", "*% q = {}", "[ports]", "the same ports"),
        ("*% p = {}", '*% p = { discipline = "voltages" }', "*% p =", "cannot be `voltages`"),
        ("*% p = {}", "*% p = 3", "*% p =", "must be a table"),
        ('["n", "gnd"]', '["m", "gnd"]', "*% paths", "`m` is no port"),
        ('["n", "gnd"]', '["n"]', "*% paths", "pairs"),
        ("[params.load]", "[params.laod]", "[params.laod]", "header only"),
        ('*% element = "R1"', '*% element = "R2"', "*% element", "no element `R2`"),
        ('*% element = "R1"', '*% element = "Xl"', "*% element", "no value that can be altered"),
        ('*% element = "R1"', '*% element = "Vs"', "*% element", "in braces"),
        ("*% noise", '*% attribute = "gain"\n*% noise', "*% attribute", "attribute ``"),
        ("*% noise = 1e-8", "*% noise = -1", "*% noise", "cannot be negative"),
        ('sense = "increasing"', 'sense = "up"', "*% sense", "cannot be `up`"),
        ("[programmable.g]", "[programmable.h]", "[programmable.h]", "no parameter"),
        ('"v(p,m)"', '"v(p,x)"', "*% expr = \"v(p,x)", "no node `x`"),
        ('"v(p,m)"', '"v(p)-v(n)"', "*% expr", "is not `v(node)`"),
        ('"i(Vs)"', '"i(R1)"', '*% expr = "i(R1)', "is not `v(node)`"),
        ('"i(Vs)"', '"i(Vz)"', '*% expr = "i(Vz)', "no source `vz`"),
        ("g = 1e-4, load", "h = 1e-4, load", "*% params = ", "does not know `h`"),
        ('["V1 p 0 11"]', '["V1 p 0 11\\n.shell x"]', "*% bench", "one card"),
        ('["V1 p 0 11"]', '["X1 p 0 halves"]', "*% bench", "elements around"),
        ('["V1 p 0 11"]', '[".include /etc/passwd"]', "*% bench", "elements around"),
        ('["V1 p 0 11"]', '["V1 p 0 `id`"]', "*% bench", "may not stand"),
        ("*% expect", '*% analysis = ".dc v1 0 1 1"\n*% expect', "*% analysis", "the analysis is"),
        ('expr = "v(n)"', 'expr = "v(n)+dorp"', "*% expect", "`dorp` has no meaning"),
        ('source = "divider"', 'sauce = "divider"', "*% expect", "does not know `sauce`"),
        ("value = 1,", "at = 1, value = 1,", "*% expect", "no time"),
        # body
        (".subckt halves p", ".subckt half p", ".subckt half p", "collide"),
        (".ends halves\n", "", ".subckt halves p", "`.ends halves` is missing"),
        (".ends halves\n", ".ends half\n", ".ends half\n", "should be `.ends halves`"),
        (".ends halves\n", ".ends halves\n.ends  \n", ".ends  \n", "ends nothing"),
        (".ends halves\n", ".ends halves\nR9 a b 1\n", "R9", "outside"),
        ("halves_load a", "load a", ".subckt load", "collide"),
        (".model halves_m r", ".model m r", ".model", "collide"),
        ("Vs m n 0", "r1 m n 0", "r1 m n", "two elements"),
        ("Vs m n 0", "D1 m n halves_x\nVs m n 0", "D1", "no model"),
        ("Xl n halves_load", "Xl n halves", "Xl", "no helper"),
        ("Vs m n 0", "Vs m n {pi}", "Vs m n", "knows no `pi`"),
        ("Vs m n 0", "Vs m n {1", "Vs m n", "pair up"),
        ("Vs m n 0", "Vs m n 0\n.param g=3", ".param", "hides"),
        ("Vs m n 0", "Vs m n 0\nR7 p n {2/g}", "*% element", "used outside"),
        ("Vs m n 0", "Vs m n 0\nB7 p n v=g*2", "*% element", "used outside"),
        ("Vs m n 0", "Vs m n 0\nB1 p n v=limit(v(m),0,1)", "B1", "random number"),
        ("load={1meg}", "load={1meg} load=2", ".subckt halves p", "declared twice"),
        ("* a remark for people", "+ more", "+ more", "continues nothing"),
    ],
)  # fmt: skip
def test_bad_cell(old, new, line, says):
    assert GOOD.count(old) == 1
    text = GOOD.replace(old, new)
    _, errors = read(text)
    found = [e for e in errors if says in e.message or says in e.help]
    assert found, [e.message for e in errors]
    assert found[0].code in ("bad-cell", "unsafe-cell")
    if line:
        assert found[0].primary.span.line == line_of(text, line)


@pytest.mark.parametrize(
    "card",
    [
        ".control\nshell touch /tmp/x\n.endc",
        ".include /etc/passwd",
        ".inc other.lib",
        ".lib 'other.lib' tt",
        ".options savecurrents",
        ".save all",
        ".end",
        ".if (1)",
        ".csparam x=1",
        ".global vdd",
        "*#shell touch /tmp/x",
        "*# write /tmp/x",
        "*ng_script",
        "A1 p n gain",
        "N1 p n osdi_model",
        "U1 p n urc",
        "P1 p n line",
        "!shell id",
        "# remark",
        'V9 p 0 pwl file="/etc/passwd"',
        "R9 p n '1/g'",
        "R9 p n `id`",
        "R9 p n 1 ; shell id",
        "R9 p n 1 $ remark",
        "R9 p n 1 \\\\",
        "R9 p n @r1[i]",
        "V9 p 0 external",
        ".model halves_f filesource",
        ".model halves_g d_cosim",
        "R9 p n 1\x00",
        "R9 p n 1\x1b[2J",
        "R9 p n 1\u2028.control",
        "R9 p n 1\x0b.control",
        "R9 p n \N{OHM SIGN}",
        "* remark \x07",
    ],
)
def test_unsafe_cell(card):
    """Commands, files and everything that is not on the list: refused on their own line."""
    text = GOOD.replace("Vs m n 0\n", f"Vs m n 0\n{card}\n")
    cell, errors = read(text)
    assert cell is None
    unsafe = [e for e in errors if e.code == "unsafe-cell"]
    assert unsafe[0].primary.span.line == line_of(text, f"\n{card}\n") + 1


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_cell_is_read_safely_or_refused(data):
    """No exception leaves, and what would reach ngspice passes the session's own gate."""
    text = GOOD
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        length = data.draw(st.integers(0, 12))
        more = data.draw(
            st.text(max_size=8) | st.sampled_from([".control\n", "*#", "\n", "{", '"'])
        )
        text = text[:at] + more + text[at + length :]
    sink = Sink()
    cell = read_cell("halves", "mylab", Source("halves.cir", text), sink)
    for diagnostic in sink.found:
        str(diagnostic)
    if cell is not None:
        checked_netlist("* title\n" + cell.text)


# ---------------------------------------------------------------- folders


def test_our_own_cells_are_always_there():
    libraries = load_all()
    assert (
        available()
        == [library.name for library in libraries]
        == ["cmos", "photonic", "resistive", "spintronic"]
    )
    assert "resistor" in libraries[2].cells
    for cell in (cell for library in libraries for cell in library.cells.values()):
        assert cell.selftests, cell.name
        for parameter in cell.params.values():
            unit(parameter.unit)
            assert parameter.doc, f"{cell.name}.{parameter.name}"
            assert parameter.default is not None
        for observable in cell.observables.values():
            unit(observable.unit)


def test_loading_again_is_quick():
    find_library("resistive")
    start = time.perf_counter()
    assert (
        find_library("resistive").cells["resistor"] is find_library("resistive").cells["resistor"]
    )
    assert time.perf_counter() - start < 0.5


def test_a_folder_may_be_a_library_or_hold_some(mylab, monkeypatch):
    for folder in (mylab, mylab.parent):
        assert available([folder]) == ["cmos", "mylab", "photonic", "resistive", "spintronic"]
        library = find_library("mylab", [folder])
        assert library.title == "My laboratory"
        assert list(library.cells) == ["halves"]
        assert library.cells["halves"].library == "mylab"
        assert find_library("resistive", [folder]).cells.keys() >= {"resistor"}
    monkeypatch.chdir(mylab)
    assert available(["."]) == ["cmos", "mylab", "photonic", "resistive", "spintronic"]
    assert find_library("mylab", ["."]).cells["halves"].source.name.endswith("halves.cir")


def test_the_environment_names_folders_too(mylab, tmp_path, monkeypatch):
    monkeypatch.setenv("TELLEGEN_CELLS", f"{mylab}{os.pathsep}")
    assert search_path([tmp_path]) == (tmp_path, mylab)


def test_a_changed_file_is_read_again(mylab):
    find_library("mylab", [mylab])
    (mylab / "halves.cir").write_text(GOOD.replace("two halves", "two unequal halves"))
    assert "unequal" in find_library("mylab", [mylab]).cells["halves"].summary


def test_an_unknown_library_is_none(mylab):
    assert find_library("alchemy", [mylab]) is None


def errors_of(name, *folders):
    with pytest.raises(CompileError) as caught:
        find_library(name, folders)
    return [(d.code, d.message) for d in caught.value.diagnostics]


def test_every_mistake_of_every_file_is_reported(mylab):
    (mylab / "halves.cir").write_text(
        GOOD.replace('"increasing"', '"up"').replace("= 1e-8", "= -1")
    )
    (mylab / "second.cir").write_text("nothing")
    messages = " ".join(message for _, message in errors_of("mylab", mylab))
    assert "cannot be `up`" in messages
    assert "cannot be negative" in messages
    assert "`nothing`" in messages


def test_two_libraries_of_one_name(mylab, tmp_path):
    other = tmp_path / "elsewhere" / "resistive"
    other.mkdir(parents=True)
    (other / "library.toml").write_text('title = "Not ours"')
    ((code, message),) = errors_of("resistive", other)
    assert code == "bad-library"
    assert "two libraries `resistive`" in message
    # The same folder given twice is one library.
    assert find_library("mylab", [mylab, mylab.parent]).cells


def test_cells_of_a_library_do_not_collide(mylab):
    text = GOOD.replace("halves_load", "halves_x_load").replace("halves_m", "halves_mm")
    (mylab / "halves.cir").write_text(text)
    other = GOOD.replace("halves", "halves_x").replace("halves_x_m", "halves_x_mm")
    (mylab / "halves_x.cir").write_text(other)
    assert errors_of("mylab", mylab) == [
        ("bad-cell", "`halves_x_load` is defined by the cell `halves` as well")
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [("title = ", "not TOML"), ("", "`title` is missing"), ('title = "a"\nx = 1', "know `x`")],
)
def test_bad_library_file(mylab, text, says):
    (mylab / "library.toml").write_text(text)
    ((code, message),) = errors_of("mylab", mylab)
    assert code == "bad-library"
    assert says in message


def test_bad_names_of_files_and_folders(mylab, tmp_path):
    (mylab / "Halves-2.cir").write_text(GOOD)
    assert "cannot be the name of a cell" in errors_of("mylab", mylab)[0][1]
    (mylab / "Halves-2.cir").unlink()
    lab = tmp_path / "My-Lab"
    mylab.rename(lab)
    assert "cannot be the name of a library" in errors_of("My-Lab", lab)[0][1]


def test_a_search_path_that_is_no_folder(tmp_path):
    ((code, message),) = errors_of("resistive", tmp_path / "nothing")
    assert code == "bad-library"
    assert "cannot be searched" in message


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda p: p.write_bytes(b"\xff\xfe" + GOOD.encode("utf-16-le")), "not UTF-8"),
        (lambda p: p.write_text(GOOD + "* x\n" * (1 << 19)), "larger than 1 MiB"),
        (lambda p: p.mkdir(), "no ordinary file"),
        (lambda p: os.mkfifo(p), "no ordinary file"),
        (lambda p: p.symlink_to("/dev/zero"), "no ordinary file"),
        (lambda p: p.symlink_to("/etc/passwd"), "no ordinary file"),
        (lambda p: p.symlink_to(OWN / "resistive" / "resistor.cir"), "no ordinary file"),
        (lambda p: p.symlink_to("evil.cir"), "no ordinary file"),
        (lambda p: p.symlink_to("missing.cir"), "no ordinary file"),
    ],
)
def test_files_that_are_not_read(mylab, make, says):
    make(mylab / "evil.cir")
    ((code, message),) = errors_of("mylab", mylab)
    assert code == "bad-cell"
    assert says in message


def test_a_link_inside_of_a_library_is_followed(mylab):
    (mylab / "halves.cir").rename(mylab / "halves.text")
    (mylab / "halves.cir").symlink_to("halves.text")
    assert list(find_library("mylab", [mylab]).cells) == ["halves"]


def test_a_library_that_is_a_link_out_of_its_folder_is_none(mylab, tmp_path):
    outer = tmp_path / "outer"
    outer.mkdir()
    (outer / "linked").symlink_to(mylab)
    assert available([outer]) == ["cmos", "photonic", "resistive", "spintronic"]


def test_windows_line_ends(mylab):
    (mylab / "halves.cir").write_bytes(GOOD.replace("\n", "\r\n").encode())
    assert "\r" not in find_library("mylab", [mylab]).cells["halves"].text
