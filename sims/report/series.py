"""Figures of a read-out: what it says beside its target, the states that it reads, its weights."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tellegen.arrays import Values
from tellegen.sims.report.record import PARTS, text
from tellegen.sims.report.style import Theme, new_figure, short
from tellegen.sims.reservoir.training import PREDICTIONS, STATES, WEIGHTS

SHOWN = 120  # samples
MOST_OUTPUTS = 3


@dataclass(frozen=True, eq=False)
class Reading:
    """What the figures need of a run folder.

    Attributes:
        part: the part of the data that is shown; `first` the number of its first sample.
        targets, outputs: (samples shown, outputs).
        states: (samples shown, nodes * observed); `observed` names what they are of.
        weights: (nodes * observed, outputs).
    """

    part: str
    first: int
    targets: Values
    outputs: Values
    states: Values
    observed: tuple[str, ...]
    weights: Values


def read(folder: Path, observed: Sequence[object]) -> Reading | None:
    """The reading in a run folder, or None where there is none or it is damaged."""
    try:
        with (folder / PREDICTIONS).open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        head, body = rows[0], rows[1:]
        found = [r[1] for r in body]
        part = next(p for p in reversed(PARTS) if p in found)
        first = found.index(part)
        last = min(first + SHOWN, len(body))
        numbers = np.array([[float(v) for v in r[2:]] for r in body[first:last]])
        count = sum(h.startswith("target") for h in head)
        states = np.load(folder / STATES, allow_pickle=False, mmap_mode="r")
        with np.load(folder / WEIGHTS, allow_pickle=False) as stored:
            weights = np.asarray(stored["weights"], dtype=float)
        shown = np.array(states[first:last], dtype=float)
        if (
            not count
            or numbers.shape != (last - first, 2 * count)
            or shown.ndim != 2
            or weights.shape != (shown.shape[1], count)
            or not all(np.isfinite(v).all() for v in (numbers, shown, weights))
        ):
            return None
    except (OSError, ValueError, KeyError, IndexError, StopIteration, zipfile.BadZipFile):
        return None
    return Reading(
        part, first, numbers[:, :count], numbers[:, count:], shown, tuple(map(text, observed)), weights
    )  # fmt: skip


def predictions(found: Reading, theme: Theme) -> Figure:
    """Targets and outputs over samples, a panel each."""
    count = min(found.targets.shape[1], MOST_OUTPUTS)
    figure = new_figure(height=1.2 + 1.3 * count)
    at = found.first + np.arange(len(found.targets))
    panels = figure.subplots(count, 1, sharex=True, squeeze=False)[:, 0]
    for k, ax in enumerate(panels):
        ax.plot(at, found.targets[:, k], color=theme.ink, lw=1.0, label="target")
        ax.plot(
            at,
            found.outputs[:, k],
            color=theme.series[1],
            lw=1.3,
            ls=(0, (5, 1.5)),
            label="read-out",
        )
        ax.set_ylabel(f"output {k}")
    panels[-1].set_xlabel("sample")
    panels[0].legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, borderaxespad=0.2)
    if found.targets.shape[1] > count:
        panels[0].set_title(f"the first {count} of {found.targets.shape[1]} outputs")
    return figure


def states(found: Reading, theme: Theme) -> Figure:
    """Every state over samples, each in its own range, as shades."""
    figure = new_figure(height=3.4)
    ax = figure.subplots()
    low, span = found.states.min(axis=0), np.ptp(found.states, axis=0)
    unit = (found.states - low) / np.where(span > 0, span, 1.0)
    ax.imshow(
        unit.T, aspect="auto", interpolation="nearest", cmap=theme.scale,
        extent=(found.first - 0.5, found.first + len(unit) - 0.5, unit.shape[1] - 0.5, -0.5),
    )  # fmt: skip
    ax.grid(False)
    ax.set_xlabel("sample")
    ax.set_ylabel("state")
    ax.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    names = ", ".join(found.observed)
    ax.set_title(short(f"{names}, node after node, each in its own range", 70))
    return figure


def weights(found: Reading, theme: Theme) -> Figure:
    """The read-out's weights, state by state."""
    figure = new_figure(height=2.6)
    ax = figure.subplots()
    for k in range(min(found.weights.shape[1], len(theme.series))):
        ax.plot(
            found.weights[:, k],
            color=theme.series[k],
            marker="o",
            ms=2.5,
            lw=0.8,
            label=f"output {k}",
        )
    ax.axhline(0, color=theme.ink, lw=0.7)
    ax.set_xlabel("state")
    ax.set_ylabel("weight")
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    if found.weights.shape[1] > 1:
        ax.legend(loc="best")
    return figure
