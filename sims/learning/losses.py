"""Losses: what learning makes small. A new one is a new function here.

A loss takes outputs and targets (samples, outputs), in volt, and gives the loss of each sample in V^2 and its
derivative by the outputs in volt, so that a nudge down its slope is a voltage whatever the loss.
"""

from __future__ import annotations

import sys

import numpy as np

from tellegen.arrays import Values
from tellegen.signature import function, functions_of, number


@function()
def square(outputs: Values, targets: Values) -> tuple[Values, Values]:
    """Half the sum of squared differences; the derivative is the difference."""
    error = outputs - targets
    return (error**2).sum(axis=-1) / 2, error


@function(scale=number("V", low=1e-12, doc="the voltage by which a class is e times as likely"))
def cross_entropy(outputs: Values, targets: Values, scale: float) -> tuple[Values, Values]:
    """Cross-entropy of the softmax of outputs / scale, times scale^2; the class is the highest target."""
    chosen = targets.argmax(axis=-1)[..., None]
    high = outputs.max(axis=-1, keepdims=True)
    weights = np.exp((outputs - high) / scale)
    total = weights.sum(axis=-1, keepdims=True)
    own = np.take_along_axis(outputs, chosen, axis=-1)
    value = scale * (high - own + scale * np.log(total))[..., 0]
    error = scale * weights / total
    np.put_along_axis(error, chosen, np.take_along_axis(error, chosen, -1) - scale, axis=-1)
    return value, error


LOSSES = functions_of(sys.modules[__name__])
