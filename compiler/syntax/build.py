"""From lark's parse tree to the syntax tree."""

from __future__ import annotations

import re
from typing import Any

from lark import Token, Transformer, v_args
from lark.tree import Meta

from tellegen.source import Source, Span
from tellegen.syntax import tree as t

_NUMBER = re.compile(r"\d+(\.\d+)?([eE][+-]?\d+)?")


@v_args(meta=True, inline=True)
class Builder(Transformer[Token, Any]):
    """Builds the nodes of `tree`, one method per rule of the grammar that leaves a node."""

    def __init__(self, source: Source) -> None:
        super().__init__(visit_tokens=False)
        self.source = source

    def _at(self, meta: Meta) -> Span:
        return Span(self.source, meta.start_pos, meta.end_pos)

    def _name(self, token: Token) -> t.Name:
        return t.Name(str(token), Span(self.source, token.start_pos or 0, token.end_pos or 0))

    # ---- values

    def quantity(self, meta: Meta, token: Token) -> t.Quantity:
        text = str(token)
        number = _NUMBER.match(text)
        assert number is not None
        return t.Quantity(number.group(), text[number.end() :].strip(), self._at(meta))

    def string(self, meta: Meta, token: Token) -> t.String:
        return t.String(str(token)[1:-1], self._at(meta))

    def interval(self, meta: Meta, low: Any, high: Any) -> t.Interval:
        return t.Interval(low, high, self._at(meta))

    def sequence(self, meta: Meta, *items: Any) -> t.Sequence:
        return t.Sequence(items, self._at(meta))

    def binary(self, meta: Meta, left: Any, operator: Token, right: Any) -> t.Binary:
        return t.Binary(str(operator), left, right, self._at(meta))

    def negative(self, meta: Meta, _minus: Token, operand: Any) -> t.Negative:
        return t.Negative(operand, self._at(meta))

    def positional(self, meta: Meta, value: Any) -> t.Argument:
        return t.Argument(None, "", value, False, self._at(meta))

    def named(self, meta: Meta, name: Token, operator: Token, value: Any) -> t.Argument:
        return t.Argument(self._name(name), str(operator), value, False, self._at(meta))

    def call(self, meta: Meta, name: Token, *arguments: Any) -> t.Call:
        return t.Call(self._name(name), _arguments(arguments), self._at(meta))

    def word(self, meta: Meta, name: Token) -> t.Call:
        return t.Call(self._name(name), (), self._at(meta))

    def slice(self, meta: Meta, low: Any, high: Any) -> t.Slice:
        return t.Slice(low, high, self._at(meta))

    def index(self, _meta: Meta, *subscripts: Any) -> tuple[Any, ...]:
        return subscripts

    def step(self, meta: Meta, name: Token, index: tuple[Any, ...] | None) -> t.Step:
        return t.Step(self._name(name), index or (), self._at(meta))

    def path(self, meta: Meta, *steps: t.Step) -> t.Path:
        return t.Path(steps, self._at(meta))

    # ---- networks

    def import_(self, meta: Meta, library: Token) -> t.Import:
        return t.Import(self._name(library), self._at(meta))

    def parameter(self, meta: Meta, name: Token, default: Any) -> t.Parameter:
        return t.Parameter(self._name(name), default, self._at(meta))

    def parameters(self, _meta: Meta, *parameters: Any) -> tuple[t.Parameter, ...]:
        return tuple(p for p in parameters if p is not None)

    def shape(self, _meta: Meta, *sizes: Any) -> tuple[Any, ...]:
        return sizes

    def port(self, meta: Meta, name: Token, shape: Any, discipline: Token | None) -> t.Port:
        return t.Port(
            "", self._name(name), shape or (), self._name(discipline) if discipline else None,
            self._at(meta),
        )  # fmt: skip

    def ports(self, _meta: Meta, kind: Token, *ports: t.Port) -> tuple[t.Port, ...]:
        return tuple(t.Port(str(kind), p.name, p.shape, p.discipline, p.span) for p in ports)

    def pair(self, meta: Meta, positive: t.Path, negative: t.Path) -> t.Pair:
        return t.Pair(positive, negative, self._at(meta))

    def alias(self, meta: Meta, kind: Token, name: Token, *terminals: Any) -> t.Alias:
        return t.Alias(str(kind), self._name(name), terminals, self._at(meta))

    def supply(self, meta: Meta, name: Token, value: Any) -> t.Supply:
        return t.Supply(self._name(name), value, self._at(meta))

    def cell(self, meta: Meta, first: Token, second: Token | None) -> t.Cell:
        library = self._name(first) if second is not None else None
        return t.Cell(library, self._name(second if second is not None else first), self._at(meta))

    def instance(
        self, meta: Meta, label: Token, cell: t.Cell, shape: Any, *arguments: Any
    ) -> t.Instance:
        return t.Instance(
            self._name(label), cell, shape or (), _arguments(arguments), self._at(meta)
        )

    def nodes(self, _meta: Meta, *paths: t.Path) -> tuple[t.Path, ...]:
        return paths

    def connection(
        self, meta: Meta, label: Token, source: Any, target: Any, rule: t.Call, cell: t.Cell,
        *arguments: Any,
    ) -> t.Connection:  # fmt: skip
        return t.Connection(
            self._name(label), source, target, rule, cell, _arguments(arguments), self._at(meta)
        )

    def network(self, meta: Meta, name: Token, parameters: Any, *statements: Any) -> t.Network:
        flat: list[Any] = []
        for statement in statements:
            flat.extend(statement if isinstance(statement, tuple) else (statement,))
        return t.Network(self._name(name), parameters or (), tuple(flat), self._at(meta))

    # ---- experiments

    def data(self, meta: Meta, source: t.Call, *split: Any) -> t.Data:
        return t.Data(source, tuple(s for s in split if s is not None), self._at(meta))

    def _assignment(self, keyword: str, meta: Meta, port: t.Path, *values: Any) -> t.Assignment:
        value = (
            values[0]
            if len(values) == 1
            else t.Sequence(values, values[0].span.to(values[-1].span))
        )
        return t.Assignment(keyword, port, value, self._at(meta))

    def drive(self, meta: Meta, port: t.Path, *values: Any) -> t.Assignment:
        return self._assignment("drive", meta, port, *values)

    def target(self, meta: Meta, port: t.Path, *values: Any) -> t.Assignment:
        return self._assignment("target", meta, port, *values)

    def wanted(self, meta: Meta, column: t.Path) -> t.Setting:
        return self._setting("target", meta, column)

    def learn(self, meta: Meta, *parts: Any) -> t.Learn:
        *paths, limits, rule = parts
        return t.Learn(tuple(paths), limits, rule, self._at(meta))

    def vary(self, meta: Meta, *parts: Any) -> t.Vary:
        *paths, rule = parts
        return t.Vary(tuple(paths), rule, self._at(meta))

    def measure(self, meta: Meta, output: t.Path, basis: t.Path | None) -> t.Measure:
        return t.Measure(output, basis, self._at(meta))

    def control(self, meta: Meta, controller: t.Call, every: Any) -> t.Control:
        return t.Control(controller, every, self._at(meta))

    def record(self, meta: Meta, *signals: t.Path) -> t.Record:
        return t.Record(signals, self._at(meta))

    def sweep(self, meta: Meta, name: Token, *values: Any) -> t.Sweep:
        return t.Sweep(self._name(name), values, None, self._at(meta))

    def stepped(self, meta: Meta, name: Token, values: Any, step: Any) -> t.Sweep:
        return t.Sweep(self._name(name), (values,), step, self._at(meta))

    def level(self, meta: Meta, value: Any) -> t.Setting:
        return self._setting("level", meta, value)

    def _setting(self, keyword: str, meta: Meta, *values: Any) -> t.Setting:
        return t.Setting(keyword, values, self._at(meta))

    def decode(self, meta: Meta, rule: t.Call) -> t.Setting:
        return self._setting("decode", meta, rule)

    def cost(self, meta: Meta, rule: t.Call) -> t.Setting:
        return self._setting("cost", meta, rule)

    def loss(self, meta: Meta, rule: t.Call) -> t.Setting:
        return self._setting("loss", meta, rule)

    def update(self, meta: Meta, rule: t.Call) -> t.Setting:
        return self._setting("update", meta, rule)

    def epochs(self, meta: Meta, value: Any) -> t.Setting:
        return self._setting("epochs", meta, value)

    def batch(self, meta: Meta, value: Any) -> t.Setting:
        return self._setting("batch", meta, value)

    def starts(self, meta: Meta, value: Any) -> t.Setting:
        return self._setting("starts", meta, value)

    def shots(self, meta: Meta, value: Any) -> t.Setting:
        return self._setting("shots", meta, value)

    def bits(self, meta: Meta, value: Any) -> t.Setting:
        return self._setting("bits", meta, value)

    def washout(self, meta: Meta, value: Any) -> t.Setting:
        return self._setting("washout", meta, value)

    def seed(self, meta: Meta, value: Any) -> t.Setting:
        return self._setting("seed", meta, value)

    def transient(self, meta: Meta, stop: Any, step: Any) -> t.Setting:
        return self._setting("transient", meta, stop, step)

    def open_transient(self, meta: Meta, step: Any) -> t.Setting:
        return self._setting("transient", meta, step)

    def window(self, meta: Meta, value: Any) -> t.Setting:
        return self._setting("window", meta, value)

    def task(self, meta: Meta, name: Token, network: Token, *statements: Any) -> t.Experiment:
        return t.Experiment(
            "task", self._name(name), self._name(network), statements, self._at(meta)
        )

    def simulate(self, meta: Meta, name: Token, network: Token, *statements: Any) -> t.Experiment:
        return t.Experiment(
            "simulate", self._name(name), self._name(network), statements, self._at(meta)
        )

    def train(self, meta: Meta, task: Token, name: Token | None, *statements: Any) -> t.Experiment:
        return t.Experiment(
            "train", self._name(name or task), self._name(task), statements, self._at(meta)
        )

    def start(self, _meta: Meta, *blocks: Any) -> t.Unit:
        return t.Unit(
            tuple(b for b in blocks if isinstance(b, t.Import)),
            tuple(b for b in blocks if isinstance(b, t.Network)),
            tuple(b for b in blocks if isinstance(b, t.Experiment)),
            self.source,
        )


def _arguments(parts: tuple[Any, ...]) -> tuple[t.Argument, ...]:
    """The arguments of a call from its children, which hold the arrows between them."""
    arguments: list[t.Argument] = []
    arrow = False
    for part in parts:
        if isinstance(part, Token):
            arrow = True
        elif part is not None:
            arguments.append(t.Argument(part.name, part.operator, part.value, arrow, part.span))
            arrow = False
    return tuple(arguments)
