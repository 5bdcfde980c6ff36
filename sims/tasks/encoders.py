"""Encoders: from data columns to what drives a port, and the targets and decoders of classes.

Encoders learn their scales from the training samples alone. Each is a declared function whose first
argument is the :class:`Samples`. A new encoder is a new function here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tellegen.arrays import Indices, Values
from tellegen.diagnostics import Sink, did_you_mean, one_of
from tellegen.quantity import PLAIN
from tellegen.signature import Argument, bind, function, functions_of, lookup
from tellegen.sims.datasets import Dataset
from tellegen.sims.tasks.targets import TARGETS
from tellegen.values import (
    CallValue,
    Dimension,
    IntervalValue,
    Number,
    PathValue,
    SequenceValue,
    Unknown,
    Value,
    kind_of,
)


@dataclass(frozen=True, eq=False)
class Samples:
    """A data set (None: a single sample without data) and which samples are for training."""

    data: Dataset | None
    train: Indices
    sink: Sink

    @property
    def count(self) -> int:
        """How many samples there are."""
        return 1 if self.data is None else len(self.data)


@dataclass(frozen=True, eq=False)
class Columns:
    """Encoded columns (samples, k) with their dimension."""

    values: Values
    dimension: Dimension


def encode(value: Value, samples: Samples) -> Columns | None:
    """The columns that a value of the language means for these samples, or None after diagnostics."""
    sink = samples.sink
    match value:
        case Unknown():
            return None
        case Number():
            return Columns(np.full((samples.count, 1), value.value), value.dimension)
        case SequenceValue():
            parts = [encode(v, samples) for v in value.items]
            return _side_by_side([p for p in parts if p], value, sink) if all(parts) else None
        case PathValue():
            return _column(value, samples)
        case CallValue():
            found = lookup(value, ENCODERS, "encoder", sink)
            if found is None:
                return None
            bound = bind(value, found.name, found.arguments, sink, variadic=found.variadic)
            return None if bound is None else found.call(samples, value, **bound)
    sink.error("wrong-kind", f"columns of values are due here, not {kind_of(value)}",
               value.span, help="such as `scaled(features, 0 V .. 5 V)`")  # fmt: skip
    return None


def _column(value: PathValue, samples: Samples) -> Columns | None:
    data = samples.data
    if data is None:
        samples.sink.error("unknown-name", f"unknown name `{value.text}`: this block has no `data`",
                           value.span)  # fmt: skip
        return None
    if value.text == "features":
        return Columns(data.features, PLAIN)
    if value.text in data.columns:
        return Columns(data.columns[value.text].reshape(len(data), -1), PLAIN)
    known = ["features", *data.columns]
    if value.text in ENCODERS or value.text in TARGETS:
        known = [f"{value.text}(...)"]
    samples.sink.error("unknown-name", f"the data have no column `{value.text}`", value.span,
                       help=did_you_mean(value.text, known) or f"known: {one_of(known)}")  # fmt: skip
    return None


def _side_by_side(parts: list[Columns], value: Value, sink: Sink) -> Columns | None:
    if len({p.dimension for p in parts}) != 1:
        sink.error(
            "unit-mismatch", "columns of different units cannot stand side by side", value.span
        )
        return None
    return Columns(np.hstack([p.values for p in parts]), parts[0].dimension)


_ANY = Argument("any")


@function(variadic=_ANY)
def concat(samples: Samples, call: CallValue, items: list[Value]) -> Columns | None:
    """Columns side by side."""
    parts = [encode(v, samples) for v in items]
    if not parts or not all(parts):
        return None
    return _side_by_side([p for p in parts if p], call, samples.sink)


@function(of=_ANY, to=_ANY)
def scaled(samples: Samples, _call: CallValue, of: Value, to: Value) -> Columns | None:
    """Each column mapped linearly so that its range over the training samples becomes the given one."""
    columns = encode(of, samples)
    if columns is None:
        return None
    if not isinstance(to, IntervalValue):
        samples.sink.error("wrong-kind", "`scaled` maps to a range", to.span,
                           help="such as `scaled(features, 0 V .. 5 V)`")  # fmt: skip
        return None
    train = columns.values[samples.train]
    low, span = train.min(axis=0), np.ptp(train, axis=0)
    unit = (columns.values - low) / np.where(span > 0, span, 1.0)
    # A test sample may lie outside the training range; the driver of a real board would saturate.
    unit = np.clip(unit, 0.0, 1.0)
    return Columns(to.low.value + unit * (to.high.value - to.low.value), to.low.dimension)


@function(of=_ANY, mean=_ANY, sd=_ANY)
def standardized(
    samples: Samples, _call: CallValue, of: Value, mean: Value, sd: Value
) -> Columns | None:
    """Each column shifted and scaled to the given mean and standard deviation over the training samples."""
    columns = encode(of, samples)
    if columns is None:
        return None
    if not (isinstance(mean, Number) and isinstance(sd, Number) and mean.dimension == sd.dimension):
        samples.sink.error(
            "unit-mismatch", "`mean` and `sd` are two numbers of one unit", mean.span
        )
        return None
    train = columns.values[samples.train]
    spread = train.std(axis=0)
    unit = (columns.values - train.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return Columns(mean.value + unit * sd.value, mean.dimension)


@function(of=_ANY, by=_ANY)
def times(samples: Samples, _call: CallValue, of: Value, by: Value) -> Columns | None:
    """Each column times a quantity, which gives plain data their unit: `times(x1, 1 V)`."""
    columns = encode(of, samples)
    if columns is None:
        return None
    if not isinstance(by, Number) or columns.dimension != PLAIN:
        samples.sink.error("wrong-kind", "`times` takes plain columns and one quantity", by.span)
        return None
    return Columns(columns.values * by.value, by.dimension)


@function(of=_ANY)
def log(samples: Samples, _call: CallValue, of: Value) -> Columns | None:
    """The natural logarithm of plain columns, none of which reaches down to 0."""
    columns = encode(of, samples)
    if columns is None:
        return None
    if columns.dimension != PLAIN or (columns.values <= 0).any():
        samples.sink.error("wrong-kind", "`log` takes plain columns of numbers above 0", of.span)
        return None
    return Columns(np.log(columns.values), PLAIN)


ENCODERS = functions_of(__import__("sys").modules[__name__])
