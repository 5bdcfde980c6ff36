"""The report of a variational training: the cost over operating points, and what it came to."""

from __future__ import annotations

import csv
import math
import zipfile
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tellegen.arrays import Values
from tellegen.sims.report import tables
from tellegen.sims.report.record import Record, items, mapping, number, text
from tellegen.sims.report.style import Theme, new_figure, quantity, quantity_ticks, short, with_unit
from tellegen.sims.variational.training import COLUMNS, EVALUATIONS, PHASES


@dataclass(frozen=True, eq=False)
class Descent:
    """What the figure needs of a run folder.

    Attributes:
        start, solves, cost: of each evaluation, (evaluations,).
        least: the least value that there can be, or nan; `least_is` what it is.
        kind, unit: of the cost.
    """

    start: Values
    solves: Values
    cost: Values
    least: float
    least_is: str
    kind: str
    unit: str


def read(record: Record) -> Descent | None:
    """The evaluations in a run folder, or None where there are none or they are damaged."""
    try:
        with (record.folder / EVALUATIONS).open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        if tuple(rows[0]) != COLUMNS or len(rows) < 2:
            return None
        table = np.array([[float(v) for v in row] for row in rows[1:]])
        if table.shape[1] != len(COLUMNS) or not np.isfinite(table).all():
            return None
    except (OSError, ValueError, IndexError):
        return None
    run = record.run
    return Descent(
        table[:, 0], table[:, 2], table[:, 3], number(run.get("least")), text(run.get("least_is")),
        text(run.get("cost")), text(run.get("unit")),
    )  # fmt: skip


def descent(found: Descent, theme: Theme) -> Figure:
    """The cost over operating points, and where its least value is known the distance from that."""
    known = math.isfinite(found.least)
    figure = new_figure(height=4.4 if known else 2.9)
    panels = figure.subplots(2 if known else 1, 1, sharex=True, squeeze=False)[:, 0]
    for k, start in enumerate(np.unique(found.start)):
        mine = found.start == start
        colour = theme.series[k % len(theme.series)]
        marker = "o" if mine.sum() <= 60 else ""
        draw = {"color": colour, "marker": marker, "ms": 2.5, "lw": 1.2}
        panels[0].plot(found.solves[mine], found.cost[mine], **draw)
        if known:
            above = found.cost[mine] - found.least
            panels[1].plot(found.solves[mine], np.where(above > 0, above, np.nan), **draw)
    panels[0].set_ylabel(with_unit(found.kind, found.unit))
    if known:
        panels[0].axhline(
            found.least, color=theme.ink, lw=0.9, ls=(0, (4, 3)), label=short(found.least_is)
        )
        panels[0].legend(loc="upper right")
        panels[1].set_yscale("log")
        panels[1].set_ylabel("above that")
        if np.ptp(panels[1].get_ylim()) > 0:
            quantity_ticks(panels[1].yaxis, found.unit)
    panels[-1].set_xlabel("operating points")
    panels[-1].xaxis.set_major_locator(MaxNLocator(6, integer=True))
    return figure


def facts(record: Record) -> tables.Rows:
    """The few numbers that the page opens with."""
    run = record.run
    unit = text(run.get("unit"))
    found: tables.Rows = []
    value, noiseless, least = (number(run.get(k)) for k in ("value", "noiseless", "least"))
    if math.isfinite(value):
        found.append((text(run.get("cost")), f"{value:.7g} {unit}".strip()))
    if math.isfinite(noiseless) and math.isfinite(number(run.get("shots"))):
        found.append(("without noise", f"{noiseless:.7g} {unit}".strip()))
    if math.isfinite(least):
        found.append((text(run.get("least_is")), f"{least:.7g} {unit}".strip()))
        if math.isfinite(noiseless):
            found.append(("above it", quantity(noiseless - least, unit)))
    if math.isfinite(number(run.get("solves"))):
        found.append(("operating points", f"{number(run.get('solves')):,.0f}"))
    best, reasons = number(run.get("best")), items(run.get("reasons"))
    if math.isfinite(best) and 0 <= best < len(reasons):
        found.append(("best start", f"{best + 1:.0f} of {number(run.get('starts')):.0f}"))
        found.append(("it stopped as", text(reasons[int(best)])))
    found.append(("optimiser", tables.settings(mapping(run.get("optimiser")))))
    for key, said in (("shots", "photons"), ("bits", "bits of a phase")):
        if math.isfinite(number(run.get(key))):
            found.append((said, f"{number(run.get(key)):,.0f}"))
    return found


def phases(record: Record) -> tuple[tables.Rows, int]:
    """The best phases; and how many were left out."""
    try:
        with np.load(record.folder / PHASES, allow_pickle=False) as kept:
            found = {name: np.asarray(kept[name], dtype=float) for name in kept.files}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return [], 0
    return tables.operating_point(found, dict.fromkeys(found, "rad"))
