"""Sine and square waves in random order, to be told apart point by point."""

from __future__ import annotations

import numpy as np

from tellegen.files import Files
from tellegen.signature import count, function
from tellegen.sims.datasets import Dataset


@function(
    periods=count(160, low=2, doc="how many periods"),
    points=count(8, low=2, doc="points in each period"),
    seed=count(0, doc="of the order of the waves"),
)
def sine_square(_files: Files, periods: int, points: int, seed: int) -> Dataset:
    """Periods of a sine or a square wave in random order: samples in time, 2 classes (Torrejon 2017)."""
    rng = np.random.Generator(np.random.PCG64(seed))
    kinds = rng.integers(0, 2, periods)
    k = np.arange(points)
    waves = np.array([np.sin(2 * np.pi * k / points), np.where(k < points / 2, 1.0, -1.0)])
    signal = waves[kinds].ravel()
    classes = np.repeat(kinds, points).astype(np.int64)
    return Dataset(
        signal[:, None], classes, ("sine", "square"), {"signal": signal},
        f"sine and square waves, {points} points a period, drawn with seed {seed}",
    )  # fmt: skip
