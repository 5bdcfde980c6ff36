"""What a user sees where the machine fails, or a run folder is damaged: a sentence, never a traceback."""

import json

import pytest
from click.testing import CliRunner

from tellegen.cli import main
from tellegen.diagnostics import CompileError
from tellegen.sims import run_folder as rf
from tellegen.sims.simulate import resume_simulation, simulate

RC = """\
import resistive
network Rc {
    input  u
    output y
    r: resistor(u, y, g = 1 mS)
    c: capacitor(y, gnd, c = 1 uF)
}
simulate Step for Rc {
    drive u = 1 V
    transient 1 ms step 100 us
}
"""


@pytest.fixture
def stopped(tmp_path):
    """A run folder as a killed run leaves it."""
    file = tmp_path / "rc.tgn"
    file.write_text(RC)
    folder = simulate(file, out=tmp_path / "runs").folder
    rf.write_json(folder, rf.RUN, rf.read_json(folder) | {"status": "running"})
    return folder


def test_an_output_folder_that_cannot_be_made(tmp_path):
    file = tmp_path / "rc.tgn"
    file.write_text(RC)
    result = CliRunner().invoke(main, ["simulate", str(file), "--out", str(file / "runs")])
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit)
    assert result.output.startswith("error: Not a directory")


def test_damaged_folders_are_not_resumed(stopped):
    whole = json.loads((stopped / rf.RUN).read_text())
    for lost in ("roots", "file", "cells", "overrides"):
        rf.write_json(stopped, rf.RUN, whole | {lost: None})
        with pytest.raises(rf.RunFolderError, match="damaged"):
            resume_simulation(stopped)
    rf.write_json(stopped, rf.RUN, whole)
    (stopped / rf.SOURCE).write_text("import resistive\n")
    with pytest.raises(CompileError):
        resume_simulation(stopped)
    (stopped / rf.SOURCE).write_bytes(b"\xff\xfe")
    with pytest.raises(rf.RunFolderError, match="lost"):
        resume_simulation(stopped)
