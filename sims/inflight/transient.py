"""The in-flight engine: a transient that goes on while Python reads and writes it.

ngspice runs, and calls back: for the value of every source that is given from outside (its card
says `external`), before every step, which is cut so that none leads over an exchange or over a bend
of a source, and after every point, which is recorded. So an exchange falls on exactly its time, and
costs no pause of ngspice's; what is written takes effect from the next point on. Only a parameter, an
element's value, cannot be written while ngspice is in a step: then the transient pauses
(`stop when`), the value is altered, and it resumes.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
from numpy.typing import ArrayLike

from tellegen.arrays import Values
from tellegen.manifest import Manifest
from tellegen.sims.errors import (
    ControllerLeft,
    SimulationError,
    cause_of,
    known_by_name,
    located,
)
from tellegen.sims.inflight.callbacks import InFlightNgSpice
from tellegen.sims.inflight.exchange import Controller, Exchange, Watch
from tellegen.sims.inflight.inputs import Inputs
from tellegen.sims.inflight.signals import Signals
from tellegen.sims.ngspice.alter import Commands, Group, carried
from tellegen.sims.ngspice.library import ffi
from tellegen.sims.ngspice.netlist import saves, with_cards
from tellegen.sims.ngspice.waveform import Waveforms, tran_command
from tellegen.sims.workers import vitals

_PAUSE = "tellegen_pause"
# After a jump of a source comes one step of this share of the longest one: the trapezoidal rule takes
# the mean of a source before and after, which is wrong for the length of that step. The steps behind it
# need not grow from there, ngspice's own control of the error is enough.
_AFTER_JUMP = 1e-6
# Two times are one where they differ by less than this share.
_SAME = 1e-12
_ALMOST = 1 - _SAME
_NEVER = float("inf")
# ngspice's steps to one time differ by less than this share of the last one, for adding up alone.
_ROUNDING = 1e-9
# With these callbacks ngspice ends a transient up to 1.1 of its shortest steps early, 1e-11 of the longest one each. A
# step that is short of a time by less than this share of the longest one leads there: halved, its half would be short by
# as much, and 39.3 gives up at a step too short to be halved.
_END = 2e-11


class InFlight:
    """One transient in this process's ngspice; see the module's text."""

    def __init__(
        self,
        netlist: str,
        manifest: Manifest,
        *,
        library: Path,
        record: Sequence[str],
        step: float,
        stop: float,
        max_step: float | None = None,
        external: Sequence[str] = (),
        spikes: Sequence[str] = (),
        initial: str = "operating point",
        file: Path | None = None,
        keep: bool = True,
    ) -> None:
        """Load the netlist; nothing runs before the first :meth:`advance` or :meth:`control`.

        Args:
            netlist: SPICE text that the compiler emitted.
            manifest: what the compiler says of it.
            library: ngspice's shared library.
            record: what is to be read or kept: ports, observables, "nodes".
            step: SPICE's TSTEP in seconds.
            max_step: SPICE's TMAX; `step` by default. The circuit's cells may ask for a shorter one.
            stop: the latest end, in seconds.
            external: the inputs whose values are given while it runs (0 until then).
            spikes: those of the recorded signals that are watched for spikes.
            initial: "operating point", or "given" (SPICE's `uic`).
            file: where the points are kept; in memory if None.
            keep: whether points are kept at all; a long run that is only looked at needs none.

        Raises:
            SimulationError: ngspice does not accept the netlist.
            KeyError: the manifest has no such signal or input.
            ValueError: a time that is not above 0, or a signal that cannot be watched.
        """
        for said, seconds in (("step", step), ("stop", stop), ("max_step", max_step or step)):
            if not 0 < seconds < _NEVER:
                raise ValueError(f"{said} is a time above 0 s, not {seconds}")
        self.manifest = manifest
        self._ng = InFlightNgSpice(library)
        self._signals = Signals(manifest, record, spikes, file, keep=keep)
        self.recorder = self._signals.recorder
        self._inputs = Inputs(manifest, external, pause=f"v{_PAUSE}")
        self.external = self._inputs.external
        self._ng.connect(self.external.held)
        self._parameters = {
            name: Group(entry.elements, entry.attribute)
            for name, entry in manifest.parameters.items()
        }
        self._commands = Commands(list(self._parameters.values()))
        longest = manifest.longest_step(max_step or step)
        self._tran = tran_command(step, stop, longest, initial)
        self.stop = stop
        self._max_step = longest
        text = self._inputs.without_values(netlist)
        cards = [f"v{_PAUSE} {_PAUSE} 0 external", f"r{_PAUSE} {_PAUSE} 0 1"]
        if 2 * len(self._signals.vectors) < len(manifest.nodes):
            # ngspice holds every vector that it saves against every node, so many are not named.
            cards += saves([*self._signals.vectors, _PAUSE])
        try:
            self._ng.keep_one_point()
            self._ng.load(with_cards(text, cards), self._ng)
        except SimulationError as error:
            places = located(error.words, manifest)
            raise SimulationError(error.cause, error.words, places) from None
        self._begun = False
        self._found: list[int] | None = None
        self._count = 0  # vectors that ngspice has
        self._points: list[Any] = []
        self._due = _NEVER  # the next exchange or pause
        self._next = _NEVER  # the next exchange
        self._controller: Controller | None = None
        self._watch: Watch | None = None
        self._every = _NEVER
        self._on_spikes = False
        self._error: BaseException | None = None
        self._exchange = Exchange(self, self._signals, self._inputs)
        self.stopping = False
        self._target = 0.0
        self._sharp = True  # whether a jump of a source is one, and not a ramp along a step
        self.regain = 0.0  # how long the next step may be after one that was cut short here
        self._altered = False

    # What the transient calls while it runs

    def on_vectors(self, names: list[str]) -> None:
        """The vectors of the points to come, in their order."""
        place = {name.lower(): k for k, name in enumerate(names)}
        self._found = [place[name] for name in ("time", *self._signals.vectors)]
        self._count = len(names)

    def on_resumed(self, count: int) -> bool:
        """Whether the transient goes on with the vectors that it had; their memory may be new."""
        self._points = []
        return count == self._count

    def on_step(self, time: float, delta: float) -> float:
        """The step to be taken from `time`, at most `delta`; sources get their values at its end."""
        external = self.external
        room, corner = self._due - time, _NEVER
        if external.moving:
            corner = external.corner(time)
            room = min(room, corner - time)
        self.regain = 0.0
        if external.jumped:
            external.jumped = False
            if self._sharp:
                self.regain = delta
                delta = min(delta, self._max_step * _AFTER_JUMP)
        # At the exchange itself there is no room: the next one is not known yet. A step that would
        # leave a sliver is halved: it may end at a breakpoint of ngspice's, so it must not grow.
        if room > time * _SAME and delta > 0.999 * room:
            if delta > room and self._due < corner:
                self.regain = max(self.regain, delta)
            there = room - max(_ROUNDING * room, _END * self._max_step)
            delta = room if delta > there else room / 2
        end = time + delta
        if external.moving or external.pausing or end >= external.pause_at:
            external.set_time(end)
        return delta

    def on_redo(self, time: float, delta: float) -> None:
        """The step from `time` is taken again, shorter, because its error was too large."""
        self.regain = 0.0
        self.external.set_time(time + delta)

    def on_point(self, values: Any) -> None:
        """A point was accepted."""
        try:
            if not self._points:
                if self._found is None:
                    return
                vectors = values.vecsa
                # Where their values are: to index a pointer is quicker than to name a field.
                self._points = [ffi.addressof(vectors[k], "creal") for k in self._found]
            point = [value[0] for value in self._points]
            time = point[0]
            fired = self.recorder.take(point)
            if fired and self._on_spikes and self._controller is not None:
                self._call(time, fired)
            if time >= self._due * _ALMOST:
                self._reached(time)
            if self._watch is not None and self._watch(time):
                self.stopping = True
                self._halt()
        except BaseException as error:
            # An exception would be lost in ngspice: it is kept, and raised when ngspice has paused.
            self._error = error
            self._halt()

    def _reached(self, time: float) -> None:
        vitals.tick()
        if time >= self._next * _ALMOST:
            # Between exchanges at every step a value changes along the step: a jump has no place there.
            self._sharp = self._every > 2 * self._max_step
            self._next = (round(time / self._every) + 1) * self._every
            self._due = min(self._target, self._next)
            self._call(time, [])
        if time >= self._target * _ALMOST:
            self._due = _NEVER

    def _call(self, time: float, fired: list[int]) -> None:
        assert self._controller is not None
        exchange = self._exchange
        exchange.time = time
        exchange.spiked = (
            tuple(n for n, w in self._signals.watches.items() if set(w) & set(fired))
            if fired
            else ()
        )
        try:
            self._controller(exchange)
        except SystemExit:
            raise ControllerLeft(f"the controller left Python at {time:.9g} s") from None
        except Exception as error:
            error.add_note(f"raised by the controller at {time:.9g} s")
            raise
        if self.stopping or self._altered:
            self._halt()

    def _halt(self) -> None:
        """Let ngspice pause at the next point, a short step from here."""
        self.external.pause_at = 0.0
        self._sharp = self.external.jumped = True

    # What its owner calls between

    @property
    def time(self) -> float:
        """Where the transient stands, in seconds."""
        return self.recorder.time

    def advance(self, until: float, *, watch: Watch | None = None) -> float:
        """Run to exactly `until` (or the end) and pause; returns the time.

        Args:
            until: seconds.
            watch: called with the time after every point; the transient ends there if it says so.
        """
        if until != until:
            raise ValueError("the time to run to is not a number")
        self._sharp = True
        self._fly(until, watch)
        return self.time

    def _fly(self, until: float, watch: Watch | None) -> None:
        """Run to `until` with all pauses that there are on the way."""
        self._watch = watch
        self._target = min(until, self.stop)
        self._due = min(self._target, self._next)
        enough = self._target * _ALMOST
        if self._target == self.stop:
            enough -= self._max_step * _END
        self._ng.forget_words()
        while not self.stopping and self.time < enough:
            self._run(enough)

    def control(
        self,
        controller: Controller | str,
        *,
        every: float = 0.0,
        until: float | None = None,
        watch: Watch | None = None,
    ) -> float:
        """Run to `until` with a controller that takes part: `controller(exchange)`.

        Args:
            controller: a callable, or "module:name" of one.
            every: seconds between two calls; 0 to be called at every spike of a watched signal.
            until: seconds; the transient's end by default.
            watch: as of :meth:`advance`; its word counts after the controller's.

        Raises:
            Exception: whatever the controller raises, once ngspice has paused.
        """
        if isinstance(controller, str):
            module, _, name = controller.partition(":")
            controller = getattr(importlib.import_module(module), name)
        if not every >= 0 or (not every and not self._signals.watches):
            raise ValueError("say `every`, or record signals whose spikes are watched")
        self._controller = controller  # type: ignore[assignment]
        self._on_spikes = not every
        self._every = every or _NEVER
        if every:
            self._next = (int(self.time / every * (1 + _SAME)) + 1) * every
        self._sharp = self._every > 2 * self._max_step
        try:
            self._fly(self.stop if until is None else until, watch)
        finally:
            self._controller, self._next, self._on_spikes = None, _NEVER, False
        return self.time

    def controlled(
        self, controller: bytes, *, every: float, until: float | None
    ) -> tuple[float, bytes]:
        """As :meth:`control`, of a pickled controller; the time, and the controller as it is then."""
        called = cloudpickle.loads(controller)
        return self.control(called, every=every, until=until), cloudpickle.dumps(called)

    def _run(self, enough: float) -> None:
        """Let ngspice run until it pauses; `enough` is the time at which it is to."""
        ng = self._ng
        for line in self._commands.pending():
            ng.command(line)
            self._sharp = self.external.jumped = True
        self._altered = False
        self.external.pause_at = self._target * _ALMOST
        before = self.time
        ng.listener = self
        try:
            if not self._begun:
                # It stays: to delete it would delete what `.save` says too.
                ng.command(f"stop when v({_PAUSE}) > 0.5")
            ng.command("resume" if self._begun else self._tran)
        finally:
            ng.listener = None
        self._begun = True
        ng.free_log()
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        # Where ngspice gave up it has not paused; should it have been on its way to a pause, the next
        # try gets nowhere.
        on_the_way = self.time < enough and not self.external.pausing
        if on_the_way or (self.time <= before and not self._altered):
            words = ng.words()
            raise SimulationError(cause_of(words), words, located(words, self.manifest))

    # Reading and writing

    def read(self, name: str) -> Values:
        """A recorded signal at the last point, in its declared shape."""
        return self._signals.read(name)

    def spikes(self, name: str) -> list[Values]:
        """The times of the spikes of each element of a watched signal since the last call."""
        return self._signals.spikes(name)

    def edges(self, name: str) -> list[list[tuple[float, bool]]]:
        """When each element of a watched signal crossed the threshold, and whether upwards."""
        return self._signals.edges(name)

    def drive(self, name: str, values: ArrayLike) -> None:
        """Set an external input from now on, in volt or ampere."""
        self._inputs.drive(name, values)

    def follow(
        self, name: str, element: int, times: Sequence[float], values: Sequence[float]
    ) -> None:
        """Let an element of an external input follow straight lines between points to come."""
        self._inputs.follow(name, element, times, values)
        if not self._begun:
            self.external.set_time(0.0)

    def write(self, parameter: str, values: ArrayLike) -> None:
        """Set a programmable parameter from now on, in its header's unit."""
        entry = known_by_name(self.manifest.parameters, parameter, "programmable parameter")
        flat = np.broadcast_to(np.asarray(values, dtype=float), entry.shape).ravel()
        element = carried(entry, flat)
        if not np.isfinite(element).all():
            raise ValueError(f"{parameter} gives an element value that is not finite")
        self._parameters[parameter].wanted = element
        self._altered = True

    def waveforms(self, names: Sequence[str] | None = None) -> Waveforms:
        """What was recorded so far (all recorded signals by default)."""
        return self._signals.waveforms(names)

    def close(self) -> None:
        """Remove the circuit."""
        self.recorder.close()
        self._ng.unload()
