"""Elaboration of experiments: the values in task, train and simulate blocks.

Which data sets, encoders, waveforms and rules there are is not the compiler's business: calls stay
calls, with their places, for `tellegen.sims` to bind.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tellegen.diagnostics import Label, Sink
from tellegen.source import Span
from tellegen.syntax import tree as t
from tellegen.values import CallValue, PathValue, Value, evaluate


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


@dataclass(eq=False)
class ExperimentValues:
    """A task, train or simulate block with its expressions evaluated.

    It is `whole` where all of its statements could be read.
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
    record: list[PathValue] = field(default_factory=list)
    whole: bool = True


def elaborate_experiment(block: t.Experiment, sink: Sink) -> ExperimentValues:
    """The values of a block; what is said twice is reported."""
    out = ExperimentValues(block.kind, block.name, block.subject, block.span)

    def value(e: t.Expression) -> Value:
        return evaluate(e, {}, sink, names=True)

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
                    out.settings[s.keyword] = SettingValue(
                        tuple(value(v) for v in s.values), s.span
                    )
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
            case t.Record():
                out.record.extend(PathValue(p, p.span) for p in s.signals)
    return out


def _twice(what: str, again: Span, first: Span, sink: Sink) -> None:
    sink.error("duplicate-name", f"`{what}` is said twice in one block", again,
               secondary=(Label(first, "first said here"),))  # fmt: skip
