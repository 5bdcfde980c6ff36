"""Gradient descent by light from behind."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from tellegen.arrays import Values
from tellegen.signature import Argument, number
from tellegen.sims.rules import rule


@rule(
    phases=("feedback",),
    reads=("@_out", "mirror.@_in"),
    feedback="error",
    changes="parameter",
    reference="Hughes, Minkov, Shi, Fan, Optica 5, 864 (2018), in-situ back-propagation",
    rate=number("@/V^2", low=0, doc="learning rate: phase per slope of the loss, in V^2 a rad"),
    at=Argument("path", doc="the output of light that the detectors of the targets look at"),
    behind=Argument("path", doc="the input of light from behind, an element for each of `at`"),
    mirror=Argument("path", doc="the cells as light from behind meets them"),
)
def in_situ(feedback: SimpleNamespace, rate: float) -> Values:
    """Multiply, at each phase, light from ahead by the error's light from behind.

    `dp = 2 rate Im(ahead * behind)`, `behind` launched as the conjugate of `at`, element by element times the
    derivative of the loss by its power.
    """
    return 2 * rate * np.imag(feedback.out * feedback.mirror_in)
