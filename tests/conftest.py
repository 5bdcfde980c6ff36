"""Options and hooks that all tests share."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from tellegen.sims import run_folder as rf
from tellegen.sims.run_folder import RunFolderError
from tellegen.sims.simulate import SimulationResult, resume_simulation

# The same examples in every run; `HYPOTHESIS_PROFILE=long` looks for new ones, many of them.
_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("suite", derandomize=True, **_COMMON)
settings.register_profile("long", max_examples=20_000, print_blob=True, **_COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write expected texts anew instead of comparing with them; look at the difference",
    )


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether expected texts are to be written anew."""
    return bool(request.config.getoption("--update-golden"))


@pytest.fixture
def cut(tmp_path: Path) -> Callable[[Path, str, SimulationResult], Path]:
    """Runs a file's simulation, which a whole run gave already, and stops it after its first points; the run folder."""

    def run(file: Path, name: str, whole: SimulationResult) -> Path:
        code = "import sys; from tellegen.cli import main; main()"
        folder = tmp_path / "cut" / f"{name}-001"
        points = folder / rf.POINTS
        with subprocess.Popen(
            [sys.executable, "-c", code, "simulate", file, "--out", folder.parent],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        ) as process:  # fmt: skip
            for _ in range(1000):
                if points.exists() and points.stat().st_size > 0:
                    break
                time.sleep(0.02)
            process.send_signal(signal.SIGINT)
            said = process.communicate(timeout=60)[0].decode()
        record = rf.read_json(folder)
        assert process.returncode == 130 and "tellegen resume" in said, said
        assert record["status"] == "stopped" and 0 < record["points"] < len(whole.time)
        return folder

    return run


@pytest.fixture
def goes_on() -> Callable[[Path, SimulationResult], None]:
    """Resumes a stopped simulation and holds it against a whole run of the one signal `y`, bit by bit."""

    def check(folder: Path, whole: SimulationResult) -> None:
        result = resume_simulation(folder)
        assert result.finished and rf.read_json(folder)["status"] == "finished"
        assert np.array_equal(result.time, whole.time)
        assert np.array_equal(result.signals["y"], whole.signals["y"])
        with pytest.raises(RunFolderError, match="is finished"):
            resume_simulation(folder)

    return check
