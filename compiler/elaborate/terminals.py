"""Which nodes the ports of an instance stand on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tellegen.cells import Cell
from tellegen.circuit import NodeArray, Nodes
from tellegen.diagnostics import Label
from tellegen.elaborate.definitions import Definition, listed
from tellegen.elaborate.nodes import nodes_at, nodes_of
from tellegen.elaborate.scope import Scope
from tellegen.source import Span
from tellegen.syntax import tree as t


def given_nodes(
    scope: Scope,
    definition: Definition,
    ports: list[str],
    arguments: tuple[t.Argument, ...],
    span: Span,
) -> dict[str, tuple[Nodes, Span]] | None:
    """The nodes that an instance's arguments connect, by port."""
    given: dict[str, tuple[Nodes, Span]] = {}
    in_order = [p for p in ports if p not in definition.supplies]
    position = 0
    ok = True
    for a in arguments:
        if a.name is not None and a.name.text not in ports:
            continue  # a parameter
        if a.name is not None:
            name = a.name.text
        elif position < len(in_order):
            name, position = in_order[position], position + 1
        else:
            hint = "" if isinstance(a.value, t.Path) else _named_hint(definition)
            hint = _decimal_comma(arguments, a) or hint
            scope.sink.error(
                "arity",
                f"{definition.noun} has {len(in_order)} port{'s' * (len(in_order) != 1)}",
                a.span, "one too many", help=hint or f"its ports: {listed(in_order)}",
            )  # fmt: skip
            return None
        if a.arrow and definition.cell is not None:
            ok &= _arrow(scope, definition.cell, name, a)
        paths = a.value.items if isinstance(a.value, t.Sequence) else (a.value,)
        if not all(isinstance(path, t.Path) for path in paths):
            scope.sink.error(
                "wrong-kind",
                f"port `{name}` of {definition.noun} takes a node, "
                f"not `{' '.join(a.value.span.text.split())}`",
                a.value.span, help=_named_hint(definition),
            )  # fmt: skip
            ok = False
            continue
        if name in given:
            scope.sink.error("duplicate-name", f"port `{name}` is connected twice", a.span,
                            secondary=(Label(given[name][1], "first here"),))  # fmt: skip
            ok = False
            continue
        parts = [nodes_at(scope, path) for path in paths if isinstance(path, t.Path)]
        found = [part for part in parts if part is not None]
        if len(found) < len(parts):
            ok = False
            continue
        nodes = found[0] if len(found) == 1 else np.concatenate([part.ravel() for part in found])
        given[name] = (nodes, a.value.span)
    return given if ok else None


def with_supplies(
    scope: Scope, definition: Definition, given: dict[str, tuple[Nodes, Span]], span: Span
) -> dict[str, tuple[Nodes, Span]] | None:
    """The given nodes, and the supplies that were not named; None after a diagnostic."""
    missing = [name for name in definition.supplies if name not in given]
    for name in missing:
        array = scope.module.arrays.get(name)
        if array is None or array.indices.shape:
            scope.sink.error(
                "no-supply", f"{definition.noun} needs a supply, and network "
                f"`{scope.network.name}` has no node `{name}`", span,
                help=f"add `supply {name} = 1.8 V`, or connect it: `{name} = NODE`",
            )  # fmt: skip
            return None
        given[name] = (array.indices, span)
    return given


def _arrow(scope: Scope, cell: Cell, name: str, a: t.Argument) -> bool:
    if cell.ports[name].direction == "in":
        scope.sink.error("discipline", f"`->` leads to `{name}`, which is an input of `{cell.name}`",
                        a.span)  # fmt: skip
        return False
    return True


def _named_hint(definition: Definition) -> str:
    names = list(definition.cell.params) if definition.cell else []
    return f"parameters are given by name, such as `{names[0]} = ...`" if names else ""


def port_nodes(
    scope: Scope,
    s: t.Instance,
    ports: Mapping[str, str],
    shapes: Mapping[str, tuple[int, ...]],
    shape: tuple[int, ...],
    given: Mapping[str, tuple[Nodes, Span]],
) -> dict[str, Nodes] | None:
    """The nodes of each port, of shape `shape + port shape`; new ones where none is given."""
    terminals: dict[str, Nodes] = {}
    for name, discipline in ports.items():
        full = shape + shapes[name]
        if name not in given:
            nodes = scope.new_nodes(full)
            scope.implicit[s.label.text, name] = False
            scope.module.arrays[f"{s.label}.{name}"] = NodeArray(
                f"{s.label}.{name}", "port", discipline, nodes, s.label.span
            )
            terminals[name] = nodes
            continue
        nodes, span = given[name]
        if nodes.shape == full:
            terminals[name] = nodes
        elif nodes.shape == shapes[name]:
            terminals[name] = np.broadcast_to(nodes, full)
        else:
            scope.sink.error(
                "shape-mismatch",
                f"port `{name}` of `{s.label}` needs {nodes_of(full)}, not {nodes_of(nodes.shape)}",
                span,
            )
            return None
    return terminals


def report_unconnected(scope: Scope) -> None:
    """Diagnostics for ports that nothing was given for and nothing names."""
    unused: dict[str, list[str]] = {}
    for (label, name), used in scope.implicit.items():
        cell = scope.module.groups[label].cell if label in scope.module.groups else None
        if not used and not (cell and cell.ports[name].open):
            unused.setdefault(label, []).append(f"`{name}`")
    for label, names in unused.items():
        group = scope.module.groups[label]
        what = (
            f"port {names[0]} of `{label}` is"
            if len(names) == 1
            else (f"ports {', '.join(names)} of `{label}` are")
        )
        scope.sink.error(
            "arity", f"{what} not connected", group.span,
            help=f"connect it: `{label}: {group.made_of}({', '.join(scope.ports_of[label])})`",
        )  # fmt: skip


def other_terminals(scope: Scope, s: t.Connection, definition: Definition, names: list[str], ends: tuple[str, ...],
    count: int,
) -> Nodes | None:  # fmt: skip
    """The terminals (count, ports) of a connection, those given by name filled in."""
    terminals = np.empty((count, len(names)), dtype=np.int32)
    given = given_nodes(scope, definition, [p for p in names if p not in ends], s.arguments, s.span)
    if given is not None:
        given = with_supplies(scope, definition, given, s.cell.span)
    if given is None:
        return None
    for name in names:
        if name in ends:
            continue
        if name not in given:
            scope.sink.error(
                "arity", f"port `{name}` of {definition.noun} is not connected", s.cell.span,
                help=f"give it by name: `{s.cell}({name} = NODE, ...)`",
            )  # fmt: skip
            return None
        nodes, span = given[name]
        if nodes.ndim and nodes.size != count:
            scope.sink.error(
                "shape-mismatch", f"{nodes.size} nodes are given for {count} edges", span
            )
            return None
        terminals[:, names.index(name)] = nodes.ravel()
    return terminals


def _decimal_comma(arguments: tuple[t.Argument, ...], a: t.Argument) -> str:
    """A help where `1.5 uS` was written `1,5 uS`."""
    before = arguments[arguments.index(a) - 1].value
    if isinstance(before, t.Quantity) and isinstance(a.value, t.Quantity) and not before.unit:
        between = a.span.source.text[before.span.end : a.span.start]
        if between == "," and "." not in before.number:
            return f"a decimal point is a point: `{before.number}.{a.value.span.text}`"
    return ""
