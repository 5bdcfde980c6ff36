"""Masks: what a held value is multiplied with at each virtual node.

Each is a declared function whose first argument is the random stream of the mask. A new mask is a
new function here.
"""

from __future__ import annotations

import sys

import numpy as np

from tellegen.arrays import Values
from tellegen.signature import count, function, functions_of
from tellegen.sims.reservoir import reservoir

_NODES = count(low=1, high=100_000, doc="how many virtual nodes")


@function(nodes=_NODES)
def binary(rng: np.random.Generator, nodes: int) -> Values:
    """-1 or 1 at random (Appeltant et al., Nature Communications 2, 468 (2011))."""
    return reservoir.binary_mask(nodes, rng)


@function(nodes=_NODES)
def uniform(rng: np.random.Generator, nodes: int) -> Values:
    """Uniform in -1 .. 1."""
    return rng.uniform(-1.0, 1.0, nodes)


@function(nodes=_NODES)
def ones(rng: np.random.Generator, nodes: int) -> Values:
    """No mask: the value itself, looked at several times while it is held."""
    del rng
    return np.ones(nodes)


MASKS = functions_of(sys.modules[__name__])
