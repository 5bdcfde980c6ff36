"""Signatures: what a function that the language can call takes, and the binding of a call to it.

Connectivity rules, distributions, waveforms, encoders, learning rules and update schemes all declare
their arguments in the same way, and a wrong call to any of them reads the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tellegen.diagnostics import Sink, did_you_mean, one_of
from tellegen.quantity import describe, in_range, symbol_of, unit
from tellegen.values import (
    CallValue,
    IntervalValue,
    Number,
    PathValue,
    SequenceValue,
    Text,
    Unknown,
    Value,
    as_count,
    kind_of,
)

_REQUIRED = object()


@dataclass(frozen=True)
class Argument:
    """One declared argument.

    `kind` is number, count, flag, text, interval, numbers (one or more), path, or any (the value
    itself). `unit` is a unit text; a `@` in it stands for the unit of the thing that the call is
    about (a drawn or learned parameter).
    """

    kind: str
    unit: str = ""
    default: Any = _REQUIRED
    low: float = float("-inf")
    high: float = float("inf")
    doc: str = ""

    @property
    def required(self) -> bool:
        """Whether a call must give it."""
        return self.default is _REQUIRED


def number(unit: str = "", default: Any = _REQUIRED, *, low: float = float("-inf"),
           high: float = float("inf"), doc: str = "") -> Argument:  # fmt: skip
    """A number with a unit, bound as a float in SI units."""
    return Argument("number", unit, default, low, high, doc)


def count(
    default: Any = _REQUIRED, *, low: int = 0, high: int = 10_000_000, doc: str = ""
) -> Argument:
    """A whole number."""
    return Argument("count", "", default, low, high, doc)


@dataclass(frozen=True)
class Function:
    """A callable of the language: its name, its arguments in order, and what it does."""

    name: str
    arguments: Mapping[str, Argument]
    call: Callable[..., Any] = field(compare=False)
    variadic: Argument | None = None

    @property
    def doc(self) -> str:
        """The first line of its documentation."""
        return (self.call.__doc__ or "").strip().split("\n")[0]


def function(
    *, variadic: Argument | None = None, **arguments: Argument
) -> Callable[[Callable[..., Any]], Function]:
    """Declare a Python function as callable from the language, under its own name."""

    def declare(call: Callable[..., Any]) -> Function:
        return Function(call.__name__.rstrip("_"), arguments, call, variadic)

    return declare


def functions_of(module: object) -> dict[str, Function]:
    """The functions that a module declares, by name."""
    found = [value for value in vars(module).values() if isinstance(value, Function)]
    return {f.name: f for f in found}


def lookup(call: CallValue, known: Mapping[str, Any], what: str, sink: Sink) -> Any | None:
    """The declared function (or any other entry of `known`) that a call names."""
    if call.name in known:
        return known[call.name]
    sink.error(
        "unknown-name",
        f"unknown {what} `{call.name}`",
        call.name_span,
        help=did_you_mean(call.name, known) or "known: " + one_of(known),
    )
    return None


def bind(
    call: CallValue,
    name: str,
    arguments: Mapping[str, Argument],
    sink: Sink,
    *,
    subject: str = "",
    variadic: Argument | None = None,
) -> dict[str, Any] | None:
    """The arguments of a call by name, checked and in SI units, or None after diagnostics.

    Args:
        call: the call.
        name: what to call the function in messages.
        arguments: its declared arguments.
        sink: takes the diagnostics.
        subject: the unit that `@` stands for.
        variadic: the declaration of any number of positional arguments, bound to `items`; the others
            are then given by name.
    """
    order = list(arguments)
    positional = sum(not a.name for a in call.arguments)
    if positional > len(order) and not variadic:
        count = len(order)
        sink.error(
            "arity",
            f"`{name}` takes {count or 'no'} argument{'s' * (count != 1)}, not {len(call.arguments)}",
            [a for a in call.arguments if not a.name][count].span,
            help=f"it takes {', '.join(f'`{a}`' for a in order)}" if order else "",
        )
        return None
    before = len(sink.errors)
    bound: dict[str, Any] = {}
    items: list[Any] = []
    position = 0
    misnamed = False
    for given in call.arguments:
        if given.name:
            if given.name not in arguments:
                misnamed = True
                start = given.span.start
                sink.error(
                    "unknown-argument",
                    f"`{name}` has no argument `{given.name}`",
                    given.span.source.span(start, start + len(given.name)),
                    help=did_you_mean(given.name, order)
                    or (f"it takes {one_of(order)}" if order else "it takes none"),
                )
                continue
            key = given.name
        elif position < len(order) and not variadic:
            key, position = order[position], position + 1
        else:
            assert variadic is not None
            items.append(convert(given.value, variadic, f"an argument of `{name}`", sink, subject))
            continue
        if key in bound:
            sink.error("duplicate-name", f"argument `{key}` of `{name}` is given twice", given.span)
            continue
        bound[key] = convert(given.value, arguments[key], f"`{key}` of `{name}`", sink, subject)
    for key, argument in arguments.items():
        if key in bound:
            continue
        if argument.required and misnamed:
            continue  # it may be the one that was misspelt
        if argument.required:
            sink.error(
                "arity", f"`{name}` needs its argument `{key}`", call.span, help=argument.doc
            )
        else:
            bound[key] = argument.default
    if variadic:
        bound["items"] = items
    return bound if len(sink.errors) == before and _no_unknowns(bound) else None


def _no_unknowns(bound: dict[str, Any]) -> bool:
    return not any(isinstance(v, Unknown) for v in [*bound.values(), *bound.get("items", ())])


def convert(value: Value, argument: Argument, what: str, sink: Sink, subject: str = "") -> Any:
    """A value as its argument wants it: a float, int, str, (low, high), list, or the value itself."""
    if isinstance(value, Unknown):
        return value
    match argument.kind:
        case "any":
            return value
        case "count":
            found = as_count(value, what, sink, int(argument.low), int(argument.high))
            return Unknown(value.span) if found is None else found
        case "number" if isinstance(value, Number):
            return _number(value, argument, what, sink, subject)
        case "text" if isinstance(value, Text):
            return value.value
        case "path" if isinstance(value, PathValue):
            return value
        case "flag" if isinstance(value, PathValue) and value.text in ("true", "false"):
            return value.text == "true"
        case "interval" if isinstance(value, IntervalValue):
            low = _number(value.low, argument, what, sink, subject)
            if isinstance(low, Unknown):
                return low
            high = _number(value.high, argument, what, sink, subject)
            return high if isinstance(high, Unknown) else (low, high)
        case "numbers" if isinstance(value, Number | SequenceValue):
            parts = value.items if isinstance(value, SequenceValue) else (value,)
            single = Argument("number", argument.unit, _REQUIRED, argument.low, argument.high)
            return [convert(p, single, what, sink, subject) for p in parts]
    words = {
        "number": describe(unit(_subject(argument.unit, subject)).dimension),
        "text": "a quoted text",
        "interval": "a range such as `0 V .. 5 V`",
        "numbers": "one or more numbers",
        "path": "a name",
        "flag": "`true` or `false`",
    }
    sink.error("wrong-kind", f"{what} is {words[argument.kind]}, not {kind_of(value)}", value.span)
    return Unknown(value.span)


def _subject(text: str, subject: str) -> str:
    return text.replace("@", subject or "1")


def _number(value: Number, argument: Argument, what: str, sink: Sink, subject: str) -> Any:
    symbol = _subject(argument.unit, subject)
    dimension = unit(symbol).dimension
    if value.dimension != dimension:
        sink.error(
            "unit-mismatch",
            f"{what} is {describe(dimension)}, but `{value.text}` is {describe(value.dimension)}",
            value.span,
            f"expected {symbol_of(dimension) if dimension else 'a plain number'}",
        )
        return Unknown(value.span)
    if not argument.low <= value.value <= argument.high:
        sink.error(
            "out-of-range",
            f"{what} is {in_range(argument.low, argument.high, symbol)}, not `{value.text}`",
            value.span,
        )
        return Unknown(value.span)
    return value.value
