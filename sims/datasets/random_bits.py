"""Random bits, with what a memory would keep of them."""

from __future__ import annotations

import numpy as np

from tellegen.arrays import Indices, Values
from tellegen.files import Files
from tellegen.signature import count, function
from tellegen.sims.datasets import Dataset


@function(
    samples=count(2000, low=20, doc="how many bits"),
    delays=count(10, low=1, high=1000, doc="up to which delay there are targets"),
    seed=count(0, doc="of the bits"),
)
def random_bits(_files: Files, samples: int, delays: int, seed: int) -> Dataset:
    """Bits `signal`, with their `memory` and `parity` for each delay from 1 on."""
    rng = np.random.Generator(np.random.PCG64(seed))
    bits = rng.integers(0, 2, samples)
    signal = bits.astype(float)
    return Dataset(
        signal[:, None],
        columns={
            "signal": signal,
            "memory": delayed(bits, delays),
            "parity": parities(bits, delays),
        },
        source=f"random bits, drawn with seed {seed}",
    )


def delayed(bits: Indices, delays: int) -> Values:
    """Short-term memory targets (samples, delays): `s[n-D]` for D = 1 .. delays, 0 before the first."""
    found = np.zeros((len(bits), delays))
    for d in range(1, delays + 1):
        found[d:, d - 1] = bits[:-d]
    return found


def parities(bits: Indices, delays: int) -> Values:
    """Parity targets (samples, delays): `(s[n-D] + ... + s[n]) mod 2` for D = 1 .. delays."""
    found = np.zeros((len(bits), delays))
    total = np.asarray(bits).copy()
    for d in range(1, delays + 1):
        total[d:] += bits[:-d]
        found[:, d - 1] = total % 2
    return found
