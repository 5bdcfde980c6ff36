"""The test bench: what stands around a network in its netlist.

Hardware and experiment are separate; the bench is the experiment's part of a netlist: a source at every
input, a clamp at every output that a phase will hold, and the analysis.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# A clamp is a voltage source behind a switch resistor: open in the free phase, closed in the clamped.
# One matrix pattern serves both, and the open value is far above any edge.
OPEN_OHM = 1e15
CLOSED_OHM = 1e-6


@dataclass(frozen=True)
class Bench:
    """The sources, clamps and analysis of a netlist.

    Attributes:
        drives: for each input the SPICE source values of its elements (`dc 1`, `pulse(...)`), or
            nothing for 0.
        clamps: the outputs that get a clamp.
        analysis: the analysis card, `.op` or `.tran ...`.
        notes: comment lines for the head of the netlist.
    """

    drives: Mapping[str, list[str]] = field(default_factory=dict)
    clamps: tuple[str, ...] = ()
    analysis: str = ".op"
    notes: tuple[str, ...] = ()
