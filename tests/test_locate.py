"""Where ngspice is looked for, and in which order."""

import pickle
import subprocess

import pytest

from tellegen.sims.ngspice import locate as module
from tellegen.sims.ngspice.locate import SimulatorMissing, find_library, find_program, locate


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """An empty machine: no checkout, no conda, no brew, nothing installed; `put` makes files."""
    for name in ("NGSPICE_LIBRARY_PATH", "CONDA_PREFIX", "TELLEGEN_NGSPICE", "LD_LIBRARY_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setattr(module, "_CHECKOUT", tmp_path / "checkout")
    monkeypatch.setattr(module, "_BREW_PREFIXES", (str(tmp_path / "brew"),))
    monkeypatch.setattr(module.ctypes.util, "find_library", lambda name: None)
    return tmp_path


def put(path, text=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def private(machine, variant="ngspice"):
    root = machine / "checkout" / ".tellegen" / variant
    put(root / "origin", "46 from somewhere\n")
    return put(root / "usr" / "lib" / "x86_64-linux-gnu" / "libngspice.so.0")


def test_the_order(machine, monkeypatch):
    brew = put(machine / "brew" / "lib" / "libngspice.dylib")
    assert (find_library(), locate().found) == (brew, "Homebrew")

    monkeypatch.setattr(module.ctypes.util, "find_library", lambda name: "libngspice.so.0")
    system = put(machine / "system" / "libngspice.so.0")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(system.parent))
    assert (find_library(), locate().found) == (system, "the system's library path")

    conda = put(machine / "conda" / "lib" / "libngspice.so")
    monkeypatch.setenv("CONDA_PREFIX", str(machine / "conda"))
    assert (find_library(), locate().found) == (conda, "the conda environment")

    own = private(machine)
    assert locate().library == own
    assert locate().version == "46"
    assert "own copy" in locate().found

    named = put(machine / "mine" / "libngspice.so")
    monkeypatch.setenv("NGSPICE_LIBRARY_PATH", str(named))
    assert (find_library(), locate().found) == (named, "NGSPICE_LIBRARY_PATH")

    given = put(machine / "given.so")
    assert (locate(given).library, locate(given).found) == (given, "the path given")


def test_a_folder_may_be_named(machine, monkeypatch):
    library = put(machine / "mine" / "libngspice.so.0")
    monkeypatch.setenv("NGSPICE_LIBRARY_PATH", str(library.parent))
    assert find_library() == library


def test_a_named_path_is_never_passed_over(machine, monkeypatch):
    private(machine)
    monkeypatch.setenv("NGSPICE_LIBRARY_PATH", str(machine / "nowhere.so"))
    with pytest.raises(SimulatorMissing, match=r"NGSPICE_LIBRARY_PATH names .*nowhere\.so"):
        locate()
    with pytest.raises(SimulatorMissing, match="the path given names"):
        locate(machine / "elsewhere.so")


def test_the_stable_copy_is_chosen_by_name_only(machine, monkeypatch):
    newest = private(machine)
    monkeypatch.setenv("TELLEGEN_NGSPICE", "stable")
    with pytest.raises(SimulatorMissing, match="asks for ngspice-stable"):
        locate()
    stable = private(machine, "ngspice-stable")
    assert find_library() == stable
    monkeypatch.setenv("TELLEGEN_NGSPICE", "")
    assert find_library() == newest
    monkeypatch.setenv("TELLEGEN_NGSPICE", "latest")
    with pytest.raises(SimulatorMissing, match="TELLEGEN_NGSPICE is `latest`"):
        locate()


def test_the_program_beside_the_library_goes_before_the_path(machine):
    put(machine / "path" / "ngspice").chmod(0o755)
    library = private(machine)
    assert find_program() == machine / "path" / "ngspice"
    beside = put(library.parents[2] / "bin" / "ngspice")
    assert find_program() == beside


@pytest.mark.parametrize(
    ("put_there", "line"),
    [
        ("checkout/tools/setup.sh", r"make -C .*checkout setup$"),
        ("path/apt-get", r"sudo apt-get install libngspice0 ngspice$"),
        (None, "conda install -c conda-forge ngspice-lib"),
    ],
)
def test_what_is_missing_comes_with_the_line_that_brings_it(machine, put_there, line, monkeypatch):
    monkeypatch.setattr(module.sys, "platform", "linux")
    if put_there:
        put(machine / put_there).chmod(0o755)
    with pytest.raises(SimulatorMissing, match=line) as caught:
        locate()
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.reason, copy.install) == (caught.value.reason, caught.value.install)


def test_the_line_of_a_mac(machine, monkeypatch):
    monkeypatch.setattr(module.sys, "platform", "darwin")
    with pytest.raises(SimulatorMissing, match="brew install libngspice"):
        locate()


def test_a_file_that_is_no_library_is_said_so(machine, monkeypatch):
    library = private(machine)
    monkeypatch.setenv("SPICE_LIB_DIR", "")
    with pytest.raises(SimulatorMissing, match="cannot be loaded"):
        module.prepare_environment(library)


def test_the_real_program_runs():
    done = subprocess.run(
        [find_program(), "--version"], capture_output=True, text=True, timeout=60, check=True
    )
    assert "ngspice-" in done.stdout
