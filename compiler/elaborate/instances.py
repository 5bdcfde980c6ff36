"""Instances of cells and networks, one or an array of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tellegen.circuit import Group, Module, subscript
from tellegen.diagnostics import Label
from tellegen.elaborate.definitions import Definition, definition_of, leveled
from tellegen.elaborate.delays import delayed
from tellegen.elaborate.parameters import parameter_values
from tellegen.elaborate.scope import NETWORK_WEIGHT, Scope
from tellegen.elaborate.terminals import given_nodes, port_nodes, with_supplies
from tellegen.source import Span
from tellegen.syntax import tree as t
from tellegen.values import Number, Value, evaluate


def make_instance(scope: Scope, s: t.Instance) -> None:
    """Add an instance, or an array of them, to the module."""
    label = s.label.text
    scope.busy.add(label)
    scope.pending.pop(label, None)
    try:
        _place(scope, s)
    finally:
        scope.busy.discard(label)


def _place(scope: Scope, s: t.Instance) -> None:
    definition = definition_of(scope, s.cell)
    if definition is not None:
        definition, arguments = leveled(scope, definition, s.arguments)
        s = replace(s, arguments=arguments)
    shape = scope.shape(s.shape, f"the size of `{s.label}`")
    if definition is None or shape is None or not scope.fits(math.prod(shape), s.cell.span):
        # Its ports cannot be known: silence what refers to them.
        scope.module.arrays.pop(s.label.text, None)
        return
    count = math.prod(shape)
    made = made_of(scope, s.label.text, definition, count, shape, s.arguments, s.cell.span)
    if made is None:
        return
    ports, shapes, modules, which = made
    given = given_nodes(scope, definition, list(ports), s.arguments, s.span)
    if given is not None:
        given = with_supplies(scope, definition, given, s.cell.span)
    terminals = None if given is None else port_nodes(scope, s, ports, shapes, shape, given)
    if terminals is None:
        # Its parameters may be wrong as well: do not wait with them for the next run.
        parameter_values(scope, s.label.text, definition, s.arguments, 0, s.cell.span, ports)
        return
    flat = np.concatenate([n.reshape(count, -1) for n in terminals.values()], axis=1)
    params = parameter_values(
        scope, s.label.text, definition, s.arguments, count, s.cell.span, ports
    )
    group = Group(
        s.label.text, shape, definition.cell, modules, which, _port_names(ports, shapes),
        flat.astype(np.int32), params, s.span,
    )  # fmt: skip
    scope.module.groups[s.label.text] = delayed(scope, group)
    scope.ports_of[s.label.text] = terminals


def _port_names(ports: Mapping[str, str], shapes: Mapping[str, tuple[int, ...]]) -> tuple[str, ...]:
    return tuple(
        name + "".join(f"_{i}" for i in index)
        for name in ports
        for index in np.ndindex(shapes[name])
    )


def made_of(
    scope: Scope,
    label: str,
    definition: Definition,
    count: int,
    shape: tuple[int, ...],
    arguments: tuple[t.Argument, ...],
    span: Span,
) -> (
    tuple[dict[str, str], dict[str, tuple[int, ...]], tuple[Module, ...], NDArray[np.int32]] | None
):
    """The ports (name to discipline), their shapes, and for a network its modules."""
    which = np.zeros(count, dtype=np.int32)
    if definition.cell is not None:
        ports = {name: port.discipline for name, port in definition.cell.ports.items()}
        return ports, dict.fromkeys(ports, ()), (), which
    network = definition.network
    assert network is not None
    known = {p.name.text for p in network.parameters}
    values = {
        a.name.text: evaluate(a.value, scope.values, scope.sink)
        for a in arguments
        if a.name and a.name.text in known
    }
    modules = _modules(scope, label, network, shape, values, span)
    if not modules:
        return None
    if len(modules) > 1:
        which = np.arange(count, dtype=np.int32)
    first = modules[0]
    ports, shapes = {}, {}
    for name, array in first.arrays.items():
        if array.kind in ("input", "output"):
            ports[name], shapes[name] = array.discipline, array.indices.shape
    for port in [*first.inputs.values(), *first.outputs.values()]:
        if port.name not in ports:
            scope.sink.error(
                "wrong-kind",
                f"network `{network.name}` cannot be used as a cell: `{port.name}` is not a node of its own",
                span, secondary=(Label(port.span, "declared here"),),
            )  # fmt: skip
            return None
    return ports, shapes, modules, which


def _modules(
    scope: Scope, label: str, network: t.Network, shape: tuple[int, ...], values: dict[str, Value],
    span: Span,
) -> tuple[Module, ...]:  # fmt: skip
    """The modules of an array of networks: one for all of them where nothing is drawn in it.

    None at all, after diagnostics, where one is wrong or they are too many.
    """
    count = math.prod(shape)
    drawn = _draws(network, scope.context.networks)
    numbers = [(k, v.value, v.dimension) for k, v in values.items() if isinstance(v, Number)]
    key = (network.name.text, *sorted(numbers))
    kept = not drawn and len(numbers) == len(values)
    if kept and key in scope.context.modules:
        module = scope.context.modules[key]
        return (module,) if scope.fits(count * (module.weight + NETWORK_WEIGHT), span) else ()
    made: list[Module] = []
    # Of none at all, one still says what the ports are.
    for index in np.ndindex(*shape) if count else [()]:
        before = len(scope.sink.errors)
        path = f"{scope.path}{label}{subscript(index)}."
        module = scope.below(scope.context, network, values, path)
        if len(scope.sink.errors) > before:
            return ()
        if not made and not scope.fits(count * (module.weight + NETWORK_WEIGHT), span):
            return ()
        made.append(module)
        if not drawn:
            break
    if kept:
        scope.context.modules[key] = made[0]
    return tuple(made)


def _draws(network: t.Network, networks: Mapping[str, t.Network]) -> bool:
    """Whether two instances of a network may differ: something random in it, or below it."""
    seen: set[str] = set()

    def visit(n: t.Network) -> bool:
        if n.name.text in seen:
            return False
        seen.add(n.name.text)
        for s in n.statements:
            if isinstance(s, t.Instance | t.Connection):
                if any(a.operator == "~" for a in s.arguments):
                    return True
                if isinstance(s, t.Connection) and s.rule.name.text.startswith(
                    ("fixed_", "pairwise_")
                ):
                    return True
                below = networks.get(s.cell.name.text) if s.cell.library is None else None
                if below is not None and visit(below):
                    return True
        return False

    return visit(network)
