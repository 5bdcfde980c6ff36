"""Connections that are meshes of interferometers, and the phases behind them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tellegen.circuit import Group, NodeArray, Nodes
from tellegen.diagnostics import did_you_mean
from tellegen.elaborate import connectivity, lightwork
from tellegen.elaborate.definitions import Definition, directions
from tellegen.elaborate.edges import Pairs
from tellegen.elaborate.instances import made_of
from tellegen.elaborate.parameters import parameter_values
from tellegen.elaborate.scope import Scope
from tellegen.elaborate.terminals import other_terminals
from tellegen.files import FileRefused
from tellegen.quantity import unit
from tellegen.signature import Argument, bind
from tellegen.syntax import tree as t
from tellegen.values import CallValue, Text, kind_of


def make_mesh(scope: Scope, s: t.Connection, call: CallValue, definition: Definition, source: Nodes,
    target: Nodes | None,
) -> Group | None:  # fmt: skip
    """The interferometers of a mesh, or None after diagnostics."""
    rule, modes = lightwork.RULES[call.name], len(source)
    if target is None or len(target) != modes or modes < 2:
        scope.sink.error(
            "arity", f"`{call.name}` leads light from two or more nets to as many others",
            call.span, help=f"`connect a -> b by {call.name}`",
        )  # fmt: skip
        return None
    bound = bind(call, rule.name, rule.arguments, scope.sink)
    if bound is None or not scope.fits(modes * (modes - 1) // 2, call.span):
        return None
    file, matrix, back = bound["matrix"], None, bound.pop("back")
    if file is not None and not isinstance(file, Text):
        scope.sink.error("wrong-kind", f"`{call.name}` takes the quoted name of a file, not {kind_of(file)}",
                        file.span)  # fmt: skip
        return None
    try:
        if file is not None:
            matrix = lightwork.read_matrix(scope.context.files, file.value, modes)
        made = rule.call(modes, matrix)
    except FileRefused as error:
        scope.sink.error(error.code, str(error), call.span, help=error.help)
        return None
    except ValueError as error:
        scope.sink.error("bad-file", f"`{file.value}`: {error}", call.span)
        return None
    radian = unit("rad").dimension
    table = {} if file is None else {"theta": (made.theta, radian), "phi": (made.phi, radian)}
    scope.screens[s.label.text] = None if file is None else (file, made.screen)
    count = len(made.top)
    found = made_of(scope, s.label.text, definition, count, (count,), s.arguments, s.cell.span)
    ports = None if found is None else _arms(scope, s, definition, found[0], found[1])
    if found is None or ports is None:
        return None
    wiring = lightwork.wired(made.top, source, target, lambda n: scope.new_nodes((n,)), back=back)
    inside = f"{s.label}.inside"
    scope.module.arrays[inside] = NodeArray(inside, "port", "optical", wiring.inside, s.label.span)
    names = list(found[0])
    terminals = other_terminals(scope, s, definition, names, ports, count)
    if terminals is None:
        return None
    for k, nodes in enumerate((*wiring.incoming.T, *wiring.outgoing.T)):
        terminals[:, names.index(ports[k])] = nodes
    pairs = Pairs(made.top, made.top + 1, (count,), table, file)
    params = parameter_values(
        scope, s.label.text, definition, s.arguments, count, s.cell.span, found[0], pairs
    )
    return Group(
        s.label.text, (count,), definition.cell, found[2], found[3], tuple(names), terminals, params,
        s.span,
    )  # fmt: skip


def _arms(scope: Scope, s: t.Connection, definition: Definition, ports: Mapping[str, str],
    shapes: Mapping[str, tuple[int, ...]],
) -> tuple[str, ...] | None:  # fmt: skip
    """The two ports by which light comes into an interferometer, and the two by which it leaves."""
    direction = directions(definition, ports)
    light = [n for n, d in ports.items() if d == "optical" and not shapes[n]]
    incoming = [n for n in light if direction[n] == "in"]
    outgoing = [n for n in light if direction[n] == "out"]
    if len(incoming) == len(outgoing) == 2:
        return (*incoming, *outgoing)
    scope.sink.error(
        "arity", f"{definition.noun} is no interferometer: it needs two inputs and two outputs of light",
        s.cell.span,
    )  # fmt: skip
    return None


def screen_pairs(
    scope: Scope, call: CallValue, population: connectivity.Population
) -> Pairs | None:
    """One to one, with the phases that stand behind a mesh."""
    bound = bind(call, "screen", {"mesh": Argument("path")}, scope.sink)
    if bound is None:
        return None
    label = bound["mesh"].text
    found = scope.screens.get(label)
    if found is None:
        what = "has no matrix" if label in scope.screens else "is no mesh above"
        scope.sink.error(
            "unknown-name", f"`{label}` {what}", bound["mesh"].span,
            help=did_you_mean(label, [k for k in scope.screens if k != label])
            or 'it stands behind a mesh of a matrix: `mesh: connect a -> u by clements("u.csv")`',
        )  # fmt: skip
        return None
    file, phases = found
    if not population.sources == population.targets == len(phases) or population.one:
        scope.sink.error(
            "arity", f"`{label}` has {len(phases)} outputs: `connect u -> y by screen({label})`",
            call.span,
        )  # fmt: skip
        return None
    k = np.arange(len(phases), dtype=np.int64)
    return Pairs(k, k, (len(k),), {"phase": (phases, unit("rad").dimension)}, file)
