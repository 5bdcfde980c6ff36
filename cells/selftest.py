"""The self-tests that a header declares, checked as far as that goes without a simulator."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from tellegen.cells.body import UNSAFE, Card, is_safe
from tellegen.cells.cell import Expectation, Parameter, SelfTest
from tellegen.cells.frontmatter import Table
from tellegen.cells.probe import replaced

TAKES = ("", "max", "min", "mean", "rises")
_ANALYSIS = re.compile(r"\.(op|tran( +[0-9][0-9a-z.+\-]*){2,4}( +uic)?)", re.IGNORECASE)


def read_selftest(
    table: Table,
    params: Mapping[str, Parameter],
    observables: Collection[str],
) -> SelfTest:
    """One `[[selftest]]` of a header."""
    table.only("name", "levels", "params", "bench", "analysis", "expect")
    bench = table.texts("bench")
    for text in bench:
        _check_bench(text, table)
    analysis = table.text("analysis", ".op")
    if not _ANALYSIS.fullmatch(analysis):
        table.error("the analysis is `.op`, or `.tran STEP STOP [START [MAX]] [uic]`", "analysis")
    given = table.table("params")
    given.only(*params)
    values = {name: value for name in given.data if (value := given.number(name)) is not None}
    for name, parameter in params.items():
        if name not in given.data and parameter.default is None:
            table.error(f"the test must give `{name}`, which has no default", "params")
    expect = tuple(_expectation(t, params, observables) for t in table.array("expect"))
    if not expect:
        table.error("the test expects nothing", "expect")
    if analysis == ".op" and any(e.at is not None or e.between for e in expect):
        table.error("an operating point has no time `at` which to measure", "expect")
    return SelfTest(
        name=table.required_text("name", "what the test shows"),
        levels=table.texts("levels"),
        params=values,
        bench=bench,
        analysis=analysis,
        expect=expect,
        span=table.span(),
    )


def _check_bench(text: str, table: Table) -> None:
    card = Card(text.strip(), table.span("bench"))
    if "\n" in text or not card.text or not text.isprintable():
        table.error("each string of the bench is one card", "bench")
    elif card.text[0] in ".*+xX":
        table.sink.error(UNSAFE, "a bench consists of elements around the cell", card.span)
    else:
        is_safe(card, table.sink)


def _expectation(
    table: Table, params: Mapping[str, Parameter], observables: Collection[str]
) -> Expectation:
    table.only("expr", "value", "rtol", "atol", "at", "between", "take", "source")
    expr = table.required_text("expr", "what is measured, such as `-i(v1)`")
    if expr:
        table.expression("expr", replaced(expr, lambda probe: "probe"), {*observables, "probe"})
    value = table.number_or_text("value")
    if isinstance(value, str):
        table.expression("value", value, params.keys())
    elif value is None:
        table.error("`value` is missing: the number that the theory gives", "value")
    tolerances = {}
    for key, default in (("rtol", 1e-6), ("atol", 0.0)):
        tolerance = table.number(key)
        if tolerance is not None and tolerance < 0:
            table.error(f"`{key}` cannot be negative", key)
        tolerances[key] = default if tolerance is None else tolerance
    between = table.numbers("between")
    take = table.choice("take", TAKES, "")
    if (between is not None) != bool(take) or (between and "at" in table.data):
        table.error("`between` and `take` go together, and without `at`", "between")
    if between is not None and (len(between) != 2 or between[0] >= between[1]):
        table.error("`between` holds two times, the earlier first", "between")
        between = None
    return Expectation(
        expr=expr,
        value=0.0 if value is None else value,
        at=table.number("at"),
        between=None if between is None else (between[0], between[1]),
        take=take,
        source=table.required_text("source", "where the expected number comes from"),
        **tolerances,
    )
