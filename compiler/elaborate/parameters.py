"""The parameter values of a group of cells: given, drawn, from a file, or the cell's defaults."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tellegen.arrays import Values
from tellegen.cells import Cell
from tellegen.cells.expression import evaluate as evaluate_spice
from tellegen.diagnostics import Label, did_you_mean, one_of
from tellegen.elaborate import distributions
from tellegen.elaborate.definitions import Definition
from tellegen.elaborate.edges import Column, Pairs
from tellegen.elaborate.scope import Scope
from tellegen.quantity import PLAIN, describe, in_range, multiply, spelled, symbol_of, unit
from tellegen.seeds import stream
from tellegen.signature import bind, convert, functions_of, lookup, number
from tellegen.source import Span
from tellegen.syntax import tree as t
from tellegen.values import (
    CallValue,
    Number,
    SequenceValue,
    Text,
    Unknown,
    Value,
    evaluate,
    kind_of,
)

_DISTRIBUTIONS = functions_of(distributions)


def parameter_values(
    scope: Scope,
    label: str,
    definition: Definition,
    arguments: tuple[t.Argument, ...],
    count: int,
    span: Span,
    ports: Mapping[str, str],
    pairs: Pairs | None = None,
) -> dict[str, Values]:
    """The parameter values of a group of cells, each (count,); checks names, units and ranges.

    With a count of 0 they are only checked.
    """
    cell = definition.cell
    if cell is None:
        assert definition.network is not None
        known = [p.name.text for p in definition.network.parameters]
    else:
        known = list(cell.settable)
    written: dict[str, t.Argument] = {}
    for a in arguments:
        if a.name is None or a.name.text in ports:
            continue
        if a.name.text not in known:
            scope.sink.error(
                "unknown-argument",
                f"{definition.noun} has no parameter `{a.name}`",
                a.name.span,
                help=did_you_mean(a.name.text, known)
                or (f"it has {one_of(known)}" if known else ""),
            )
        elif a.name.text in written:
            scope.sink.error("duplicate-name", f"`{a.name}` is given twice", a.span,
                            secondary=(Label(written[a.name.text].span, "first here"),))  # fmt: skip
        else:
            written[a.name.text] = a
    table = {} if pairs is None else _columns(scope, pairs, known, written, definition)
    if cell is None:
        return {}
    values: dict[str, Values] = {}
    for name, parameter in cell.settable.items():
        if name in written:
            found = _given(scope, label, cell, name, written[name], count)
        elif name in table:
            assert pairs is not None and pairs.file is not None
            found = _from_table(scope, cell, name, table[name], pairs.file)
        elif parameter.default is None:
            scope.sink.error(
                "arity", f"{definition.noun} needs its parameter `{name}`", span,
                help=f"{parameter.doc}, in {parameter.unit or 'plain numbers'}",
            )  # fmt: skip
            found = None
        else:
            found = np.full(count, float(parameter.default))
        values[name] = np.full(count, np.nan) if found is None else found
    for name in values:
        if name in written:
            _check_range(scope, cell, name, values, written[name])
        elif name in table and pairs is not None:
            _check_range(scope, cell, name, values, pairs.file)
    return values


def _columns(scope: Scope, pairs: Pairs, known: list[str], written: Mapping[str, t.Argument],
    definition: Definition,
) -> Mapping[str, Column]:  # fmt: skip
    """The columns of a file of edges that are parameters; reports those that are not."""
    assert pairs.file is not None or not pairs.table
    for name in pairs.table:
        assert pairs.file is not None
        if name not in known:
            scope.sink.error(
                "unknown-argument",
                f"{definition.noun} has no parameter `{name}`, which is a column of "
                f"`{pairs.file.value}`", pairs.file.span, help=did_you_mean(name, known)
                or (f"it has {one_of(known)}" if known else ""),
            )  # fmt: skip
        elif name in written:
            scope.sink.error(
                "duplicate-name", f"`{name}` is given here and by `{pairs.file.value}`",
                written[name].span, secondary=(Label(pairs.file.span, "has a column for it"),),
            )  # fmt: skip
        elif definition.cell is None:
            scope.sink.error(
                "wrong-kind", f"the file `{pairs.file.value}` gives `{name}`, but edges made of "
                "a network share their parameters", pairs.file.span,
            )  # fmt: skip
    return pairs.table


def _given(
    scope: Scope, label: str, cell: Cell, name: str, a: t.Argument, count: int
) -> Values | None:
    parameter = cell.settable[name]
    want = number(parameter.unit)
    what = f"`{name}` of cell `{cell.library}.{cell.name}`"
    value = evaluate(a.value, scope.values, scope.sink)
    if a.operator == "~":
        return _drawn(scope, label, cell, name, a, value, count)
    if isinstance(value, SequenceValue):
        items = [convert(v, want, what, scope.sink) for v in value.items]
        if any(isinstance(i, Unknown) for i in items):
            return None
        if count == 0:
            return None
        if len(items) != count:
            scope.sink.error("shape-mismatch", f"{len(items)} values are given for {count} instances",
                            a.value.span)  # fmt: skip
            return None
        return np.array(items, dtype=float)
    if isinstance(value, Number) and value.dimension != unit(parameter.unit).dimension:
        dimension = unit(parameter.unit).dimension
        scope.sink.error(
            "unit-mismatch",
            f"{what} is {describe(dimension)}, but `{value.text}` is {describe(value.dimension)}",
            a.value.span,
            f"expected {symbol_of(dimension)}",
            help=_unit_hint(cell, name, value),
        )
        return None
    if isinstance(value, CallValue) and value.name in _DISTRIBUTIONS:
        scope.sink.error("wrong-kind", f"`{value.name}` is a distribution", a.span,
                        help=f"write `{name} ~ {value.name}(...)`")  # fmt: skip
        return None
    found = convert(value, want, what, scope.sink)
    return None if isinstance(found, Unknown) else np.full(count, float(found))


def _unit_hint(cell: Cell, name: str, value: Number) -> str:
    want = unit(cell.settable[name].unit)
    for other, parameter in cell.params.items():
        if other != name and unit(parameter.unit).dimension == value.dimension:
            return f"did you mean `{other} = {value.text}`?"
    if value.value and multiply(value.dimension, want.dimension) == PLAIN:
        return f"that is `{spelled(1 / value.value, want.text)}`"
    return ""


def _drawn(
    scope: Scope, label: str, cell: Cell, name: str, a: t.Argument, value: Value, count: int
) -> Values | None:
    if not isinstance(value, CallValue):
        if not isinstance(value, Unknown):
            scope.sink.error(
                "wrong-kind", f"`~` draws from a distribution, not from {kind_of(value)}",
                a.value.span, help="known: " + one_of(_DISTRIBUTIONS),
            )  # fmt: skip
        return None
    found = lookup(value, _DISTRIBUTIONS, "distribution", scope.sink)
    if found is None:
        return None
    bound = bind(value, found.name, found.arguments, scope.sink, subject=cell.settable[name].unit)
    if bound is None:
        return None
    if "low" in bound and "high" in bound and bound["low"] > bound["high"]:
        scope.sink.error("out-of-range", f"`{found.name}` goes from low to high", value.span)
        return None
    rng = stream(scope.context.seed, scope.path + label, name)
    try:
        with np.errstate(all="ignore"):
            draws = found.call(rng, count, **bound)
    except (ValueError, OverflowError):
        draws = None
    if draws is None or not np.isfinite(draws).all():
        scope.sink.error("out-of-range", f"`{found.name}` cannot draw from these", value.span)
        return None
    programmable = cell.programmable.get(name)
    if programmable is not None and programmable.step is not None:
        draws = np.rint(draws)
    return np.asarray(draws, dtype=float)


def _from_table(scope: Scope, cell: Cell, name: str, column: Column, file: Text) -> Values | None:
    values, dimension = column
    want = unit(cell.settable[name].unit).dimension
    if dimension != want:
        scope.sink.error(
            "unit-mismatch",
            f"`{name}` of cell `{cell.library}.{cell.name}` is {describe(want)}, but its column "
            f"in `{file.value}` is {describe(dimension)}", file.span,
            help=f"give its values in {symbol_of(want)} and name the column "
            f"`{name} [{symbol_of(want)}]`",
        )  # fmt: skip
        return None
    return values


def _check_range(scope: Scope, cell: Cell, name: str, values: dict[str, Values],
    given: t.Argument | Text | None,
) -> None:  # fmt: skip
    """Hold the values of a parameter against its range, which may depend on the others."""
    parameter = cell.settable[name]
    low = np.asarray(limit(parameter.min, values, -np.inf))
    high = np.asarray(limit(parameter.max, values, np.inf))
    found = values[name]
    bad = np.flatnonzero((found < low) | (found > high))
    if not len(bad) or given is None:
        return
    k = bad[0]
    least, most = (float(np.broadcast_to(b, found.shape)[k]) for b in (low, high))
    what = (
        f"`{name}` of cell `{cell.library}.{cell.name}` is {in_range(least, most, parameter.unit)}"
    )
    value = spelled(float(found[k]), parameter.unit)
    if isinstance(given, Text):
        what += f", but {len(bad)} of {len(found)} values in `{given.value}` are not"
    elif given.operator == "~":
        what += f", but {len(bad)} of {len(found)} drawn values are not"
    else:
        scope.sink.error("out-of-range", f"{what}, not `{value}`", given.value.span)
        return
    scope.sink.error("out-of-range", f"{what}, such as `{value}`",
                    given.span if isinstance(given, Text) else given.value.span)  # fmt: skip


def limit(
    bound: float | str | None, values: Mapping[str, Values], missing: float
) -> float | Values:
    """A parameter's limit, which may be SPICE arithmetic over the cell's other parameters."""
    if bound is None:
        return missing
    return evaluate_spice(bound, values) if isinstance(bound, str) else float(bound)
