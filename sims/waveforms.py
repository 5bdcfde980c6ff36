"""Drives of a simulation: constants, SPICE's source functions, and tables.

Each is a declared function that gives the SPICE text of one source; times are in seconds, values in the
unit of the driven port (`@`). A new waveform is a new function here.
"""

from __future__ import annotations

import csv as reader
import io
import itertools
import sys
from collections.abc import Iterable

from tellegen.emit.spice import number as spelled
from tellegen.files import FileRefused, Files
from tellegen.quantity import describe, unit
from tellegen.signature import Argument, function, functions_of, number
from tellegen.source import Span
from tellegen.values import Number, SequenceValue, Value

_TIME = "s"


class WaveformError(ValueError):
    """The points do not make a waveform; `code` is the diagnostic's, the text says why.

    `span` is the place of the point that is wrong, if it is a single one.
    """

    def __init__(self, code: str, message: str, span: Span | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.span = span


def _call(name: str, values: Iterable[float]) -> str:
    return f"{name}({' '.join(spelled(v) for v in values)})"


@function(value=number("@"))
def dc(_files: Files, _unit: str, value: float) -> str:
    """A constant."""
    return f"dc {spelled(value)}"


@function(
    low=number("@"), high=number("@"), delay=number(_TIME, default=0.0, low=0),
    rise=number(_TIME, default=1e-9, low=1e-15), fall=number(_TIME, default=1e-9, low=1e-15),
    width=number(_TIME, low=0), period=number(_TIME, low=1e-15, default=1e9),
)  # fmt: skip
def pulse(
    _files: Files, _unit: str, low: float, high: float, delay: float, rise: float, fall: float,
    width: float, period: float,
) -> str:  # fmt: skip
    """SPICE's PULSE: from `low` to `high` after `delay`, for `width`, again after each `period`."""
    return _call("pulse", (low, high, delay, rise, fall, width, period))


@function(
    offset=number("@"), amplitude=number("@"), frequency=number("Hz", low=0),
    delay=number(_TIME, default=0.0, low=0), phase=number("rad", default=0.0),
)  # fmt: skip
def sine(
    _files: Files, _unit: str, offset: float, amplitude: float, frequency: float, delay: float,
    phase: float,
) -> str:  # fmt: skip
    """SPICE's SIN: `offset + amplitude sin(2 pi frequency (t - delay) + phase)` from `delay` on."""
    degrees = phase * 180 / 3.141592653589793
    return _call("sin", (offset, amplitude, frequency, delay, 0.0, degrees))


@function(variadic=Argument("any"))
def pwl(_files: Files, unit_: str, items: list[Value]) -> str:
    """SPICE's PWL: straight lines between points `(time, value)`."""
    flat: list[float] = []
    for item in items:
        if not isinstance(item, SequenceValue) or len(item.items) != 2:
            raise WaveformError("wrong-kind", "`pwl` takes points such as `(1 us, 2 V)`", item.span)
        for part, want in zip(item.items, (_TIME, unit_), strict=True):
            if not isinstance(part, Number) or part.dimension != unit(want).dimension:
                message = f"a point of `pwl` is a time and {describe(unit(unit_).dimension)}"
                raise WaveformError("unit-mismatch", message, part.span)
            flat.append(part.value)
    return _points(flat)


@function(
    file=Argument("text"), time=number(_TIME, default=1.0), scale=number("@", default=None),
    column=Argument("count", default=1, low=1, high=1000),
)  # fmt: skip
def csv(files: Files, _unit: str, file: str, time: float, scale: float | None, column: int) -> str:
    """A table: its first column is time in units of `time`, `column` (1 on) the value times `scale`."""
    flat: list[float] = []
    for number_, row in enumerate(reader.reader(io.StringIO(files.read_text(file))), start=1):
        if not any(cell.strip() for cell in row):
            continue
        try:
            flat += [float(row[0]) * time, float(row[column]) * (1.0 if scale is None else scale)]
        except (ValueError, IndexError):
            if number_ > 1:  # the first line may be a header
                raise FileRefused(
                    "bad-file",
                    f"line {number_} of `{file}` has no numbers in columns 0 and {column}",
                ) from None
    try:
        return _points(flat)
    except WaveformError as error:
        raise FileRefused("bad-file", f"`{file}` is no waveform: {error}") from None


def _points(flat: list[float]) -> str:
    times = flat[::2]
    if not times:
        raise WaveformError("arity", "a waveform needs at least one point")
    if any(b <= a for a, b in itertools.pairwise(times)) or times[0] < 0:
        raise WaveformError("out-of-range", "the times of its points must grow, from 0 on")
    return _call("pwl", flat)


WAVEFORMS = functions_of(sys.modules[__name__])
