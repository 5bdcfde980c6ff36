"""How figures look: two themes, one set of type and line sizes, and the ways a figure leaves.

Figures are made without pyplot, so that a report drawn inside somebody's notebook changes nothing
there. Text is never read as mathematics: names come from a stranger's file.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap, ListedColormap
from matplotlib.figure import Figure
from matplotlib.rcsetup import cycler
from matplotlib.ticker import FuncFormatter, MaxNLocator

# Few enough that a colour bar stays a vector drawing (matplotlib rasterises from 50 on).
_COLOURS = 48
# Inches. A figure fills half a wide page and the whole of a phone's, where its type must still be read.
WIDTH = 4.7
DPI = 160


@dataclass(frozen=True)
class Theme:
    """Colours of a figure.

    Attributes:
        name: "light" or "dark".
        ink: text and axes; `faint` grid and whatever steps back; `paper` the background.
        series: colours that differ for colour-blind readers too (Okabe and Ito, 2008).
        scale: colour map of parameters, strong values farthest from the paper.
        changes: colour map of changes, none being near the paper.
    """

    name: str
    ink: str
    faint: str
    paper: str
    series: tuple[str, ...]
    scale: ListedColormap
    changes: ListedColormap


def _between(*colours: str) -> ListedColormap:
    made = LinearSegmentedColormap.from_list("changes", colours)
    return ListedColormap(made(np.linspace(0, 1, _COLOURS)))


def _scale(start: float, stop: float) -> ListedColormap:
    return ListedColormap(matplotlib.colormaps["viridis"](np.linspace(start, stop, _COLOURS)))


LIGHT = Theme(
    "light", "#24292f", "#d0d5da", "#ffffff",
    ("#0072b2", "#d55e00", "#009e73", "#b5569b", "#b8860b", "#3a9fd1"), _scale(0.92, 0.02),
    _between("#00518a", "#4f9bd0", "#d9dcdf", "#e58b45", "#a84300"),
)  # fmt: skip
DARK = Theme(
    "dark", "#dde1e5", "#3d444b", "#16191d",
    ("#56b4e9", "#e69f00", "#2ec4a0", "#e08cc4", "#f0e442", "#8ecdf0"), _scale(0.22, 1.0),
    _between("#8fd0f7", "#3f88b5", "#30353a", "#b9771c", "#ffc04d"),
)  # fmt: skip


@contextmanager
def styled(theme: Theme) -> Iterator[None]:
    """Matplotlib's settings of a theme, for as long as the context lasts."""
    settings: dict[Any, Any] = {
        "font.family": "DejaVu Sans", "font.size": 9, "axes.titlesize": 10, "axes.labelsize": 9,
        "legend.fontsize": 8.5, "xtick.labelsize": 8.5, "ytick.labelsize": 8.5,
        "text.color": theme.ink, "axes.edgecolor": theme.ink, "axes.labelcolor": theme.ink,
        "axes.titlecolor": theme.ink, "xtick.color": theme.ink, "ytick.color": theme.ink,
        "axes.facecolor": theme.paper, "figure.facecolor": theme.paper,
        "axes.prop_cycle": cycler(color=theme.series),
        "axes.grid": True, "grid.color": theme.faint, "grid.linewidth": 0.5, "axes.axisbelow": True,
        "axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.7,
        "axes.titlelocation": "left", "lines.linewidth": 1.6, "legend.frameon": False,
        "text.parse_math": False, "axes.formatter.use_mathtext": False, "svg.fonttype": "path",
        "svg.hashsalt": "tellegen", "axes.unicode_minus": True,
    }  # fmt: skip
    with matplotlib.rc_context():
        # Not on top of the user's own: TeX, for one, would obey a stranger's names.
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(settings)
        yield


def new_figure(width: float = WIDTH, height: float = 3.0) -> Figure:
    """An empty figure in inches, its parts kept from overlapping."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def as_png(figure: Figure) -> bytes:
    """The figure as PNG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()


def as_svg(figure: Figure) -> bytes:
    """The figure as SVG, its letters drawn as shapes; the same figure always gives the same bytes."""
    buffer = io.BytesIO()
    metadata = {"Date": None, "Creator": None, "Format": None, "Type": None}
    figure.savefig(buffer, format="svg", dpi=DPI, metadata=metadata)
    return buffer.getvalue()


_PREFIXES = {
    -15: "f", -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T",
}  # fmt: skip
_SYMBOLS = {"ohm": "Ω", "1": ""}


def symbol(unit: str) -> str:
    """A unit as it is printed: `Ω` for `ohm`."""
    return short(_SYMBOLS.get(unit, unit), 12)


def short(name: str, most: int = 24) -> str:
    """A name, its end left out where it would not fit into a figure."""
    return name if len(name) <= most else name[: most - 1] + "…"


def quantity(value: float, unit: str, digits: int = 3) -> str:
    """A value with its unit and an SI prefix, such as `5.3 µS`; a dash where there is none."""
    if not math.isfinite(value):
        return "–"
    if unit == "GHz":  # what a net of 1 V for 1 GHz measures: no prefix before the prefix
        value, unit = value * 1e9, "Hz"
    if not symbol(unit) or value == 0:
        return f"{value:.{digits}g} {symbol(unit)}".strip()
    power = min(max(3 * math.floor(math.log10(abs(value)) / 3 + 1e-9), -15), 12)
    shown = f"{value / 10.0**power:.{digits}g}"
    if abs(float(shown)) >= 1000 and power < 12:
        power += 3
        shown = f"{value / 10.0**power:.{digits}g}"
    return f"{shown} {_PREFIXES[power]}{symbol(unit)}"


def with_unit(axis_name: str, unit: str) -> str:
    """An axis label: `conductance (S)`, or the name alone."""
    name = short(axis_name)
    return f"{name} ({symbol(unit)})" if symbol(unit) else name


def quantity_ticks(axis: matplotlib.axis.Axis, unit: str, count: int = 5) -> None:
    """Print the ticks of an axis as quantities, few enough to be read."""
    if axis.get_scale() == "log":
        low, high = sorted(axis.get_view_interval())
        axis.set_major_locator(_LogTicks(low, high))
        axis.set_minor_locator(matplotlib.ticker.NullLocator())
    else:
        axis.set_major_locator(MaxNLocator(count))
    axis.set_major_formatter(FuncFormatter(lambda value, _: quantity(value, unit)))


class _LogTicks(matplotlib.ticker.FixedLocator):
    """Ticks on a logarithmic axis, as many as can be read on a narrow one."""

    def __init__(self, low: float, high: float) -> None:
        decades = math.log10(high / low)
        if decades < 0.6:
            found = list(MaxNLocator(4).tick_values(low, high))
        else:
            steps = (1, 2, 3, 5) if decades < 1.1 else (1, 2, 5) if decades < 2.2 else (1,)
            powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
            found = [s * 10.0**p for p in powers[:: max(1, round(decades / 5))] for s in steps]
        super().__init__([v for v in found if low * 0.999 <= v <= high * 1.001])


def whole_epochs(ax: Axes) -> None:
    """Ticks of an epoch axis at whole numbers."""
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
