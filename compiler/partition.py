"""Partitions: a spiking circuit cut at its delays into parts that exchange nothing but spikes.

A spike that takes a delay d to arrive tells the receiving side nothing for d: two sides of a delay
line can be simulated on their own for that long. The parts are what hangs together when the delay
lines are taken out and the ideal sources (ground, supplies, driven inputs) are given to everybody:
usually a neuron with the synapses on it. Every part is a circuit of its own, emitted and run like any
other.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from tellegen.arrays import Indices, Values
from tellegen.cells.cell import DELAY
from tellegen.circuit import Circuit, Group, Module, NodeArray, Port, Supply
from tellegen.flatten import Flat, FlatGroup, flatten
from tellegen.manifest import GROUND

ARRIVING = "arriving"  # the input of a part at which spikes of other parts arrive
LATE = "late"  # its input for what the whole's inputs send through a line
LEAVING = "leaving"  # its output whose spikes the lines take up


@dataclass(frozen=True, eq=False)
class Part:
    """A part of a circuit.

    Attributes:
        circuit: the part as a circuit; nodes and groups have the paths of the whole as names.
        rows: for each group in it, which of the whole group's instances these are.
        elements: for each of the whole's inputs in it, which of its elements these are.
        arriving: the lines from a part whose ends are the elements of its input `arriving`.
        late: the lines from an input of the whole whose ends are the elements of its input `late`.
        leaving: the lines that begin at the elements of its output `leaving`, for each element.
    """

    circuit: Circuit
    rows: dict[str, Indices]
    elements: dict[str, Indices]
    arriving: Indices
    late: Indices
    leaving: tuple[Indices, ...]


@dataclass(frozen=True, eq=False)
class Partition:
    """A circuit in parts.

    Attributes:
        parts: in the order of their first instance.
        delays: (lines,) in seconds.
        driven: (lines,) the elements of the whole's inputs at which lines begin that no part feeds,
            as (input, element), or None.
    """

    parts: tuple[Part, ...]
    delays: Values
    driven: tuple[tuple[str, int] | None, ...]
    circuit: Circuit = field(repr=False)


@dataclass(frozen=True, eq=False)
class _Lines:
    """The delay lines: where each begins and ends (nodes of the whole), and its delay."""

    begin: Indices
    end: Indices
    delay: Values


def partition(circuit: Circuit, delay_cells: frozenset[tuple[str, str]]) -> Partition:
    """The parts of a circuit.

    Args:
        circuit: the whole.
        delay_cells: (library, cell) of the cells that delay spikes.
    """
    flat = flatten(circuit)
    lines, others = _lines(flat, delay_cells)
    held = _held(circuit, flat)
    owner, count = _owners(flat, others, held)
    driver = {
        int(node): (port.name, k)
        for port in circuit.top.inputs.values()
        for k, node in enumerate(port.positive.ravel())
    }
    driven = tuple(driver.get(int(node)) for node in lines.begin)
    fed = np.array([at is None for at in driven], dtype=bool)
    parts = [_Part(circuit, flat, others, lines, fed, owner, held, k).made() for k in range(count)]
    return Partition(tuple(parts), lines.delay, driven, circuit)


def _lines(flat: Flat, delay_cells: frozenset[tuple[str, str]]) -> tuple[_Lines, list[FlatGroup]]:
    begin, end, delay, others = [], [], [], []
    for g in flat.groups:
        cell = g.group.cell
        assert cell is not None
        if (cell.library, cell.name) in delay_cells:
            begin.append(g.terminals[:, 0])
            end.append(g.terminals[:, 1])
            delay.append(g.group.params[DELAY.name])
        else:
            others.append(g)
    if not begin:
        none = np.zeros(0, dtype=np.int64)
        return _Lines(none, none, np.zeros(0)), others
    ends = [np.concatenate(x).astype(np.int64) for x in (begin, end)]
    return _Lines(ends[0], ends[1], np.concatenate(delay)), others


def _held(circuit: Circuit, flat: Flat) -> NDArray[np.bool_]:
    """Which nodes (and ground, last) every part may have for itself: their voltage is given."""
    held = np.zeros(flat.count + 1, dtype=bool)
    held[GROUND] = True
    for supply in flat.supplies:
        held[supply.node] = True
    for port in circuit.top.inputs.values():
        if port.discipline != "current" and (port.negative == GROUND).all():
            held[port.positive.ravel()] = True
    return held


def _owners(
    flat: Flat, groups: list[FlatGroup], held: NDArray[np.bool_]
) -> tuple[list[Indices], int]:
    """The part that each instance of each group belongs to, and how many parts there are."""
    sizes = [len(g.terminals) for g in groups]
    starts = flat.count + np.concatenate([[0], np.cumsum(sizes)])
    rows, columns = [], []
    for g, start in zip(groups, starts, strict=False):
        instance = np.repeat(np.arange(len(g.terminals)) + start, g.terminals.shape[1])
        node = g.terminals.ravel()
        keep = ~held[node]
        rows.append(instance[keep])
        columns.append(node[keep])
    size = int(starts[-1])
    i = np.concatenate(rows) if rows else np.zeros(0, dtype=int)
    j = np.concatenate(columns) if columns else np.zeros(0, dtype=int)
    graph = coo_matrix((np.ones(len(i), dtype=np.int8), (i, j)), shape=(size, size))
    label = connected_components(graph, directed=False)[1][flat.count :]
    names, first = np.unique(label, return_index=True)
    rank = np.empty(len(names), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(names))
    label = rank[np.searchsorted(names, label)]
    return np.split(label, np.cumsum(sizes)[:-1]) if sizes else [], len(names)


@dataclass(frozen=True, eq=False)
class _Part:
    whole: Circuit
    flat: Flat
    groups: list[FlatGroup]
    lines: _Lines
    fed: NDArray[np.bool_]
    owner: list[Indices]
    held: NDArray[np.bool_]
    number: int

    def made(self) -> Part:
        mine = [np.flatnonzero(owner == self.number) for owner in self.owner]
        used = [g.terminals[k].ravel() for g, k in zip(self.groups, mine, strict=True)]
        nodes = np.unique(np.concatenate(used))
        nodes = nodes[nodes != GROUND]
        local = np.full(self.flat.count + 1, GROUND, dtype=np.int32)
        local[nodes] = np.arange(len(nodes))
        top = self.whole.top
        module = Module(f"{top.name}_{self.number}", top.span, size=len(nodes))
        for node in nodes:
            path = self.flat.paths[node]
            module.arrays[path] = NodeArray(
                path, "node", "voltage", local[node].reshape(()), self.flat.spans[node]
            )
        for supply in self.flat.supplies:
            if local[supply.node] != GROUND:
                name = self.flat.paths[supply.node]
                module.supplies.append(
                    Supply(name, int(local[supply.node]), supply.volts, supply.span)
                )
        rows: dict[str, Indices] = {}
        for g, k in zip(self.groups, mine, strict=True):
            if len(k):
                rows[g.path] = k
                module.groups[g.path] = self._group(g, k, local)
        elements = self._inputs(module, local)
        here = local[self.lines.end] != GROUND
        ends = {ARRIVING: np.flatnonzero(here & self.fed), LATE: np.flatnonzero(here & ~self.fed)}
        for name, lines in ends.items():
            if len(lines):
                at = local[self.lines.end[lines]]
                module.inputs[name] = _port(name, "input", "spike", at, top)
        begins = nodes[np.isin(nodes, self.lines.begin) & ~self.held[nodes]]
        leaving = tuple(np.flatnonzero(self.lines.begin == node) for node in begins)
        if len(begins):
            module.outputs[LEAVING] = _port(LEAVING, "output", "spike", local[begins], top)
        return Part(
            Circuit(module, self.whole.seed), rows, elements, ends[ARRIVING], ends[LATE], leaving
        )

    def _group(self, g: FlatGroup, k: Indices, local: NDArray[np.int32]) -> Group:
        params = {name: values[k] for name, values in g.group.params.items()}
        return replace(
            g.group, label=g.path, shape=(len(k),), which=np.zeros(len(k), dtype=np.int32),
            terminals=local[g.terminals[k]], params=params,
        )  # fmt: skip

    def _inputs(self, module: Module, local: NDArray[np.int32]) -> dict[str, Indices]:
        found: dict[str, Indices] = {}
        for port in self.whole.top.inputs.values():
            high, low = port.positive.ravel(), port.negative.ravel()
            here = np.flatnonzero((local[high] != GROUND) | (local[low] != GROUND))
            if len(here):
                found[port.name] = here
                module.inputs[port.name] = replace(
                    port, positive=local[high[here]], negative=local[low[here]]
                )
        return found


def _port(name: str, kind: str, discipline: str, nodes: NDArray[np.int32], top: Module) -> Port:
    ground = np.full(nodes.shape, GROUND, dtype=np.int32)
    return Port(name, kind, discipline, nodes, ground, top.span)
