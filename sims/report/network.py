"""The network drawn with its conductances.

Each edge is a line, its colour and width the value of the learned parameter on it. Parameters that are
no conductances (a potentiometer's code, a gate voltage) are shown as what they are, in their own unit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba
from matplotlib.patheffects import withStroke

from tellegen.arrays import Indices, Values
from tellegen.manifest import GROUND, Manifest
from tellegen.sims.report import maps
from tellegen.sims.report.lines import LEG, bends, segments, spacing
from tellegen.sims.report.shades import Shade, of_values
from tellegen.sims.report.structure import (
    Layout,
    Structure,
    layout,
    nodes_of,
    structure,
)
from tellegen.sims.report.style import LIGHT, Theme, short, styled

# Lines beyond this are drawn as pixels, so that a page stays small; beyond the next they are no
# longer told apart, and a map or a sample says more.
MOST_VECTOR = 2_000
MOST_LINES = 6_000
MOST_NAMES = 40
THINNEST, WIDEST = 0.35, 2.6  # points


def draw_network(
    manifest: Manifest,
    values: Mapping[str, Values],
    ax: Axes,
    *,
    theme: Theme = LIGHT,
) -> None:
    """Draw a network with some of its parameters, such as conductances, as colour and width.

    Layered networks are drawn from inputs (left) to outputs (right), lattices as such, others by a
    force or spectral layout. Very large ones are drawn as a sample of their edges or as matrices of
    values, and the drawing says so.

    Args:
        manifest: of the compiled network.
        values: parameters by name (`first.g`) in their own units, any shape; edges without one here
            are thin and grey.
        ax: where to draw; its figure also gets a colour bar for each kind of parameter.
        theme: colours.
    """
    flat = {name: np.ravel(np.asarray(v, dtype=float)) for name, v in values.items()}
    with styled(theme):
        prepare(manifest, flat).draw(ax, flat, of_values(manifest, [flat], theme), theme)


@dataclass(frozen=True, eq=False)
class Drawing:
    """A network ready to be drawn with any values.

    Attributes:
        manifest: of the network.
        net: its structure.
        carriers: the group of edges that each drawn parameter sits on.
        place: where nodes go; None where the parameters are drawn as matrices.
    """

    manifest: Manifest
    net: Structure
    carriers: dict[str, str]
    place: Layout | None

    @property
    def total(self) -> int:
        """The number of edges."""
        return sum(len(ends) for ends in self.net.edges.values())

    def draw(
        self, ax: Axes, values: Mapping[str, Values], shades: Mapping[str, Shade], theme: Theme
    ) -> None:
        """Draw it, with a colour bar for each kind of value."""
        ax.set_axis_off()
        ax.grid(False)
        note = ""
        if not self.total:
            ax.set_title("The cells of this network have no `drop` to show as edges.", fontsize=8.5)
            return
        if self.place is None:
            shapes = {name: self.manifest.parameters[name].shape for name in self.carriers}
            maps.matrices(ax, {n: values[n].reshape(s) for n, s in shapes.items()}, shades)
            note = f"{self.total:,} edges, drawn as matrices of values"
        elif self.place.kind == "lattice" and self.total > MOST_LINES and self.carriers:
            grouped = {group: values[name] for name, group in self.carriers.items()}
            maps.lattice(ax, self.net, self.place, grouped, shades[next(iter(self.carriers))])
            note = f"{self.total:,} edges, drawn as the mean at each node"
            _nodes(ax, self.net, self.place, theme)
        else:
            stride = -(-self.total // MOST_LINES)
            self._lines(ax, self.place, values, shades, stride, theme)
            _nodes(ax, self.net, self.place, theme)
            if stride > 1:
                note = f"{self.total:,} edges, of which every {_ordinal(stride)} by value is drawn"
        for shade in {shades[name].label: shades[name] for name in self.carriers}.values():
            shade.bar(ax)
        ax.set_title(note, fontsize=8.5, pad=18)

    def _lines(
        self, ax: Axes, place: Layout, values: Mapping[str, Values], shades: Mapping[str, Shade],
        stride: int, theme: Theme,
    ) -> None:  # fmt: skip
        dense = min(1.0, (120 / self.total) ** 0.4)
        aside = bends(self.net)
        coloured = {group: name for name, group in self.carriers.items()}
        # Strong edges lie on top of weak ones, and all on top of those without a value.
        for group, ends in sorted(self.net.edges.items(), key=lambda item: item[0] in coloured):
            if group in coloured:
                shade = shades[coloured[group]]
                share = shade.shares(values[coloured[group]])
                weight = shade.weight(share)
                order = np.argsort(weight, kind="stable")[::stride]
                colours = shade.colours(share[order])
                widths = (THINNEST + (WIDEST - THINNEST) * weight[order]) * dense
            else:
                order = np.arange(0, len(ends), stride)
                colours = np.tile(to_rgba(theme.faint), (len(order), 1))
                widths = np.full(len(order), max(0.8 * dense, 0.3))
            lines, owners = segments(place, ends[order], aside[group][order])
            ax.add_collection(
                LineCollection(
                    lines,
                    colors=colours[owners],
                    linewidths=widths[owners],
                    capstyle="round",
                    rasterized=self.total > MOST_VECTOR,
                )
            )


def prepare(manifest: Manifest, values: Mapping[str, Values]) -> Drawing:
    """Lay a network out, for these parameters."""
    net = structure(manifest)
    carriers: dict[str, str] = {}
    for name in values:
        group = manifest.parameters[name].instances
        # A cell may have several parameters; the first one is the edge's colour.
        if (
            len(net.edges.get(group, ())) == np.size(values[name])
            and group not in carriers.values()
        ):
            carriers[name] = group
    total = sum(len(ends) for ends in net.edges.values())
    planes = [len(manifest.parameters[name].shape) == 2 for name in carriers]
    as_matrices = total > MOST_VECTOR and bool(planes) and all(planes)
    return Drawing(manifest, net, carriers, None if as_matrices else layout(net))


def _nodes(ax: Axes, net: Structure, place: Layout, theme: Theme) -> None:
    """Nodes, with inputs, outputs and ground marked and named."""
    count = int(net.shown.sum())
    size = float(np.clip(900 / max(count, 1), 0.6, 5.5))
    at = place.at
    ports = np.concatenate([nodes_of(net.inputs), nodes_of(net.outputs)])
    inner = np.setdiff1d(np.flatnonzero(net.shown), ports)
    if count <= MOST_VECTOR:
        ax.plot(
            *at[inner].T, "o", ms=size * 0.9, color=theme.ink, mec=theme.paper, mew=0.6, zorder=4
        )
    port = max(size * 1.25, 4.0)
    style: dict[str, Any] = {"mec": theme.paper, "mew": 0.7, "linestyle": "none", "zorder": 4}
    for kind, marker, colour, table in (
        ("input", "s", theme.series[0], net.inputs),
        ("output", "D", theme.series[1], net.outputs),
    ):
        nodes = nodes_of(table)
        if len(nodes):
            ax.plot(*at[nodes].T, marker=marker, ms=port, color=colour, label=kind, **style)
    grounded = _grounded(net)
    if len(grounded):
        foot = at[grounded] + np.array([0.0, -LEG]) * spacing(place)
        ax.plot(
            *foot.T, marker="v", ms=max(size * 0.8, 2.5), color=theme.ink, label="ground", **style
        )
    _names(ax, net, place, theme)
    if ax.get_legend_handles_labels()[0]:
        ax.legend(
            loc="upper center",
            bbox_to_anchor=(0.5, 0.0),
            ncols=3,
            handletextpad=0.2,
            columnspacing=1.5,
        )
    ax.margins(0.08, 0.06)
    if place.kind == "layers":
        ax.set_ylim(-0.55, 0.55)
    ax.autoscale_view()  # now: the layout of the figure is made from where the names are
    if place.kind != "layers":
        ax.set_aspect("equal", adjustable="datalim")


def _grounded(net: Structure) -> Indices:
    """The nodes with an edge to ground."""
    every = np.concatenate(list(net.edges.values()))
    found = np.unique(every[every.min(axis=1) == GROUND].max(axis=1, initial=GROUND))
    return found[found > GROUND]


def _names(ax: Axes, net: Structure, place: Layout, theme: Theme) -> None:
    """The names of the ports' elements, or of an array once where there are many."""
    beside = place.kind == "layers"
    halo = [withStroke(linewidth=2.5, foreground=theme.paper)]
    for ports, side in ((net.inputs, -1), (net.outputs, 1)):
        shown = ports if len(ports) <= MOST_NAMES else _arrays(ports)
        for said, node in shown.items():
            ax.annotate(
                short(said), place.at[node], xytext=(7 * side, 0) if beside else (4, 4),
                textcoords="offset points", ha="right" if beside and side < 0 else "left",
                va="center" if beside else "bottom", fontsize=8, color=theme.ink, zorder=5,
                path_effects=halo, annotation_clip=False,
            )  # fmt: skip


def _arrays(ports: Mapping[str, int]) -> dict[str, int]:
    """The first element of each array of ports, named for all of them."""
    sizes = Counter(name.partition("[")[0] for name in ports)
    first: dict[str, int] = {}
    for name, node in ports.items():
        first.setdefault(name.partition("[")[0], node)
    return {f"{array} ({sizes[array]:,})": node for array, node in first.items()}


def _ordinal(number: int) -> str:
    ending = "th" if number // 10 % 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
