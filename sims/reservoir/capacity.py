"""Memory of a reservoir: short-term memory and parity-check capacity.

Inputs are random bits s in {0, 1}. The target of delay D is `s[n-D]` for the short-term memory, and
`(s[n-D] + ... + s[n]) mod 2` for the parity check. A linear read-out is trained for each delay; the
capacity is the sum over D >= 1 of the squared correlation between its outputs and its targets on the test
part (Furuta et al., Phys. Rev. Applied 10, 034063 (2018); Tsunegi et al., Appl. Phys. Lett. 114, 164101 (2019)).

Outputs that have nothing to do with their targets still correlate in a finite series: the squared correlation of N
independent samples is 1/(N-1) on average (R. A. Fisher 1924, as in the adjusted R^2). Summed over delays that is
a capacity of nothing, which `unbiased` takes off.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tellegen.arrays import Values
from tellegen.sims.reservoir.readout import Parts, fit


@dataclass(frozen=True, eq=False)
class Capacity:
    """Squared correlations (delays,) on the test part of `samples`, for delays from 1 on, and their sum."""

    by_delay: Values
    samples: int

    @property
    def total(self) -> float:
        """The capacity."""
        return float(self.by_delay.sum())

    @property
    def unbiased(self) -> float:
        """The capacity less what chance makes of it: 0 on average for states that know nothing."""
        return float(without_chance(self.by_delay, self.samples).sum())


def capacity(states: Values, targets: Values, parts: Parts, alphas: tuple[float, ...]) -> Capacity:
    """The capacity of states (samples, nodes) for targets (samples, delays), each with its own read-out.

    Raises:
        ValueError: several alphas, and no validation part to choose on.
    """
    validation, test = parts.validation, parts.test
    if len(alphas) > 1 and not len(validation):
        raise ValueError("several alphas need a validation part to choose one on")
    # All delays share the decomposition of the states, which is what a fit costs; alpha is each one's own.
    tried = [fit(states, targets, parts, (alpha,)) for alpha in alphas]
    best = np.zeros(targets.shape[1], int)
    if len(alphas) > 1:
        wrong = [readout.predict(states[validation]) - targets[validation] for readout in tried]
        best = (np.stack(wrong) ** 2).mean(axis=1).argmin(axis=0)
    outputs = [readout.predict(states[test]) for readout in tried]
    scores = [squared_correlation(outputs[a][:, d], targets[test, d]) for d, a in enumerate(best)]
    return Capacity(np.array(scores), len(test))


def squared_correlation(a: Values, b: Values) -> float:
    """The squared correlation coefficient of two series; 0 where one of them is constant."""
    a, b = a - a.mean(), b - b.mean()
    power = float((a @ a) * (b @ b))
    return float((a @ b) ** 2 / power) if power > 0 else 0.0


def without_chance(squared: Values, samples: int) -> Values:
    """Squared correlations of so many samples less their bias: `1 - (1 - r^2)(N - 1)/(N - 2)`."""
    return 1 - (1 - np.asarray(squared)) * (samples - 1) / (samples - 2)
