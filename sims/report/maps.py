"""Large networks as maps: a matrix of values for each parameter, or a mean at each lattice node."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from tellegen.arrays import Values
from tellegen.manifest import GROUND
from tellegen.sims.report.shades import Shade
from tellegen.sims.report.structure import Layout, Structure
from tellegen.sims.report.style import short

MOST_CELLS = 1_500  # drawn as shapes; more are drawn as pixels


def matrices(ax: Axes, tables: Mapping[str, Values], shades: Mapping[str, Shade]) -> None:
    """Parameters side by side as matrices (rows, columns), as the author's arrays are."""
    for k, (name, table) in enumerate(tables.items()):
        panel = ax.inset_axes((k / len(tables) + 0.06, 0.1, 1 / len(tables) - 0.09, 0.84))
        shade = shades[name]
        panel.pcolormesh(
            table, norm=shade.norm, cmap=shade.colours, rasterized=table.size > MOST_CELLS
        )
        panel.invert_yaxis()
        panel.grid(False)
        panel.set_title(short(name))
        panel.set_xlabel(f"{table.shape[1]:,} columns")
        panel.set_ylabel(f"{table.shape[0]:,} rows")
        panel.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        panel.yaxis.set_major_locator(MaxNLocator(5, integer=True))


def lattice(
    ax: Axes, net: Structure, place: Layout, values: Mapping[str, Values], shade: Shade
) -> None:
    """At each node of a lattice the mean over the edges that meet there; values by group of edges."""
    total, count = np.zeros(net.count), np.zeros(net.count)
    for group, shown in values.items():
        for end in net.edges[group].T:
            at = end[end > GROUND]
            np.add.at(total, at, shown[end > GROUND])
            np.add.at(count, at, 1)
    nodes = np.flatnonzero((count > 0) & np.isfinite(place.at[:, 0]))
    columns, rows = (np.abs(place.at[nodes]).round().astype(int)).T
    image = np.full((rows.max(initial=0) + 1, columns.max(initial=0) + 1), np.nan)
    image[rows, columns] = total[nodes] / count[nodes]
    ax.imshow(image, norm=shade.norm, cmap=shade.colours, interpolation="antialiased",
              extent=(-0.5, image.shape[1] - 0.5, 0.5 - image.shape[0], 0.5))  # fmt: skip
