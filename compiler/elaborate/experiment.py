"""Elaboration of experiments: the values in task, train and simulate blocks.

Which data sets, encoders, waveforms and rules there are is not the compiler's business: calls stay
calls, with their places, for `tellegen.sims` to bind.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tellegen.diagnostics import Label, Sink
from tellegen.quantity import describe
from tellegen.source import Span
from tellegen.syntax import tree as t
from tellegen.values import (
    CallValue,
    IntervalValue,
    Number,
    PathValue,
    Unknown,
    Value,
    evaluate,
    kind_of,
)


@dataclass(frozen=True)
class SettingValue:
    """A setting's values: `epochs 60`, `update asynchronous(p = 0.5)`, `transient 1 ms step 1 us`."""

    values: tuple[Value, ...]
    span: Span


@dataclass(frozen=True)
class AssignmentValue:
    """`drive x = ...` or `target y = ...`."""

    port: PathValue
    value: Value
    span: Span


@dataclass(frozen=True)
class DataValue:
    """`data iris split 0.6, 0.2`."""

    source: CallValue
    split: tuple[Value, ...]
    span: Span


@dataclass(frozen=True)
class LearnValue:
    """`learn first.g in 1 uS .. 1 mS by coupled(...)`."""

    parameters: tuple[PathValue, ...]
    limits: Value | None
    rule: CallValue
    span: Span


@dataclass(frozen=True)
class VaryValue:
    """`vary mesh.theta, mesh.phi by bfgs(flat = 1 mHa)`."""

    parameters: tuple[PathValue, ...]
    rule: CallValue
    span: Span


@dataclass(frozen=True)
class MeasureValue:
    """`measure y in basis`."""

    output: PathValue
    basis: PathValue | None
    span: Span


@dataclass(frozen=True)
class ControlValue:
    """`control pi(read = y, drive = u, ...) every 50 us`."""

    controller: CallValue
    every: Value | None
    span: Span


@dataclass(frozen=True)
class SweepValue:
    """`sweep dt = -40 ms .. 40 ms step 5 ms`: a name and the values that it takes."""

    name: str
    values: tuple[Number, ...]
    span: Span


@dataclass(eq=False)
class ExperimentValues:
    """A task, train or simulate block with its expressions evaluated.

    It is `whole` where all of its statements could be read. With a `sweep` the drives and the controller
    are those at its first value; `block` gives the others.
    """

    kind: str
    name: t.Name
    subject: t.Name
    span: Span
    settings: dict[str, SettingValue] = field(default_factory=dict)
    drives: list[AssignmentValue] = field(default_factory=list)
    targets: list[AssignmentValue] = field(default_factory=list)
    data: DataValue | None = None
    learn: list[LearnValue] = field(default_factory=list)
    vary: VaryValue | None = None
    measure: MeasureValue | None = None
    record: list[PathValue] = field(default_factory=list)
    control: ControlValue | None = None
    sweep: SweepValue | None = None
    block: t.Experiment | None = None
    whole: bool = True


MOST_SWEPT = 10_000


def elaborate_experiment(
    block: t.Experiment, sink: Sink, at: Number | None = None
) -> ExperimentValues:
    """The values of a block, with its sweep at a value (by default the first).

    What is said twice is reported.
    """
    out = ExperimentValues(block.kind, block.name, block.subject, block.span, block=block)
    scope: dict[str, Value] = {}

    def value(e: t.Expression) -> Value:
        return evaluate(e, scope, sink, names=True)

    for s in block.statements:
        if isinstance(s, t.Sweep):
            if out.sweep is not None:
                _twice("sweep", s.span, out.sweep.span, sink)
                continue
            values = _swept(s, sink)
            scope[s.name.text] = at or (values[0] if values else Unknown(s.span))
            out.sweep = SweepValue(s.name.text, values, s.span)

    def call(e: t.Call) -> CallValue:
        found = value(e)
        assert isinstance(found, CallValue)
        return found

    for s in block.statements:
        match s:
            case t.Setting():
                first = out.settings.get(s.keyword)
                if first is not None:
                    _twice(s.keyword, s.span, first.span, sink)
                else:
                    # Without the swept name: what these say holds for all of its values.
                    said = tuple(evaluate(v, {}, sink, names=True) for v in s.values)
                    out.settings[s.keyword] = SettingValue(said, s.span)
            case t.Assignment():
                made = AssignmentValue(PathValue(s.port, s.port.span), value(s.value), s.span)
                of = out.drives if s.keyword == "drive" else out.targets
                for other in of:
                    if other.port.text == made.port.text:
                        _twice(f"{s.keyword} {made.port.text}", s.span, other.span, sink)
                of.append(made)
            case t.Data():
                if out.data is not None:
                    _twice("data", s.span, out.data.span, sink)
                out.data = DataValue(call(s.source), tuple(value(v) for v in s.split), s.span)
            case t.Learn():
                limits = None if s.limits is None else value(s.limits)
                paths = tuple(PathValue(p, p.span) for p in s.parameters)
                out.learn.append(LearnValue(paths, limits, call(s.rule), s.span))
            case t.Vary():
                if out.vary is not None:
                    _twice("vary", s.span, out.vary.span, sink)
                paths = tuple(PathValue(p, p.span) for p in s.parameters)
                out.vary = VaryValue(paths, call(s.rule), s.span)
            case t.Measure():
                if out.measure is not None:
                    _twice("measure", s.span, out.measure.span, sink)
                basis = None if s.basis is None else PathValue(s.basis, s.basis.span)
                out.measure = MeasureValue(PathValue(s.output, s.output.span), basis, s.span)
            case t.Control():
                if out.control is not None:
                    _twice("control", s.span, out.control.span, sink)
                every = None if s.every is None else value(s.every)
                out.control = ControlValue(call(s.controller), every, s.span)
            case t.Record():
                out.record.extend(PathValue(p, p.span) for p in s.signals)
    return out


def _swept(s: t.Sweep, sink: Sink) -> tuple[Number, ...]:
    """The values of a sweep; none, after diagnostics, where they cannot be known."""
    found = [evaluate(e, {}, sink) for e in s.values]
    if s.step is None:
        if all(isinstance(v, Number) for v in found):
            return tuple(v for v in found if isinstance(v, Number))
        for v in found:
            if not isinstance(v, Number | Unknown):
                sink.error("wrong-kind", f"a sweep goes over numbers, not over {kind_of(v)}", v.span,
                           help="write `LOW .. HIGH step STEP`, or the values one by one")  # fmt: skip
        return ()
    step = evaluate(s.step, {}, sink)
    (between,) = found
    if isinstance(between, Unknown) or isinstance(step, Unknown):
        return ()
    if not isinstance(between, IntervalValue) or not isinstance(step, Number):
        sink.error("wrong-kind", "a `step` goes with a range: `LOW .. HIGH step STEP`", s.span)
        return ()
    if step.dimension != between.low.dimension:
        sink.error("unit-mismatch", f"the range is {describe(between.low.dimension)}, but its step is "
                   f"{describe(step.dimension)}", s.step.span)  # fmt: skip
        return ()
    size = (between.high.value - between.low.value) / step.value if step.value else -1.0
    if not 0 <= size < MOST_SWEPT:
        sink.error("out-of-range", f"this range has no steps of `{step.text}`" if size < 0 else
                   f"a sweep has at most {MOST_SWEPT} values", s.span,
                   help="a range that falls has steps below zero" if step.value and size < 0 else "")  # fmt: skip
        return ()
    # Counted, not added up: the last value is the end of the range, to the last digit.
    return tuple(
        Number(between.low.value + k * step.value, step.dimension, s.span)
        for k in range(int(size * (1 + 1e-12) + 1e-9) + 1)
    )


def _twice(what: str, again: Span, first: Span, sink: Sink) -> None:
    sink.error("duplicate-name", f"`{what}` is said twice in one block", again,
               secondary=(Label(first, "first said here"),))  # fmt: skip
