"""Random bits, with what a memory would keep of them."""

from __future__ import annotations

import numpy as np

from tellegen.files import Files
from tellegen.signature import count, function
from tellegen.sims.datasets import Dataset
from tellegen.sims.reservoir.capacity import delayed, parities


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
