"""The geometry of edges: straight lines, legs to ground, bows within a layer, stubs around a border."""

from __future__ import annotations

import numpy as np

from tellegen.arrays import Indices, Values
from tellegen.manifest import GROUND
from tellegen.sims.report.structure import Layout, Structure

LEG = 0.42  # length of a leg to ground and of a stub, in spacings of nodes
ASIDE = 0.12  # between parallel edges, in the same measure


def spacing(place: Layout) -> Values:
    """A typical distance of neighbours in each direction."""
    at = place.at[~np.isnan(place.at[:, 0])]
    if place.kind == "lattice":
        return np.ones(2)
    if place.kind == "layers":
        _, counts = np.unique(at[:, 0], return_counts=True)
        return np.array([0.5, min(0.9 / counts.max(), 0.16)])
    extent = np.maximum(np.ptp(at, axis=0).max(), 1e-9)
    return np.full(2, extent / max(np.sqrt(len(at)), 1))


def bends(net: Structure) -> dict[str, Values]:
    """How far edges between the same two nodes are moved aside, in places, to be seen apart."""
    every = np.concatenate(list(net.edges.values()))
    low, high = every.min(axis=1), every.max(axis=1)
    _, pair = np.unique(low * (net.count + 1) + high, return_inverse=True)
    rank, size = np.zeros(len(pair)), np.bincount(pair)
    order = np.argsort(pair, kind="stable")
    rank[order] = np.arange(len(pair)) - np.repeat(np.cumsum(size) - size, size)
    aside = (rank - (size[pair] - 1) / 2) * np.where(every[:, 0] <= every[:, 1], 1, -1)
    stops = np.cumsum([len(e) for e in net.edges.values()])
    return dict(zip(net.edges, np.split(aside, stops[:-1]), strict=True))


def segments(place: Layout, ends: Indices, aside: Values) -> tuple[list[Values], Indices]:
    """The lines of edges, each (points, 2), and to which edge each belongs."""
    step = spacing(place)
    grounded = ends.min(axis=1) == GROUND
    a = np.where(ends[:, :1] == GROUND, np.nan, place.at[ends[:, 0]])
    b = np.where(ends[:, 1:] == GROUND, np.nan, place.at[ends[:, 1]])
    down = np.array([0.0, -LEG]) * step
    a, b = np.where(np.isnan(a), b + down, a), np.where(np.isnan(b), a + down, b)
    along = b - a
    length = np.maximum(np.hypot(*(along / step).T), 1e-9)
    shift = np.stack([-along[:, 1], along[:, 0]], axis=1) * (ASIDE * aside / length)[:, None]
    a, b = a + shift, b + shift
    far = np.maximum(np.abs(along).max(axis=1), 1e-9)
    around = ~grounded & (far > place.wrap + 1e-9)
    bowed = ~grounded & (along[:, 0] == 0) if place.kind == "layers" else np.zeros_like(around)
    straight = ~around & ~bowed
    stub = along / far[:, None] * LEG
    t = np.linspace(0, 1, 13)[:, None]
    belly = np.array([1.0, 0.0]) * 4 * t * (1 - t)
    lines = [
        *np.stack([a, b], axis=1)[straight],
        *np.stack([a, a - stub], axis=1)[around],
        *np.stack([b, b + stub], axis=1)[around],
        *(a[k] + t * along[k] + belly * min(0.3, abs(along[k, 1])) for k in np.flatnonzero(bowed)),
    ]
    owners = [np.flatnonzero(kind) for kind in (straight, around, around, bowed)]
    return lines, np.concatenate(owners)
