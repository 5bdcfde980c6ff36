"""`tellegen verify` and `tellegen cells`: self-tests in ngspice, and what users see.

`TELLEGEN_TEST_LIBRARIES=path:path` adds ngspice libraries to the one that Tellegen finds.
"""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from tellegen.cells import find_library, load_all
from tellegen.cli import main
from tellegen.pipeline import open_file
from tellegen.sims.ngspice.verify import deck, verify

LIBRARIES = [None, *filter(None, os.environ.get("TELLEGEN_TEST_LIBRARIES", "").split(":"))]
MANUAL = Path(__file__).parents[1] / "docs" / "cells.md"

CELL = """\
*% summary = "Two resistors in parallel"
*% reference = "none"
*% [ports]
*% p = {}
*% n = {}
*% [dc]
*% paths = [["p", "n"]]
*% [params.r]
*% unit = "ohm"
*% default = 1e3
*% min = 1
*% [programmable.r]
*% element = "R1"
*% sense = "decreasing"
*% [observables.drop]
*% expr = "v(p,n)"
*% [[selftest]]
*% name = "halves"
*% bench = ["I1 0 p 1m", "V1 n 0 0"]
*% expect = [{ expr = "drop", value = "1m/(1/r+1/1k)", source = "parallel conductances" }]
.subckt pair p n r=1k
R1 p n {r}
R2 p n 1k
.ends pair
"""


@pytest.fixture
def mylab(tmp_path):
    folder = tmp_path / "mylab"
    folder.mkdir()
    (folder / "library.toml").write_text('title = "My laboratory"\n')
    (folder / "pair.cir").write_text(CELL)
    return folder


def cells_of(folder, text):
    (folder / "pair.cir").write_text(text)
    return find_library("mylab", [folder]).cells.values()


def run(*arguments):
    return CliRunner().invoke(main, list(map(str, arguments)))


# ---------------------------------------------------------------- self-tests


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_self_test_of_ours_passes(library):
    cells = [cell for found in load_all() for cell in found.cells.values()]
    outcomes = list(verify(cells, library=library and Path(library)))
    levels = [level for cell in cells for level in cell.levels.values()]
    assert {o.cell for o in outcomes} == {
        f"{c.library}.{c.name}" + (f" ({c.level})" if c.level else "") for c in levels
    }
    assert [o for o in outcomes if not o.passed] == []
    assert all(o.source for o in outcomes)


def test_a_cell_is_tested_at_more_than_its_defaults():
    for cell in find_library("resistive").cells.values():
        assert len(cell.selftests) >= 2
        assert any(test.params for test in cell.selftests) or not cell.params


def test_the_deck_is_whole(mylab):
    (cell,) = cells_of(mylab, CELL)
    assert deck(cell, cell.selftests[0]).splitlines() == [
        "* self-test of mylab.pair: halves",
        *CELL[CELL.index(".subckt") :].splitlines(),
        "xcell p n pair r=1000.0",
        "I1 0 p 1m",
        "V1 n 0 0",
        ".op",
        ".end",
    ]


def test_a_wrong_expectation_fails(mylab):
    (outcome,) = verify(cells_of(mylab, CELL.replace("1/1k", "1/2k")))
    assert not outcome.passed
    assert outcome.measured == pytest.approx(0.5)
    assert outcome.error == pytest.approx(0.25)
    assert not outcome.trouble


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"drop", value', '"v(q)", value', "no node `q`"),
        ('"drop", value', '"i(v9)", value', "no source `v9`"),
        ('"drop", value', '"1/v(n)", value', "divide by zero"),
        ('"1m/(1/r+1/1k)"', '"1/(r-1k)"', "divide by zero"),
        ('"I1 0 p 1m"', '"V2 p 0 1", "V3 p 0 2"', "ngspice said"),
        ('"I1 0 p 1m"', '"I1 0 p nonsense"', "ngspice"),
        ("R1 p n {r}", "R1 p n {r}\nR3 q 0 {2+}", "ngspice"),
        ('"drop", value', '"drop", at = 1, value', "goes from"),
    ],
)
def test_trouble_is_an_outcome(mylab, old, new, says):
    text = CELL.replace(old, new)
    if "at = 1" in new:
        text = text.replace("*% expect", '*% analysis = ".tran 1u 10u"\n*% expect')
    (outcome,) = verify(cells_of(mylab, text))
    assert not outcome.passed
    assert outcome.measured is None
    assert says in outcome.trouble


def test_a_test_after_a_failed_one_still_runs(mylab):
    again = CELL[CELL.index("*% [[selftest]]") : CELL.index(".subckt")]
    text = CELL.replace('"I1 0 p 1m"', '"V2 p 0 1", "V3 p 0 2"').replace(
        ".subckt", again + ".subckt"
    )
    assert [o.passed for o in verify(cells_of(mylab, text))] == [False, True]


# ---------------------------------------------------------------- commands


def test_verify_command(mylab):
    done = run("verify", "--cells", mylab, "mylab", "resistive.resistor")
    assert done.exit_code == 0, done.output
    assert "mylab.pair" in done.output
    assert "parallel conductances" in done.output
    assert done.output.splitlines()[-1] == "5 expectations of 2 cells: all passed"


def test_verify_command_fails_with_4(mylab):
    (mylab / "pair.cir").write_text(CELL.replace("1/1k", "1/2k"))
    done = run("verify", "--cells", mylab, "mylab")
    assert done.exit_code == 4
    assert "FAIL" in done.output
    (outcome,) = json.loads(run("verify", "--cells", mylab, "--json", "mylab").stdout)
    assert (outcome["cell"], outcome["passed"]) == ("mylab.pair", False)


def test_verify_command_says_what_has_no_test(mylab):
    text = CELL[: CELL.index("*% [[selftest]]")] + CELL[CELL.index(".subckt") :]
    (mylab / "pair.cir").write_text(text)
    done = run("verify", "--cells", mylab, "mylab")
    assert done.exit_code == 0
    assert "without a self-test: mylab.pair" in done.stderr


@pytest.mark.parametrize("command", ["verify", "cells"])
def test_commands_report_a_bad_cell(mylab, command):
    (mylab / "pair.cir").write_text(CELL.replace("R2 p n 1k", ".include /etc/passwd"))
    line = CELL[: CELL.index("R2 p n 1k")].count("\n") + 1
    done = run(command, "--cells", mylab)
    assert done.exit_code == 1
    assert "error[unsafe-cell]: `.include` has no place in a cell" in done.stderr
    assert f"{mylab / 'pair.cir'}:{line}:1" in done.stderr
    (found,) = json.loads(run(command, "--cells", mylab, "--json").stdout)
    assert (found["code"], found["primary"]["line"]) == ("unsafe-cell", line)


@pytest.mark.parametrize("command", ["verify", "cells"])
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("resistiv", "no library `resistiv`; did you mean `resistive`?"),
        ("resistive.resistr", "has no cell `resistr`; did you mean `resistor`?"),
    ],
)
def test_unknown_names_are_wrong_usage(command, name, says):
    done = run(command, name)
    assert done.exit_code == 2
    assert says in done.stderr


def test_without_a_simulator(monkeypatch, tmp_path):
    monkeypatch.setenv("NGSPICE_LIBRARY_PATH", str(tmp_path / "nothing.so"))
    assert run("verify", "resistive.resistor").exit_code == 3
    assert run("cells", "resistive.resistor").exit_code == 0


def test_cells_command(mylab):
    listing = run("cells", "--cells", mylab)
    assert listing.exit_code == 0
    for word in ("resistive", "digipot_log", "mylab", "Two resistors in parallel"):
        assert word in listing.output
    assert "mylab" not in run("cells", "--cells", mylab, "resistive").output
    shown = run("cells", "resistive.digipot").output
    for word in ("full*code/levels+wiper", "AD5220", "v(p,n)", "decreasing", ".subckt digipot"):
        assert word in shown
    found = json.loads(run("cells", "--json", "resistive.digipot").output)
    assert found["params"][0]["max"] == "levels"
    assert found["programmable"][0]["elements"] == ["R1"]
    names = [library["name"] for library in json.loads(run("cells", "--json").output)]
    assert names == ["cmos", "photonic", "resistive", "spintronic"]


def test_markup_in_a_header_is_shown_as_it_is(mylab):
    (mylab / "pair.cir").write_text(CELL.replace("Two resistors", "[bold]Two[/bold] [/x]"))
    assert "[bold]Two[/bold] [/x]" in run("cells", "--cells", mylab, "mylab.pair").output


@pytest.mark.parametrize("command", ["verify", "cells"])
def test_help_shows_examples(command):
    shown = [line.strip() for line in run(command, "--help").output.splitlines()]
    assert any(line.startswith(f"tellegen {command} --cells ~/mycells mylab") for line in shown)


# ---------------------------------------------------------------- a user's own folder


def test_a_cell_of_ones_own_in_a_network(mylab, tmp_path):
    file = tmp_path / "net.tgn"
    file.write_text(
        "import mylab\nnetwork Net {\n  input x\n  output y\n"
        "  one: pair(x, y, r = 2 kohm)\n  two: pair(y, gnd)\n}\n"
    )
    emitted = open_file(file, cells=[mylab]).compile("Net").emit()
    assert CELL[CELL.index(".subckt") :].rstrip() in emitted.netlist
    assert emitted.manifest.parameters["one.r"].values.tolist() == [2e3]


def test_the_manual_s_example_is_a_cell_that_passes(tmp_path):
    blocks = MANUAL.read_text().split("```")
    spice = next(block for block in blocks if block.startswith("spice\n")).partition("\n")[2]
    toml = next(block for block in blocks if block.startswith("toml\n")).partition("\n")[2]
    name = spice.split(".subckt ")[1].split()[0]
    folder = tmp_path / "mylab"
    folder.mkdir()
    (folder / "library.toml").write_text(toml)
    (folder / f"{name}.cir").write_text(spice)
    (cell,) = find_library("mylab", [folder]).cells.values()
    outcomes = list(verify([cell]))
    assert outcomes
    assert all(outcome.passed for outcome in outcomes), outcomes
