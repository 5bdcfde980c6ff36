"""A thin hold on ngspice's shared library.

PySpice's `NgSpiceShared` finds the C declarations and opens the library; its own callbacks are
not used, because they run Python for every vector of every pause and take notes for errors. One
callback remains, which keeps the last lines ngspice said.

ngspice keeps its state in globals, so a process holds one library and one circuit at a time: ask
:func:`shared_library` for it. A circuit belongs to the object that loaded it, until that object lets
go or is no more: another one that loaded its own would go unnoticed by the first, whose solves would
from then on be of the wrong circuit. Nothing here builds a command from a user's text: commands come
from the engine, from checked names, and netlist text goes through :mod:`tellegen.sims.ngspice.netlist`.
"""

from __future__ import annotations

import gc
import inspect
import locale
import os
import re
import tempfile
import warnings
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellegen.arrays import Indices, Values
from tellegen.sims.errors import Cause, SimulationError, SimulatorBusy
from tellegen.sims.ngspice.locate import prepare_environment
from tellegen.sims.ngspice.netlist import checked_netlist
from tellegen.sims.workers import vitals

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from PySpice.Spice.NgSpice.Shared import NgSpiceShared
    from PySpice.Spice.NgSpice.Shared import ffi as ffi  # flights register callbacks of their own

_KEPT_LINES = 60
BUSY = (
    "this process's ngspice holds a circuit already, and can hold only one: `close()` the engine that has it, "
    "or use a `Session`, which has a worker process of its own"
)

# What ngspice prints without being asked, and what helps nobody who reads of a failure: the lines of
# a pause of the stepped sweep, the progress of its aids to convergence, tables of all node voltages.
_ROUTINE = re.compile(
    rb"stderr (doAnalyses: pause requested|(dc )?simulation interrupted|\d+ : condition met"
    rb"|Warning: losing old state"
    rb"|(Trying gmin =|Supplies reduced)(?!.*singular)|Warning: (Further gmin increment|Gmin step))"
    rb"|stdout (?!.*(error|fail|warning))"
    rb"| Reference value",
    re.IGNORECASE,
)
_COMPLAINT = re.compile(
    r"^(fatal |run-time |syntax |internal )?error|can't find model|unknown subckt"
    r"|undefined parameter|unknown (device|model|parameter)|unrecognized parameter"
    r"|no such|cannot compute",
    re.IGNORECASE,
)


class NgSpice(NgSpiceShared):  # type: ignore[misc]
    """This process's ngspice: commands, one circuit, vectors, and its last words.

    Attributes:
        version: ngspice's version number, as 39.
    """

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._said: deque[str] = deque(maxlen=_KEPT_LINES)
        self._asked: list[str] | None = None
        self._exited = False
        self._holder: Callable[[], object] = _nobody
        prepare_environment(path)
        super().__init__()
        self.command("set num_threads=1")
        self.command("set nomoremode")
        self.version = self._asked_version()
        self.forget_words()

    @property
    def library_path(self) -> str:
        """Path of the shared library."""
        return self._path

    def _load_library(self, verbose: bool) -> None:
        """Open the library, its declarations known; ngspice reads numbers with a decimal point."""
        locale.setlocale(locale.LC_NUMERIC, "C")
        declare()
        self._ngspice_shared = ffi.dlopen(self._path)

    def _init_ngspice(self, send_data: bool) -> None:
        """Register our callbacks in place of PySpice's."""
        routine: set[bytes] = set()  # lines seen before, and of no interest

        def send_char(text: Any, _ident: int, _user: Any) -> int:
            line = ffi.string(text)
            if self._asked is not None:
                self._asked.append(line.decode(errors="replace").removeprefix("stdout "))
            elif line not in routine:
                if not _ROUTINE.match(line):
                    self._heard(line)
                elif len(routine) < _KEPT_LINES:
                    routine.add(line)
            return 0

        def send_stat(_text: Any, _ident: int, _user: Any) -> int:
            vitals.tick()
            return 0

        def leave(_status: int, _now: bool, _quit: bool, _ident: int, _user: Any) -> int:
            self._exited = True
            return 0

        self._callbacks = (
            ffi.callback("int(char *, int, void *)", send_char),
            ffi.callback("int(char *, int, void *)", send_stat),
            ffi.callback("int(int, bool, bool, int, void *)", leave),
        )
        self._lib = self._ngspice_shared
        self._command = self._lib.ngSpice_Command
        null = ffi.NULL
        # ngspice runs a `.spiceinit` that lies in the current folder: let it look in an empty one.
        here = Path.cwd()
        with tempfile.TemporaryDirectory() as empty:
            os.chdir(empty)
            try:
                self._lib.ngSpice_Init(*self._callbacks, *self._data_callbacks(), null, null)
            finally:
                os.chdir(here)

    def _data_callbacks(self) -> tuple[Any, Any]:
        """What ngspice calls with each point, and before the first: nothing."""
        return ffi.NULL, ffi.NULL

    def _heard(self, line: bytes) -> None:
        # A line arrives as "stdout text" or "stderr text".
        text = line.decode(errors="replace").removeprefix("stdout ")
        if not self._said or self._said[-1] != text:
            self._said.append(text)
            vitals.heard(line)

    def _asked_version(self) -> int:
        found = re.search(r"ngspice-(\d+)", "\n".join(self.output("version -s")))
        return int(found[1]) if found else 0

    def command(self, text: str) -> None:
        """Run one line of commands.

        Raises:
            SimulationError: ngspice had given up earlier and needs a new process.
        """
        if self._exited:
            raise SimulationError(Cause.CRASHED, self.words())
        vitals.tick()
        self._command(text.encode("ascii"))

    def output(self, text: str) -> list[str]:
        """The lines that a command prints."""
        lines = self._asked = []
        try:
            self.command(text)
            return [line for line in lines if not line.startswith("stderr ")]
        finally:
            self._asked = None

    def free_log(self) -> None:
        """Let ngspice free what it keeps of past commands; without it memory grows."""
        self._command(ffi.NULL)

    def load(self, text: str, holder: object) -> None:
        """Make `text` the circuit, in place of the one that `holder` had.

        Raises:
            SimulationError: the text holds forbidden cards, or ngspice complains of it.
            SimulatorBusy: the circuit that is there is another object's.
        """
        lines = checked_netlist(text)
        if not self.held_by(holder) and self._holder() is not None:
            gc.collect()  # what nobody can reach any more may still be there, in a cycle
            if self._holder() is not None:
                raise SimulatorBusy(BUSY)
        self._holder = weakref.ref(holder)
        self.unload()
        self.forget_words()
        held = [ffi.new("char[]", line.encode()) for line in lines]
        status = self._lib.ngSpice_Circ(ffi.new("char *[]", [*held, ffi.NULL]))
        complaints = [line for line in self.heard_errors() if _COMPLAINT.search(line)]
        if status or self._exited or complaints:
            self._holder = _nobody
            raise SimulationError(Cause.BAD_NETLIST, self.words())

    def held_by(self, holder: object) -> bool:
        """Whether the circuit is the one that `holder` loaded."""
        return self._holder() is holder

    def let_go(self, holder: object) -> None:
        """Remove the circuit if it is `holder`'s, so that another object may load its own."""
        if self.held_by(holder):
            self._holder = _nobody
            self.unload()

    def unload(self) -> None:
        """Remove the circuit and all results."""
        self.command("destroy all")
        self.command("remcirc")
        self.free_log()

    def words(self) -> str:
        """What ngspice said since it was last told to forget, the last lines of it."""
        return "\n".join(line.removeprefix("stderr ") for line in self._said)

    def heard_errors(self) -> list[str]:
        """The lines that came on the error stream."""
        return [line.removeprefix("stderr ") for line in self._said if line.startswith("stderr ")]

    def forget_words(self) -> None:
        """Start the last words anew."""
        self._said.clear()
        vitals.forget_words()

    def pointer(self, vector: str) -> Any:
        """The C array in which ngspice holds a real vector of the present plot, or None."""
        info = self._lib.ngGet_Vec_Info(vector.encode("ascii"))
        if info == ffi.NULL or info.v_realdata == ffi.NULL or info.v_length < 1:
            return None
        return info.v_realdata

    def vector(self, name: str) -> NDArray[Any] | None:
        """A copy of a vector of the present plot (complex for an AC analysis), or None."""
        info = self._lib.ngGet_Vec_Info(name.encode("ascii"))
        if info == ffi.NULL:
            return None
        length = info.v_length
        if info.v_realdata != ffi.NULL:
            return np.frombuffer(ffi.buffer(info.v_realdata, 8 * length), dtype=np.float64).copy()
        return np.frombuffer(ffi.buffer(info.v_compdata, 16 * length), dtype=np.complex128).copy()

    def vector_names(self) -> list[str]:
        """Names of the vectors of the present plot."""
        names = self._lib.ngSpice_AllVecs(self._lib.ngSpice_CurPlot())
        found: list[str] = []
        while names[len(found)] != ffi.NULL:
            found.append(ffi.string(names[len(found)]).decode())
        return found


def _nobody() -> None:
    """Who holds a circuit that nobody holds."""


_loaded: list[NgSpice] = []


def shared_library(path: Path) -> NgSpice:
    """This process's ngspice, loaded from `path` at the first call.

    Raises:
        ValueError: the process already holds another library.
    """
    if not _loaded:
        _loaded.append(NgSpice(path))
    if Path(_loaded[0].library_path) != path:
        raise ValueError(f"this process already holds ngspice from {_loaded[0].library_path}")
    return _loaded[0]


@cache
def declare() -> None:
    """Make ngspice's C declarations known, once in a process."""
    ffi.cdef(Path(inspect.getfile(NgSpiceShared)).with_name("api.h").read_text())


def address(pointer: Any) -> int:
    """Where a C pointer points."""
    return int(ffi.cast("uintptr_t", pointer))


def memory(addresses: Sequence[int]) -> tuple[Values, Indices]:
    """An array over this process's memory, and the positions of the given doubles in it.

    The array spans all memory between the doubles; only these positions of it may be touched.
    """
    places = np.array(addresses, dtype=np.int64)
    first, last = int(places.min()), int(places.max())
    whole = ffi.buffer(ffi.cast("double *", first), last - first + 8)
    return np.frombuffer(whole, dtype=np.float64), (places - first) // 8
