"""Transients of a `simulate` block: streamed to a file while they run, stopped, resumed.

ngspice cannot keep a running transient. But a transient is deterministic, and so are the controllers:
a stopped run is resumed by going through it again from its beginning, and its points must come out
as those that were kept, bit for bit, up to the one at which it stopped. That costs the time that
it took; what it buys is that the whole is one transient, without a seam.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import numpy as np

from tellegen.arrays import Values
from tellegen.manifest import Manifest
from tellegen.sims import plugins
from tellegen.sims.controllers import Controller
from tellegen.sims.inflight.transient import InFlight
from tellegen.sims.ngspice.locate import find_library
from tellegen.sims.ngspice.waveform import Waveforms
from tellegen.sims.run_folder import RunFolderError
from tellegen.sims.simulation.control import PACKAGE, ControlPlan
from tellegen.sims.tasks.transient import Transient
from tellegen.sims.workers.worker import Job

_TELL_EVERY = 0.1  # seconds of the clock on the wall between two signs of progress


@dataclass(frozen=True, eq=False)
class Order:
    """What a transient needs.

    Attributes:
        netlist, manifest: the circuit.
        record: the signals that come of it, and nothing else but what the controller reads.
        transient: stop, step, longest step.
        control: the controller that takes part, if any.
        file: where its points go as they come.
        kept: points of a stopped run that it must come through again.
    """

    netlist: str
    manifest: Manifest
    record: tuple[str, ...]
    transient: Transient
    control: ControlPlan | None
    file: Path
    kept: Kept | None = None


@dataclass(frozen=True)
class Kept:
    """The points of a stopped run: their file, and how many count; None for all that it holds."""

    file: Path
    points: int | None


@dataclass(frozen=True, eq=False)
class Flown:
    """What came of it.

    Attributes:
        waves: the recorded signals.
        points: how many points are kept of it where it was stopped, None if it ended.
        checked: whether it came by all the points that were kept.
    """

    waves: Waveforms
    points: int | None
    checked: bool


class _Watch:
    """Looks at a transient after every point: tells how far it is, stops it, checks it."""

    def __init__(self, job: Job, kept: Kept | None, flight: InFlight) -> None:
        self.job, self.flight = job, flight
        self.kept: Values | None = None
        if kept is not None:
            # A file that was being written when its program died may end within a row.
            row = len(flight.recorder.last) + 1
            whole = kept.file.stat().st_size // (8 * row)
            size = whole if kept.points is None else min(whole, kept.points)
            if size:
                self.kept = np.memmap(kept.file, dtype=np.float64, mode="r", shape=(size, row))
        self.told = 0.0
        self.points: int | None = None

    def __call__(self, time: float) -> bool:
        """Whether the transient is to stop after the point at `time`."""
        if self.kept is not None and self.flight.recorder.count >= len(self.kept):
            self.check()
        now = monotonic()
        if time and now - self.told > _TELL_EVERY:
            self.told = now
            self.job.send(time)
            if self.job.stopping:
                self.points = self.flight.recorder.count
                return True
        return False

    def check(self) -> None:
        """Hold the points so far against those that were kept."""
        assert self.kept is not None
        table = self.flight.recorder.table()[: len(self.kept)]
        same = (table == self.kept[: len(table)]).all(axis=1)
        if not same.all() or len(table) < len(self.kept):
            row = int(np.argmin(same)) if not same.all() else len(table) - 1
            raise RunFolderError(
                f"the run cannot go on: gone through again, it differs from what was kept from {table[row, 0]:.6g} s "
                "on (another ngspice, or a controller that is not deterministic?)"
            )
        self.kept = None


def fly_job(job: Job, order: Order) -> Flown:
    """Run a transient in a worker; its points go to a file as they come."""
    t, control = order.transient, order.control
    reads = control.reads if control else ()
    flight = InFlight(
        order.netlist, order.manifest, library=find_library(),
        record=list(dict.fromkeys((*order.record, *reads))), spikes=control.spikes if control else (),
        step=t.step, stop=t.stop, max_step=t.max_step, external=control.drives if control else (),
        file=order.file,
    )  # fmt: skip
    try:
        watch = _Watch(job, order.kept, flight)
        if control is None:
            flight.advance(t.stop, watch=watch)
        else:
            found = plugins.load(PACKAGE, control.name)
            assert isinstance(found, Controller)
            called = found.make(**control.arguments)
            flight.control(called, every=control.every, watch=watch)
        if watch.kept is not None and watch.points is None:
            watch.check()
        # Stopped before it came by all that was kept: that still counts.
        points = watch.points if watch.kept is None else len(watch.kept)
        return Flown(flight.waveforms(list(order.record)), points, watch.kept is None)
    finally:
        flight.close()
