"""Two-point control."""

from __future__ import annotations

from tellegen.signature import number
from tellegen.sims.controllers import controller
from tellegen.sims.inflight.exchange import Exchange


@controller(
    reads=("read",),
    drives=("drive",),
    low=number("V", doc="below it the drive is `on`"),
    high=number("V", doc="above it the drive is `off`"),
    on=number("@", doc="the drive that raises the signal"),
    off=number("@", 0.0, doc="the drive that lets it fall"),
)
class two_point:  # noqa: N801 (its name in the language)
    """Holds a signal between two bounds by a drive that is switched, as a thermostat does."""

    def __init__(
        self, read: str, drive: str, low: float, high: float, on: float, off: float
    ) -> None:
        self.read, self.drive, self.low, self.high = read, drive, low, high
        self.on, self.off = on, off

    def __call__(self, exchange: Exchange) -> None:
        """One exchange."""
        value = float(exchange.read(self.read))
        if value < self.low:
            exchange.drive(self.drive, self.on)
        elif value > self.high:
            exchange.drive(self.drive, self.off)
