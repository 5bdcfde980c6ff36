"""Checks on the graph of a circuit: what SPICE would only whisper, said with the author's names.

All of them work on the flat view with arrays, so that a network of 100,000 edges is checked in a
fraction of a second. Node `count` of the graphs is ground.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from tellegen.circuit import Circuit, Nodes, Port
from tellegen.diagnostics import Label, Sink
from tellegen.flatten import Flat, FlatGroup
from tellegen.manifest import GROUND
from tellegen.source import Span

Pairs = list[tuple[np.ndarray, np.ndarray]]
_SHOWN = 5


def check_topology(circuit: Circuit, flat: Flat, sink: Sink, *, standalone: bool = True) -> None:
    """Report floating nodes, missing DC paths, unreachable outputs and loops of voltage sources.

    With `standalone = False` the top network is meant as a cell: its ports are connected outside.
    """
    if not sink.errors:
        check_disciplines(circuit, sink)
        # A node is reported once: what follows from a mistake is not another one.
        known = check_floating(circuit, flat, sink)
        known |= check_drivers(circuit, flat, sink, known)
        known |= check_dc_path(circuit, flat, sink, known, standalone=standalone)
        check_reach(circuit, flat, sink, known)
        check_source_loops(circuit, flat, sink)


def check_disciplines(circuit: Circuit, sink: Sink) -> None:
    """Every terminal of a cell stands on a net of the discipline that its port declares."""
    for module in circuit.modules():
        names = sorted({a.discipline for a in module.arrays.values()} | {"voltage"})
        code = {name: k for k, name in enumerate(names)}
        # A current-driven input is an ordinary electrical net: voltage and current share nets.
        of_node = np.full(module.size + 1, code["voltage"])
        for array in module.arrays.values():
            of_node[array.indices.ravel()] = (
                code[_net(array.discipline)] if _net(array.discipline) in code else code["voltage"]
            )
        of_node[-1] = -1
        for group in module.groups.values():
            if group.cell is None:
                continue
            for column, name in enumerate(group.ports):
                port = group.cell.ports[name]
                want = code.get(_net(port.discipline), -2)
                found = of_node[group.terminals[:, column]]
                bad = np.flatnonzero((found != want) & (found != -1))
                if len(bad):
                    node = module.node_name(int(group.terminals[bad[0], column]))
                    sink.error(
                        "discipline",
                        f"port `{name}` of `{group.label}` is {port.discipline}, but `{node}` is "
                        f"{names[found[bad[0]]]}",
                        group.span,
                        help="join nets of different kinds through a converter cell",
                    )


def _net(discipline: str) -> str:
    return "voltage" if discipline == "current" else discipline


def check_floating(circuit: Circuit, flat: Flat, sink: Sink) -> np.ndarray:
    """Every declared node is a terminal of something; returns which are not (nodes + ground)."""
    touched = np.zeros(flat.count + 1, dtype=bool)
    for g in flat.groups:
        touched[g.terminals.ravel()] = True
    for s in flat.supplies:
        touched[s.node] = True
    driven = np.zeros(flat.count + 1, dtype=bool)
    for port in circuit.top.inputs.values():
        driven[port.positive.ravel()] = True
    loose = np.flatnonzero(~touched[:-1])
    for span, nodes in _by_place(flat, loose):
        what = _listed(flat, nodes)
        if driven[nodes].all():
            sink.warning(
                "unused-input", f"nothing is connected to {what}", span, "driven, but not used"
            )
        else:
            sink.error(
                "floating-node", f"nothing is connected to {what}", span,
                help=f"connect {'it, or leave it' if len(nodes) == 1 else 'them, or leave them'} out",
            )  # fmt: skip
    touched[-1] = True
    return ~touched


def check_drivers(circuit: Circuit, flat: Flat, sink: Sink, known: np.ndarray) -> np.ndarray:
    """A net of light has one driver: an input or an output of a cell; returns which have not.

    SPICE would add up the fields of two, or halve them, without a word.
    """
    light = np.array([kind == "optical" for kind in flat.disciplines] + [False])
    bad = np.zeros(flat.count + 1, dtype=bool)
    if not light.any():
        return bad
    nodes: list[np.ndarray] = []
    places: list[tuple[Span, str]] = []
    for port in circuit.top.inputs.values():
        nodes.append(port.positive.ravel())
        places.append((port.span, f"input `{port.name}`"))
    for g in flat.groups:
        assert g.group.cell is not None
        for column, name in enumerate(g.group.ports):
            if g.group.cell.ports[name].direction == "out":
                nodes.append(g.terminals[:, column])
                places.append((g.group.span, f"port `{name}` of `{g.path}`"))
    ends = np.concatenate([np.zeros(0, dtype=np.int32), *nodes])
    which = np.repeat(np.arange(len(nodes)), [len(n) for n in nodes])
    drivers = np.bincount(ends[ends != GROUND], minlength=flat.count + 1)
    bad = light & (drivers != 1) & ~known
    for span, found in _by_place(flat, np.flatnonzero(bad & (drivers == 0))):
        sink.error(
            "light-drivers", f"no light comes into {_listed(flat, found)}", span,
            help="connect it to an output of a cell, or make it an `input`; `gnd` is a dark port",
        )  # fmt: skip
    for span, found in _by_place(flat, np.flatnonzero(bad & (drivers > 1))):
        here = [places[k] for k in which[np.isin(ends, found)]]
        other = list(dict.fromkeys(p for p in here if p[0] != span))
        sink.error(
            "light-drivers", f"{_listed(flat, found)} {'has' if len(found) == 1 else 'have'} more than one driver",
            span, secondary=tuple(Label(s, f"{name} drives it") for s, name in other[:_SHOWN]),
            help="join beams in a coupler: it has an output for each of its inputs",
        )  # fmt: skip
    return bad


def check_dc_path(
    circuit: Circuit, flat: Flat, sink: Sink, known: np.ndarray, *, standalone: bool
) -> np.ndarray:
    """Every node has a path for direct current to ground; SPICE calls it a singular matrix otherwise.

    Each island of nodes is reported once, and islands of the same declarations together, but for nodes
    that are already `known`; returns which have no path (nodes + ground).
    """
    pairs = [*_cell_pairs(flat, "dc_paths"), *_held(circuit, flat)]
    if not standalone:
        for port in _ports(circuit):
            pairs.append((port.positive.ravel(), np.full(port.positive.size, GROUND)))
    labels = _components(flat.count, pairs)
    lost = (labels != labels[-1]) & ~known
    islands: dict[int, list[int]] = {}
    for node in np.flatnonzero(lost).tolist():
        islands.setdefault(int(labels[node]), []).append(node)
    alike: dict[frozenset[Span], list[int]] = {}
    for nodes in islands.values():
        alike.setdefault(frozenset(flat.spans[n] for n in nodes), []).extend(nodes)
    for nodes in map(sorted, alike.values()):
        sink.error(
            "no-dc-path",
            f"{_listed(flat, np.array(nodes))} {'has' if len(nodes) == 1 else 'have'} no path for "
            "direct current to ground",
            flat.spans[nodes[0]],
            help="connect a resistor to `gnd` or to a driven node: capacitors, gates and current "
            "sources carry no direct current",
        )
    return lost


def check_reach(circuit: Circuit, flat: Flat, sink: Sink, known: np.ndarray) -> None:
    """Something that is driven can be felt at every output that is not `known` for worse."""
    everything: Pairs = []
    for g in flat.groups:
        for column in range(1, g.terminals.shape[1]):
            everything.append((g.terminals[:, 0], g.terminals[:, column]))
    # Ground joins nothing here: two halves that share only ground do not hear each other.
    labels = _components(flat.count, everything, ground=False)
    driven = {
        int(labels[n]) for p in circuit.top.inputs.values()
        for n in (*p.positive.ravel(), *p.negative.ravel()) if n != GROUND
    }  # fmt: skip
    if not driven:
        return
    for port in circuit.top.outputs.values():
        reached = [
            (high != GROUND and labels[high] in driven)
            or (low != GROUND and labels[low] in driven)
            or known[high]
            or known[low]
            for high, low in zip(port.positive.ravel(), port.negative.ravel(), strict=True)
        ]
        if not all(reached):
            name = f"output `{port.name}`"
            if port.shape:
                name = f"{reached.count(False)} of {len(reached)} nodes of " + name
            sink.error(
                "unreachable-output", f"no input reaches {name}", port.span,
                help="connect it to the part of the network that the inputs drive",
            )  # fmt: skip


def check_source_loops(circuit: Circuit, flat: Flat, sink: Sink) -> None:
    """No loop consists of voltage sources only: its current would be undefined."""
    branches: list[tuple[np.ndarray, np.ndarray, Span, str]] = []
    for port in circuit.top.inputs.values():
        if port.discipline != "current":
            branches.append(
                (port.positive.ravel(), port.negative.ravel(), port.span, f"input `{port.name}`")
            )
    for s in flat.supplies:
        branches.append((np.array([s.node]), np.array([GROUND]), s.span, f"supply `{s.path}`"))
    for g in flat.groups:
        assert g.group.cell is not None
        for a, b in g.group.cell.dc_sources:
            branches.append(
                (_column(g, a), _column(g, b), g.group.span, f"`{g.path}` ({g.group.made_of})")
            )
    if not branches:
        return
    tree = _Tree()
    for which, (high, low, span, name) in enumerate(branches):
        for a, b in zip(high.tolist(), low.tolist(), strict=True):
            if tree.join(a, b, which):
                continue
            place = "gnd" if a == GROUND else flat.paths[a]
            others = sorted({k for k in tree.between(a, b) if branches[k][2] != span})
            sink.error(
                "source-loop",
                f"{name} closes a loop of voltage sources at `{place}`",
                span,
                secondary=tuple(
                    Label(branches[k][2], f"{branches[k][3]} is in it") for k in others[:_SHOWN]
                ),
                help="drive a node once, or put a resistor between",
            )
            break


class _Tree:
    """A forest of branches between nodes, and whether another one would close a loop."""

    def __init__(self) -> None:
        self.parent: dict[int, int] = {}
        self.branches: dict[int, list[tuple[int, int]]] = {}

    def root(self, node: int) -> int:
        while self.parent.setdefault(node, node) != node:
            self.parent[node] = self.parent[self.parent[node]]
            node = self.parent[node]
        return node

    def join(self, a: int, b: int, branch: int) -> bool:
        """Add a branch; False where it closes a loop."""
        first, second = self.root(a), self.root(b)
        if first == second:
            return False
        self.parent[first] = second
        self.branches.setdefault(a, []).append((b, branch))
        self.branches.setdefault(b, []).append((a, branch))
        return True

    def between(self, a: int, b: int) -> list[int]:
        """The branches of the way from one node to another."""
        came: dict[int, tuple[int, int]] = {a: (a, -1)}
        waiting = [a]
        while waiting and b not in came:
            node = waiting.pop()
            for other, branch in self.branches.get(node, ()):
                if other not in came:
                    came[other] = (node, branch)
                    waiting.append(other)
        way = []
        while b != a and b in came:
            b, branch = came[b]
            way.append(branch)
        return way


# ---------------------------------------------------------------- graphs


def _column(g: FlatGroup, port: str) -> Nodes:
    terminals, ports = g.terminals, g.group.ports
    if port == "gnd":
        return np.full(len(terminals), GROUND)
    return terminals[:, ports.index(port)]


def _cell_pairs(flat: Flat, which: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for g in flat.groups:
        cell = g.group.cell
        assert cell is not None
        for a, b in (*cell.dc_paths, *cell.dc_sources):
            yield _column(g, a), _column(g, b)


def _held(circuit: Circuit, flat: Flat) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The branches that ideal sources make."""
    for s in flat.supplies:
        yield np.array([s.node]), np.array([GROUND])
    for port in circuit.top.inputs.values():
        if port.discipline != "current":
            yield port.positive.ravel(), port.negative.ravel()


def _ports(circuit: Circuit) -> Iterator[Port]:
    yield from circuit.top.inputs.values()
    yield from circuit.top.outputs.values()


def _components(
    count: int, pairs: Iterable[tuple[np.ndarray, np.ndarray]], *, ground: bool = True
) -> np.ndarray:
    """A component label for every node, and last for ground."""
    both = list(pairs)
    i = np.concatenate([np.asarray(a) for a, _ in both]) if both else np.zeros(0, dtype=int)
    j = np.concatenate([np.asarray(b) for _, b in both]) if both else np.zeros(0, dtype=int)
    if not ground:
        keep = (i != GROUND) & (j != GROUND)
        i, j = i[keep], j[keep]
    i, j = np.where(i == GROUND, count, i), np.where(j == GROUND, count, j)
    graph = coo_matrix((np.ones(len(i), dtype=np.int8), (i, j)), shape=(count + 1, count + 1))
    return np.asarray(connected_components(graph, directed=False)[1])


def _by_place(flat: Flat, nodes: np.ndarray) -> Iterator[tuple[Span, np.ndarray]]:
    """Node numbers grouped by the declaration they come from."""
    places: dict[Span, list[int]] = {}
    for node in nodes.tolist():
        places.setdefault(flat.spans[node], []).append(node)
    for span, found in places.items():
        yield span, np.array(found)


def _listed(flat: Flat, nodes: np.ndarray) -> str:
    names = [f"`{flat.paths[n]}`" for n in nodes[:_SHOWN]]
    more = f" and {len(nodes) - _SHOWN} more nodes" if len(nodes) > _SHOWN else ""
    return ("node " if len(nodes) == 1 else "nodes ") + ", ".join(names) + more
