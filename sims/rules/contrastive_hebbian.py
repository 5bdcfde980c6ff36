"""Contrastive Hebbian learning of phases."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from tellegen.arrays import Values
from tellegen.signature import Argument, number
from tellegen.sims.rules import rule


@rule(
    phases=("free", "clamped"),
    reads=("@_out", "mirror.@_in"),
    changes="parameter",
    reference="Movellan, Connectionist Models (1991): Hebbian when clamped, anti-Hebbian when free; El Srouji et al., "
    "arXiv 2208.13144, on meshes; here for phases, as d(y' Re(U) x)/dp = -Im(ahead * behind)",
    nudge=number(low=1e-9, high=1, doc="how far outputs are moved towards their targets, 0 to 1"),
    rate=number("@/W", low=0, doc="learning rate: phase per contrast of powers"),
    mirror=Argument("path", doc="the cells as light of the layer behind meets them"),
)
def contrastive_hebbian(
    free: SimpleNamespace, clamped: SimpleNamespace, nudge: float, rate: float
) -> Values:
    """Raise the agreement of the activities at both ends of a mesh when clamped, lower it when free.

    `dp = rate / nudge * (Im(ahead * behind)_free - Im(ahead * behind)_clamped)`
    """
    contrast = np.imag(free.out * free.mirror_in) - np.imag(clamped.out * clamped.mirror_in)
    return rate / nudge * contrast
