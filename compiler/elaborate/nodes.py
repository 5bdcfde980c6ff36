"""From the paths that stand in a network to its nodes."""

from __future__ import annotations

import numpy as np

from tellegen.circuit import Nodes
from tellegen.diagnostics import did_you_mean
from tellegen.elaborate.definitions import listed
from tellegen.elaborate.scope import Scope
from tellegen.manifest import GROUND
from tellegen.syntax import tree as t
from tellegen.values import as_count, evaluate


def ends_at(scope: Scope, terminal: t.Path | t.Pair) -> tuple[Nodes, Nodes] | None:
    """The two nodes (ground for a single node) that a port's element stands on."""
    if isinstance(terminal, t.Pair):
        high, low = nodes_at(scope, terminal.positive), nodes_at(scope, terminal.negative)
        if high is None or low is None:
            return None
        if high.shape != low.shape:
            scope.sink.error(
                "shape-mismatch",
                f"the pair joins {nodes_of(high.shape)} to {nodes_of(low.shape)}",
                terminal.span,
            )
            return None
        return high, low
    first = terminal.steps[0]
    group = scope.module.groups.get(first.name.text)
    if group is not None and len(terminal.steps) == 1:
        if group.terminals.shape[1] < 2:
            scope.sink.error(
                "arity", f"`{first.name}` has no two ports to measure between", terminal.span
            )
            return None
        ends = group.terminals.reshape(*group.shape, group.terminals.shape[1])
        chosen = _subscripted(scope, ends, len(group.shape), first)
        return None if chosen is None else (chosen[..., 0], chosen[..., 1])
    nodes = nodes_at(scope, terminal)
    return None if nodes is None else (nodes, np.full(nodes.shape, GROUND, dtype=np.int32))


def nodes_at(scope: Scope, path: t.Path) -> Nodes | None:
    """The nodes that a path names, or None after a diagnostic."""
    first = path.steps[0]
    name = first.name.text
    if name == "gnd" and len(path.steps) == 1:
        return np.full((), GROUND, dtype=np.int32)
    if name in scope.busy and len(path.steps) == 2:
        scope.sink.error(
            "unknown-name", f"`{path}` is needed before it is made", path.span,
            help="declare a node and connect both sides to it",
        )  # fmt: skip
        return None
    if name in scope.pending and name not in scope.ports_of and len(path.steps) == 2:
        scope.place(scope, scope.pending[name])
    if name in scope.ports_of:
        return _instance_port(scope, path)
    array = scope.module.arrays.get(name)
    if array is None:
        _unknown_node(scope, path)
        return None
    if len(path.steps) > 1:
        scope.sink.error("unknown-name", f"node `{name}` has no part `{path.steps[1].name}`",
                        path.steps[1].span)  # fmt: skip
        return None
    return _subscripted(scope, array.indices, array.indices.ndim, first)


def _unknown_node(scope: Scope, path: t.Path) -> None:
    name = path.steps[0].name.text
    if name in scope.declared and name not in scope.module.arrays:
        if name in scope.pending or name in scope.module.groups:
            scope.sink.error("wrong-kind", f"`{name}` is an instance, not a node", path.span,
                            help=f"name one of its ports, such as `{name}.PORT`")  # fmt: skip
        elif name in scope.values:
            scope.sink.error("wrong-kind", f"`{name}` is a parameter, not a node", path.span)
        return  # else its declaration was already reported
    scope.sink.error(
        "unknown-name",
        f"unknown node `{name}` in network `{scope.network.name}`",
        path.steps[0].name.span,
        "not declared",
        help=did_you_mean(name, [*scope.module.arrays, *scope.pending, "gnd"]),
    )


def _instance_port(scope: Scope, path: t.Path) -> Nodes | None:
    label = path.steps[0].name.text
    ports = scope.ports_of[label]
    if len(path.steps) != 2:
        scope.sink.error("wrong-kind", f"`{label}` is an instance, not a node", path.span,
                        help=f"name one of its ports: {listed(ports)}")  # fmt: skip
        return None
    name = path.steps[1].name.text
    if name not in ports:
        scope.sink.error(
            "unknown-name", f"`{label}` has no port `{name}`", path.steps[1].name.span,
            help=did_you_mean(name, ports) or f"its ports: {listed(ports)}",
        )  # fmt: skip
        # Whichever port was meant, it is not the next mistake that it is not connected.
        scope.implicit.update({k: True for k in scope.implicit if k[0] == label})
        return None
    if (label, name) in scope.implicit:
        scope.implicit[label, name] = True
    indices = ports[name]
    for step in path.steps:
        if step.subscripts:
            chosen = _subscripted(scope, indices, indices.ndim, step)
            if chosen is None:
                return None
            indices = chosen
    return indices


def _subscripted(scope: Scope, array: Nodes, dimensions: int, step: t.Step) -> Nodes | None:
    """Apply the subscripts of a step to the leading `dimensions` of an array."""
    if not step.subscripts:
        return array
    if len(step.subscripts) > dimensions:
        scope.sink.error(
            "shape-mismatch",
            f"`{step.name}` has {dimensions} dimension{'s' * (dimensions != 1)}, "
            f"not {len(step.subscripts)}",
            step.span,
        )
        return None
    chosen: list[int | slice] = []
    for axis, s in enumerate(step.subscripts):
        size = array.shape[axis]
        what = f"an index of `{step.name}` (size {size})"
        if isinstance(s, t.Slice):
            ends = [
                None if e is None
                else as_count(evaluate(e, scope.values, scope.sink), what, scope.sink, 0, size)
                for e in (s.low, s.high)
            ]  # fmt: skip
            if (s.low is not None and ends[0] is None) or (s.high is not None and ends[1] is None):
                return None
            chosen.append(slice(*ends))
        else:
            found = as_count(evaluate(s, scope.values, scope.sink), what, scope.sink, 0, size - 1)
            if found is None:
                return None
            chosen.append(found)
    return np.asarray(array[tuple(chosen)], dtype=np.int32)


def nodes_of(shape: tuple[int, ...]) -> str:
    """A shape as a diagnostic says it."""
    return "a single node" if shape == () else f"nodes of shape {list(shape)}"
