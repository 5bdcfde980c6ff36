"""The session: an engine in a worker process, and jobs that run beside one.

A :class:`Session` has the methods of :class:`~tellegen.sims.ngspice.engine.Engine`; each call crosses to
the worker and back (about 0.1 ms). A learning loop does not: it runs in the worker as a job
(:func:`run_job`), beside its engine, and only progress, checkpoints and results cross.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from tellegen.arrays import Values
from tellegen.manifest import Manifest
from tellegen.sims.errors import placed
from tellegen.sims.workers.process import Worker
from tellegen.sims.workers.vitals import TIMEOUT

if TYPE_CHECKING:
    from tellegen.sims.ngspice.engine import Check
    from tellegen.sims.ngspice.waveform import Waveforms


class Session:
    """A compiled network in an ngspice of its own; use it as a context manager."""

    def __init__(
        self,
        netlist: str,
        manifest: Manifest,
        *,
        library: Path | None = None,
        solver: str = "auto",
        timeout: float = TIMEOUT,
    ) -> None:
        """Start ngspice in a worker and load the netlist.

        Args:
            netlist: SPICE text that the compiler emitted.
            manifest: what the compiler says of it.
            library: path of ngspice's shared library; by default the one that is found.
            solver: "auto", "sparse" or "klu".
            timeout: seconds without a sign of progress after which ngspice counts as hung.

        Raises:
            SimulatorMissing: there is no ngspice library.
            SimulationError: ngspice does not accept the netlist.
        """
        self.manifest = manifest
        self._worker = Worker(library, timeout)
        try:
            engine = "tellegen.sims.ngspice.engine:Engine"
            self._ask(self._worker.make, engine, netlist, manifest, solver=solver)
        except BaseException:
            self.close()
            raise

    def _ask(self, what: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        return placed(what, self.manifest, *arguments, **named)

    def _call(self, method: str, *arguments: Any, **named: Any) -> Any:
        return self._ask(self._worker.call, method, *arguments, **named)

    def write(self, parameter: str, values: ArrayLike) -> None:
        """Set a programmable parameter, in its header's unit."""
        self._call("write", parameter, np.asarray(values, dtype=float))

    def drive(self, name: str, values: ArrayLike) -> None:
        """Set the DC values of an input's sources, in volt or ampere, or the field of an optical one."""
        self._call("drive", name, np.asarray(values))

    def phase(self, name: str, targets: Mapping[str, ArrayLike] | None = None) -> None:
        """Enter a phase: "free", or "clamped" with target voltages for outputs."""
        self._call("phase", name, {k: np.asarray(v, float) for k, v in (targets or {}).items()})

    def solve(self) -> None:
        """Find one operating point, starting from the last one."""
        self._call("solve")

    def scan(self, parameters: Mapping[str, ArrayLike], read: str) -> Values:
        """Solve at one point after another in the worker and read a signal at each.

        `parameters` are (points, *shape), the result (points, *shape of the signal).
        """
        value: Values = self._call(
            "scan", {name: np.asarray(v, float) for name, v in parameters.items()}, read
        )
        return value

    def read(self, name: str) -> Values:
        """An output, input or observable of the last solve, in its declared shape; or "nodes"."""
        value: Values = self._call("read", name)
        return value

    def cold(self) -> Values:
        """Node voltages of an operating point found from nothing."""
        value: Values = self._call("cold")
        return value

    def check(self) -> Check:
        """Hold the last solution against a cold one and against Kirchhoff's current law."""
        value: Check = self._call("check")
        return value

    def restart(self) -> None:
        """Load the circuit anew, into a state that depends on the written values alone."""
        self._call("restart")

    def transient(
        self,
        step: float,
        stop: float,
        record: Sequence[str],
        *,
        max_step: float | None = None,
        initial: str = "operating point",
    ) -> Waveforms:
        """Run a transient and return the recorded signals; see `Engine.transient`."""
        value: Waveforms = self._call(
            "transient", step, stop, list(record), max_step=max_step, initial=initial
        )
        return value

    def close(self) -> None:
        """End the worker."""
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


def run_job(
    target: str,
    payload: Any,
    on_message: Callable[[Any], None] = lambda message: None,
    *,
    timeout: float = TIMEOUT,
    library: Path | None = None,
    manifest: Manifest | None = None,
) -> Any:
    """Run `function(job, payload)` in a worker process and return what it returns.

    The function runs beside its own :class:`~tellegen.sims.ngspice.engine.Engine`. It sends messages by
    `job.send(...)`, which arrive at `on_message`, and should look at `job.stopping` between its
    steps: Ctrl-C in the parent sets it, and the job then ends in its own time (a second Ctrl-C
    ends it at once).

    Args:
        target: "module:function".
        payload: anything that can be pickled.
        on_message: called in the parent with each message.
        timeout: seconds without a message or progress of ngspice after which the worker is ended.
        library: path of ngspice's shared library; by default the one that is found.
        manifest: where to look for the source lines of a crash.

    Raises:
        SimulationError: ngspice crashed, hung, or failed in the job.
        Exception: whatever else the function raises.
    """
    worker = Worker(library, timeout)
    try:
        return placed(worker.job, manifest, target, payload, on_message)
    finally:
        worker.close()
