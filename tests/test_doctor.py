"""`tellegen doctor` on the ngspice at hand, and where there is none."""

import json
import re
from dataclasses import replace

from click.testing import CliRunner

from tellegen.cli import main
from tellegen.sims.ngspice.locate import find_library, locate
from tellegen.sims.ngspice.probe import probe
from tellegen.sims.provenance import provenance


def doctor(*arguments):
    return CliRunner().invoke(main, ["doctor", *arguments])


def test_the_table_and_the_json_say_the_same():
    table, plain = doctor(), doctor("--json")
    assert table.exit_code == plain.exit_code == 0
    report = json.loads(plain.stdout)
    assert report["library"] == str(find_library())
    assert report["divider"] == 0.5
    assert report["threads"] == 1
    rows = dict(re.findall(r"^  (\S.*?)  +(\S.*?) *$", table.stdout, re.MULTILINE))
    assert rows["library"] == report["library"]
    assert rows["ngspice"] == str(report["ngspice"])
    assert rows["KLU solver"].startswith("yes" if "klu" in report["solvers"] else "no")
    assert "Unsupported" not in table.output


def test_capabilities_go_with_the_version():
    found = probe(locate())
    assert found.works
    assert found.version >= 39
    if found.version < 40:
        assert not found.klu
        assert not found.osdi


def test_no_ngspice_is_exit_status_3(monkeypatch):
    monkeypatch.setenv("NGSPICE_LIBRARY_PATH", "/nowhere/libngspice.so")
    for arguments in ([], ["--json"]):
        result = doctor(*arguments)
        assert result.exit_code == 3
        assert "/nowhere/libngspice.so" in result.output


def test_a_run_knows_its_ngspice_however_it_was_found(monkeypatch):
    """A library of the system, or one named by the environment, comes without a note of its version."""
    known = locate()
    monkeypatch.setattr("tellegen.sims.ngspice.locate.locate", lambda: replace(known, version=""))
    assert provenance()["ngspice"]["version"] == str(probe(known).version)
