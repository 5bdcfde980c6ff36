"""Spikes as events: the times at which a waveform rises through a threshold."""

from __future__ import annotations

import numpy as np

from tellegen.arrays import Values

SPIKE = 0.9  # volt: half of the supply of the libraries that spike


def crossings(
    time: Values, values: Values, threshold: float = SPIKE, *, rising: bool = True
) -> Values:
    """The times at which a waveform crosses a threshold upwards (or downwards), in order.

    Args:
        time: (times,) in seconds.
        values: (times,) of the waveform; straight between the times.
        threshold: in the unit of the values.
        rising: whether upward crossings count, or downward ones.
    """
    above = values > threshold
    if not rising:
        above = ~above
    k = np.flatnonzero(~above[:-1] & above[1:])
    share = (threshold - values[k]) / (values[k + 1] - values[k])
    return np.asarray(time[k] + share * (time[k + 1] - time[k]))
