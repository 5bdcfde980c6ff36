"""Random back-propagation to a layer of phases."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from tellegen.arrays import Values
from tellegen.signature import Argument, number
from tellegen.sims.rules import rule


@rule(
    phases=("feedback",),
    reads=("@_out", "mirror.@_in"),
    feedback="random",
    changes="parameter",
    reference="Lillicrap, Cownden, Tweed, Akerman, Nature Communications 7, 13276 (2016); Nokland, arXiv 1609.01596, "
    "to each layer directly; El Srouji et al., arXiv 2208.13144, on meshes",
    rate=number("@/V^2", low=0, doc="learning rate: phase per slope of what the layer takes for the loss"),
    at=Argument("path", doc="the output of light behind the layer, before its detectors"),
    behind=Argument("path", doc="the input of light from behind, an element for each of `at`"),
    mirror=Argument("path", doc="the cells as light from behind meets them"),
    strength=number("V/W", low=0, doc="standard deviation of the fixed random matrix, from the error to `at`"),
)  # fmt: skip
def random_feedback(feedback: SimpleNamespace, rate: float) -> Values:
    """Take a fixed random mixture of the errors for the layer's own, and send it back as light.

    `dp = 2 rate Im(ahead * behind)`, `behind` launched as the conjugate of `at`, element by element times
    `B error`.
    """
    return 2 * rate * np.imag(feedback.out * feedback.mirror_in)
