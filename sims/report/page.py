"""The report of a run: figures into its folder, and one HTML page that needs nothing else."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tellegen.sims import run_folder as rf
from tellegen.sims.report import curves, network, series, shades, tables, variational
from tellegen.sims.report.record import Record, items, mapping, read, text
from tellegen.sims.report.style import DARK, LIGHT, WIDTH, Theme, as_png, as_svg, new_figure, styled

REPORT = "report.html"
LEARNING, NETWORK, WAVES = "learning-curve.png", "network.png", "waves.png"
PREDICTIONS, COST = "predictions.png", "cost.png"
RASTER, WEIGHTS = "raster.png", "weight_trajectory.png"
NETWORK_HEIGHT = 4.3  # inches
MOST_KINDS = 6  # of learned parameters, each with a figure of its own
EXCERPT = 80  # lines of the netlist

_STATUS = {
    "finished": "finished", "stopped": "stopped early", "failed": "failed",
    "running": "running, or ended without saying so",
}  # fmt: skip

# What a page of either kind may show; each kind fills in its own.
_NOTHING: dict[str, Any] = {
    "accuracies": [], "confusion": None, "learning": None, "histories": [], "rules": [],
    "update": "", "loss": "", "guard": [], "judged_title": "Results of the best epoch", "error_name": "error (V²)",
    "extra": [], "point": [], "point_title": "Operating point", "left_out": 0, "waves": None, "raster": None, "weights": None,
}  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """A figure on the page: SVG in base64, for light and dark surroundings."""

    light: str
    dark: str
    alt: str
    caption: str = ""


def write_report(folder: str | Path) -> Path:
    """Draw a run's figures and write `report.html` into its folder; works on unfinished runs too.

    Returns:
        The path of the page.

    Raises:
        RunFolderError: if the folder is no run folder.
    """
    record = read(Path(folder))
    kinds = {"simulate": _simulation, "reservoir": _reservoir, "variational": _variational}
    shown = kinds.get(record.kind, _training)(record)
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    here = files("tellegen.sims.report")
    template = environment.from_string(here.joinpath("report.html").read_text("utf-8"))
    style = here.joinpath("report.css").read_text("utf-8")
    page = template.render(style=style, **_common(record), **_NOTHING | shown)
    rf.write_text(record.folder, REPORT, page)
    return record.folder / REPORT


def _common(record: Record) -> dict[str, Any]:
    run = record.run
    status = text(run.get("status"))
    lines = record.netlist.splitlines()
    return {
        "name": record.name,
        "what": {"simulate": "Simulation", "reservoir": "Read-out", "variational": "Phases"}.get(
            record.kind, "Training"
        ),
        "network_name": text(run.get("network")),
        "file": Path(text(run.get("file"))).name,
        "status": status if status in _STATUS else "",
        "status_text": _STATUS.get(status, status or "unknown"),
        "failure": text(run.get("failure")),
        "missing": record.missing,
        "source": record.source,
        "excerpt": "\n".join(lines[:EXCERPT]),
        "shown_lines": min(len(lines), EXCERPT),
        "lines": len(lines),
        "provenance": tables.provenance(record),
    }


def _training(record: Record) -> dict[str, Any]:
    best = record.best_epoch
    learning = None
    if len(record.metrics.get("epoch", ())):
        learning = _picture(
            partial(curves.learning_curve, record.metrics, best),
            "error and accuracy over epochs",
            "Training error is the mean over an epoch while the parameters move; validation error is "
            "taken at its end. Epoch 0 is before training.",
            png=record.folder / LEARNING,
        )
    return {
        "facts": tables.training_facts(record),
        "accuracies": tables.accuracies(record),
        "confusion": tables.confusion(record),
        "learning": learning,
        "networks": _networks(record),
        "histories": _histories(record),
        "rules": [tables.rule(mapping(x)) for x in items(record.run.get("learned"))],
        "loss": tables.settings(mapping(record.run.get("loss"))),
        "update": tables.settings(mapping(record.run.get("update"))),
        "guard": tables.guard(record),
    }


def _simulation(record: Record) -> dict[str, Any]:
    units = {text(k): text(v) for k, v in mapping(record.run.get("signals")).items()}
    found: dict[str, Any] = {
        "facts": tables.simulation_facts(record),
        "networks": _networks(record),
    }
    if record.time is None:
        found["point"], found["left_out"] = tables.operating_point(record.signals, units)
    elif len(record.time) and record.signals:
        found["waves"] = _picture(
            partial(curves.waves, record.time, record.signals, units, record.axis),
            f"signals over {record.axis[0]}",
            png=record.folder / WAVES,
        )
        if any(len(times) for trains in record.spikes.values() for times in trains):
            found["raster"] = _picture(
                partial(curves.raster, record.spikes, float(record.time[-1])),
                "spikes over time",
                png=record.folder / RASTER,
            )
        names = map(text, items(record.run.get("weights")))
        weights = {name: record.signals[name] for name in names if name in record.signals}
        if weights and not record.run.get("sweep"):
            found["weights"] = _picture(
                partial(curves.trajectories, record.time, weights, units),
                "weights over time",
                "Each synapse, and the mean of those that are recorded together.",
                png=record.folder / WEIGHTS,
            )
    return found


def _reservoir(record: Record) -> dict[str, Any]:
    found: dict[str, Any] = {
        "facts": tables.reservoir_facts(record),
        "accuracies": tables.accuracies(record),
        "confusion": tables.confusion(record),
        "judged_title": "Results",
        "error_name": "NRMSE",
        "networks": _networks(record),
    }
    read = series.read(record.folder, items(record.run.get("observed")))
    if read is not None:
        found["extra"] = [
            _picture(
                partial(series.predictions, read),
                "Read-out and target",
                f"The first samples of the {read.part} part.",
                png=record.folder / PREDICTIONS,
            ),
            _picture(partial(series.states, read), "States at the ends of the virtual nodes"),
            _picture(partial(series.weights, read), "Weights of standardised states"),
        ]
    return found


def _variational(record: Record) -> dict[str, Any]:
    run = variational.read(record)
    found: dict[str, Any] = {
        "facts": variational.facts(record),
        "accuracies": tables.accuracies(record),
        "confusion": tables.confusion(record),
        "judged_title": "Results of the best start",
        "error_name": "probability of error",
        "point_title": "Best phases",
        "networks": [],
    }
    found["point"], found["left_out"] = variational.phases(record)
    if run is not None:
        found["extra"] = [
            _picture(
                partial(variational.descent, run),
                "Cost over operating points",
                "Every evaluation of the cost, its start a line each.",
                png=record.folder / COST,
            )
        ]
    return found


def _histories(record: Record) -> list[Picture]:
    manifest = record.manifest
    history = {name: table for name, table in record.history.items() if table.size}
    if manifest is None:
        return []
    return [
        _picture(
            partial(curves.over_time, kind, names, manifest, history, record.best_epoch),
            f"Learned values over epochs: {kind}",
        )
        for kind, names in list(shades.kinds(manifest, history).items())[:MOST_KINDS]
    ]


def _networks(record: Record) -> list[Picture]:
    """The network as it is in the end, and how training changed it; writes its PNG too."""
    manifest, best = record.manifest, record.best_epoch
    if manifest is None:
        return []
    first, last = record.values(0), record.values(best)
    # Where nothing is learned: what makes a path conduct more or less, not the bias of a clamp.
    edges = {name: p.values for name, p in manifest.parameters.items() if p.sense}
    values = last or edges
    drawing = network.prepare(manifest, values)
    if not drawing.total:  # no cell is an edge, as with neurons: an empty picture says nothing
        return []

    def present(ax: Axes, theme: Theme) -> None:
        drawing.draw(ax, values, shades.of_values(manifest, [first, values], theme), theme)

    def change(ax: Axes, theme: Theme) -> None:
        drawing.draw(ax, *shades.of_changes(manifest, first, last, theme), theme)

    states: dict[str, Callable[[Axes, Theme], None]] = {"": present}
    if any(len(table) > 1 for table in record.history.values()) and best != 0:
        epoch = "the last epoch" if best is None else f"epoch {best}"
        states = {f"after training ({epoch})": present, "what training changed": change}
    with styled(LIGHT):
        figure = new_figure(width=WIDTH * len(states), height=NETWORK_HEIGHT)
        panels = figure.subplots(1, len(states), squeeze=False)[0]
        for ax, (said, draw) in zip(panels, states.items(), strict=True):
            draw(ax, LIGHT)
            ax.set_title("\n".join(filter(None, (said, ax.get_title(loc="left")))))
        rf.write_bytes(record.folder, NETWORK, as_png(figure))
    return [
        _picture(partial(_alone, draw), f"the network {said}".strip(), said)
        for said, draw in states.items()
    ]


def _alone(draw: Callable[[Axes, Theme], None], theme: Theme) -> Figure:
    figure = new_figure(height=NETWORK_HEIGHT)
    draw(figure.subplots(), theme)
    return figure


def _picture(
    draw: Callable[[Theme], Figure], alt: str, caption: str = "", *, png: Path | None = None
) -> Picture:
    """Draw a figure in both themes; in light also as a PNG file."""
    made: dict[str, str] = {}
    for theme in (LIGHT, DARK):
        with styled(theme):
            figure = draw(theme)
            made[theme.name] = base64.b64encode(as_svg(figure)).decode()
            if png is not None and theme is LIGHT:
                rf.write_bytes(png.parent, png.name, as_png(figure))
    return Picture(made["light"], made["dark"], alt, caption)
