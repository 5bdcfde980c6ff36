"""Gradient descent by the parameter-shift rule."""

from __future__ import annotations

from types import SimpleNamespace

from tellegen.arrays import Values
from tellegen.signature import number
from tellegen.sims.rules import rule


@rule(
    phases=("free", "plus", "minus"),
    locality="global",
    told=("error", "outputs"),
    moves="quarter",
    changes="parameter",
    reference="Mitarai, Negoro, Kitagawa, Fujii, PRA 98, 032309 (2018), the two-term rule; the chain rule of the loss",
    rate=number("@/V^2", low=0, doc="learning rate: phase per slope of the loss, in V^2 a rad"),
)
def parameter_shift(
    free: SimpleNamespace, plus: SimpleNamespace, minus: SimpleNamespace, rate: float
) -> Values:
    """Go down the measured slope of the loss.

    `dp_k = -rate * sum_j error_j (y_j(p_k + pi/2) - y_j(p_k - pi/2)) / 2`
    """
    return -rate * ((plus.outputs - minus.outputs) / 2) @ free.error
