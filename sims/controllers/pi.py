"""Proportional-integral control."""

from __future__ import annotations

from tellegen.signature import number
from tellegen.sims.controllers import controller
from tellegen.sims.inflight.exchange import Exchange


@controller(
    reads=("read",),
    drives=("drive",),
    setpoint=number("V", doc="where the signal is to be"),
    kp=number("@/V", doc="drive per volt of error"),
    ki=number("@/V/s", 0.0, doc="growth of the drive per volt of error and second"),
    low=number("@", float("-inf"), doc="least drive"),
    high=number("@", float("inf"), doc="largest drive"),
)
class pi:  # noqa: N801 (its name in the language)
    """Holds a signal at a setpoint: `drive = kp e + ki * integral of e`, `e = setpoint - read`.

    The integral is the sum of e times the interval behind it; while the drive is at a bound, it stands
    still (Astrom, Murray, Feedback Systems, section 10.4, on windup).
    """

    def __init__(
        self, read: str, drive: str, setpoint: float, kp: float, ki: float, low: float, high: float
    ) -> None:
        self.read, self.drive, self.setpoint = read, drive, setpoint
        self.kp, self.ki, self.low, self.high = kp, ki, low, high
        self.integral = self.time = 0.0

    def __call__(self, exchange: Exchange) -> None:
        """One exchange."""
        error = self.setpoint - float(exchange.read(self.read))
        integral = self.integral + error * (exchange.time - self.time)
        self.time = exchange.time
        wanted = self.kp * error + self.ki * integral
        given = min(max(wanted, self.low), self.high)
        if given == wanted:
            self.integral = integral
        exchange.drive(self.drive, given)
