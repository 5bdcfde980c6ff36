"""The syntax tree as source text again, in canonical form: what `compile --emit syntax` prints.

Reading the printed text gives an equal tree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tellegen.syntax import tree as t

_INDENT = "    "
_TIGHT = {"+": 1, "-": 1, "*": 2, "/": 2}


def format_unit(unit: t.Unit) -> str:
    """A whole file."""
    blocks: list[str] = ["\n".join(f"import {i.library}" for i in unit.imports)]
    blocks += ["\n".join(_network(n)) for n in unit.networks]
    blocks += ["\n".join(_experiment(e)) for e in unit.experiments]
    return "\n\n".join(b for b in blocks if b) + "\n"


def _network(n: t.Network) -> Iterator[str]:
    parameters = ", ".join(f"{p.name} = {expression(p.default)}" for p in n.parameters)
    yield f"network {n.name}{f'({parameters})' if parameters else ''} {{"
    for s in n.statements:
        yield _INDENT + _network_statement(s)
    yield "}"


def _network_statement(s: t.Port | t.Alias | t.Supply | t.Instance | t.Connection) -> str:
    match s:
        case t.Port():
            discipline = f": {s.discipline}" if s.discipline else ""
            return f"{s.kind} {s.name}{_index(s.shape)}{discipline}"
        case t.Alias():
            return f"{s.kind} {s.name} = {', '.join(_terminal(x) for x in s.terminals)}"
        case t.Supply():
            return f"supply {s.name} = {expression(s.value)}"
        case t.Instance():
            return f"{s.label}: {s.cell}{_index(s.shape)}({_arguments(s.arguments)})"
        case t.Connection():
            arrow = f" -> {_nodes(s.target)}" if s.target else ""
            return (
                f"{s.label}: connect {_nodes(s.source)}{arrow} by {_rule(s.rule)} "
                f"using {s.cell}({_arguments(s.arguments)})"
            )


def _experiment(e: t.Experiment) -> Iterator[str]:
    if e.kind == "train":
        renamed = f" as {e.name}" if e.name.text != e.subject.text else ""
        yield f"train {e.subject}{renamed} {{"
    else:
        yield f"{e.kind} {e.name} for {e.subject} {{"
    for s in e.statements:
        yield _INDENT + _experiment_statement(s)
    yield "}"


def _experiment_statement(s: t.ExperimentStatement) -> str:
    match s:
        case t.Setting("transient", (stop, step)):
            return f"transient {expression(stop)} step {expression(step)}"
        case t.Setting("transient", (step,)):
            return f"transient step {expression(step)}"
        case t.Setting("decode" | "loss" | "update" | "cost", (t.Call() as call,)):
            return f"{s.keyword} {_rule(call)}"
        case t.Setting():
            return f"{s.keyword} {expression(s.values[0])}"
        case t.Assignment():
            value = s.value
            text = (
                ", ".join(map(expression, value.items))
                if isinstance(value, t.Sequence)
                else expression(value)
            )
            return f"{s.keyword} {path(s.port)} = {text}"
        case t.Data():
            split = f" split {', '.join(map(expression, s.split))}" if s.split else ""
            return f"data {_rule(s.source)}{split}"
        case t.Learn():
            limits = f" in {expression(s.limits)}" if s.limits else ""
            return f"learn {', '.join(map(path, s.parameters))}{limits} by {_rule(s.rule)}"
        case t.Vary():
            return f"vary {', '.join(map(path, s.parameters))} by {_rule(s.rule)}"
        case t.Measure():
            basis = f" in {path(s.basis)}" if s.basis else ""
            return f"measure {path(s.output)}{basis}"
        case t.Control():
            every = f" every {expression(s.every)}" if s.every else ""
            return f"control {_rule(s.controller)}{every}"
        case t.Record():
            return f"record {', '.join(map(path, s.signals))}"
        case t.Sweep():
            by = f" step {expression(s.step)}" if s.step else ""
            return f"sweep {s.name} = {', '.join(map(expression, s.values))}{by}"


def _rule(call: t.Call) -> str:
    return f"{call.name}({_arguments(call.arguments)})" if call.arguments else str(call.name)


def _arguments(arguments: Iterable[t.Argument]) -> str:
    text = ""
    for k, a in enumerate(arguments):
        text += (" -> " if a.arrow else ", ") if k else ""
        text += f"{a.name} {a.operator} " if a.name else ""
        text += expression(a.value)
    return text


def _terminal(x: t.Path | t.Pair) -> str:
    return path(x) if isinstance(x, t.Path) else f"({path(x.positive)}, {path(x.negative)})"


def _nodes(paths: tuple[t.Path, ...] | None) -> str:
    texts = [path(p) for p in paths or ()]
    return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"


def _index(subscripts: tuple[t.Expression | t.Slice, ...]) -> str:
    def one(s: t.Expression | t.Slice) -> str:
        if isinstance(s, t.Slice):
            return f"{expression(s.low) if s.low else ''}:{expression(s.high) if s.high else ''}"
        return expression(s)

    return f"[{', '.join(map(one, subscripts))}]" if subscripts else ""


def path(p: t.Path) -> str:
    """A path."""
    return ".".join(f"{s.name}{_index(s.subscripts)}" for s in p.steps)


def expression(e: t.Expression, level: int = 0) -> str:
    """An expression; `level` is how tightly its surroundings bind."""
    match e:
        case t.Quantity():
            return f"{e.number} {e.unit}" if e.unit else e.number
        case t.String():
            return f'"{e.text}"'
        case t.Interval():
            text = f"{expression(e.low, 1)} .. {expression(e.high, 1)}"
            return f"({text})" if level else text
        case t.Sequence():
            return f"({', '.join(map(expression, e.items))})"
        case t.Negative():
            return f"-{expression(e.operand, 3)}"
        case t.Call():
            return f"{e.name}({_arguments(e.arguments)})"
        case t.Path():
            return path(e)
        case t.Binary():
            own = _TIGHT[e.operator]
            text = f"{expression(e.left, own)} {e.operator} {expression(e.right, own + 1)}"
            return f"({text})" if own < level else text
