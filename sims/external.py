"""Sources whose values are given while a transient runs.

ngspice asks for the value of a source called `external` at every iteration. Each such source follows
straight lines between the points that it was last given; between two of them ngspice may step as it
likes, and :meth:`External.corner` tells where it must not step over.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Iterable, Sequence


class External:
    """The external sources of a circuit by number; time in seconds, values in volt or ampere."""

    def __init__(self, names: Iterable[str], pause: str = "") -> None:
        """`pause` is the name of a source that is 1 V from :attr:`pause_at` on, and 0 V before."""
        self._pause = pause.encode()
        self.pause_at = float("inf")
        self.number = {name.encode(): k for k, name in enumerate(names)}
        count = len(self.number)
        self._last = [0.0] * count  # the value of a source that follows no points
        self._times: list[list[float]] = [[] for _ in range(count)]
        self._values: list[list[float]] = [[] for _ in range(count)]
        self._corners: list[float] = []
        self.jumped = False

    def hold(self, k: int, value: float) -> None:
        """Keep a source at a value from now on."""
        if self._times[k] or self._last[k] != value:
            self.jumped = True
        self._last[k] = value
        self._times[k], self._values[k] = [], []

    def follow(self, k: int, times: Sequence[float], values: Sequence[float]) -> None:
        """Let a source follow points from now on; it stays at the last one's value."""
        self._times[k], self._values[k] = list(times), list(values)
        self._last[k] = values[-1]
        for time in times:
            heapq.heappush(self._corners, time)

    def value(self, name: bytes, time: float) -> float:
        """What ngspice asks for."""
        if name == self._pause:
            return float(time >= self.pause_at)
        k = self.number[name]
        times = self._times[k]
        if not times or time >= times[-1]:
            return self._last[k]
        values = self._values[k]
        after = bisect_right(times, time)
        if not after:
            return values[0]
        t0, t1 = times[after - 1], times[after]
        return values[after - 1] + (values[after] - values[after - 1]) * (time - t0) / (t1 - t0)

    def corner(self, time: float) -> float:
        """The next time after `time` at which a source bends; infinity where there is none."""
        corners = self._corners
        while corners and corners[0] <= time * (1 + 1e-14):
            heapq.heappop(corners)
        return corners[0] if corners else float("inf")
