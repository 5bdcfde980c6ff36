"""Random streams keyed by what they are for.

A stream depends on the seed and on the name of the thing that draws, never on the order of drawing: a
line added elsewhere in a `.tgn` file changes no other value, and a resumed run draws what an
uninterrupted one would have drawn.
"""

from __future__ import annotations

import hashlib

import numpy as np


def stream(seed: int, *names: object) -> np.random.Generator:
    """The generator (Philox) of the thing called `names` under a seed.

    >>> float(stream(7, "first", "g").uniform()) == float(stream(7, "first", "g").uniform())
    True
    """
    key = "\x1f".join([str(seed), *map(str, names)]).encode()
    words = np.frombuffer(hashlib.sha256(key).digest()[:16], dtype="<u8")
    return np.random.Generator(np.random.Philox(key=words))
