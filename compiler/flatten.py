"""The flat view of a circuit: every cell instance with global node numbers.

The checks of topology and the manifest need to see through the hierarchy; the netlist does not. Groups
stay groups, so the cost is a few arrays for each line of the source.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from tellegen.circuit import Circuit, Group, Module, Nodes, subscript
from tellegen.emit.names import ModuleNames, indexed, name_module, owners
from tellegen.manifest import GROUND, LineMap
from tellegen.source import Span


@dataclass(frozen=True, eq=False)
class FlatGroup:
    """A group of cells with global terminals and the SPICE path of its instances."""

    path: str  # `unit[3].first`
    base: str  # `xunit_3.xfirst`
    group: Group
    terminals: Nodes

    def names(self) -> list[str]:
        """The SPICE path of each instance."""
        return indexed(self.base, self.group.shape)


@dataclass(frozen=True, eq=False)
class FlatSupply:
    """A supply, or what else holds a node, with its global node."""

    path: str
    node: int
    span: Span
    volts: float = 0.0


@dataclass(eq=False)
class Flat:
    """The flat circuit. `nodes[k]` is the SPICE name, `paths[k]` the author's, `spans[k]` its place.

    `light` has the real and imaginary nodes of each array of optical nets, once they are pairs.
    """

    nodes: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    disciplines: list[str] = field(default_factory=list)
    groups: list[FlatGroup] = field(default_factory=list)
    supplies: list[FlatSupply] = field(default_factory=list)
    lines: dict[str, LineMap] = field(default_factory=dict)
    light: dict[str, tuple[Nodes, Nodes]] = field(default_factory=dict)

    @cached_property
    def count(self) -> int:
        """The number of nodes without ground."""
        return len(self.nodes)


def flatten(circuit: Circuit) -> Flat:
    """The flat view of a circuit, the same for the same circuit."""
    flat = Flat()
    names: dict[int, ModuleNames] = {}
    _visit(circuit.top, "", "", "", "", np.zeros(0, dtype=np.int32), flat, names)
    return flat


def _visit(
    module: Module, path: str, spice: str, key: str, label: str, ports: Nodes, flat: Flat,
    names: dict[int, ModuleNames],
) -> None:  # fmt: skip
    """Add a module instance.

    `path`, `spice`: dotted prefixes of the author's and of the SPICE names; `key`, `label`: the
    same without indices, for the line map; `ports`: global nodes of the ports, in their order.
    """
    own = names.setdefault(id(module), name_module(module))
    new = np.full(module.size + 1, -2, dtype=np.int32)
    new[-1] = GROUND
    inner = [a for a in owners(module) if not (ports.size and a.kind in ("input", "output"))]
    if ports.size:
        outer = [a.indices.ravel() for a in owners(module) if a.kind in ("input", "output")]
        local = np.concatenate(outer)
        new[local[local >= 0]] = ports[local >= 0]
        new[-1] = GROUND
        for node in ports[local < 0].tolist():
            # A port that is ground inside holds the node outside, by a source of no volts.
            flat.supplies.append(FlatSupply(path.rstrip("."), int(node), module.span))
    for array in inner:
        flat_indices = array.indices.ravel()
        live = flat_indices >= 0
        start = len(flat.nodes)
        new[flat_indices[live]] = np.arange(start, start + int(live.sum()), dtype=np.int32)
        flat.nodes += [spice + own.nodes[n] for n in flat_indices[live]]
        prefix = path + array.name
        subscripts = (
            [subscript(i) for i in np.ndindex(*array.indices.shape)] if array.indices.ndim else [""]
        )
        flat.paths += [prefix + s for s, ok in zip(subscripts, live, strict=True) if ok]
        flat.spans += [array.span] * int(live.sum())
        flat.disciplines += [array.discipline] * int(live.sum())
        _line(flat, key + own.arrays[array.name], label + array.name, array.span)
        base = array.name.removesuffix(".im")
        if array.discipline == "optical" and base != array.name and f"{base}.re" in module.arrays:
            real = new[module.arrays[f"{base}.re"].indices]
            flat.light[path + base] = real, new[array.indices]
    for supply in module.supplies:
        flat.supplies.append(
            FlatSupply(
                path + supply.name,
                int(new[supply.node]),
                supply.span,
                supply.volts,
            )
        )
    for group in module.groups.values():
        base = own.groups[group.label]
        terminals = new[group.terminals]
        _line(flat, key + base, label + group.label, group.span)
        if group.cell is not None:
            flat.groups.append(FlatGroup(path + group.label, spice + base, group, terminals))
            continue
        instances = indexed(base, group.shape)
        subscripts = [subscript(i) for i in np.ndindex(*group.shape)] if group.shape else [""]
        for k, (instance, index) in enumerate(zip(instances, subscripts, strict=True)):
            _visit(
                group.modules[group.which[k]], f"{path}{group.label}{index}.", f"{spice}{instance}.",
                f"{key}{base}.", f"{label}{group.label}/", terminals[k], flat, names,
            )  # fmt: skip


def _line(flat: Flat, prefix: str, path: str, span: Span) -> None:
    flat.lines.setdefault(prefix, LineMap(prefix, path, span.source.name, span.line))
