"""Windows: the part of a transient over which what is measured is averaged."""

from __future__ import annotations

import numpy as np

from tellegen.arrays import Values
from tellegen.diagnostics import Sink
from tellegen.elaborate.experiment import ExperimentValues
from tellegen.quantity import spelled
from tellegen.signature import Argument, convert
from tellegen.values import Unknown

Window = tuple[float, float]


def window_of(block: ExperimentValues, stop: float | None, sink: Sink) -> Window | None:
    """The window of a block whose transient ends at `stop`, in seconds; None where it says none."""
    said = block.settings.get("window")
    if said is None:
        return None
    if stop is None:
        sink.error("arity", "a `window` is a part of a transient, and there is none", said.span,
                   help="add `transient LENGTH step STEP`")  # fmt: skip
        return None
    found = convert(said.values[0], Argument("interval", "s"), "`window`", sink)
    if isinstance(found, Unknown):
        return None
    low, high = found
    if not 0 <= low < high <= stop * (1 + 1e-9):
        sink.error("out-of-range", "a `window` goes from one time of the transient to a later one", said.span,
                   help=f"from 0 s on, and to {spelled(stop, 's')} at most")  # fmt: skip
        return None
    return float(low), float(high)


def mean(time: Values, values: Values, window: Window) -> Values:
    """The mean over a window of values (times, ...) that are straight lines between the times."""
    low, high = window
    at = np.concatenate([[low], time[(time > low) & (time < high)], [high]])
    columns = values.reshape(len(time), -1).T
    seen = np.array([np.interp(at, time, column) for column in columns])
    means: Values = ((seen[:, 1:] + seen[:, :-1]) / 2) @ np.diff(at) / (high - low)
    return means.reshape(values.shape[1:])
