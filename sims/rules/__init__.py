"""Learning rules, a file each; the file's name is the rule's name in the language.

A rule declares the phases it needs, what it reads in each, and its locality. It gets that and no more: arrays of
the observables of the edges that it trains, one value an edge, what it is told besides, and its own settings. It
returns, for each edge, how much the conductance (or, where it says so, the parameter itself) is to grow, in the
learned parameter's unit.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

from tellegen.arrays import Values
from tellegen.diagnostics import TellegenError
from tellegen.signature import Argument

# How the circuit stands in each phase; `tellegen.sims.learning.phases` brings it there.
PHASES = {
    "free": "inputs driven",
    "clamped": "outputs held a fraction `nudge` of the way down the slope of the loss",
    "feedback": "inputs driven, and light into the input `behind`",
    "plus": "learned parameters moved",
    "minus": "learned parameters moved the other way",
}
# What a rule may be told besides what it reads at its edges.
TOLD: dict[str, tuple[str, ...]] = {
    "edge": ("wanted",),
    "broadcast": ("loss", "error", "wanted"),
    "global": ("loss", "error", "wanted", "outputs"),
}
# Of what rules are told, what each edge is told for itself.
OWN = ("wanted",)
FEEDBACK = ("", "error", "random")
MOVES = ("", "together", "quarter")
CHANGES = ("conductance", "parameter")
MIRROR = "mirror."
# Groups of cells besides the learned one, named by a setting, at which a rule may read.
ELSEWHERE = ("mirror", "detector")
_NEEDS = {
    "clamped": ("nudge",),
    "feedback": ("at", "behind"),
}


class LocalityError(TellegenError):
    """A rule computed an edge's update from more than it declares."""


@dataclass(frozen=True)
class Rule:
    """A learning rule and what it declares of itself.

    Attributes:
        name: the rule's name in the language.
        phases: the phases it needs, in the order in which they are run.
        reads: the observables of a cell that it reads, in every phase. A `@` stands for the learned
            parameter's name; `mirror.NAME` and `detector.NAME` are read at the group that the setting `mirror`
            or `detector` names; of a field that is observed as `NAME_re` and `NAME_im`, it gets complex numbers.
        locality: `edge`: each update depends on that edge's own observables alone; `broadcast`: and on one
            message that all edges get; `global`: on all outputs while parameters are moved one by one.
        told: `wanted`, the target (edges,) of each edge's own output, there being as many; or the message: `loss`
            of the sample, its derivative `error` by the outputs (outputs,), and for global rules the
            `outputs` in each phase, (edges, outputs) where edges are moved one by one.
        moves: how parameters move in `plus` and `minus`: `together`, each by the setting `size` up or down at
            random; or `quarter`, one after the other, phases by a quarter turn.
        feedback: what turns the light that is sent back from `at` into `behind`: the outputs' `error`
            through the detectors, or through a fixed `random` matrix.
        changes: what it returns, growth of the `conductance` or of the `parameter`.
        reference: the paper and equation.
        arguments: its settings.
        delta: the update, called with a namespace for each phase and those settings that it takes.
    """

    name: str
    phases: tuple[str, ...]
    reads: tuple[str, ...]
    locality: str
    told: tuple[str, ...]
    moves: str
    feedback: str
    changes: str
    reference: str
    arguments: Mapping[str, Argument]
    delta: Callable[..., Values] = field(compare=False)

    @property
    def doc(self) -> str:
        """The rule's documentation."""
        return (self.delta.__doc__ or "").strip()

    def names(self, phase: str) -> tuple[str, ...]:
        """What the namespace of a phase holds."""
        moved = ("move",) if phase in ("plus", "minus") else ()
        return (*map(attribute, self.reads), *self.told, *moved)

    def update(
        self, seen: Mapping[str, Mapping[str, Values]], settings: Mapping[str, Any]
    ) -> Values:
        """What is to be added for each edge, from what was seen: phase -> name -> (edges,) or a message."""
        phases = {p: SimpleNamespace(**{n: seen[p][n] for n in self.names(p)}) for p in self.phases}
        taken = inspect.signature(self.delta).parameters
        return np.asarray(self.delta(**phases, **{k: v for k, v in settings.items() if k in taken}))

    def check_locality(
        self, seen: Mapping[str, Mapping[str, Values]], settings: Mapping[str, Any]
    ) -> None:
        """Hold the rule to its declaration: half of the edges, reversed, get the same updates.

        What all edges are told alike stays as it is. Of a global rule nothing is asked.

        Raises:
            LocalityError: if an edge's update changes when other edges are taken away, or when the rule is
                asked again.
        """
        if self.locality == "global":
            return
        whole = self.update(seen, settings)
        order = np.arange(len(whole))[::-2]
        common = set(self.told) - set(OWN)
        part = self.update(
            {
                p: {n: v if n in common else v[order] for n, v in names.items()}
                for p, names in seen.items()
            },
            settings,
        )
        if not _same(part, whole[order]):
            raise LocalityError(
                f"rule `{self.name}` declares the locality `{self.locality}`, but its update of an "
                "edge depends on other edges"
            )
        if not _same(self.update(seen, settings), whole):
            raise LocalityError(
                f"rule `{self.name}` declares the locality `{self.locality}`, but it says something else "
                "when it is asked again: it keeps what it saw"
            )


def _same(these: Values, those: Values) -> bool:
    return these.shape == those.shape and np.allclose(these, those, 1e-12, 0, equal_nan=True)


def elsewhere(read: str) -> str:
    """The setting that names the group where something is read, or "" for the learned cells themselves."""
    group = read.partition(".")[0]
    return group if group in ELSEWHERE else ""


def attribute(read: str) -> str:
    """How a rule calls what it reads: `@_out` is `out`, `mirror.@_in` is `mirror_in`."""
    return read.replace("@_", "").replace(".", "_")


def rule(
    *,
    phases: tuple[str, ...],
    reads: tuple[str, ...] = (),
    reference: str,
    locality: str = "edge",
    told: tuple[str, ...] = (),
    moves: str = "",
    feedback: str = "",
    changes: str = "conductance",
    **arguments: Argument,
) -> Callable[[Callable[..., Values]], Rule]:
    """Declare a function as a learning rule.

    Raises:
        ValueError: for what the loop does not offer.
    """
    if unknown := set(phases) - PHASES.keys():
        raise ValueError(f"there are no phases {sorted(unknown)}, only {', '.join(PHASES)}")
    needed = {name: phase for phase in phases for name in _NEEDS.get(phase, ())}
    needed |= {group: group for read in reads if (group := elsewhere(read))}
    if moves == "together":
        needed["size"] = "plus"
    for name, what in needed.items():
        if name not in arguments:
            raise ValueError(f"a rule with a {what} phase takes `{name}`" if what != name
                             else f"a rule that reads a {name} takes `{name}`")  # fmt: skip
    if locality not in TOLD:
        raise ValueError(f"the locality `{locality}` is not known, only {', '.join(TOLD)}")
    if more := set(told) - set(TOLD[locality]):
        raise ValueError(f"a rule of the locality `{locality}` is not told {sorted(more)}")
    for value, known, what in ((moves, MOVES, "moves"), (feedback, FEEDBACK, "feedback"),
                               (changes, CHANGES, "changes")):  # fmt: skip
        if value not in known:
            raise ValueError(f"`{what}` is one of {known}, not `{value}`")
    if bool(moves) != bool({"plus", "minus"} & set(phases)):
        raise ValueError("phases `plus` and `minus` go with what `moves`, and only with that")
    if bool(feedback) != ("feedback" in phases):
        raise ValueError("a phase `feedback` goes with what the feedback is, and only with that")

    def declare(delta: Callable[..., Values]) -> Rule:
        return Rule(delta.__name__, phases, reads, locality, told, moves, feedback, changes,
                    reference, arguments, delta)  # fmt: skip

    return declare
