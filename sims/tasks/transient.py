"""Solves by a transient: what a block says of one."""

from __future__ import annotations

from dataclasses import dataclass

from tellegen.diagnostics import Sink
from tellegen.elaborate.experiment import (
    ExperimentValues,
)
from tellegen.signature import convert, number
from tellegen.sims.tasks.window import Window, window_of
from tellegen.values import Unknown


@dataclass(frozen=True, eq=False)
class Transient:
    """A solve by a transient: its values at `stop`, or their means over a window of time.

    `max_step` bounds ngspice's own step; None leaves it to ngspice.
    """

    stop: float
    step: float
    max_step: float | None = None
    window: Window | None = None


def analysis_of(transient: Transient | None) -> str:
    """The card of the analysis."""
    if transient is None:
        return ".op"
    most = f" 0 {transient.max_step:.9g}" if transient.max_step else ""
    return f".tran {transient.step:.9g} {transient.stop:.9g}{most}"


def transient_of(block: ExperimentValues, sink: Sink) -> Transient | None:
    """The transient of a block, or None for operating points."""
    said = block.settings.get("transient")
    if said is None:
        window_of(block, None, sink)
        return None
    want = number("s", low=1e-18, high=1e9)
    if len(said.values) == 1:
        sink.error("arity", "this transient needs its length", said.span,
                   help="write `transient LENGTH step STEP`")  # fmt: skip
        return None
    stop = convert(said.values[0], want, "the length of a transient", sink)
    step = convert(said.values[1], want, "the step of a transient", sink)
    if isinstance(stop, Unknown) or isinstance(step, Unknown):
        return None
    if step > stop:
        sink.error("out-of-range", "the step is longer than the transient", said.span)
        return None
    return Transient(float(stop), float(step), window=window_of(block, float(stop), sink))
