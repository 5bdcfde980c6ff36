"""The NARMA10 series: a nonlinear recursion of order ten over a random input."""

from __future__ import annotations

import numpy as np

from tellegen.files import Files
from tellegen.signature import count, function
from tellegen.sims.datasets import Dataset


@function(
    samples=count(2000, low=20, doc="how many samples"),
    seed=count(0, doc="of the input"),
)
def narma10(_files: Files, samples: int, seed: int) -> Dataset:
    """NARMA10 (Atiya and Parlos 2000): input `signal` uniform in 0 .. 0.5, the series itself as `next`.

    `y[n+1] = 0.3 y[n] + 0.05 y[n] (y[n] + ... + y[n-9]) + 1.5 s[n] s[n-9] + 0.1`; `next` at n is y[n+1].
    The recursion has inputs on which it diverges; such an input is drawn again.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    while True:
        s = rng.uniform(0.0, 0.5, samples)
        y = np.zeros(samples + 1)
        for n in range(9, samples):
            y[n + 1] = min(
                0.3 * y[n] + 0.05 * y[n] * y[n - 9 : n + 1].sum() + 1.5 * s[n] * s[n - 9] + 0.1,
                10.0,
            )
        if y.max() < 1.5:
            break
    return Dataset(s[:, None], columns={"signal": s, "next": y[1:]},
                   source=f"NARMA10, drawn with seed {seed}")  # fmt: skip
