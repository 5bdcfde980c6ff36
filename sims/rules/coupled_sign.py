"""Coupled learning as discrete hardware does it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from tellegen.arrays import Values
from tellegen.signature import number
from tellegen.sims.rules import rule


@rule(
    phases=("free", "clamped"),
    reads=("drop",),
    reference="Dillavou, Stern, Liu, Durian, PR Applied 18, 014040 (2022), comparator and XOR per edge",
    nudge=number(low=1e-9, high=1, doc="how far outputs are moved towards their targets, 0 to 1"),
    size=number("@", low=0, doc="how far a parameter moves in a step, such as one tap: `size = 1`"),
)
def coupled_sign(
    free: SimpleNamespace, clamped: SimpleNamespace, nudge: float, size: float
) -> Values:
    """Move every edge one step, by comparing the two voltage drops alone.

    `dg = size * sign(|drop_free| - |drop_clamped|)`; nudge acts through the clamped phase only.
    """
    return size * np.sign(np.abs(free.drop) - np.abs(clamped.drop))
