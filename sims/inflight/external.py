"""Sources whose values are given while a transient runs.

ngspice asks for the value of a source called `external` at every iteration, always for the end of the
step that it is about to take. So values are worked out once a step (:meth:`External.set_time`) and
looked up when asked. A source holds a value, or follows straight lines between the points that it was
last given; :meth:`External.corner` tells where a step must not lead over.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Iterable, Sequence

_NEVER = float("inf")


class External:
    """The external sources of a circuit; time in seconds, values in volt or ampere.

    Attributes:
        held: the values for the end of the present step, by the source's SPICE name.
        jumped: whether a source's value jumps at the beginning of the next step.
        pause_at: from this time on the pausing source is at 1 V.
        pausing: whether it is at the end of the present step.
        moving: the points that sources follow, by number.
    """

    def __init__(self, names: Iterable[str], pause: str = "") -> None:
        """`pause` is the name of a source that is 1 V from :attr:`pause_at` on, and 0 V before."""
        self._pause = pause.encode()
        self._names = [name.encode() for name in names]
        self.held: dict[bytes, float] = dict.fromkeys((*self._names, self._pause), 0.0)
        self.pause_at = _NEVER
        self.pausing = False
        self.jumped = False
        self.moving: dict[int, tuple[list[float], list[float]]] = {}
        self._corners: list[float] = []

    def hold(self, k: int, value: float) -> None:
        """Keep the k-th source at a value from now on."""
        name = self._names[k]
        if self.held[name] != value or k in self.moving:
            self.jumped = True
            self.held[name] = value
            self.moving.pop(k, None)

    def follow(self, k: int, times: Sequence[float], values: Sequence[float]) -> None:
        """Let the k-th source follow points from now on; it stays at the last one's value."""
        self.moving[k] = (list(times), list(values))
        for time in times:
            heapq.heappush(self._corners, time)

    def set_time(self, time: float) -> None:
        """Work out the values for the end of a step."""
        self.pausing = time >= self.pause_at
        self.held[self._pause] = 1.0 if self.pausing else 0.0
        for k, (times, values) in self.moving.items():
            self.held[self._names[k]] = _between(times, values, time)

    def corner(self, time: float) -> float:
        """The next time after `time` at which a source bends; infinity where there is none."""
        corners = self._corners
        reached = time * (1 + 1e-14)
        if corners and corners[0] <= reached:
            while corners and corners[0] <= reached:
                heapq.heappop(corners)
            for k in [k for k, (times, _) in self.moving.items() if times[-1] <= reached]:
                self.held[self._names[k]] = self.moving.pop(k)[1][-1]
        return corners[0] if corners else _NEVER


def _between(times: list[float], values: list[float], time: float) -> float:
    after = bisect_right(times, time)
    if after == 0:
        return values[0]
    if after == len(times):
        return values[-1]
    t0, t1 = times[after - 1], times[after]
    return values[after - 1] + (values[after] - values[after - 1]) * (time - t0) / (t1 - t0)
