"""Learning which oscillators lock."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from tellegen.arrays import Values
from tellegen.signature import Argument, number
from tellegen.sims.rules import rule


@rule(
    phases=("free",),
    reads=("detector.lock", "detector.lead"),
    told=("wanted",),
    changes="parameter",
    reference="Romera et al., Nature 563, 230 (2018), methods: the currents of oscillators that lock wrongly are stepped",
    detector=Argument("path", doc="the group of detectors, one for each learned parameter"),
    rate=number(
        "@", doc="how far a wrong one is moved: negative where the frequency falls with it"
    ),
    limit=number("V", default=0.9, low=0, doc="what locks, and is to lock, is above"),
)
def locking(free: SimpleNamespace, rate: float, limit: float) -> Values:
    """Bring an oscillator that should lock and does not nearer to its microwave, the opposite away.

    `dp = rate * (locks - wanted) * sign(lead)`, where `lead` is positive for an oscillator that is faster.
    """
    locks, wanted = free.detector_lock > limit, free.wanted > limit
    return rate * (locks.astype(float) - wanted) * np.sign(free.detector_lead)
