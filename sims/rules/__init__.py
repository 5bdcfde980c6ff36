"""Learning rules, a file each; the file's name is the rule's name in the language.

A rule declares the phases it needs, what it reads in each, and its locality. It gets that and no more:
for an `edge` rule, arrays of the observables of the edges that it trains, one value an edge, and its own
settings. It returns, for each edge, how much the conductance is to grow, in the learned parameter's
unit; the loop turns the sign where a cell says that its parameter lowers the conductance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellegen.diagnostics import TellegenError
from tellegen.signature import Argument

Values = NDArray[np.float64]


class LocalityError(TellegenError):
    """A rule computed an edge's update from more than that edge."""


@dataclass(frozen=True)
class Rule:
    """A learning rule and what it declares of itself.

    Attributes:
        name: the rule's name in the language.
        phases: the phases it needs, in the order in which they are run.
        reads: the observables of a cell that it reads, in every phase.
        locality: `edge`: each update depends on that edge's own observables alone.
        reference: the paper and equation.
        arguments: its settings.
        delta: the update, called with a namespace of observables for each phase and the settings.
    """

    name: str
    phases: tuple[str, ...]
    reads: tuple[str, ...]
    locality: str
    reference: str
    arguments: Mapping[str, Argument]
    delta: Callable[..., Values] = field(compare=False)

    @property
    def doc(self) -> str:
        """The rule's documentation."""
        return (self.delta.__doc__ or "").strip()

    def update(
        self, seen: Mapping[str, Mapping[str, Values]], settings: Mapping[str, Any]
    ) -> Values:
        """The growth of each edge's conductance from what was seen: phase -> observable -> (edges,)."""
        phases = {p: SimpleNamespace(**{r: seen[p][r] for r in self.reads}) for p in self.phases}
        return np.asarray(self.delta(**phases, **settings))

    def check_locality(
        self, seen: Mapping[str, Mapping[str, Values]], settings: Mapping[str, Any]
    ) -> None:
        """Hold the rule to its declaration: half of the edges, reversed, get the same updates.

        Raises:
            LocalityError: if an edge's update changes when other edges are taken away.
        """
        whole = self.update(seen, settings)
        order = np.arange(len(whole))[::-2]
        part = self.update(
            {p: {r: v[order] for r, v in reads.items()} for p, reads in seen.items()}, settings
        )
        same = part.shape == order.shape and np.allclose(
            part, whole[order], 1e-12, 0, equal_nan=True
        )
        if not same:
            raise LocalityError(
                f"rule `{self.name}` declares the locality `{self.locality}`, but its update of an "
                "edge depends on other edges"
            )


def rule(
    *,
    phases: tuple[str, ...],
    reads: tuple[str, ...],
    reference: str,
    locality: str = "edge",
    **arguments: Argument,
) -> Callable[[Callable[..., Values]], Rule]:
    """Declare a function as a learning rule.

    Raises:
        ValueError: for what the loop does not offer.
    """
    if unknown := set(phases) - {"free", "clamped"}:
        raise ValueError(f"there are no phases {sorted(unknown)}, only `free` and `clamped`")
    if "clamped" in phases and "nudge" not in arguments:
        raise ValueError(
            "a rule with a clamped phase takes `nudge`, which says where outputs are held"
        )
    if locality != "edge":
        raise ValueError(f"the locality `{locality}` is not known, only `edge`")

    def declare(delta: Callable[..., Values]) -> Rule:
        return Rule(delta.__name__, phases, reads, locality, reference, arguments, delta)

    return declare
