"""Shades: how values become colours and widths, with the colour bar that reads them back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from tellegen.arrays import Values
from tellegen.manifest import Manifest
from tellegen.sims.report.style import Theme, quantity, quantity_ticks, short, symbol, with_unit

# Units whose values are told apart by ratios; others (codes, voltages) by differences.
_RATIOS = ("S", "ohm")
# A scale that spans more decades, for the sake of a few edges at the floor, would hide all others.
MOST_DECADES = 4


@dataclass(frozen=True, eq=False)
class Shade:
    """The colours of one kind of value.

    Attributes:
        label: what is shown, with its unit.
        norm: values to shares of the colour scale.
        colours: the scale.
        weight: shares to 0..1, how strongly a line is drawn.
        ticks: how a value is printed beside the colour bar; None for quantities in `unit`.
        unit: the values' unit.
    """

    label: str
    norm: Normalize
    colours: ListedColormap
    weight: Callable[[Values], Values]
    ticks: Callable[[float], str] | None
    unit: str

    def shares(self, values: Values) -> Values:
        """Where values lie on the scale, 0 to 1."""
        shares: Values = np.clip(np.asarray(self.norm(values), dtype=float), 0, 1)
        return np.asarray(np.nan_to_num(shares))

    def bar(self, ax: Axes) -> None:
        """Add the colour bar, below a drawing."""
        figure = ax.figure
        assert isinstance(figure, Figure)
        bar = figure.colorbar(
            ScalarMappable(self.norm, self.colours), ax=ax, location="bottom",
            fraction=0.05, pad=0.02, aspect=40, shrink=0.8,
        )  # fmt: skip
        bar.outline.set_visible(False)
        if bar.solids is not None:
            bar.solids.set_edgecolor("face")  # no hairlines between the colours
        bar.set_label(self.label)
        if self.ticks is None:
            quantity_ticks(bar.ax.xaxis, self.unit)
        else:
            said = self.ticks
            bar.ax.xaxis.set_major_locator(MaxNLocator(5))
            bar.ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: said(value)))


def label(manifest: Manifest, name: str) -> str:
    """What a parameter is, for an axis: `conductance (S)`, `code`, `vg (V)`."""
    return with_unit(noun(manifest, name), manifest.parameters[name].unit)


def noun(manifest: Manifest, name: str) -> str:
    """What a parameter is, in a word: `conductance`, or the cell's own symbol."""
    entry = manifest.parameters[name]
    return "conductance" if entry.unit == "S" else short(entry.symbol)


def kinds(manifest: Manifest, names: Iterable[str]) -> dict[str, list[str]]:
    """The parameters by what they are; those of one kind share a shade."""
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(label(manifest, name), []).append(name)
    return found


def of_values(
    manifest: Manifest, several: Sequence[Mapping[str, Values]], theme: Theme
) -> dict[str, Shade]:
    """Shades by parameter for all of several sets of values, strong values strongly drawn."""
    made: dict[str, Shade] = {}
    names = dict.fromkeys(n for values in several for n in values)
    for kind, alike in kinds(manifest, names).items():
        found = [np.ravel(values[n]) for values in several for n in alike if n in values]
        unit = manifest.parameters[alike[0]].unit
        norm = _norm(np.concatenate(found), unit)
        shade = Shade(kind, norm, theme.scale, lambda share: share**2, None, unit)
        made |= dict.fromkeys(alike, shade)
    return made


def _norm(values: Values, unit: str) -> Normalize:
    values = values[np.isfinite(values)]
    if not len(values):
        return Normalize(0, 1)
    low, high = float(values.min()), float(values.max())
    if low <= 0 or unit not in _RATIOS:
        return Normalize(low, high if high > low else low + 1)
    if high <= 1.01 * low:
        return LogNorm(low / 1.5, high * 1.5)
    return LogNorm(max(low, high / 10**MOST_DECADES), high, clip=True)


def of_changes(
    manifest: Manifest,
    before: Mapping[str, Values],
    after: Mapping[str, Values],
    theme: Theme,
) -> tuple[dict[str, Values], dict[str, Shade]]:
    """Changes of parameters, as ratios for conductances and the like, and their shades."""
    changes: dict[str, Values] = {}
    made: dict[str, Shade] = {}
    for alike in kinds(manifest, after).values():
        unit = manifest.parameters[alike[0]].unit
        ratios = unit in _RATIOS and all((np.minimum(before[n], after[n]) > 0).all() for n in alike)
        for n in alike:
            changes[n] = np.log2(after[n] / before[n]) if ratios else after[n] - before[n]
        every = np.abs(np.concatenate([changes[n] for n in alike]))
        most = float(np.nanquantile(every, 0.995)) if len(every) else 0.0
        most = most if np.isfinite(most) and most > 0 else 1.0
        what = noun(manifest, alike[0])
        shade = Shade(
            f"{what}, after divided by before" if ratios else f"change of {what}",
            Normalize(-most, most, clip=True),
            theme.changes,
            lambda share: np.abs(2 * share - 1) ** 1.5,
            _ratio if ratios else lambda value, unit=unit: _signed(value, unit),  # type: ignore[misc]
            unit,
        )
        made |= dict.fromkeys(alike, shade)
    return changes, made


def _ratio(value: float) -> str:
    times = 2.0 ** abs(value)
    said = f"{times:.2g}" if times < 100 else f"{times:.0f}"
    return said if value >= 0 or said == "1" else f"1/{said}"


def _signed(value: float, unit: str) -> str:
    said = quantity(abs(value), unit)
    return f"{'−' if value < 0 else '+'}{said}" if value else f"0 {symbol(unit)}".strip()
