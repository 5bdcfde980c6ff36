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
    imaginary = np.full(module.size + 1, GROUND, dtype=np.int32)
    optical = np.zeros(module.size + 1, dtype=bool)
    for array in module.arrays.values():
        if array.discipline == "optical":
            optical[array.indices.ravel()] = True
    optical[-1] = False
    imaginary[optical] = module.size + np.arange(optical.sum(), dtype=np.int32)
    arrays: dict[str, NodeArray] = {}
    for array in module.arrays.values():
        if array.discipline != "optical":
            arrays[array.name] = array
            continue
        for part, nodes in (("re", array.indices), ("im", imaginary[array.indices])):
            name = f"{array.name}.{part}"
            arrays[name] = replace(array, name=name, indices=nodes)
    return replace(
        module,
        size=module.size + int(optical.sum()),
        arrays=arrays,
        groups={label: _group(g, imaginary, made) for label, g in module.groups.items()},
        inputs={name: _port(p, imaginary) for name, p in module.inputs.items()},
        outputs={name: _port(p, imaginary) for name, p in module.outputs.items()},
    )


def _port(port: Port, imaginary: Nodes) -> Port:
    if port.discipline != "optical":
        return port
    high, low = (
        np.stack([ends, imaginary[ends]], axis=-1) for ends in (port.positive, port.negative)
    )
    return replace(port, positive=high, negative=low)


def _group(group: Group, imaginary: Nodes, made: dict[int, Module]) -> Group:
    columns: list[Nodes] = []
    if group.cell is not None:
        for k, name in enumerate(group.ports):
            columns.append(group.terminals[:, k : k + 1])
            if group.cell.ports[name].discipline == "optical":
                columns.append(imaginary[columns[-1]])
        ports = tuple(n for name in group.ports for n in group.cell.ports[name].nodes)
        return replace(group, ports=ports, terminals=np.concatenate(columns, axis=1))
    if not group.modules:
        return group
    at = 0
    for array in owners(group.modules[0]):
        if array.kind in ("input", "output"):
            columns.append(group.terminals[:, at : at + array.indices.size])
            at += array.indices.size
            if array.discipline == "optical":
                columns.append(imaginary[columns[-1]])
    terminals = np.concatenate(columns, axis=1) if columns else group.terminals
    return replace(group, modules=tuple(made[id(m)] for m in group.modules), terminals=terminals)
