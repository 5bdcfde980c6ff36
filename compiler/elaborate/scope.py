"""What is known while a network is elaborated: its names, its nodes, what it holds so far."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from tellegen.arrays import Values
from tellegen.cells import Library
from tellegen.circuit import Module, Nodes
from tellegen.diagnostics import Label, Sink
from tellegen.elaborate.edges import EdgeList
from tellegen.files import Files
from tellegen.source import Span
from tellegen.syntax import tree as t
from tellegen.values import Text, Value, as_count, evaluate

# What a network may hold, nodes and instances together, seen through its hierarchy. An instance of a
# network weighs more than one of a cell, since each is visited on its own.
MOST_PARTS = 1_000_000
NETWORK_WEIGHT = 50
DISCIPLINES = ("voltage", "current", "optical", "spin", "spike")


@dataclass(frozen=True)
class Context:
    """What does not change while a network is elaborated.

    Attributes:
        networks, libraries: the networks of the file, and the cells that it imports.
        files: which files may be read.
        seed: of everything drawn.
        sink: takes the diagnostics.
        level: the level of cells that have it, where an instance does not say another.
        complete: whether all blocks and libraries could be read; else unknown cells are not reported.
        unsound: networks whose mistakes have been reported, and are not to be again.
        modules: those in which nothing is drawn, made once, by network and parameter values.
        tables: the files of edges that have been read, by name.
    """

    networks: Mapping[str, t.Network]
    libraries: Mapping[str, Library]
    files: Files
    seed: int
    sink: Sink
    level: str = ""
    complete: bool = True
    unsound: frozenset[str] = frozenset()
    modules: dict[tuple[object, ...], Module] = field(default_factory=dict)
    tables: dict[str, EdgeList] = field(default_factory=dict)


@dataclass
class Scope:
    """A network while it is elaborated.

    Attributes:
        context: networks and cells in scope, files, seed, sink.
        network: the block.
        path: the instance path, which keys the random streams.
        module: what has been made so far.
        values: parameter values by name.
        ports_of: the nodes of each instance that has been made, by port.
        implicit: of each port that nothing was given for, by instance and name, whether it is used.
        declared: where each name was declared.
        pending: instances that have not been made; `busy` those that are being made.
        told_import: whether it has been said that no library is imported.
        screens: of each mesh the file of its matrix and the phases behind it; None where it has no matrix.
        place: makes a pending instance, which may be named before it stands.
        below: the module of a network in this one.
    """

    context: Context
    network: t.Network
    path: str
    place: Callable[[Scope, t.Instance], None]
    below: Callable[[Context, t.Network, Mapping[str, Value], str], Module]
    values: dict[str, Value] = field(default_factory=dict)
    ports_of: dict[str, dict[str, Nodes]] = field(default_factory=dict)
    implicit: dict[tuple[str, str], bool] = field(default_factory=dict)
    declared: dict[str, Span] = field(default_factory=dict)
    pending: dict[str, t.Instance] = field(default_factory=dict)
    busy: set[str] = field(default_factory=set)
    told_import: bool = False
    screens: dict[str, tuple[Text, Values] | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sink = self.context.sink
        self.module = Module(self.network.name.text, self.network.name.span)

    def declare(self, name: t.Name) -> bool:
        """Take a name; False, after a diagnostic, where it is already taken."""
        if name.text == "gnd":
            self.sink.error(
                "duplicate-name", "`gnd` is the ground of every network", name.span,
                help="use it without declaring it, or choose another name",
            )  # fmt: skip
            return False
        first = self.declared.get(name.text)
        if first is not None:
            self.sink.error(
                "duplicate-name",
                f"`{name}` is declared twice in network `{self.network.name}`",
                name.span,
                "declared again",
                secondary=(Label(first, "first declared here"),),
            )
            return False
        self.declared[name.text] = name.span
        return True

    def new_nodes(self, shape: tuple[int, ...]) -> Nodes:
        """Nodes that were not there before."""
        count = math.prod(shape)
        start = self.module.size
        self.module.size += count
        return np.arange(start, start + count, dtype=np.int32).reshape(shape)

    def shape(self, sizes: tuple[t.Expression, ...], what: str) -> tuple[int, ...] | None:
        """A shape as written, or None after a diagnostic."""
        found = [
            as_count(evaluate(s, self.values, self.sink), what, self.sink, high=MOST_PARTS)
            for s in sizes
        ]
        if any(f is None for f in found):
            return None
        shape = tuple(f for f in found if f is not None)
        if math.prod(shape) > MOST_PARTS:
            self.sink.error(
                "out-of-range",
                f"{what} is too large: {' x '.join(map(str, shape))}, at most {MOST_PARTS} in all",
                sizes[0].span.to(sizes[-1].span),
            )
            return None
        return shape

    def fits(self, weight: int, span: Span) -> bool:
        """Add to what the network holds; False, after a diagnostic, where that becomes too much."""
        if self.module.weight + weight <= MOST_PARTS:
            self.module.weight += weight
            return True
        self.sink.error(
            "out-of-range",
            f"network `{self.network.name}` would hold more than {MOST_PARTS} nodes and instances",
            span,
        )
        return False
