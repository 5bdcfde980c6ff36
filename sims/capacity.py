"""Memory of a reservoir: short-term memory and parity-check capacity.

Inputs are random bits s in {0, 1}. The target of delay D is `s[n-D]` for the short-term memory, and
`(s[n-D] + ... + s[n]) mod 2` for the parity check. A linear read-out is trained for each delay; the
capacity is the sum over D >= 1 of the squared correlation between its outputs and its targets on the test
part (Furuta et al., Phys. Rev. Applied 10, 034063 (2018); Tsunegi et al., Appl. Phys. Lett. 114, 164101 (2019)).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tellegen.sims.readout import Parts, fit

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Capacity:
    """Squared correlations (delays,) on the test part, for delays from 1 on, and their sum."""

    by_delay: Values

    @property
    def total(self) -> float:
        """The capacity."""
        return float(self.by_delay.sum())


def delayed(bits: NDArray[np.int64], delays: int) -> Values:
    """Short-term memory targets (samples, delays): `s[n-D]` for D = 1 .. delays, 0 before the first."""
    found = np.zeros((len(bits), delays))
    for d in range(1, delays + 1):
        found[d:, d - 1] = bits[:-d]
    return found


def parities(bits: NDArray[np.int64], delays: int) -> Values:
    """Parity targets (samples, delays): `(s[n-D] + ... + s[n]) mod 2` for D = 1 .. delays."""
    found = np.zeros((len(bits), delays))
    total = np.asarray(bits).copy()
    for d in range(1, delays + 1):
        total[d:] += bits[:-d]
        found[:, d - 1] = total % 2
    return found


def capacity(states: Values, targets: Values, parts: Parts, alphas: tuple[float, ...]) -> Capacity:
    """The capacity of states (samples, nodes) for targets (samples, delays), each with its own read-out."""
    test = parts.test
    scores = []
    for target in targets.T:
        output = fit(states, target[:, None], parts, alphas).predict(states[test])[:, 0]
        scores.append(squared_correlation(output, target[test]))
    return Capacity(np.array(scores))


def squared_correlation(a: Values, b: Values) -> float:
    """The squared correlation coefficient of two series; 0 where one of them is constant."""
    a, b = a - a.mean(), b - b.mean()
    power = float((a @ a) * (b @ b))
    return float((a @ b) ** 2 / power) if power > 0 else 0.0
