"""The linear read-out of a reservoir: ridge regression, its data split in the order of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tellegen.arrays import Indices, Values
from tellegen.signature import Argument, function


@dataclass(frozen=True, eq=False)
class Parts:
    """Sample numbers of the parts, in the order of time."""

    train: Indices
    validation: Indices
    test: Indices


def in_time(samples: int, train: float, validation: float, washout: int = 0) -> Parts:
    """The first samples after the washout for training, the next for validation, the rest for the test.

    Args:
        samples: how many there are.
        train: share of what the washout leaves.
        validation: share of the same.
        washout: how many of the first samples are left out.

    Raises:
        ValueError: there would be nothing to train on.
    """
    left = samples - washout
    a = washout + round(train * left)
    b = a + round(validation * left)
    if a <= washout:
        raise ValueError(f"of {samples} samples, a washout of {washout} leaves none to train on")
    order = np.arange(samples)
    return Parts(order[washout:a], order[a:b], order[b:])


@function(
    alpha=Argument("numbers", low=0, high=1e12, doc="ridge parameter, or several to choose from")
)
def ridge(states: Values, targets: Values, parts: Parts, alpha: list[float]) -> Readout:
    """Linear read-out by ridge regression; of several alphas the best on the validation part."""
    return fit(states, targets, parts, tuple(alpha))


@dataclass(frozen=True, eq=False)
class Readout:
    """A trained read-out: `output = (state - mean) / scale @ weights + offset`.

    Attributes:
        mean, scale: (nodes,), of the training states.
        weights: (nodes, outputs).
        offset: (outputs,).
        alpha: the ridge parameter that was taken.
        validation: mean squared error on the validation part for each alpha; empty for a single one.
    """

    mean: Values
    scale: Values
    weights: Values
    offset: Values
    alpha: float
    validation: dict[float, float]

    def predict(self, states: Values) -> Values:
        """Outputs (samples, outputs) of states (samples, nodes)."""
        found: Values = (states - self.mean) / self.scale @ self.weights + self.offset
        return found


def fit(states: Values, targets: Values, parts: Parts, alphas: tuple[float, ...]) -> Readout:
    """Train a read-out of states (samples, nodes) for targets (samples, outputs).

    States are standardised over the training part, so that alpha is free of units: it is added to
    the diagonal of their correlation matrix. Of several alphas the one with the least error
    on the validation part is taken.

    Raises:
        ValueError: several alphas, and no validation part to choose on.
    """
    if len(alphas) > 1 and not len(parts.validation):
        raise ValueError("several alphas need a validation part to choose one on")
    train = states[parts.train]
    mean, scale = train.mean(axis=0), train.std(axis=0)
    # A node that does not move is no node; rounding is no movement.
    scale = np.where(scale > 1e-12 * np.abs(mean), scale, np.inf)
    unit = (train - mean) / scale
    tried: dict[float, Readout] = {}
    errors: dict[float, float] = {}
    for alpha in alphas:
        model = _ridge(alpha * len(unit)).fit(unit, targets[parts.train])
        weights = np.asarray(model.coef_).reshape(targets.shape[1], -1).T
        tried[alpha] = Readout(mean, scale, weights, np.atleast_1d(model.intercept_), alpha, errors)
        if len(alphas) > 1:
            wrong = tried[alpha].predict(states[parts.validation]) - targets[parts.validation]
            errors[alpha] = float((wrong**2).mean())
    return tried[min(errors, key=errors.__getitem__)] if errors else tried[alphas[0]]


def _ridge(alpha: float) -> Any:
    from sklearn.linear_model import Ridge

    # The singular values, not the normal equations: states of a reservoir are nearly dependent.
    return Ridge(alpha=alpha, solver="svd")


def nrmse(outputs: Values, targets: Values) -> float:
    """Root mean square error over the standard deviation of the targets."""
    return float(np.sqrt(((outputs - targets) ** 2).mean() / targets.var()))
