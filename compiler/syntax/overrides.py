"""Settings from the command line: `--set train.epochs=5`.

An override names a block by its kind or its own name, a statement by its keyword, and possibly an
argument of the call in it: `train.learn.rate=2 uS/V^2`, `Iris.n=12` for a network's parameter. Where a
statement is about a port, that port stands in the argument's place: `task.target.y=0.5 V`. An override
changes the syntax tree, so that everything behind treats it as if it stood in the file, and a mistake
in it is shown at its own text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from lark import UnexpectedInput

from tellegen.diagnostics import Sink, did_you_mean, one_of
from tellegen.source import Source, Span
from tellegen.syntax import tree as t
from tellegen.syntax.build import Builder
from tellegen.syntax.parse import TooDeep, parser

_ADDABLE = {
    "train": (
        "epochs",
        "batch",
        "starts",
        "shots",
        "bits",
        "washout",
        "seed",
        "level",
        "window",
        "loss",
        "update",
    ),
    "simulate": ("seed", "level"),
    "task": ("decode",),
}
_CALLS = ("loss", "update", "decode", "cost")
_RULES = (*_CALLS, "data", "learn", "vary")
_SHAPE = re.compile(r"\s*([A-Za-z_]\w*)\.([A-Za-z_]\w*)(?:\.([A-Za-z_]\w*))?\s*=")


def apply_overrides(unit: t.Unit, overrides: Iterable[str], sink: Sink) -> t.Unit:
    """The tree with the overrides applied in order; mistakes go to the sink."""
    for text in overrides:
        unit = _apply(unit, Source("--set", text), sink)
    return unit


def _apply(unit: t.Unit, source: Source, sink: Sink) -> t.Unit:
    whole = source.span(0, max(1, len(source.text)))
    shape = _SHAPE.match(source.text)
    if shape is None:
        sink.error("override", f"`{source.text}` is not of the form BLOCK.SETTING=VALUE", whole,
                   help="such as `--set train.epochs=5` or `--set train.learn.rate=2 uS/V^2`")  # fmt: skip
        return unit
    value = _expression(source, shape.end(), sink)
    if value is None:
        return unit
    block, key, argument = shape.groups()
    place = source.span(shape.start(1), shape.end(1))
    if any(n.name.text == block for n in unit.networks) and argument is None:
        return _parameter(unit, block, key, value, place, sink)
    chosen = [e for e in unit.experiments if block in (e.kind, e.name.text)]
    if not chosen:
        known = ["task", "train", "simulate", *(n.name.text for n in unit.networks),
                 *(e.name.text for e in unit.experiments)]  # fmt: skip
        sink.error(
            "override", f"there is no block `{block}`", place, help=did_you_mean(block, known)
        )
        return unit
    if key in _RULES and argument is None and not _is_rule(value):
        sink.error("override", f"`{key}` takes a name or a call", value.span,
                   help=f"such as `--set {block}.{key}=NAME`")  # fmt: skip
        return unit
    changed, done = {}, False
    for e in chosen:
        new = _statement(e, key, argument, value, whole)
        done |= new is not None
        changed[id(e)] = new or e
    if not done:
        keys = {_keyword(s) for e in chosen for s in e.statements}
        keys |= {k for e in chosen for k in _ADDABLE.get(e.kind, ())}
        what = f"`{key}`" if argument is None else f"`{key}` with an argument `{argument}`"
        sink.error("override", f"block `{block}` has no {what}",
                   source.span(shape.start(2), shape.end(2)),
                   help=did_you_mean(key, keys) or f"it has {one_of(keys)}")  # fmt: skip
    return replace(unit, experiments=tuple(changed.get(id(e), e) for e in unit.experiments))


def _expression(source: Source, start: int, sink: Sink) -> t.Expression | None:
    """The value, parsed in place: its text is padded so that columns are those of the option."""
    try:
        tree = parser().parse(" " * start + source.text[start:], start="setting")
        return Builder(source).transform(tree)
    except (UnexpectedInput, TooDeep) as error:
        at = min(max(getattr(error, "pos_in_stream", 0) or 0, start), max(0, len(source.text) - 1))
        sink.error("syntax", f"the value in `{source.text}` cannot be read", source.span(at))
        return None


def _parameter(
    unit: t.Unit, network: str, key: str, value: t.Expression, place: Span, sink: Sink
) -> t.Unit:
    def change(n: t.Network) -> t.Network:
        if n.name.text != network:
            return n
        known = [p.name.text for p in n.parameters]
        if key not in known:
            sink.error("override", f"network `{network}` has no parameter `{key}`", place,
                       help=did_you_mean(key, known)
                       or (f"it has {one_of(known)}" if known else ""))  # fmt: skip
        return replace(
            n,
            parameters=tuple(
                replace(p, default=value) if p.name.text == key else p for p in n.parameters
            ),
        )

    return replace(unit, networks=tuple(change(n) for n in unit.networks))


def _keyword(s: t.ExperimentStatement) -> str:
    if isinstance(s, t.Setting | t.Assignment):
        return s.keyword
    return type(s).__name__.lower()


def _statement(
    e: t.Experiment, key: str, argument: str | None, value: t.Expression, span: Span
) -> t.Experiment | None:
    """The block with one statement changed or added, or None where there is none to change."""
    found = False
    statements: list[t.ExperimentStatement] = []
    for s in e.statements:
        new = _changed(s, argument, value) if _keyword(s) == key else None
        found |= new is not None
        statements.append(new or s)
    if not found and argument is None and key in _ADDABLE.get(e.kind, ()):
        statements.append(t.Setting(key, (_as_call(value) if key in _CALLS else value,), span))
        found = True
    return replace(e, statements=tuple(statements)) if found else None


def _changed(
    s: t.ExperimentStatement, argument: str | None, value: t.Expression
) -> t.ExperimentStatement | None:
    match s:
        case t.Setting("transient", (_,)):
            return replace(s, values=(value,)) if argument == "step" else None
        case t.Setting(values=(t.Call() as call,)):
            return replace(s, values=(_call(call, argument, value),))
        case t.Setting() if argument is None and len(s.values) == 1:
            return replace(s, values=(value,))
        case t.Setting("transient", (stop, step)) if argument in ("stop", "step"):
            return replace(s, values=(value, step) if argument == "stop" else (stop, value))
        case t.Assignment() if str(s.port) == argument:
            return replace(s, value=value)
        case t.Learn() if argument == "in":
            return replace(s, limits=value)
        case t.Learn() | t.Vary():
            return replace(s, rule=_call(s.rule, argument, value))
        case t.Data():
            if argument == "split":
                items = value.items if isinstance(value, t.Sequence) else (value,)
                return replace(s, split=items)
            return replace(s, source=_call(s.source, argument, value))
    return None


def _call(call: t.Call, argument: str | None, value: t.Expression) -> t.Call:
    if argument is None:
        return _as_call(value)
    name = t.Name(argument, value.span)
    new = t.Argument(name, "=", value, False, value.span)
    kept = tuple(a for a in call.arguments if a.name is None or a.name.text != argument)
    return replace(call, arguments=(*kept, new))


def _is_rule(value: t.Expression) -> bool:
    """Whether a value can stand where a rule is due: a call or a bare word."""
    if isinstance(value, t.Path):
        return len(value.steps) == 1 and not value.steps[0].subscripts
    return isinstance(value, t.Call)


def _as_call(value: t.Expression) -> t.Call:
    """A bare word where a rule is due is a call without arguments."""
    if isinstance(value, t.Call):
        return value
    assert isinstance(value, t.Path)
    return t.Call(value.steps[0].name, (), value.span)
