"""Tellegen: a netlist compiler and ngspice co-simulator for physical networks that learn.

>>> import tellegen
>>> compiled = tellegen.compile_text('''
... import resistive
... network Divider { input a; output b
...     upper: resistor(a, b, g = 1 mS)
...     lower: resistor(b, gnd, g = 3 mS) }
... ''')
>>> print(compiled.emit().netlist.splitlines()[-2])
.op
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tellegen.diagnostics import CompileError, Diagnostic, TellegenError

if TYPE_CHECKING:
    from tellegen.pipeline import Compilation, Compiled
    from tellegen.sims.flight import Flight
    from tellegen.sims.session import Session
    from tellegen.sims.simulate import simulate
    from tellegen.sims.training import resume, train

__version__ = version("tellegen")

__all__ = [
    "CompileError", "Diagnostic", "Flight", "Session", "TellegenError", "compile_file", "compile_text",
    "open_file", "resume", "simulate", "train",
]  # fmt: skip

# The simulator's side is loaded when it is used, so that `import tellegen` stays quick and works
# where there is no ngspice.
_LAZY = {
    "Flight": "tellegen.sims.flight",
    "Session": "tellegen.sims.session",
    "open_file": "tellegen.pipeline",
    "resume": "tellegen.sims.training",
    "simulate": "tellegen.sims.simulate",
    "train": "tellegen.sims.training",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def compile_file(
    path: str | Path,
    network: str | None = None,
    *,
    seed: int = 0,
    overrides: Iterable[str] = (),
    cells: Iterable[str | Path] = (),
    allow: Iterable[str | Path] = (),
) -> Compiled:
    """Compile a network of a `.tgn` file.

    Args:
        path: the file.
        network: its name; the file's last network by default.
        seed: the seed of the values drawn in it.
        overrides: settings such as `Iris.n=12`.
        cells: folders of cells besides our own.
        allow: folders besides the file's own from which it may read.

    Returns:
        The compiled network; `.emit()` gives its netlist and manifest, and
        `Session(emitted.netlist, emitted.manifest)` runs it.

    Raises:
        CompileError: with every diagnostic.
    """
    from tellegen.pipeline import open_file

    return _last(open_file(path, cells=cells, allow=allow, overrides=overrides), network, seed)


def compile_text(
    text: str, network: str | None = None, *, seed: int = 0, name: str = "<text>"
) -> Compiled:
    """Compile a network of a `.tgn` text, which can read no files.

    Raises:
        CompileError: with every diagnostic.
    """
    from tellegen.pipeline import Compilation
    from tellegen.source import Source

    return _last(Compilation(Source(name, text)), network, seed)


def _last(compilation: Compilation, network: str | None, seed: int) -> Compiled:
    return compilation.compile(compilation.network_name(network), seed=seed)
