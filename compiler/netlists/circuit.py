"""Netlists of an elaborated network of light."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tellegen.circuit import Circuit, Group, Module, subscript
from tellegen.diagnostics import Sink, one_of
from tellegen.emit.names import owners
from tellegen.manifest import GROUND
from tellegen.netlists.components import OUR_NAMES, canonical
from tellegen.netlists.netlist import End, Instance, Netlist, free, in_order, ports_of
from tellegen.source import Span

_CELLS = f"such a netlist can say {one_of(OUR_NAMES)}, and networks of them"


def netlists_of(circuit: Circuit, sink: Sink) -> list[Netlist]:
    """The netlists of a circuit whose nets are pairs, the top one first; empty after errors in the sink."""
    done: dict[int, tuple[Netlist, dict[str, str]]] = {}
    taken: set[str] = set(OUR_NAMES)
    for module in circuit.modules():
        done[id(module)] = _netlist(module, free(module.name, taken), done, sink)
    return [] if sink.errors else [netlist for netlist, _ in reversed(done.values())]


def _netlist(
    module: Module, name: str, done: dict[int, tuple[Netlist, dict[str, str]]], sink: Sink
) -> tuple[Netlist, dict[str, str]]:
    """The netlist of a module, and what its ports are called there."""
    known = {n.name: n for n, _ in done.values()}
    taken: set[str] = set()
    ports = {
        "input": dict(_ports(module, "input", sink)),
        "output": dict(_ports(module, "output", sink)),
    }
    given = {path: free(_flat(path), taken) for found in ports.values() for path in found}
    instances: dict[str, Instance] = {}
    entering: dict[int, list[tuple[End, Span]]] = {}
    leaving: dict[int, End] = {}
    for group in module.groups.values():
        if group.cell is not None and group.cell.name not in OUR_NAMES:
            _error(
                sink,
                f"`{group.label}` is a `{group.cell.name}`, which no netlist of light has",
                group.span,
                _CELLS,
            )
            continue
        if any(d != "optical" for d in _disciplines(group)):
            continue  # the network itself is reported
        for k, index in enumerate(np.ndindex(*group.shape)):
            label = free(_flat(group.label + subscript(index)), taken)
            if group.cell is not None:
                values = {p: float(v[k]) for p, v in group.params.items()}
                instances[label] = Instance(group.cell.name, canonical(group.cell, values))
                columns = {
                    p: group.ports.index(f"{own}_re")
                    for p, own in OUR_NAMES[group.cell.name].items()
                }
            else:
                within = group.modules[group.which[k]]
                netlist, called = done[id(within)]
                instances[label] = Instance(netlist.name, {})
                columns = {called[path]: at for path, at in _columns(within)}
            outs = ports_of(instances[label].component, known)[1]
            for port, at in columns.items():
                node = int(group.terminals[k, at])
                if node == GROUND:
                    continue
                if port in outs:
                    leaving[node] = (label, port)
                else:
                    entering.setdefault(node, []).append(((label, port), group.span))
    inputs = {given[path]: node for path, node in ports["input"].items()}
    outputs = {given[path]: node for path, node in ports["output"].items()}
    links: dict[End, End] = {}
    into: dict[str, End] = {}
    for node, ends in entering.items():
        for _, span in ends[1:]:
            _error(sink, f"light of `{_author(module, node)}` goes to several elements", span,
                   "a netlist joins two ports: split it in a `coupler`")  # fmt: skip
        if node in leaving:
            links[leaving[node]] = ends[0][0]
        for port, at in inputs.items():
            if at == node:
                into[port] = ends[0][0]
    out_of = {port: leaving[node] for port, node in outputs.items() if node in leaving}
    for port, node in outputs.items():
        if node not in leaving or node in entering:
            _error(sink, f"output `{port}` is not the end of one element alone", module.span,
                   "in a netlist a port is a port of an instance that is joined to no other")  # fmt: skip
    into = {port: into[port] for port in inputs if port in into}
    return Netlist(name, instances, in_order(instances, links, known), into, out_of), given


def _error(sink: Sink, message: str, span: Span, help: str) -> None:
    sink.error("foreign-netlist", message, span, help=help)


def _flat(path: str) -> str:
    """`mesh[3]` as `mesh_3`."""
    return path.replace("[", "_").replace(", ", "_").replace("]", "")


def _ports(module: Module, kind: str, sink: Sink) -> Iterator[tuple[str, int]]:
    """The optical ports by path, and the node of the real part of each."""
    for port in (module.inputs if kind == "input" else module.outputs).values():
        if port.discipline != "optical":
            _error(
                sink, f"{kind} `{port.name}` of `{module.name}` carries no light", port.span, _CELLS
            )
            continue
        shape = port.shape[:-1]
        for index in np.ndindex(*shape):
            yield port.name + subscript(index), int(port.positive[(*index, 0)])


def _disciplines(group: Group) -> list[str]:
    if group.cell is not None:
        return [p.discipline for p in group.cell.ports.values()]
    return [p.discipline for m in group.modules for p in (*m.inputs.values(), *m.outputs.values())]


def _columns(module: Module) -> Iterator[tuple[str, int]]:
    """Paths of the ports of a network, and which terminal of its instances has their real part."""
    at = 0
    for array in owners(module):
        if array.kind not in ("input", "output"):
            continue
        if array.name.endswith(".re"):
            for k, index in enumerate(np.ndindex(*array.indices.shape)):
                yield array.name.removesuffix(".re") + subscript(index), at + k
        at += array.indices.size


def _author(module: Module, node: int) -> str:
    return module.node_name(node).removesuffix(".re")
