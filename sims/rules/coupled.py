"""Coupled learning."""

from __future__ import annotations

from types import SimpleNamespace

from tellegen.arrays import Values
from tellegen.signature import number
from tellegen.sims.rules import rule


@rule(
    phases=("free", "clamped"),
    reads=("drop",),
    reference="Stern, Hexner, Rocks, Liu, PRX 11, 021045 (2021), coupled learning in flow networks",
    nudge=number(low=1e-9, high=1, doc="how far outputs are moved towards their targets, 0 to 1"),
    rate=number("@/V^2", low=0, doc="learning rate: parameter change per squared volt of contrast"),
)
def coupled(free: SimpleNamespace, clamped: SimpleNamespace, nudge: float, rate: float) -> Values:
    """Lower the dissipation of the clamped state against that of the free one.

    `dg = rate / nudge * (drop_free^2 - drop_clamped^2)`
    """
    return rate / nudge * (free.drop**2 - clamped.drop**2)
