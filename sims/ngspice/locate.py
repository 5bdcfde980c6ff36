"""Where ngspice is: its shared library, the program beside it, and what they need of the process.

A library is looked for in this order: the path that the caller gives, `NGSPICE_LIBRARY_PATH`, the
private copy that `make setup` put into the checkout, the conda environment, the system's linker,
Homebrew. The first one that exists is taken; a path that the user named and that is not there is an
error, never passed over in silence.

Nothing is loaded by looking. A private copy may come with libraries that the system lacks (OpenMP
on a small Debian), and ngspice reads the environment while it is loaded: who opens a library calls
:func:`prepare_environment` first.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import re
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tellegen.diagnostics import TellegenError

VARIANTS = {"": "ngspice", "stable": "ngspice-stable"}
ORIGIN = "origin"  # file in a private copy: the version, then where it came from

_NAMES = ("libngspice.so.0", "libngspice.so", "libngspice.0.dylib", "libngspice.dylib")
_CHECKOUT = Path(__file__).resolve().parents[2]
_BREW_PREFIXES = ("/opt/homebrew", "/usr/local", "/home/linuxbrew/.linuxbrew")


class SimulatorMissing(TellegenError):
    """There is no ngspice to be found; `install` is the line that brings one on this platform."""

    def __init__(self, reason: str, install: str | None = None) -> None:
        self.reason = reason
        self.install = install_line() if install is None else install
        super().__init__(f"{reason}. To get it: {self.install}")

    def __reduce__(self) -> tuple[type[SimulatorMissing], tuple[str, str]]:
        return type(self), (self.reason, self.install)


@dataclass(frozen=True)
class Location:
    """An ngspice on this machine: its library, its program, and how it was found.

    `version` is empty where it is not known without loading the library.
    """

    library: Path
    program: Path | None
    found: str
    version: str = ""


def locate(library: Path | None = None) -> Location:
    """The ngspice to use; `library` names one, else the first in the module's order is taken.

    Raises:
        SimulatorMissing: there is none, or the one that the user named does not exist.
    """
    for path, found in _candidates(library):
        root = _private_root(path)
        origin = (root / ORIGIN).read_text().split(maxsplit=1) if root else [""]
        return Location(path, _program_beside(path), found, origin[0])
    raise SimulatorMissing("ngspice's shared library (libngspice) was not found")


def find_library() -> Path:
    """The path of the ngspice library to use.

    Raises:
        SimulatorMissing: there is none.
    """
    return locate().library


def find_program() -> Path:
    """The path of the `ngspice` program that belongs to the library, else of one on `PATH`.

    Raises:
        SimulatorMissing: there is no library, or no program.
    """
    program = locate().program
    if program is None:
        raise SimulatorMissing("the program `ngspice` was not found")
    return program


def prepare_environment(library: Path) -> None:
    """Make this process ready to load `library`; call it before.

    ngspice's OpenMP threads spin while they wait unless told otherwise before they exist. A private
    copy must read its own start-up file, not that of an installed ngspice of another version, and
    brings the libraries that the system lacks: the loader finds them only if they are in memory.

    Raises:
        SimulatorMissing: the library cannot be loaded.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    root = _private_root(library)
    if root is None:
        return
    os.environ["SPICE_LIB_DIR"] = str(root / "usr" / "share" / "ngspice")
    _load_siblings(library, library.parent)


def _load_siblings(library: Path, folder: Path) -> None:
    """Load the libraries that `library` needs and that only `folder` has."""
    for _ in range(100):
        try:
            ctypes.CDLL(str(library))
            return
        except OSError as error:
            words = str(error)
        missing = re.match(r"([^/\s]+): cannot open shared object file", words)
        if missing is None or not (folder / missing[1]).exists():
            break
        _load_siblings(folder / missing[1], folder)
    raise SimulatorMissing(f"{library} cannot be loaded ({words})")


def chosen_variant() -> str:
    """The name of the private copy's folder, as the variable `TELLEGEN_NGSPICE` chooses it.

    Raises:
        SimulatorMissing: the variable has a value that means nothing.
    """
    wanted = os.environ.get("TELLEGEN_NGSPICE", "")
    if wanted not in VARIANTS:
        raise SimulatorMissing(f"TELLEGEN_NGSPICE is `{wanted}`", "unset it, or set it to `stable`")
    return VARIANTS[wanted]


def private_folder() -> Path:
    """Where `make setup` puts its copy of ngspice, in the checkout that this file belongs to."""
    return _CHECKOUT / ".tellegen" / chosen_variant()


def install_line() -> str:
    """The line that brings ngspice on this platform."""
    if (_CHECKOUT / "tools" / "setup.sh").exists():
        return f"make -C {_CHECKOUT} setup"
    if os.environ.get("CONDA_PREFIX"):
        return "conda install -c conda-forge ngspice-lib ngspice"
    if sys.platform == "darwin":
        return "brew install libngspice ngspice"
    return system_install_line()


def system_install_line() -> str:
    """The line that installs ngspice for the whole machine."""
    if sys.platform == "darwin":
        return "brew install libngspice ngspice"
    if shutil.which("apt-get"):
        return "sudo apt-get install libngspice0 ngspice"
    return (
        "conda install -c conda-forge ngspice-lib ngspice, or your system's package of libngspice, "
        "or set NGSPICE_LIBRARY_PATH to the library"
    )


def installed_library() -> tuple[Path, str] | None:
    """The library of the conda environment, of the system or of Homebrew, and how it was found."""
    conda = os.environ.get("CONDA_PREFIX")
    if conda and (path := _library_in(Path(conda, "lib"))):
        return path, "the conda environment"
    if name := ctypes.util.find_library("ngspice"):
        return _absolute(name), "the system's library path"
    for prefix in _BREW_PREFIXES:
        if path := _library_in(Path(prefix, "lib")):
            return path, "Homebrew"
    return None


def _candidates(library: Path | None) -> Iterator[tuple[Path, str]]:
    if library is not None:
        yield _named(library, "the path given"), "the path given"
    if named := os.environ.get("NGSPICE_LIBRARY_PATH"):
        yield _named(Path(named), "NGSPICE_LIBRARY_PATH"), "NGSPICE_LIBRARY_PATH"
    private = private_folder()
    for folder in sorted(private.glob("usr/lib/*")):
        if path := _library_in(folder):
            yield path, f"the checkout's own copy ({(private / ORIGIN).read_text().strip()})"
    if private.name != VARIANTS[""]:
        raise SimulatorMissing(
            f"TELLEGEN_NGSPICE asks for {private.name}, and {private} holds no library"
        )
    if installed := installed_library():
        yield installed


def _named(path: Path, by: str) -> Path:
    """The library at a path that the user named: the file itself, or in that folder."""
    found = _library_in(path) if path.is_dir() else path
    if found is None or not found.exists():
        raise SimulatorMissing(f"{by} names {path}, where there is no ngspice library")
    return found.absolute()


def _library_in(folder: Path) -> Path | None:
    return next((folder / name for name in _NAMES if (folder / name).exists()), None)


def _absolute(name: str) -> Path:
    """The path of a library that the linker knows by `name`; that name if it hides elsewhere."""
    folders = os.environ.get("LD_LIBRARY_PATH", "").split(":")
    folders += [f"/usr/lib/{sysconfig.get_config_var('MULTIARCH')}", "/usr/lib64", "/usr/lib"]
    folders += ["/usr/local/lib", "/usr/local/lib64"]
    paths = (Path(folder, name) for folder in folders if folder)
    return next((path for path in paths if path.exists()), Path(name))


def _private_root(library: Path) -> Path | None:
    """The folder of the private copy that a library belongs to."""
    parents = (parent for parent in library.parents if (parent / "usr").is_dir())
    return next((parent for parent in parents if (parent / ORIGIN).exists()), None)


def _program_beside(library: Path) -> Path | None:
    for parent in library.parents[:3]:
        if (program := parent / "bin" / "ngspice").is_file():
            return program
    on_path = shutil.which("ngspice")
    return Path(on_path) if on_path else None
