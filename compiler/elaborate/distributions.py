"""Distributions: what stands after `~`.

Each draws `n` values from a generator. `@` in a unit is the unit of the parameter that is drawn.
A new distribution is a new function here.
"""

from __future__ import annotations

import numpy as np

from tellegen.arrays import Values
from tellegen.signature import function, number


@function(low=number("@"), high=number("@"))
def uniform(rng: np.random.Generator, n: int, low: float, high: float) -> Values:
    """Uniform between `low` and `high`."""
    return rng.uniform(low, high, n)


@function(low=number("@", low=1e-300), high=number("@", low=1e-300))
def loguniform(rng: np.random.Generator, n: int, low: float, high: float) -> Values:
    """Uniform in the logarithm, between `low` and `high`."""
    return np.exp(rng.uniform(np.log(low), np.log(high), n))


@function(mean=number("@"), sd=number("@", low=0))
def normal(rng: np.random.Generator, n: int, mean: float, sd: float) -> Values:
    """Normal with the given mean and standard deviation."""
    return rng.normal(mean, sd, n)


@function(
    mean=number("@"), sd=number("@", low=0), low=number("@"), high=number("@"),
)  # fmt: skip
def truncated_normal(
    rng: np.random.Generator, n: int, mean: float, sd: float, low: float, high: float
) -> Values:
    """Normal with the given mean and standard deviation, cut to `low` .. `high`."""
    from scipy.stats import truncnorm

    a, b = (low - mean) / max(sd, 1e-300), (high - mean) / max(sd, 1e-300)
    return np.asarray(truncnorm.ppf(rng.uniform(size=n), a, b, loc=mean, scale=sd))


@function(
    mean=number("@"), sd=number("@", low=0), low=number("@"), high=number("@"),
)  # fmt: skip
def clipped_normal(
    rng: np.random.Generator, n: int, mean: float, sd: float, low: float, high: float
) -> Values:
    """Normal whose values beyond `low` .. `high` are set to the nearer bound (PyNN: normal_clipped_to_boundary)."""
    return np.clip(rng.normal(mean, sd, n), low, high)


@function(mean=number("@", low=0))
def exponential(rng: np.random.Generator, n: int, mean: float) -> Values:
    """Exponential with the given mean, from 0 upwards."""
    return rng.exponential(mean, n)


@function(shape=number(low=1e-300), scale=number("@", low=0))
def gamma(rng: np.random.Generator, n: int, shape: float, scale: float) -> Values:
    """Gamma with the given shape and scale: mean `shape * scale`, variance `shape * scale^2` (PyNN: k, theta)."""
    return rng.gamma(shape, scale, n)


@function(mean=number("rad"), concentration=number(low=0))
def vonmises(rng: np.random.Generator, n: int, mean: float, concentration: float) -> Values:
    """Von Mises, the normal distribution of angles: `mean` and the draws in radians, -pi .. pi."""
    return rng.vonmises(mean, concentration, n)


@function(median=number("@", low=1e-300), sigma=number(low=0))
def lognormal(rng: np.random.Generator, n: int, median: float, sigma: float) -> Values:
    """Log-normal with the given median; `sigma` is the standard deviation of the natural logarithm."""
    return median * np.exp(rng.normal(0.0, sigma, n))


@function(low=number("@"), high=number("@"))
def integers(rng: np.random.Generator, n: int, low: float, high: float) -> Values:
    """Whole numbers from `low` to `high`, both included, equally likely."""
    return rng.integers(int(low), int(high), n, endpoint=True).astype(float)
