"""Connections: edges from the nodes of one population to those of another, by a rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from tellegen.circuit import Group, Nodes
from tellegen.elaborate import connectivity, lightwork
from tellegen.elaborate.definitions import Definition, definition_of, directions, leveled
from tellegen.elaborate.delays import delayed
from tellegen.elaborate.edges import Pairs, read_edges
from tellegen.elaborate.instances import made_of
from tellegen.elaborate.meshes import make_mesh, screen_pairs
from tellegen.elaborate.nodes import nodes_at
from tellegen.elaborate.parameters import parameter_values
from tellegen.elaborate.scope import Scope
from tellegen.elaborate.terminals import other_terminals
from tellegen.files import FileRefused
from tellegen.seeds import stream
from tellegen.signature import bind, functions_of, lookup
from tellegen.syntax import tree as t
from tellegen.values import CallValue, Text, evaluate

_RULES = functions_of(connectivity)


def make_connection(scope: Scope, s: t.Connection) -> None:
    """Add the edges of a connection to the module."""
    definition = definition_of(scope, s.cell)
    if definition is not None:
        definition, arguments = leveled(scope, definition, s.arguments)
        s = replace(s, arguments=arguments)
    source = _population(scope, s.source)
    target = None if s.target is None else _population(scope, s.target)
    call = evaluate(s.rule, scope.values, scope.sink, names=True)
    if definition is None:
        return
    assert isinstance(call, CallValue)
    group = None
    if source is not None and (s.target is None or target is not None):
        if call.name in lightwork.RULES:
            group = make_mesh(scope, s, call, definition, source, target)
        else:
            found = _pairs(scope, s, call, source, target)
            if found is not None:
                group = _joined(scope, s, definition, source, target, found)
    if group is not None:
        scope.module.groups[s.label.text] = delayed(scope, group)
    else:
        # Its parameters may be wrong as well: do not wait with them for the next run.
        ports = dict.fromkeys(definition.ports, "")
        parameter_values(scope, s.label.text, definition, s.arguments, 0, s.cell.span, ports)


def _joined(
    scope: Scope, s: t.Connection, definition: Definition, source: Nodes, target: Nodes | None,
    found: Pairs,
) -> Group | None:  # fmt: skip
    """The edges of a connection, or None after diagnostics."""
    i, j, shape = found.sources, found.targets, found.shape
    made = made_of(scope, s.label.text, definition, len(i), shape, s.arguments, s.cell.span)
    if made is None:
        return None
    ports, shapes, modules, which = made
    ends = _ends(scope, s, definition, ports, shapes)
    if ends is None:
        return None
    high = source if target is None else target
    names = list(ports)
    terminals = other_terminals(scope, s, definition, names, ends, len(i))
    if terminals is None:
        return None
    terminals[:, names.index(ends[0])] = source[i]
    terminals[:, names.index(ends[1])] = high[j]
    params = parameter_values(
        scope, s.label.text, definition, s.arguments, len(i), s.cell.span, ports, found
    )
    return Group(
        s.label.text, shape, definition.cell, modules, which, tuple(names), terminals, params,
        s.span,
    )  # fmt: skip


def _population(scope: Scope, paths: tuple[t.Path, ...]) -> Nodes | None:
    found = [nodes_at(scope, p) for p in paths]
    if any(f is None for f in found):
        return None
    return np.concatenate([f.ravel() for f in found if f is not None])


def _ends(scope: Scope, s: t.Connection, definition: Definition, ports: Mapping[str, str],
    shapes: Mapping[str, tuple[int, ...]],
) -> tuple[str, str] | None:  # fmt: skip
    """The two ports that a connection joins: the first in, the first out (or the next)."""
    direction = directions(definition, ports)
    ports = {n: d for n, d in ports.items() if direction[n] != "supply"}
    first = next((n for n, d in direction.items() if d == "in"), None)
    first = first or next((n for n, d in direction.items() if d == "inout"), None)
    rest = [n for n in ports if n != first]
    second = next((n for n in rest if direction[n] == "out"), None)
    second = second or next((n for n in rest if direction[n] == "inout"), None)
    if first is None or second is None or shapes[first] or shapes[second]:
        scope.sink.error(
            "arity",
            f"{definition.noun} cannot be an edge: it needs two single ports",
            s.cell.span,
        )
        return None
    return first, second


def _pairs(
    scope: Scope, s: t.Connection, call: CallValue, source: Nodes, target: Nodes | None
) -> Pairs | None:
    """The pairs that the rule makes, or None after diagnostics."""
    population = connectivity.Population(
        len(source),
        len(source) if target is None else len(target),
        target is None,
        stream(scope.context.seed, scope.path + s.label.text, "connect"),
    )
    if call.name == "edges":
        return _pairs_of_file(scope, call, population)
    if call.name == "screen":
        return screen_pairs(scope, call, population)
    known = {**_RULES, **lightwork.RULES, "edges": None, "screen": None}
    found = lookup(call, known, "connection rule", scope.sink)
    if found is None:
        return None
    bound = bind(call, found.name, {**found.arguments, "autapses": connectivity._FLAG}, scope.sink)
    if bound is None:
        return None
    autapses = bound.pop("autapses")
    try:
        i, j = found.call(population, **bound)
    except connectivity.RuleError as error:
        scope.sink.error(error.code, str(error), call.span)
        return None
    other = source if target is None else target
    shape: tuple[int, ...] = (len(i),)
    if not autapses:
        keep = source[i] != other[j]
        i, j = i[keep], j[keep]
    if call.name == "all_to_all" and target is not None and len(i) == shape[0]:
        shape = (population.sources, population.targets)
    else:
        shape = (len(i),)
    if not scope.fits(len(i), call.span):
        return None
    if len(i) == 0:
        scope.sink.warning("no-edges", f"`{s.label}` connects nothing", call.span)
    return Pairs(i, j, shape)


def _pairs_of_file(
    scope: Scope, call: CallValue, population: connectivity.Population
) -> Pairs | None:
    arguments = call.arguments
    if len(arguments) != 1 or not isinstance(arguments[0].value, Text):
        scope.sink.error(
            "arity", '`edges` takes one quoted file name: `edges("file.csv")`', call.span
        )
        return None
    name = arguments[0].value
    edges = scope.context.tables.get(name.value)
    try:
        if edges is None:
            edges = read_edges(scope.context.files, name.value)
    except FileRefused as error:
        scope.sink.error(error.code, str(error), name.span, help=error.help)
        return None
    scope.context.tables[name.value] = edges
    i, j = edges.pairs[:, 0], edges.pairs[:, 1]
    for ends, size in ((i, population.sources), (j, population.targets)):
        if len(ends) and ends.max() >= size:
            scope.sink.error(
                "out-of-range",
                f"`{name.value}` names node {ends.max()}, but there are only {size} (counted from 0)",
                name.span,
            )
            return None
    if not scope.fits(len(i), call.span):
        return None
    return Pairs(i, j, (len(i),), edges.params, name)
