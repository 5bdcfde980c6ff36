"""Optical nets as pairs of nodes: what an author calls one net carries a complex field.

A field is the complex envelope of the light in sqrt(W), and one volt is one sqrt(W): the net `a` becomes the
nodes `a.re` and `a.im`. Everything before this pass, the checks too, sees one node a net; everything behind it
sees two. A port of optical elements gets a last axis of two, its real and imaginary parts.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tellegen.circuit import Circuit, Group, Module, NodeArray, Nodes, Port
from tellegen.emit.names import owners
from tellegen.manifest import GROUND


def bundled(circuit: Circuit) -> Circuit:
    """The circuit with two nodes for each optical net; itself where it has none."""
    modules = circuit.modules()
    if not any(a.discipline == "optical" for m in modules for a in m.arrays.values()):
        return circuit
    made: dict[int, Module] = {}
    for module in modules:
        made[id(module)] = _module(module, made)
    return replace(circuit, top=made[id(circuit.top)])


def _module(module: Module, made: dict[int, Module]) -> Module:
    # Nodes are numbered in the order of the arrays that own them, as `flatten` does.
    real = np.full(module.size + 1, GROUND, dtype=np.int32)
    imaginary = real.copy()
    size = 0
    for array in owners(module):
        nodes = array.indices.ravel()
        nodes = nodes[nodes >= 0]
        for part in (real, imaginary) if array.discipline == "optical" else (real,):
            part[nodes] = np.arange(size, size + len(nodes), dtype=np.int32)
            size += len(nodes)
    arrays: dict[str, NodeArray] = {}
    for array in module.arrays.values():
        if array.discipline != "optical":
            arrays[array.name] = replace(array, indices=real[array.indices])
            continue
        for suffix, indices in (("re", real[array.indices]), ("im", imaginary[array.indices])):
            name = f"{array.name}.{suffix}"
            arrays[name] = replace(array, name=name, indices=indices)
    return replace(
        module,
        size=size,
        arrays=arrays,
        groups={label: _group(g, real, imaginary, made) for label, g in module.groups.items()},
        inputs={name: _port(p, real, imaginary) for name, p in module.inputs.items()},
        supplies=[replace(x, node=int(real[x.node])) for x in module.supplies],
        grounded=[int(real[node]) for node in module.grounded],
        outputs={name: _port(p, real, imaginary) for name, p in module.outputs.items()},
    )


def _port(port: Port, real: Nodes, imaginary: Nodes) -> Port:
    high, low = (
        np.stack([real[ends], imaginary[ends]], axis=-1)
        if port.discipline == "optical"
        else real[ends]
        for ends in (port.positive, port.negative)
    )
    return replace(port, positive=high, negative=low)


def _group(group: Group, real: Nodes, imaginary: Nodes, made: dict[int, Module]) -> Group:
    columns: list[Nodes] = []
    if group.cell is not None:
        for k, name in enumerate(group.ports):
            columns.append(real[group.terminals[:, k : k + 1]])
            if group.cell.ports[name].discipline == "optical":
                columns.append(imaginary[group.terminals[:, k : k + 1]])
        ports = tuple(n for name in group.ports for n in group.cell.ports[name].nodes)
        return replace(group, ports=ports, terminals=np.concatenate(columns, axis=1))
    if not group.modules:
        return group
    at = 0
    names: list[str] = []
    for array in owners(group.modules[0]):
        if array.kind in ("input", "output"):
            own = slice(at, at + array.indices.size)
            at += array.indices.size
            columns.append(real[group.terminals[:, own]])
            if array.discipline == "optical":
                columns.append(imaginary[group.terminals[:, own]])
                names += [f"{n}_{part}" for part in ("re", "im") for n in group.ports[own]]
            else:
                names += group.ports[own]
    terminals = np.concatenate(columns, axis=1) if columns else group.terminals
    return replace(
        group,
        modules=tuple(made[id(m)] for m in group.modules),
        ports=tuple(names),
        terminals=terminals,
    )
