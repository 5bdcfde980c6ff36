"""Controllers named in a `simulate` block: their binding, and the transient that they take part in.

ngspice cannot keep a running transient. But a transient is deterministic, and so are the controllers:
a stopped run is resumed by going through it again from its beginning, and its points must come out
as those that were kept, bit for bit, up to the exchange at which it stopped. That costs the time that
it took; what it buys is that the whole is one transient, without a seam.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellegen.diagnostics import Sink, did_you_mean, one_of
from tellegen.elaborate.experiment import ControlValue
from tellegen.manifest import Manifest
from tellegen.signature import bind, convert, number
from tellegen.sims import plugins
from tellegen.sims.controllers import Controller
from tellegen.sims.inflight import Exchange, InFlight
from tellegen.sims.locate import find_library
from tellegen.sims.plan import Transient
from tellegen.sims.quantities import quantity
from tellegen.sims.run_folder import RunFolderError
from tellegen.sims.signals import matching, plain, recordable, without_indices
from tellegen.sims.waveform import Waveforms
from tellegen.sims.worker import Job
from tellegen.values import PathValue, Unknown

Values = NDArray[np.float64]

PACKAGE = "tellegen.sims.controllers"
_TELL_EVERY = 0.1  # seconds of the clock on the wall between two signs of progress


@dataclass(frozen=True)
class ControlPlan:
    """A controller with its arguments bound.

    Attributes:
        name: the controller's.
        arguments: signals by name, settings in SI units.
        reads: the signals that it reads.
        drives: the inputs that it drives.
        every: seconds between two exchanges; 0 for an exchange at every spike of what it reads.
        spikes: those of the signals that it reads that carry spikes.
    """

    name: str
    arguments: Mapping[str, Any]
    reads: tuple[str, ...]
    drives: tuple[str, ...]
    every: float
    spikes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Order:
    """What a controlled transient needs; `kept` are points that it must come through again."""

    netlist: str
    manifest: Manifest
    record: tuple[str, ...]
    transient: Transient
    control: ControlPlan
    file: Path
    kept: Kept | None = None


@dataclass(frozen=True)
class Kept:
    """The points of a stopped run: their file, and how many count; None for all that it holds."""

    file: Path
    points: int | None


@dataclass(frozen=True, eq=False)
class Flown:
    """What came of it; `points` are those up to the exchange at which it was stopped, None if it ended."""

    waves: Waveforms
    time: float
    points: int | None
    checked: bool


def bind_control(
    said: ControlValue, manifest: Manifest, transient: Transient | None, sink: Sink
) -> ControlPlan | None:
    """The plan of a `control` statement, or None after diagnostics."""
    call = said.controller
    known = plugins.names(PACKAGE)
    if call.name not in known:
        sink.error("unknown-name", f"unknown controller `{call.name}`", call.name_span,
                   help=did_you_mean(call.name, known) or f"known: {one_of(known)}")  # fmt: skip
        return None
    if transient is None:
        sink.error("wrong-kind", "a controller takes part in a transient, and the block has none", said.span,
                   help="add `transient STOP step STEP`")  # fmt: skip
        return None
    found = plugins.load(PACKAGE, call.name)
    assert isinstance(found, Controller)
    bound = bind(call, call.name, found.arguments, sink, subject=_unit(said, found, manifest))
    every = 0.0
    if said.every is not None:
        value = convert(said.every, number("s", low=1e-18, high=transient.stop), "`every`", sink)
        if isinstance(value, Unknown):
            return None
        every = float(value)
    if bound is None:
        return None
    before = len(sink.errors)
    drives = [_input(bound[name], manifest, sink) for name in found.drives]
    reads = [_signal(bound[name], manifest, sink) for name in found.reads]
    if len(sink.errors) > before:
        return None
    bound |= dict(zip(found.drives, drives, strict=True)) | dict(
        zip(found.reads, reads, strict=True)
    )
    return ControlPlan(call.name, bound, tuple(reads), tuple(drives), every)


def _unit(said: ControlValue, found: Controller, manifest: Manifest) -> str:
    """The unit of the first driven input, volt if it cannot be told."""
    order = list(found.arguments)
    for k, given in enumerate(said.controller.arguments):
        name = given.name or (order[k] if k < len(order) else "")
        if found.drives and name == found.drives[0] and isinstance(given.value, PathValue):
            entry = manifest.inputs.get(plain(given.value.text))
            return "A" if entry is not None and entry.kind == "current" else "V"
    return "V"


def _input(path: PathValue, manifest: Manifest, sink: Sink) -> str:
    found = matching(path, manifest.inputs, "input", sink)
    if found and manifest.inputs[found[0]].shape:
        _array(path, sink)
    return found[0] if found else ""


def _signal(path: PathValue, manifest: Manifest, sink: Sink) -> str:
    """A port, an observable or a node; a part of a port is none of these."""
    text = plain(path.text)
    names = recordable(manifest)
    if text not in names:
        known = sorted({without_indices(n) for n in names})
        sink.error("unknown-name", f"there is no signal `{path.text}` to read", path.span,
                   help=did_you_mean(text, known) or f"known: {one_of(known)}")  # fmt: skip
    elif quantity(manifest, text).shape:
        _array(path, sink)
    return text


def _array(path: PathValue, sink: Sink) -> None:
    sink.error("shape-mismatch", f"`{path.text}` is an array: a controller has single signals", path.span,
               help="give the element a name of its own, `output y = h[0]`")  # fmt: skip


class _Taking:
    """A controller, with what the run around it wants to know at its exchanges."""

    def __init__(self, job: Job, order: Order, flight: InFlight) -> None:
        found = plugins.load(PACKAGE, order.control.name)
        assert isinstance(found, Controller)
        self.controller = found.make(**order.control.arguments)
        self.job, self.flight = job, flight
        self.kept: Values | None = None
        if order.kept is not None:
            # A file that was being written when its program died may end within a row.
            row = len(flight.recorder.last) + 1
            whole = order.kept.file.stat().st_size // (8 * row)
            size = whole if order.kept.points is None else min(whole, order.kept.points)
            if size:
                old = np.memmap(order.kept.file, dtype=np.float64, mode="r")
                self.kept = old[: size * row].reshape(size, row)
        self.told = 0.0
        self.points: int | None = None

    def __call__(self, exchange: Exchange) -> None:
        self.controller(exchange)
        if self.kept is not None and self.flight.recorder.count >= len(self.kept):
            self.check()
        now = monotonic()
        if now - self.told > _TELL_EVERY:
            self.told = now
            self.job.send(exchange.time)
            if self.job.stopping:
                self.points = self.flight.recorder.count
                exchange.stop()

    def check(self) -> None:
        """Hold the points so far against those that were kept."""
        assert self.kept is not None
        table = self.flight.recorder.table()[: len(self.kept)]
        same = (table == self.kept[: len(table)]).all(axis=1)
        if not same.all() or len(table) < len(self.kept):
            row = int(np.argmin(same))
            raise RunFolderError(
                f"the run cannot go on: gone through again, it differs from what was kept from {table[row, 0]:.6g} s "
                "on (another ngspice, or a controller that is not deterministic?)"
            )
        self.kept = None


def fly_job(job: Job, order: Order) -> Flown:
    """Run a controlled transient in a worker; its points go to a file as they come."""
    t, control = order.transient, order.control
    flight = InFlight(
        order.netlist, order.manifest, library=find_library(),
        record=list(dict.fromkeys((*order.record, *control.reads))), spikes=control.spikes,
        step=t.step, stop=t.stop, max_step=t.max_step, external=control.drives, file=order.file,
    )  # fmt: skip
    try:
        taking = _Taking(job, order, flight)
        flight.control(taking, every=control.every)
        if taking.kept is not None and taking.points is None:
            taking.check()
        return Flown(
            flight.waveforms(list(order.record)), flight.time, taking.points, taking.kept is None
        )
    finally:
        flight.close()
