"""An ngspice that calls back from within a running transient.

ngspice asks for the value of every source that is given from outside (its card says `external`), before every
step, which may be cut, and after every point. No command is ever sent from within a callback: ngspice would run it
twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tellegen.sims.inflight.transient import InFlight
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tellegen.sims.ngspice.library import NgSpice, ffi


class InFlightNgSpice(NgSpice):
    """An ngspice with the callbacks of a running transient.

    ngspice keeps its state in the globals of its library: each of these loads a copy of its own, so
    that a process may hold several transients at a time.

    Attributes:
        listener: what is called; None while no transient runs.
    """

    listener: InFlight | None = None

    def _load_library(self, verbose: bool) -> None:
        """Load a copy of the library; the file may go as soon as it is loaded."""
        own = self._path
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder, f"{id(self):x}.so")
            shutil.copyfile(own, copy)
            self._path = str(copy)
            super()._load_library(verbose)
        self._path = own

    def _data_callbacks(self) -> tuple[Any, Any]:
        def data(values: Any, _count: int, _ident: int, _user: Any) -> int:
            if self.listener is not None:
                self.listener.on_point(values)
            return 0

        def names(info: Any, _ident: int, _user: Any) -> int:
            if self.listener is not None and not self.listener.on_resumed(info.veccount):
                vectors = info.vecs
                self.listener.on_vectors(
                    [ffi.string(vectors[k].vecname).decode() for k in range(info.veccount)]
                )
            return 0

        self._data = ffi.callback("SendData", data), ffi.callback("SendInitData", names)
        return self._data

    def keep_one_point(self) -> None:
        """Let vectors hold their last point only; points are handed over as they come.

        `.save none` says so for as long as the library is loaded, but saves all vectors. The circuits that
        follow may name theirs: what ngspice hands over with every point is then short.
        """
        self.load("* none\nv1 1 0 1\nr1 1 0 1\n.save none\n.end", self)
        self.command("op")

    def connect(self, held: Mapping[bytes, float]) -> None:
        """Let ngspice ask for its steps, and for the values that external sources have in `held`."""
        known: dict[Any, bytes] = {}  # by pointer: a source's name stays where it is

        def source(value: Any, _time: float, name: Any, _ident: int, _user: Any) -> int:
            try:
                value[0] = held[known[name]]
            except KeyError:
                value[0] = held[known.setdefault(name, ffi.string(name))]
            return 0

        def step(
            time: float, delta: Any, _old: float, redo: int, _ident: int, place: int, _user: Any
        ) -> int:
            listener = self.listener
            if listener is None:
                return 0
            if place == 0:
                asked = delta[0]
                given = listener.on_step(time, asked)
                if given != asked:
                    delta[0] = given
            elif redo:
                listener.on_redo(time, delta[0])
            elif listener.regain and listener.regain > delta[0]:
                # Not at place 0: what is set here, ngspice still cuts at its own breakpoints.
                delta[0] = listener.regain
            return 0

        self._sync = (
            ffi.callback("GetVSRCData", source),
            ffi.callback("GetISRCData", source),
            ffi.callback("GetSyncData", step),
        )
        self._ident = ffi.new("int *", 0)
        self._lib.ngSpice_Init_Sync(*self._sync, self._ident, ffi.NULL)
