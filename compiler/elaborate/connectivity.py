"""Connectivity: who is connected to whom. The names and meanings are those of NEST and PyNN.

A rule gets the number of sources and of targets and returns two index arrays, sources and targets.
Within one population (`connect n by ...`) `targets` is None: pairs are unordered, and lattices live here.
`same[i, j]`-like questions (autapses) are settled by the caller, which knows the nodes.
A new rule is a new function here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tellegen.arrays import Indices
from tellegen.signature import Argument, count, function, number

Pairs = tuple[Indices, Indices]

# Candidate pairs that a rule may go through, and edges that it may make.
MOST_PAIRS = 20_000_000
_FLAG = Argument("flag", default=False)


class RuleError(Exception):
    """The rule cannot be applied to these populations; the text says why."""

    code = "arity"


class TooMany(RuleError):
    """The rule would have to go through too many pairs."""

    code = "out-of-range"


@dataclass(frozen=True)
class Population:
    """What a rule may know: sizes, whether both sides are one population, and a stream."""

    sources: int
    targets: int
    one: bool
    rng: np.random.Generator

    def pairs(self) -> Pairs:
        """Every candidate pair: all ordered ones, or within one population all unordered ones."""
        total = self.sources * self.targets
        if total > MOST_PAIRS:
            raise TooMany(f"{total} candidate pairs are too many: at most {MOST_PAIRS}")
        if self.one:
            i, j = np.triu_indices(self.sources, 1)
            return i.astype(np.int64), j.astype(np.int64)
        i, j = np.divmod(np.arange(total, dtype=np.int64), max(self.targets, 1))
        return i, j


def _two(population: Population, name: str) -> None:
    if population.one:
        raise RuleError(f"`{name}` needs sources and targets: `connect a -> b by {name}`")


def _one(population: Population, name: str) -> None:
    if not population.one:
        raise RuleError(f"`{name}` connects one population: `connect n by {name}(...)`")


@function()
def one_to_one(population: Population) -> Pairs:
    """The k-th source with the k-th target."""
    _two(population, "one_to_one")
    if population.sources != population.targets:
        raise RuleError(
            f"`one_to_one` needs as many sources as targets, not {population.sources} and "
            f"{population.targets}"
        )
    k = np.arange(population.sources, dtype=np.int64)
    return k, k


@function()
def all_to_all(population: Population) -> Pairs:
    """Every source with every target; within one population every pair once."""
    return population.pairs()


@function(p=number(low=0, high=1))
def pairwise_bernoulli(population: Population, p: float) -> Pairs:
    """Every pair with probability `p`, independently."""
    i, j = population.pairs()
    chosen = population.rng.random(len(i)) < p
    return i[chosen], j[chosen]


@function(n=count(), multapses=_FLAG)
def fixed_total_number(population: Population, n: int, multapses: bool) -> Pairs:
    """`n` pairs chosen at random; with `multapses = true` the same pair may come more than once."""
    i, j = population.pairs()
    if not multapses and n > len(i):
        raise RuleError(f"`fixed_total_number` asks for {n} of {len(i)} pairs")
    chosen = np.sort(population.rng.choice(len(i), n, replace=multapses))
    return i[chosen], j[chosen]


@function(k=count(), multapses=_FLAG)
def fixed_indegree(population: Population, k: int, multapses: bool) -> Pairs:
    """Every target with `k` sources chosen at random."""
    chosen, fixed = _choose(population, population.sources, population.targets, k, multapses)
    return _merge(population, chosen, fixed, multapses)


@function(k=count(), multapses=_FLAG)
def fixed_outdegree(population: Population, k: int, multapses: bool) -> Pairs:
    """Every source with `k` targets chosen at random."""
    chosen, fixed = _choose(population, population.targets, population.sources, k, multapses)
    return _merge(population, fixed, chosen, multapses)


def _choose(population: Population, pool: int, rows: int, k: int, multapses: bool) -> Pairs:
    available = pool - 1 if population.one else pool
    if available < 1 or (not multapses and k > available):
        raise RuleError(f"{k} partners are asked for, {max(available, 0)} are there")
    if rows * k > MOST_PAIRS:
        raise TooMany(f"{rows * k} edges are too many: at most {MOST_PAIRS}")
    picks = np.empty((rows, k), dtype=np.int64)
    for row in range(rows):
        picks[row] = np.sort(population.rng.choice(available, k, replace=multapses))
    own = np.repeat(np.arange(rows, dtype=np.int64), k)
    flat = picks.ravel()
    # Within one population nobody picks itself: the pool has a gap at the own number.
    return (flat + (flat >= own) if population.one else flat), own


def _merge(population: Population, i: Indices, j: Indices, multapses: bool) -> Pairs:
    """Within one population a pair picked from both ends is one edge, unless multapses are wanted."""
    if not population.one:
        return i, j
    low, high = np.minimum(i, j), np.maximum(i, j)
    if multapses:
        return low, high
    pairs = np.unique(low * population.sources + high)
    return pairs // population.sources, pairs % population.sources


@function(rows=count(low=1), columns=count(low=1))
def grid(population: Population, rows: int, columns: int) -> Pairs:
    """Nearest neighbours of a rectangular lattice; node `r * columns + c` stands in row r, column c."""
    _one(population, "grid")
    return _lattice(population, rows, columns, wrap=False)


@function(rows=count(low=1), columns=count(low=1))
def torus(population: Population, rows: int, columns: int) -> Pairs:
    """Nearest neighbours of a rectangular lattice whose opposite borders are joined."""
    _one(population, "torus")
    return _lattice(population, rows, columns, wrap=True)


def _lattice(population: Population, rows: int, columns: int, *, wrap: bool) -> Pairs:
    if rows * columns != population.sources:
        raise RuleError(f"{rows} x {columns} are not {population.sources} nodes")
    number = np.arange(rows * columns, dtype=np.int64).reshape(rows, columns)
    parts: list[Pairs] = []
    for axis, length in ((1, columns), (0, rows)):
        # Around a ring of two there is one edge, not two.
        if wrap and length > 2:
            parts.append((number.ravel(), np.roll(number, -1, axis).ravel()))
        elif axis:
            parts.append((number[:, :-1].ravel(), number[:, 1:].ravel()))
        else:
            parts.append((number[:-1].ravel(), number[1:].ravel()))
    i = np.concatenate([p[0] for p in parts])
    j = np.concatenate([p[1] for p in parts])
    return i, j
