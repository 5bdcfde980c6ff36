"""Elaboration of networks: from a network block and its parameter values to a :class:`Module`.

Everything found wrong goes to the sink; what is wrong is left out of the module, so that the rest is
still checked.
"""

from __future__ import annotations

from collections.abc import Mapping

from tellegen.circuit import Module
from tellegen.diagnostics import Label
from tellegen.elaborate.connections import make_connection
from tellegen.elaborate.instances import make_instance
from tellegen.elaborate.ports import declare_alias, declare_port, declare_supply, tie_grounds
from tellegen.elaborate.scope import Context, Scope
from tellegen.elaborate.terminals import report_unconnected
from tellegen.quantity import describe, symbol_of
from tellegen.syntax import tree as t
from tellegen.values import Number, Unknown, Value, evaluate


def elaborate(
    context: Context,
    network: t.Network,
    values: Mapping[str, Value] | None = None,
    path: str = "",
) -> Module:
    """The module of a network for given parameter values (defaults where missing).

    Args:
        context: networks and cells in scope, files, seed, sink.
        network: the block.
        values: parameter values by name.
        path: the instance path, which keys the random streams.
    """
    scope = Scope(context, network, path, place=make_instance, below=elaborate)
    _parameters(scope, values or {})
    _statements(scope)
    tie_grounds(scope)
    # The netlist reads in the order of the source, whatever had to be made first.
    scope.module.groups = dict(
        sorted(scope.module.groups.items(), key=lambda item: item[1].span.start)
    )
    return scope.module


def _parameters(scope: Scope, values: Mapping[str, Value]) -> None:
    for parameter in scope.network.parameters:
        scope.declare(parameter.name)
        default = evaluate(parameter.default, scope.values, scope.sink)
        scope.values[parameter.name.text] = _parameter(scope, parameter, default, values)


def _statements(scope: Scope) -> None:
    """Nodes first, then instances, then connections, then ports on what is there."""
    statements = scope.network.statements
    for s in statements:
        if isinstance(s, t.Port):
            declare_port(scope, s)
        elif isinstance(s, t.Supply):
            declare_supply(scope, s)
        elif isinstance(s, t.Instance) and scope.declare(s.label):
            scope.pending[s.label.text] = s
        elif isinstance(s, t.Connection):
            scope.declare(s.label)
    for s in statements:
        if isinstance(s, t.Instance) and scope.pending.get(s.label.text) is s:
            make_instance(scope, s)
    connections = [
        s for s in statements
        if isinstance(s, t.Connection) and scope.declared.get(s.label.text) == s.label.span
    ]  # fmt: skip
    # A port that is an edge waits for the edges; every other one may be connected to.
    edges = {s.label.text for s in connections}
    aliases = [s for s in statements if isinstance(s, t.Alias)]
    late = [a for a in aliases if any(name in edges for name in _first_names(a))]
    for a in aliases:
        if a not in late:
            declare_alias(scope, a)
    for c in connections:
        make_connection(scope, c)
    for a in late:
        declare_alias(scope, a)
    report_unconnected(scope)


def _parameter(scope: Scope, p: t.Parameter, default: Value, values: Mapping[str, Value]) -> Value:
    value = values.get(p.name.text)
    if value is None or isinstance(value, Unknown):
        return default
    if (
        isinstance(value, Number)
        and isinstance(default, Number)
        and value.dimension != default.dimension
    ):
        scope.sink.error(
            "unit-mismatch",
            f"`{p.name}` of network `{scope.network.name}` is {describe(default.dimension)}, "
            f"but `{value.text}` is {describe(value.dimension)}",
            value.span,
            f"expected {symbol_of(default.dimension)}",
            secondary=(Label(p.span, "declared here"),),
        )
        return Unknown(value.span)
    return value


def _first_names(alias: t.Alias) -> list[str]:
    return [x.steps[0].name.text for x in alias.terminals if isinstance(x, t.Path)]
