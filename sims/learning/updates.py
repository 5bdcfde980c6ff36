"""Update schemes: which edges move in a step. A new one is a new function here."""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

from tellegen.signature import function, functions_of, number

Mask = NDArray[np.bool_]


@function()
def synchronous(rng: np.random.Generator, n: int) -> Mask:
    """Every edge moves in every step."""
    del rng
    return np.ones(n, dtype=bool)


@function(p=number(low=0, high=1))
def asynchronous(rng: np.random.Generator, n: int, p: float) -> Mask:
    """Each edge decides alone, with probability `p` (Wycoff et al., JCP 156, 144903 (2022))."""
    return rng.random(n) < p


UPDATES = functions_of(sys.modules[__name__])
