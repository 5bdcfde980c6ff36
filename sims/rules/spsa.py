"""Simultaneous perturbation."""

from __future__ import annotations

from types import SimpleNamespace

from tellegen.arrays import Values
from tellegen.signature import number
from tellegen.sims.rules import rule


@rule(
    phases=("plus", "minus"),
    locality="broadcast",
    told=("loss",),
    moves="together",
    changes="parameter",
    reference="Spall, IEEE Trans. Automatic Control 37, 332 (1992), equation 2.2, with constant gains",
    rate=number("@^2/V^2", low=0, doc="learning rate: parameter change per slope of the loss"),
    size=number("@", low=0, doc="how far each parameter is moved, up or down at random"),
)
def spsa(plus: SimpleNamespace, minus: SimpleNamespace, rate: float) -> Values:
    """Move all parameters at once, each to a random side and back; all are told two losses.

    `dp = -rate (loss_plus - loss_minus) / (move_plus - move_minus)`
    """
    return -rate * (plus.loss - minus.loss) / (plus.move - minus.move)
