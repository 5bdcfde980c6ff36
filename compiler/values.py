"""Values: what an expression means once names are resolved and units are applied.

Numbers are floats in SI units with their dimension beside them. A call (a distribution, an encoder, a
waveform, a rule) stays a :class:`CallValue` until the stage that knows its functions binds it with
:mod:`tellegen.signature`; so the compiler needs no list of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tellegen.diagnostics import Sink, did_you_mean, one_of
from tellegen.quantity import PLAIN, UnknownUnit, describe, is_unit, known_units, multiply, unit
from tellegen.source import Span
from tellegen.syntax import tree as t

Dimension = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Number:
    """A number in SI units; `text` is how the author wrote it."""

    value: float
    dimension: Dimension
    span: Span

    @property
    def text(self) -> str:
        """The expression as written."""
        return " ".join(self.span.text.split())


@dataclass(frozen=True)
class Text:
    """A quoted text."""

    value: str
    span: Span


@dataclass(frozen=True)
class IntervalValue:
    """`low .. high`; low may be the larger one (a falling ramp)."""

    low: Number
    high: Number
    span: Span


@dataclass(frozen=True)
class SequenceValue:
    """Several values."""

    items: tuple[Value, ...]
    span: Span


@dataclass(frozen=True)
class ArgumentValue:
    """An argument of a call."""

    name: str
    operator: str
    value: Value
    span: Span


@dataclass(frozen=True)
class CallValue:
    """A call whose function is known to a later stage."""

    name: str
    arguments: tuple[ArgumentValue, ...]
    span: Span
    name_span: Span


@dataclass(frozen=True)
class PathValue:
    """A name that the evaluating stage does not know: a port, a data column, an observable."""

    path: t.Path
    span: Span

    @property
    def text(self) -> str:
        """The path as written."""
        return str(self.path)


@dataclass(frozen=True)
class Unknown:
    """The value of something that was already reported; it silences what would follow from it."""

    span: Span


Value = Number | Text | IntervalValue | SequenceValue | CallValue | PathValue | Unknown


def kind_of(value: Value) -> str:
    """What a value is, in words."""
    if isinstance(value, Number):
        return describe(value.dimension)
    return {
        Text: "a text",
        IntervalValue: "a range",
        SequenceValue: "several values",
        CallValue: "a call",
        PathValue: "a name",
        Unknown: "unknown",
    }[type(value)]


def evaluate(
    expression: t.Expression,
    scope: Mapping[str, Value],
    sink: Sink,
    *,
    names: bool = False,
) -> Value:
    """The value of an expression.

    Args:
        expression: what the author wrote.
        scope: the names that have values here, such as a network's parameters.
        sink: takes the diagnostics.
        names: whether other names may stand (ports, columns); they become :class:`PathValue`.
    """
    return _Evaluator(scope, sink, names).value(expression)


@dataclass(frozen=True)
class _Evaluator:
    scope: Mapping[str, Value]
    sink: Sink
    names: bool

    def value(self, e: t.Expression) -> Value:
        match e:
            case t.Quantity():
                return self.quantity(e)
            case t.String():
                return Text(e.text, e.span)
            case t.Interval():
                return self.interval(e)
            case t.Sequence():
                return SequenceValue(tuple(self.value(i) for i in e.items), e.span)
            case t.Negative():
                operand = self.number(e.operand)
                if operand is None:
                    return Unknown(e.span)
                return Number(-operand.value, operand.dimension, e.span)
            case t.Binary():
                return self.binary(e)
            case t.Call():
                return self.call(e)
            case t.Path():
                return self.path(e)

    def quantity(self, e: t.Quantity) -> Value:
        try:
            found = unit(e.unit)
        except UnknownUnit:
            symbol = e.unit.replace(" ", "")
            span = e.span.source.span(e.span.end - len(e.unit), e.span.end)
            self.sink.error("unknown-unit", f"unknown unit `{symbol}`", span, help=_meant(symbol))
            return Unknown(e.span)
        number = float(e.number) * found.factor
        if number in (float("inf"), float("-inf")):
            self.sink.error("out-of-range", f"`{e.span.text}` is too large", e.span)
            return Unknown(e.span)
        return Number(number, found.dimension, e.span)

    def number(self, e: t.Expression) -> Number | None:
        value = self.value(e)
        if isinstance(value, Number):
            return value
        if not isinstance(value, Unknown):
            name = value.text if isinstance(value, PathValue) else ""
            if name and not self.names:
                return None
            self.sink.error(
                "wrong-kind",
                f"arithmetic needs numbers, but `{' '.join(e.span.text.split())}` is {kind_of(value)}",
                e.span,
            )
        return None

    def interval(self, e: t.Interval) -> Value:
        low, high = self.number(e.low), self.number(e.high)
        if low is None or high is None:
            return Unknown(e.span)
        if low.dimension != high.dimension:
            self.sink.error(
                "unit-mismatch",
                f"a range needs two ends of one kind, but `{low.text}` is {describe(low.dimension)} "
                f"and `{high.text}` is {describe(high.dimension)}",
                e.span,
            )
            return Unknown(e.span)
        return IntervalValue(low, high, e.span)

    def binary(self, e: t.Binary) -> Value:
        left, right = self.number(e.left), self.number(e.right)
        if left is None or right is None:
            return Unknown(e.span)
        if e.operator in "+-":
            if left.dimension != right.dimension:
                self.sink.error(
                    "unit-mismatch",
                    f"`{left.text}` is {describe(left.dimension)}, `{right.text}` is "
                    f"{describe(right.dimension)}: they cannot be added",
                    e.span,
                )
                return Unknown(e.span)
            sign = 1 if e.operator == "+" else -1
            return Number(left.value + sign * right.value, left.dimension, e.span)
        if e.operator == "*":
            return self.finite(
                left.value * right.value, multiply(left.dimension, right.dimension), e
            )
        if right.value == 0:
            self.sink.error("out-of-range", "division by zero", e.right.span)
            return Unknown(e.span)
        return self.finite(
            left.value / right.value, multiply(left.dimension, right.dimension, -1), e
        )

    def finite(self, value: float, dimension: Dimension, e: t.Binary) -> Value:
        if value - value != 0:
            self.sink.error("out-of-range", "the result is not a finite number", e.span)
            return Unknown(e.span)
        return Number(value, dimension, e.span)

    def call(self, e: t.Call) -> Value:
        arguments = tuple(
            ArgumentValue(a.name.text if a.name else "", a.operator, self.value(a.value), a.span)
            for a in e.arguments
        )
        for written in e.arguments:
            if written.operator == "~":
                self.sink.error(
                    "wrong-kind",
                    "a distribution can be drawn only for a parameter of a cell",
                    written.span,
                )
        return CallValue(e.name.text, arguments, e.span, e.name.span)

    def path(self, e: t.Path) -> Value:
        first = e.steps[0]
        if len(e.steps) == 1 and not first.subscripts and first.name.text in self.scope:
            known = self.scope[first.name.text]
            # The place of use, not of definition, is where a mismatch is to be shown.
            return (
                Number(known.value, known.dimension, e.span) if isinstance(known, Number) else known
            )
        if self.names:
            return PathValue(e, e.span)
        help = did_you_mean(first.name.text, self.scope)
        if not help and self.scope:
            help = "known here: " + one_of(self.scope)
        self.sink.error("unknown-name", f"unknown name `{e}`", e.span, help=help)
        return Unknown(e.span)


def _meant(symbol: str) -> str:
    """A help for an unknown unit."""
    powers = re.sub(r"(?<=[A-Za-z])(-?\d)", r"^\1", symbol)
    if powers != symbol and is_unit(powers):
        return f"powers are written with `^`: `{powers}`"
    if "/" in symbol or "*" in symbol:
        return "to divide or multiply, put spaces around the operator"
    # Mostly it is the case that is wrong.
    same = [u for u in _prefixed_units() if u.lower() == symbol.lower()]
    if same:
        return f"did you mean {_or(same)}? capital and small letters differ in units"
    return did_you_mean(symbol, _prefixed_units())


def _or(units: list[str]) -> str:
    return " or ".join(f"`{u}`" for u in units[:3])


def _prefixed_units() -> list[str]:
    return [p + u for u in known_units() for p in ("", "f", "p", "n", "u", "m", "k", "M", "G")]


def as_count(
    value: Value, what: str, sink: Sink, low: int = 1, high: int = 10_000_000
) -> int | None:
    """A value as a whole number from `low` to `high`, or None after a diagnostic."""
    if isinstance(value, Unknown):
        return None
    if not isinstance(value, Number):
        sink.error("wrong-kind", f"{what} is a whole number, not {kind_of(value)}", value.span)
        return None
    if value.dimension != PLAIN:
        sink.error(
            "unit-mismatch",
            f"{what} is a whole number, but `{value.text}` is {describe(value.dimension)}",
            value.span,
            "expected a plain number",
        )
        return None
    if value.value != int(value.value) or not low <= value.value <= high:
        sink.error(
            "out-of-range",
            f"{what} is a whole number from {low} to {high}, not `{value.text}`",
            value.span,
        )
        return None
    return int(value.value)
