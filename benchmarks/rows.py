"""What a benchmark yields: rows, each a number with what it is held against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Row:
    """One measured number.

    Attributes:
        name: what was measured.
        value: the number.
        spread: the smallest and the largest measured, or None.
        unit: unit of value and spread.
        target: what was asked for, as text; empty where nothing was.
        reference: where the target, or a number to compare with, comes from.
        met: whether the target was met; None where there is none.
    """

    name: str
    value: float
    spread: tuple[float, float] | None
    unit: str
    target: str
    reference: str
    met: bool | None


def measured(values: Sequence[float]) -> tuple[float, tuple[float, float]]:
    """The median of some measurements, with the smallest and the largest."""
    return float(np.median(values)), (float(min(values)), float(max(values)))


def at_least(name: str, values: Sequence[float], bound: float | None, reference: str) -> Row:
    """A row of ratios (unit 1) whose median is to reach a bound, if there is one."""
    value, spread = measured(values)
    target = "" if bound is None else f">= {bound:g}"
    return Row(
        name, value, spread, "1", target, reference, None if bound is None else value >= bound
    )
