"""What libraries ask of the simulator: method of integration and tolerances."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

# Tolerances of ngspice that a library may ask for.
OPTIONS = ("reltol", "abstol", "vntol", "chgtol", "gmin", "pivtol", "trtol")


@dataclass(frozen=True)
class Solver:
    """What a family of cells asks of the simulator.

    Attributes:
        method: the integration method, "gear" or "trap", or "" for either.
        options: ngspice's tolerances and their values, the loosest that still serve.
        reason: why, in a few words.
    """

    method: str = ""
    options: tuple[tuple[str, float], ...] = ()
    reason: str = ""


NO_SOLVER = Solver()


def tightest(asked: Iterable[Solver]) -> Solver:
    """What serves every cell: the smallest of each tolerance, and the method if they agree."""
    asked = [solver for solver in asked if solver != NO_SOLVER]
    methods = {s.method for s in asked if s.method}
    options = tuple(
        (name, min(found))
        for name in OPTIONS
        if (found := [dict(s.options)[name] for s in asked if name in dict(s.options)])
    )
    reasons = dict.fromkeys(s.reason for s in asked if s.reason)
    return Solver(methods.pop() if len(methods) == 1 else "", options, "; ".join(reasons))
