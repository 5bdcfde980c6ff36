"""A network as a picture needs it: which edge joins which nodes, and where the nodes go.

A learned parameter `G.p` sits on edges whose two ends are those of the observable `G.drop`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tellegen.arrays import Indices, Values
from tellegen.manifest import GROUND, InputMap, Manifest, OutputMap
from tellegen.sims.report.record import element

DROP = "drop"
# Above this, iterative layouts take longer than a reader waits.
MOST_ITERATIVE = 300
# Wider layers are unreadable as dots in a column, and so are more columns in a row.
WIDEST_LAYER = 80
MOST_LAYERS = 40


@dataclass(frozen=True, eq=False)
class Structure:
    """The edges of a network.

    Attributes:
        names: what each node is called; `count` of them.
        inputs, outputs: what each element of a port is called, and the node that carries it.
        edges: (edges, 2) nodes of each group with a `drop`, ground being -1.
    """

    names: list[str]
    inputs: dict[str, int]
    outputs: dict[str, int]
    edges: dict[str, Indices]

    @property
    def count(self) -> int:
        """The number of nodes."""
        return len(self.names)

    @cached_property
    def joined(self) -> Indices:
        """The edges between two different nodes, (edges, 2), ground left out."""
        found = np.concatenate([np.zeros((0, 2), dtype=np.int64), *self.edges.values()])
        return np.asarray(found[(found.min(axis=1) > GROUND) & (found[:, 0] != found[:, 1])])

    @cached_property
    def shown(self) -> NDArray[np.bool_]:
        """Which nodes take part: those with an edge or a port."""
        seen = np.zeros(self.count, dtype=bool)
        for ends in (*self.edges.values(), nodes_of(self.inputs), nodes_of(self.outputs)):
            seen[ends[ends > GROUND]] = True
        return seen


def structure(manifest: Manifest) -> Structure:
    """The structure that a manifest tells of."""
    edges = {}
    for name, entry in manifest.observables.items():
        group, _, observable = name.rpartition(".")
        if observable == DROP and entry.kind == "v":
            edges[group] = np.stack([entry.positive, entry.negative], axis=1).astype(np.int64)
    return Structure(
        names=list(manifest.paths),
        inputs=_elements(manifest.inputs),
        outputs=_elements(manifest.outputs),
        edges=edges,
    )


def _elements(ports: Mapping[str, InputMap] | Mapping[str, OutputMap]) -> dict[str, int]:
    return {
        element(name, index): int(node)
        for name, port in ports.items()
        for index, node in zip(np.ndindex(*port.shape), port.positive, strict=True)
        if node > GROUND
    }


def nodes_of(ports: Mapping[str, int]) -> Indices:
    """The nodes of ports."""
    return np.array(list(ports.values()), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Layout:
    """Where nodes go.

    Attributes:
        kind: "layers", "lattice", "force" or "spectral".
        at: (nodes, 2), nan for nodes that are not shown; y grows upwards.
        wrap: what a lattice edge may be at most before it is one around the border.
    """

    kind: str
    at: Values
    wrap: float = np.inf


def layout(net: Structure) -> Layout:
    """Positions of the nodes, from the structure; the same structure always gets the same ones."""
    return _layers(net) or _lattice(net) or _free(net)


def _layers(net: Structure) -> Layout | None:
    """Columns from inputs to outputs, if every array lies in one, and few edges do."""
    depth = _distances(net, nodes_of(net.inputs))
    if not net.shown.any() or (depth[net.shown] < 0).any():
        return None
    last = np.unique(nodes_of(net.outputs))
    last = last[depth[last] > 0]
    inner = np.setdiff1d(np.flatnonzero(net.shown), last)
    if len(last) and len(inner):
        depth[last] = max(depth[last].max(), depth[inner].max() + 1)
    i, j = net.joined.T
    widths = np.bincount(depth[net.shown])
    arrays = [_array(name) for name in net.names]
    spread = {a: set(depth[[k for k in ks if net.shown[k]]]) for a, ks in _groups(arrays).items()}
    if (
        2 * (depth[i] == depth[j]).sum() > len(i)
        or any(len(s) > 1 for s in spread.values())
        or widths.max() > WIDEST_LAYER
        or len(widths) < 2
    ):
        return None
    at = np.full((net.count, 2), np.nan)
    for layer in range(len(widths)):
        # Listed from the top downwards, as the author numbered them.
        nodes = np.flatnonzero(net.shown & (depth == layer))
        at[nodes, 0] = layer
        at[nodes, 1] = 0.5 - (np.arange(len(nodes)) + 0.5) / len(nodes)
    return Layout("layers", at)


def _distances(net: Structure, sources: Indices) -> Indices:
    """Least number of edges from any source; -1 where there is no way, or a very long one."""
    depth = np.full(net.count, -1, dtype=np.int64)
    depth[sources] = 0
    i, j = net.joined.T
    for step in range(1, MOST_LAYERS):
        reached = np.concatenate([j[depth[i] == step - 1], i[depth[j] == step - 1]])
        reached = reached[depth[reached] < 0]
        if not len(reached):
            break
        depth[reached] = step
    return depth


def _array(name: str) -> str:
    return re.sub(r"\[[^\]]*\]", "", name)


def _groups(labels: Iterable[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for k, label in enumerate(labels):
        found.setdefault(label, []).append(k)
    return found


def _lattice(net: Structure) -> Layout | None:
    """Rows and columns, if one array holds all joined nodes and its edges join lattice neighbours."""
    i, j = net.joined.T
    nodes = np.unique(net.joined)
    # A path would be a lattice of one row; it is better drawn by force.
    if len(nodes) < 4 or len({_array(net.names[k]) for k in nodes}) > 1:
        return None
    start, count = nodes[0], len(nodes)
    if nodes[-1] - start + 1 != count:
        return None
    i, j = i - start, j - start
    for columns in np.unique(np.abs(i - j)):
        rows, rest = divmod(count, columns)
        if rest or min(rows, columns) < 2:
            continue
        down, across = np.abs(i // columns - j // columns), np.abs(i % columns - j % columns)
        down, across = np.minimum(down, rows - down), np.minimum(across, columns - across)
        if (down + across == 1).all():
            at = np.full((net.count, 2), np.nan)
            order = np.arange(count)
            at[nodes] = np.stack([order % columns, -(order // columns)], axis=1)
            return Layout("lattice", at, wrap=1.0)
    return None


def _free(net: Structure) -> Layout:
    """By stress (Kamada and Kawai, 1989) for small networks, by eigenvectors for large ones."""
    import networkx as nx

    at = np.full((net.count, 2), np.nan)
    nodes = np.flatnonzero(net.shown)
    graph = nx.Graph()
    graph.add_nodes_from(nodes.tolist())
    graph.add_edges_from(map(tuple, net.joined.tolist()))
    parts = sorted((sorted(p) for p in nx.connected_components(graph)), key=lambda p: (-len(p), p))
    small = len(nodes) <= MOST_ITERATIVE
    left = 0.0
    for part in parts:
        found = _placed(graph.subgraph(part), small)
        radius = np.sqrt(len(part))
        at[part] = _turned(found * radius, net, part) + np.array([left + radius, 0.0])
        left += 2 * radius + 1
    return Layout("force" if small else "spectral", at)


def _turned(found: Values, net: Structure, part: list[int]) -> Values:
    """A layout with its inputs to the left of its outputs, as far as turning it can do that."""
    inputs = found[np.isin(part, nodes_of(net.inputs))]
    outputs = found[np.isin(part, nodes_of(net.outputs))]
    if not len(inputs) or not len(outputs):
        return found
    x, y = outputs.mean(axis=0) - inputs.mean(axis=0)
    length = np.hypot(x, y)
    if length < 1e-9:
        return found
    return np.asarray(found @ (np.array([[x, -y], [y, x]]) / length))


def _placed(graph: object, small: bool) -> Values:
    """Positions (nodes, 2) of a connected graph within the unit square, in sorted order of nodes."""
    import networkx as nx

    assert isinstance(graph, nx.Graph)
    order = sorted(graph)
    if len(order) < 3:
        return np.array([(0.0, 0.0)] if len(order) == 1 else [(-1.0, 0.0), (1.0, 0.0)])
    if small:
        start = nx.circular_layout(order)
        placed = nx.kamada_kawai_layout(graph, pos=start)
        found = np.array([placed[k] for k in order])
    else:
        found = _spectral(nx.to_scipy_sparse_array(graph, nodelist=order, dtype=float))
    found = found - (found.max(axis=0) + found.min(axis=0)) / 2
    return np.asarray(found / np.maximum(np.abs(found).max(axis=0), 1e-9))


def _spectral(adjacency: object) -> Values:
    """The two slowest modes of diffusion on a graph."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import laplacian
    from scipy.sparse.linalg import eigsh

    matrix = laplacian(csr_matrix(adjacency), normed=True).tocsc()
    start = np.cos(np.arange(matrix.shape[0]))  # any fixed vector: the picture is to be repeatable
    _, modes = eigsh(matrix, k=3, sigma=-1e-3, which="LM", v0=start)
    return np.asarray(modes[:, [1, 2]] if modes.shape[1] == 3 else modes)
