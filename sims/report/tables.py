"""The report's tables: what a record says, as text ready for the page."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from tellegen.arrays import Values
from tellegen.sims.report.record import PARTS, Record, element, items, mapping, number, text
from tellegen.sims.report.style import quantity

Rows = list[tuple[str, str]]

MOST_ROWS = 200  # of an operating point

_PART_NAMES = {"train": "training", "validation": "validation", "test": "test"}


def training_facts(record: Record) -> Rows:
    """The few numbers that the page opens with."""
    run = record.run
    results = mapping(run.get("results"))
    test, train = mapping(results.get("test")), mapping(results.get("train"))
    done = record.metrics.get("epoch", np.zeros(0))
    planned = number(run.get("epochs"))
    found: Rows = []
    if math.isfinite(number(test.get("accuracy"))):
        found.append(("test accuracy", f"{100 * number(test.get('accuracy')):.1f} %"))
    elif math.isfinite(number(test.get("error"))):
        found.append(("test error", f"{number(test.get('error')):.3g} V²"))
    elif math.isfinite(number(train.get("error"))):
        found.append(("training error", f"{number(train.get('error')):.3g} V²"))
    if len(done):
        of = f" of {planned:.0f}" if math.isfinite(planned) else ""
        found.append(("epochs", f"{int(np.nan_to_num(done[-1]))}{of}"))
    if record.best_epoch is not None:
        found.append(("best epoch", str(record.best_epoch)))
    count = sum(t.shape[1] for t in record.history.values())
    if count:
        found.append(("learned values", f"{count:,}"))
    return found


def reservoir_facts(record: Record) -> Rows:
    """The few numbers that the page of a read-out opens with."""
    run = record.run
    test = mapping(mapping(run.get("results")).get("test"))
    found: Rows = []
    if math.isfinite(number(test.get("accuracy"))):
        found.append(("test accuracy", _percent(number(test.get("accuracy")))))
    if math.isfinite(number(test.get("nrmse"))):
        found.append(("test NRMSE", f"{number(test.get('nrmse')):.3g}"))
    nodes, interval = number(run.get("nodes")), number(run.get("interval"))
    if math.isfinite(nodes) and math.isfinite(interval):
        found += [
            ("virtual nodes", f"{nodes:.0f}"),
            ("a sample lasts", quantity(nodes * interval, "s")),
        ]
    found.append(("target", text(run.get("target"))))
    if math.isfinite(number(run.get("alpha"))):
        found.append(("alpha", f"{number(run.get('alpha')):.3g}"))
    return found


def accuracies(record: Record) -> list[dict[str, str]]:
    """The results by part of the data, each beside chance."""
    rows = []
    for part, said in mapping(record.run.get("results")).items():
        if part not in PARTS:
            continue
        count = number(mapping(record.run.get("samples")).get(part))
        accuracy = number(mapping(said).get("accuracy"))
        rows.append(
            {
                "part": _PART_NAMES[part],
                "samples": f"{count:.0f}" if math.isfinite(count) else "",
                "accuracy": _percent(accuracy),
                "interval": _interval(accuracy, count),
                "chance": _percent(_chance(record, part)) if math.isfinite(accuracy) else "",
                "error": f"{number(mapping(said).get('nrmse', mapping(said).get('error'))):.4g}",
            }
        )
    return rows


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if math.isfinite(share) else ""


def _interval(share: float, count: float) -> str:
    """Wilson's 95 % interval of a share (J. Am. Stat. Assoc. 22, 209, 1927)."""
    if not (math.isfinite(share) and count >= 1):
        return ""
    z = 1.96
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    spread = max(share * (1 - share), 0) / count + z * z / (4 * count * count)
    half = z / (1 + z * z / count) * math.sqrt(spread)
    return f"{100 * max(middle - half, 0):.0f} to {100 * min(middle + half, 1):.0f} %"


def _chance(record: Record, part: str) -> float:
    """The accuracy of always naming a part's most frequent class."""
    table = _table(record, part)
    if table is not None and table.sum() > 0:
        return float(table.sum(axis=1).max() / table.sum())
    classes = len(items(record.run.get("class_names")))
    return 1 / classes if classes else math.nan


def _table(record: Record, part: str) -> Values | None:
    """A part's confusion matrix (true, predicted)."""
    rows = items(mapping(record.run.get("confusion")).get(part))
    found = [[number(v) for v in items(row)] for row in rows]
    if not found or any(len(row) != len(found) for row in found):
        return None
    return np.asarray(np.nan_to_num(np.array(found)))


def confusion(record: Record) -> dict[str, Any] | None:
    """The confusion matrix of the part that says most: the test's, if there is one."""
    part = next((p for p in reversed(PARTS) if _table(record, p) is not None), None)
    table = _table(record, part) if part else None
    if part is None or table is None:
        return None
    names = [text(n) for n in items(record.run.get("class_names"))]
    names += [f"class {k}" for k in range(len(names), len(table))]
    totals = np.maximum(table.sum(axis=1), 1)
    rows = [
        {
            "name": names[i],
            "cells": [
                {"count": f"{v:.0f}", "share": f"{v / totals[i]:.3f}", "right": i == j}
                for j, v in enumerate(row)
            ],
        }
        for i, row in enumerate(table)
    ]
    return {"part": _PART_NAMES[part], "names": names[: len(table)], "rows": rows}


def rule(learned: Mapping[str, Any]) -> dict[str, str]:
    """A learning rule and what it declares of itself."""
    limits = items(learned.get("limits"))
    return {
        "rule": text(learned.get("rule")),
        "parameters": ", ".join(map(text, items(learned.get("parameters")))),
        "settings": settings(mapping(learned.get("settings"))),
        "limits": " to ".join(f"{number(v):.4g}" for v in limits) if limits else "the cell's range",
        "locality": text(learned.get("locality")),
        "reads": (", ".join(map(text, items(learned.get("reads")))) or "nothing")
        + ", in each phase",
        "told": ", ".join(map(text, items(learned.get("told")))) or "nothing",
        "phases": ", ".join(map(text, items(learned.get("phases")))),
        "reference": text(learned.get("reference")),
    }


def settings(settings: Mapping[str, Any]) -> str:
    """Settings as they are written in a call, after the name where there is one."""
    name = text(settings.get("name"))
    rest = ", ".join(
        f"{text(k)} = {number(v):.4g}" if isinstance(v, int | float) else f"{text(k)} = {text(v)}"
        for k, v in settings.items()
        if k != "name"
    )
    return f"{name} ({rest})" if name and rest else name or rest


def guard(record: Record) -> list[tuple[str, str, str]]:
    """The largest deviation and residual, and when they were."""
    rows = []
    for column, said, unit in (
        ("deviation", "largest difference of a warm and a cold solution", "V"),
        ("residual", "largest residual of Kirchhoff's current law, relative", ""),
    ):
        values = record.metrics.get(column, np.zeros(0))
        if np.isfinite(values).any():
            worst = int(np.nanargmax(values))
            rows.append((said, quantity(float(values[worst]), unit), f"epoch {worst}"))
    return rows


def provenance(record: Record) -> Rows:
    """Where the numbers come from."""
    run, said = record.run, mapping(record.run.get("provenance"))
    ngspice = mapping(said.get("ngspice"))
    overrides = ", ".join(filter(None, map(text, items(run.get("overrides"))))) or "none"
    rows = [
        ("source", text(run.get("file"))),
        ("seed", text(run.get("seed"))),
        ("overrides", overrides),
        *((text(k), text(v)) for k, v in mapping(run.get("notes")).items()),
        ("time", text(said.get("time"))),
        ("ngspice", text(ngspice.get("version"))),
        ("ngspice found by", text(ngspice.get("found"))),
        ("Python", text(said.get("python"))),
        *((text(k), text(v)) for k, v in mapping(said.get("packages")).items()),
        ("platform", text(said.get("platform"))),
        ("fingerprint", text(run.get("fingerprint"))),
        ("run folder", str(record.folder.resolve())),
    ]
    return [(k, v) for k, v in rows if v]


# ---------------------------------------------------------------- simulations


def simulation_facts(record: Record) -> Rows:
    """The few numbers that the page of a simulation opens with."""
    transient = mapping(record.run.get("transient"))
    found = [("analysis", "transient" if transient else "operating point")]
    if transient:
        found += [
            ("until", quantity(number(transient.get("stop")), "s")),
            ("step", quantity(number(transient.get("step")), "s")),
        ]
    if record.signals:
        found.append(("signals", f"{len(record.signals):,}"))
    return found


def operating_point(signals: Mapping[str, Values], units: Mapping[str, str]) -> tuple[Rows, int]:
    """Names and values of an operating point's signals; and how many were left out."""
    rows = [
        (element(name, index), quantity(float(values[index]), units.get(name, ""), 6))
        for name, values in signals.items()
        for index in np.ndindex(*values.shape)
    ]
    return rows[:MOST_ROWS], max(0, len(rows) - MOST_ROWS)
