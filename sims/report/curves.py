"""Curves: learning, parameters over time, and a simulation's signals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tellegen.arrays import Values
from tellegen.manifest import Manifest
from tellegen.sims.report.record import element
from tellegen.sims.report.style import (
    Theme,
    new_figure,
    quantity_ticks,
    short,
    whole_epochs,
)

MOST_LINES = 12
MOST_PANELS = 6
MOST_ROWS = 200
# Points that a line needs on paper; more only make the page larger.
MOST_POINTS = 2_000

_PARTS = (("train", "training"), ("validation", "validation"))


def learning_curve(metrics: Mapping[str, Values], best: int | None, theme: Theme) -> Figure:
    """Error (logarithmic) and, for classifications, accuracy over epochs."""
    epochs = metrics["epoch"]
    judged = any(np.isfinite(metrics.get(f"{p}_accuracy", np.nan)).any() for p, _ in _PARTS)
    figure = new_figure(height=3.9 if judged else 2.9)
    if judged:
        error, accuracy = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    else:
        error, accuracy = figure.subplots(), None
    found = _parts(error, epochs, metrics, "error", theme)
    positive = [v for values in found for v in values[np.isfinite(values)]]
    if positive and min(positive) > 0:
        error.set_yscale("log")
        quantity_ticks(error.yaxis, "")
    error.set_ylabel("error (V²)")
    if accuracy is not None:
        _parts(accuracy, epochs, metrics, "accuracy", theme)
        accuracy.set_ylabel("accuracy")
        accuracy.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.4g} %")
    last = accuracy or error
    last.set_xlabel("epoch (0: before training)")
    whole_epochs(last)
    if best is not None:
        for ax in (error, accuracy):
            if ax is not None:
                ax.axvline(best, color=theme.ink, lw=0.9, ls=(0, (4, 3)), zorder=1)
        error.annotate(
            f"best: epoch {best}", (best, 1), xycoords=("data", "axes fraction"), va="bottom",
            ha=_side(best, epochs), fontsize=8.5, xytext=(0, 2), textcoords="offset points",
        )  # fmt: skip
    if len(found) > 1:
        error.legend(loc="best")
    return figure


def _side(best: int, epochs: Values) -> str:
    """Where a text at an epoch has room."""
    share = (best - epochs[0]) / max(epochs[-1] - epochs[0], 1)
    return "right" if share > 0.8 else "left" if share < 0.2 else "center"


def _parts(
    ax: Axes, epochs: Values, metrics: Mapping[str, Values], what: str, theme: Theme
) -> list[Values]:
    drawn = []
    for (part, said), colour, dash in zip(_PARTS, theme.series, ("-", (0, (5, 1.5))), strict=False):
        values = metrics.get(f"{part}_{what}", np.zeros(0))
        if len(values) != len(epochs) or not np.isfinite(values).any():
            continue
        marker = "o" if len(epochs) <= 30 else ""
        ax.plot(epochs, values, color=colour, ls=dash, marker=marker, ms=3, label=said)
        drawn.append(values)
    return drawn


def over_time(
    kind: str, names: Sequence[str], manifest: Manifest, history: Mapping[str, Values],
    best: int | None, theme: Theme,
) -> Figure:  # fmt: skip
    """The learned parameters of one kind over epochs, and their distribution before and after.

    Few parameters are lines, many are the bands that hold half and nine tenths of them.
    """
    table = np.concatenate([history[n] for n in names], axis=1)
    epochs = np.arange(len(table))
    figure = new_figure(height=3.6)
    ax, side = figure.subplots(1, 2, sharey=True, width_ratios=(3, 1))
    finite = table[np.isfinite(table)]
    wide = len(finite) > 0 and finite.min() > 0 and finite.max() > 20 * finite.min()
    few = table.shape[1] <= MOST_LINES
    if few:
        for k in range(table.shape[1]):
            ax.plot(epochs, table[:, k], color=theme.series[k % len(theme.series)], lw=1.2)
    else:
        edge, low, middle, high, top = np.nanquantile(table, (0.05, 0.25, 0.5, 0.75, 0.95), axis=1)
        colour = theme.series[0]
        ax.fill_between(epochs, edge, top, color=colour, alpha=0.18, lw=0, label="nine tenths")
        ax.fill_between(epochs, low, high, color=colour, alpha=0.32, lw=0, label="half")
        ax.plot(epochs, middle, color=colour, label="median")
        for extreme, said in ((table.min(axis=1), "least, most"), (table.max(axis=1), None)):
            ax.plot(epochs, extreme, color=theme.ink, lw=0.7, ls=(0, (1, 2)), label=said)
        figure.legend(*ax.get_legend_handles_labels(), loc="outside lower left", ncols=4)
    if wide:
        ax.set_yscale("log")
    if len(finite):
        _distribution(side, table, best, wide, theme)
    quantity_ticks(ax.yaxis, manifest.parameters[names[0]].unit)
    ax.set_ylabel(kind.partition(" (")[0])
    ax.set_xlabel("epoch")
    whole_epochs(ax)
    if best is not None:
        ax.axvline(best, color=theme.ink, lw=0.9, ls=(0, (4, 3)), zorder=1)
    return figure


def _distribution(side: Axes, table: Values, best: int | None, wide: bool, theme: Theme) -> None:
    """How the values lie before training and at the best (or last) epoch."""
    last = min(best, len(table) - 1) if best is not None else len(table) - 1
    low, high = np.nanmin(table[[0, last]]), np.nanmax(table[[0, last]])
    if not high > low:
        low, high = (low * 0.9, high * 1.1) if low > 0 else (low - 1, high + 1)
    bins = np.geomspace(low, high, 25) if wide else np.linspace(low, high, 25)
    if last:
        side.hist(
            table[last],
            list(bins),
            orientation="horizontal",
            color=theme.series[0],
            alpha=0.45,
            label="after",
        )
    side.hist(
        table[0],
        list(bins),
        orientation="horizontal",
        histtype="step",
        color=theme.ink,
        lw=0.9,
        label="before",
    )
    side.set_xlabel("edges")
    side.xaxis.set_major_locator(MaxNLocator(3, integer=True))
    side.tick_params(labelleft=False)
    side.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), handlelength=1.2)


def waves(
    time: Values, signals: Mapping[str, Values], units: Mapping[str, str], axis: tuple[str, str],
    theme: Theme,
) -> Figure:  # fmt: skip
    """Signals over time or another axis (name, unit), a panel for each unit."""
    panels: dict[str, list[str]] = {}
    for name in signals:
        panels.setdefault(units.get(name, ""), []).append(name)
    shown = list(panels.items())[:MOST_PANELS]
    figure = new_figure(height=1.1 + 1.7 * len(shown))
    axes = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
    for ax, (unit, names) in zip(axes, shown, strict=True):
        lines = [line for name in names for line in _lines(name, signals[name])]
        for k, (said, values) in enumerate(lines[:MOST_LINES]):
            t, v = _thinned(time, values)
            colour = theme.series[k % len(theme.series)]
            dash = ("-", (0, (5, 1.5)))[k // len(theme.series) % 2]
            ax.plot(t, v, color=colour, ls=dash, lw=1.2, label=short(said))
        quantity_ticks(ax.yaxis, unit)
        ax.margins(x=0)
        left_out = len(lines) > MOST_LINES
        ax.legend(
            title=f"the first {MOST_LINES} of {len(lines):,}" if left_out else None,
            loc="lower left", bbox_to_anchor=(0, 1), ncols=_columns([short(said) for said, _ in lines]),
            handlelength=1.4, columnspacing=1.2, borderaxespad=0.2, alignment="left",
        )  # fmt: skip
    if len(panels) > MOST_PANELS:
        figure.suptitle(f"the first {MOST_PANELS} of {len(panels):,} units")
    quantity_ticks(axes[-1].xaxis, axis[1])
    axes[-1].set_xlabel(axis[0])
    return figure


def trajectories(
    time: Values, weights: Mapping[str, Values], units: Mapping[str, str], theme: Theme
) -> Figure:
    """Weights (times, ...) over time: each element thin, a signal's mean thick, in its colour."""
    figure = new_figure()
    ax = figure.subplots()
    for group, (name, values) in enumerate(list(weights.items())[:MOST_LINES]):
        colour = theme.series[group % len(theme.series)]
        table = values.reshape(len(time), -1)
        count = table.shape[1]
        for column in table.T[:MOST_ROWS] if count > 1 else ():
            ax.plot(*_thinned(time, column), color=colour, lw=0.6, alpha=0.45)
        label = f"{short(name)} (mean of {count})" if count > 1 else short(name)
        ax.plot(*_thinned(time, table.mean(axis=1)), color=colour, lw=1.6, label=label)
    ax.margins(x=0)
    quantity_ticks(ax.xaxis, "s")
    quantity_ticks(ax.yaxis, units.get(next(iter(weights)), ""))
    ax.set_xlabel("time")
    ax.set_ylabel("weight")
    labels = [str(line.get_label()) for line in ax.get_lines()]
    said = [line for line in labels if not line.startswith("_")]
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=_columns(said), handlelength=1.4,
              columnspacing=1.2, borderaxespad=0.2)  # fmt: skip
    return figure


def raster(spikes: Mapping[str, list[Values]], stop: float, theme: Theme) -> Figure:
    """Spikes over time, a row for each element of a signal."""
    rows = [(element(name, (k,)) if len(trains) > 1 else name, times, group)
            for group, (name, trains) in enumerate(spikes.items())
            for k, times in enumerate(trains)][:MOST_ROWS]  # fmt: skip
    figure = new_figure(height=1.0 + 0.16 * max(len(rows), 4))
    ax = figure.subplots()
    for row, (_, times, group) in enumerate(rows):
        colour = theme.series[group % len(theme.series)]
        ax.vlines(times, row - 0.4, row + 0.4, color=colour, lw=1.0)
    every = max(1, len(rows) // 20)
    ax.set_yticks(range(0, len(rows), every), [short(name) for name, _, _ in rows[::every]])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_xlim(0, stop)
    quantity_ticks(ax.xaxis, "s")
    ax.set_xlabel("time")
    return figure


def _columns(names: Sequence[str]) -> int:
    """How many columns of a legend fit above the axes: what does not, is taken from their width."""
    widest = max((len(name) for name in names), default=0)
    return min(max(int(86 / (widest + 10)), 1), 4)


def _lines(name: str, values: Values) -> list[tuple[str, Values]]:
    """The elements of a signal (times, ...) by name."""
    return [
        (element(name, index), values[(slice(None), *index)])
        for index in np.ndindex(*values.shape[1:])
    ]


def _thinned(time: Values, values: Values) -> tuple[Values, Values]:
    """A long signal by the least and the most value in each of many short spans; peaks survive."""
    if len(time) <= MOST_POINTS:
        return time, values
    spans = np.array_split(np.arange(len(time)), MOST_POINTS // 2)
    picked = np.unique(
        [k for s in spans for k in (s[np.argmin(values[s])], s[np.argmax(values[s])])]
    )
    return time[picked], values[picked]
