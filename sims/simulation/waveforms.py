"""Drives of a simulation: constants, SPICE's source functions, tables, and trains of spikes.

Each is a declared function that gives the SPICE text of a source, or a text for each element where
they differ; times are in seconds, values in the unit of the driven port (`@`). A new waveform is a new
function here.
"""

from __future__ import annotations

import csv as reader
import io
import itertools
import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tellegen.emit.spice import number as spelled
from tellegen.files import FileRefused, Files
from tellegen.quantity import describe, unit
from tellegen.signature import Argument, function, functions_of, number
from tellegen.source import Span
from tellegen.values import Number, SequenceValue, Value

_TIME = "s"
MOST_SPIKES = 1_000_000


class WaveformError(ValueError):
    """The points do not make a waveform; `code` is the diagnostic's, the text says why.

    `span` is the place of the point that is wrong, if it is a single one.
    """

    def __init__(self, code: str, message: str, span: Span | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.span = span


@dataclass(frozen=True)
class Site:
    """Where a waveform drives.

    Attributes:
        files: which files it may read.
        unit: of the driven port.
        count: how many elements it drives.
        stop: the length of the transient in seconds, 0 for an operating point.
        rng: a random stream that belongs to this drive.
    """

    files: Files
    unit: str
    count: int
    stop: float
    rng: np.random.Generator


def _call(name: str, values: Iterable[float]) -> str:
    return f"{name}({' '.join(spelled(v) for v in values)})"


@function(value=number("@"))
def dc(_site: Site, value: float) -> str:
    """A constant."""
    return f"dc {spelled(value)}"


@function(
    low=number("@"), high=number("@"), delay=number(_TIME, default=0.0, low=0),
    rise=number(_TIME, default=1e-9, low=1e-15), fall=number(_TIME, default=1e-9, low=1e-15),
    width=number(_TIME, low=0), period=number(_TIME, low=1e-15, default=1e9),
)  # fmt: skip
def pulse(
    _site: Site, low: float, high: float, delay: float, rise: float, fall: float,
    width: float, period: float,
) -> str:  # fmt: skip
    """SPICE's PULSE: from `low` to `high` after `delay`, for `width`, again after each `period`."""
    return _call("pulse", (low, high, delay, rise, fall, width, period))


@function(
    offset=number("@"), amplitude=number("@"), frequency=number("Hz", low=0),
    delay=number(_TIME, default=0.0, low=0), phase=number("rad", default=0.0),
)  # fmt: skip
def sine(
    _site: Site, offset: float, amplitude: float, frequency: float, delay: float,
    phase: float,
) -> str:  # fmt: skip
    """SPICE's SIN: `offset + amplitude sin(2 pi frequency (t - delay) + phase)` from `delay` on."""
    degrees = phase * 180 / 3.141592653589793
    return _call("sin", (offset, amplitude, frequency, delay, 0.0, degrees))


@function(variadic=Argument("any"))
def pwl(site: Site, items: list[Value]) -> str:
    """SPICE's PWL: straight lines between points `(time, value)`."""
    flat: list[float] = []
    for item in items:
        if not isinstance(item, SequenceValue) or len(item.items) != 2:
            raise WaveformError("wrong-kind", "`pwl` takes points such as `(1 us, 2 V)`", item.span)
        for part, want in zip(item.items, (_TIME, site.unit), strict=True):
            if not isinstance(part, Number) or part.dimension != unit(want).dimension:
                message = f"a point of `pwl` is a time and {describe(unit(site.unit).dimension)}"
                raise WaveformError("unit-mismatch", message, part.span)
            flat.append(part.value)
    return _points(flat)


@function(
    file=Argument("text"), time=number(_TIME, default=1.0), scale=number("@", default=None),
    column=Argument("count", default=1, low=1, high=1000),
)  # fmt: skip
def csv(site: Site, file: str, time: float, scale: float | None, column: int) -> str:
    """A table: its first column is time in units of `time`, `column` (1 on) the value times `scale`."""
    flat: list[float] = []
    for number_, row in enumerate(reader.reader(io.StringIO(site.files.read_text(file))), start=1):
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
            continue
        if not all(math.isfinite(v) for v in flat[-2:]):
            raise FileRefused(
                "bad-file", f"line {number_} of `{file}` has a number that is not finite"
            )
    try:
        return _points(flat)
    except WaveformError as error:
        raise FileRefused("bad-file", f"`{file}` is no waveform: {error}") from None


# A spike is a pulse of the supply's height; its time is that of its rise through the half.
_WIDTH = number(_TIME, default=100e-6, low=1e-9, doc="how long a spike lasts")
_HEIGHT = number("@", default=1.8, doc="how high a spike is")
_EDGE = 0.01  # rise and fall, as a share of the width


@function(width=_WIDTH, height=_HEIGHT, variadic=number(_TIME, low=0))
def spikes(_site: Site, items: list[float], width: float, height: float) -> str:
    """Spikes at the given times."""
    return _train(np.array(items), width, height)


@function(
    rate=number("Hz", low=1e-9, doc="spikes per second"),
    start=number(_TIME, default=0.0, low=0, doc="time of the first spike"), width=_WIDTH,
    height=_HEIGHT,
)  # fmt: skip
def regular(site: Site, rate: float, start: float, width: float, height: float) -> str:
    """Spikes at equal distances."""
    count = max(0, int(np.ceil((site.stop - start) * rate)))
    if count > MOST_SPIKES:
        raise WaveformError("out-of-range", f"this would be more than {MOST_SPIKES} spikes")
    return _train(start + np.arange(count) / rate, width, height)


@function(
    rate=number("Hz", low=0, doc="mean spikes per second of each element"),
    correlation=number("", default=0.0, low=0, high=1, doc="of the spike counts of two elements"),
    jitter=number(_TIME, default=0.0, low=0, doc="standard deviation by which common spikes are spread"),
    width=_WIDTH, height=_HEIGHT,
)  # fmt: skip
def poisson(
    site: Site, rate: float, correlation: float, jitter: float, width: float, height: float
) -> list[str]:
    """Poisson trains, one for each element, independent or thinned from a common one.

    With a correlation c every element takes each spike of a common train of rate/c with the
    probability c (Kuhn, Aertsen, Rotter, Neural Computation 15, 67 (2003)). A spike that comes
    within two widths of the one before it is left out.
    """
    if rate * site.stop * site.count > MOST_SPIKES:
        raise WaveformError("out-of-range", f"this would be more than {MOST_SPIKES} spikes")
    rng = site.rng

    def train(of: float) -> np.ndarray:
        return np.asarray(rng.uniform(0.0, site.stop, rng.poisson(of * site.stop)))

    if correlation:
        common = train(rate / correlation)
        trains = [common[rng.random(len(common)) < correlation] for _ in range(site.count)]
    else:
        trains = [train(rate) for _ in range(site.count)]
    if jitter:
        trains = [np.abs(t + rng.normal(0.0, jitter, len(t))) for t in trains]
    return [_train(t, width, height, drop=True) for t in trains]


def _train(times: np.ndarray, width: float, height: float, *, drop: bool = False) -> str:
    """The pulses of a train; with `drop`, spikes too near to the one before are left out."""
    edge = _EDGE * width
    kept: list[float] = []
    for time in np.sort(times):
        start = max(float(time), edge)
        if kept and start - kept[-1] < 2 * width:
            if drop:
                continue
            raise WaveformError(
                "out-of-range", f"two spikes are nearer than two widths ({2 * width:g} s)"
            )
        kept.append(start)
    if not kept:
        return "dc 0"
    flat = [0.0, 0.0]
    for start in kept:
        up, down = (
            (start - edge / 2, start + edge / 2),
            (start + width - edge / 2, start + width + edge / 2),
        )
        flat += [up[0], 0.0, up[1], height, down[0], height, down[1], 0.0]
    return _call("pwl", flat)


def _points(flat: list[float]) -> str:
    times = flat[::2]
    if not times:
        raise WaveformError("arity", "a waveform needs at least one point")
    if any(b <= a for a, b in itertools.pairwise(times)) or times[0] < 0:
        raise WaveformError("out-of-range", "the times of its points must grow, from 0 on")
    return _call("pwl", flat)


WAVEFORMS = functions_of(sys.modules[__name__])


@function(power=number("W", low=0), phase=number("rad", default=0.0))
def light(power: float, phase: float) -> list[float]:
    """Light of a power and a phase: the two parts of its field, in the root of a watt."""
    return [math.sqrt(power) * math.cos(phase), math.sqrt(power) * math.sin(phase)]


# Optical inputs take light and nothing else: what changes it in time is a modulator.
LIGHT = light
