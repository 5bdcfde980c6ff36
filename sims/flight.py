"""A flight: an in-flight transient in a worker process, seen from the user's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import cloudpickle
import numpy as np
from numpy.typing import ArrayLike

from tellegen.arrays import Values
from tellegen.diagnostics import TellegenError
from tellegen.manifest import Manifest
from tellegen.sims.errors import placed
from tellegen.sims.ngspice.locate import find_library
from tellegen.sims.workers.process import Worker
from tellegen.sims.workers.vitals import TIMEOUT

if TYPE_CHECKING:
    from tellegen.sims.inflight.exchange import Controller
    from tellegen.sims.ngspice.waveform import Waveforms


class Flight:
    """A transient that Python takes part in; use it as a context manager.

    Every call crosses to the worker and back (about 0.1 ms); a controller runs over there, beside
    ngspice. Arguments and methods are those of :class:`~tellegen.sims.inflight.transient.InFlight`.
    """

    def __init__(
        self,
        netlist: str,
        manifest: Manifest,
        *,
        record: Sequence[str],
        step: float,
        stop: float,
        max_step: float | None = None,
        external: Sequence[str] = (),
        spikes: Sequence[str] = (),
        initial: str = "operating point",
        file: str | Path | None = None,
        keep: bool = True,
        library: Path | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        """Start ngspice in a worker and load the netlist; nothing runs before :meth:`advance`.

        Args:
            netlist: SPICE text that the compiler emitted.
            manifest: what the compiler says of it.
            record: the signals to be read and kept: ports, observables, nodes, or "nodes".
            step: suggested step in seconds (TSTEP).
            stop: the latest end in seconds.
            max_step: bound of ngspice's own step (TMAX); `step` by default. The circuit's cells may ask for
                a shorter one.
            external: the inputs that :meth:`drive` sets while it runs; the others keep the values and
                waveforms of the netlist.
            spikes: those of the recorded signals whose spikes are to be told.
            initial: "operating point", or "given" (SPICE's `uic`).
            file: where the points are kept, as rows of float64; in memory if None.
            keep: whether points are kept at all; a long run that is only looked at needs none.
            library: ngspice's shared library; by default the one that is found.
            timeout: seconds without progress after which ngspice counts as hung.

        Raises:
            SimulatorMissing: there is no ngspice library.
            SimulationError: ngspice does not accept the netlist.
        """
        self.manifest = manifest
        self.time = 0.0
        self._closed = self._interrupted = False
        self._worker = Worker(library, timeout)
        try:
            self._ask(
                self._worker.make, "tellegen.sims.inflight.transient:InFlight", netlist, manifest,
                library=library or find_library(), record=list(record), step=step, stop=stop,
                max_step=max_step, external=list(external), spikes=list(spikes), initial=initial,
                file=None if file is None else Path(file), keep=keep,
            )  # fmt: skip
        except BaseException:
            self._worker.close()
            raise

    def _ask(self, what: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        if self._closed:
            raise ValueError("the flight is closed")
        try:
            return placed(what, self.manifest, *arguments, **named)
        except Exception:
            raise
        except BaseException:  # Ctrl-C: the worker is still at it
            self._interrupted = True
            raise

    def _call(self, method: str, *arguments: Any, **named: Any) -> Any:
        return self._ask(self._worker.call, method, *arguments, **named)

    def advance(self, until: float) -> float:
        """Run to exactly `until` seconds (or the end) and pause there; returns the time."""
        self.time = self._call("advance", until)
        return self.time

    def control(
        self, controller: Controller | str, *, every: float = 0.0, until: float | None = None
    ) -> Any:
        """Run to `until` with a controller that takes part, and return it with its new state.

        Args:
            controller: what is called with an :class:`~tellegen.sims.inflight.exchange.Exchange`: a callable,
                which is copied to the worker and back, or "module:name" of one.
            every: seconds between two calls; 0 to be called at the spikes of the watched signals.
            until: seconds; the transient's end by default.
        """
        # A script's own classes are no module's: cloudpickle sends them by value.
        sent = cloudpickle.dumps(controller)
        self.time, back = self._call("controlled", sent, every=every, until=until)
        return cloudpickle.loads(back)

    def read(self, name: str) -> Values:
        """A recorded signal at the last point, in its declared shape."""
        value: Values = self._call("read", name)
        return value

    def spikes(self, name: str) -> list[Values]:
        """The times of the spikes of each element of a watched signal since the last call."""
        value: list[Values] = self._call("spikes", name)
        return value

    def drive(self, name: str, values: ArrayLike) -> None:
        """Set an external input from now on, in volt or ampere."""
        self._call("drive", name, np.asarray(values, dtype=float))

    def write(self, parameter: str, values: ArrayLike) -> None:
        """Set a programmable parameter from now on, in its header's unit."""
        self._call("write", parameter, np.asarray(values, dtype=float))

    def waveforms(self) -> Waveforms:
        """Everything that was recorded so far."""
        value: Waveforms = self._call("waveforms")
        return value

    def close(self) -> None:
        """End the transient and its worker; what was recorded is in its file then."""
        if not self._closed and not self._interrupted:
            with suppress(TellegenError):  # a worker that has died has nothing more to write
                self._call("close")
        self._closed = True
        self._worker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
