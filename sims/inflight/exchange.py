"""What a controller sees of a running transient, and what it does to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tellegen.sims.inflight.inputs import Inputs
from tellegen.sims.inflight.signals import Signals

if TYPE_CHECKING:
    from tellegen.sims.inflight.transient import InFlight
from collections.abc import Callable


class Exchange:
    """What a controller sees of a running transient, and what it does to it.

    Attributes:
        time: of the transient, in seconds.
        spiked: the signals that have just spiked, for a controller that is called at spikes.
        read: :meth:`InFlight.read`, what a signal is now.
        spikes: :meth:`InFlight.spikes`, when a watched signal has spiked since the last call.
        drive: :meth:`InFlight.drive`, sets an external input from now on.
        write: :meth:`InFlight.write`, sets a parameter from now on; costs a pause of the transient.
    """

    def __init__(self, engine: InFlight, signals: Signals, inputs: Inputs) -> None:
        self.time = 0.0
        self.spiked: tuple[str, ...] = ()
        # Methods of those who do it: a controller is called at every step maybe, and a frame costs.
        self.read, self.spikes = signals.read, signals.spikes
        self.drive, self.write = inputs.drive, engine.write
        self._engine = engine

    def stop(self) -> None:
        """End the transient here."""
        self._engine.stopping = True


Controller = Callable[[Exchange], None]
Watch = Callable[[float], bool]
