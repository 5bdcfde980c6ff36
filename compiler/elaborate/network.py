"""Elaboration of networks: from a network block and its parameter values to a :class:`Module`.

Everything found wrong goes to the sink; what is wrong is left out of the module, so that the rest is
still checked.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from tellegen.cells import Cell, Library
from tellegen.cells.cell import DELAY
from tellegen.cells.expression import evaluate as evaluate_spice
from tellegen.circuit import Group, Module, NodeArray, Nodes, Port, Supply, subscript
from tellegen.diagnostics import Label, Sink, did_you_mean, one_of
from tellegen.elaborate import connectivity, distributions, lightwork
from tellegen.elaborate.edges import Column, EdgeList, read_edges
from tellegen.files import FileRefused, Files
from tellegen.manifest import GROUND
from tellegen.quantity import PLAIN, describe, in_range, multiply, spelled, symbol_of, unit
from tellegen.seeds import stream
from tellegen.signature import Argument, bind, convert, functions_of, lookup, number
from tellegen.source import Span
from tellegen.syntax import tree as t
from tellegen.values import (
    CallValue,
    Number,
    SequenceValue,
    Text,
    Unknown,
    Value,
    as_count,
    evaluate,
    kind_of,
)

# What a network may hold, nodes and instances together, seen through its hierarchy. An instance of a
# network weighs more than one of a cell, since each is visited on its own.
MOST_PARTS = 1_000_000
NETWORK_WEIGHT = 50
DISCIPLINES = ("voltage", "current", "optical", "spin", "spike")
_RULES = functions_of(connectivity)
_DISTRIBUTIONS = functions_of(distributions)


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


def elaborate(
    context: Context,
    network: t.Network,
    values: Mapping[str, Value] | None = None,
    path: str = "",
) -> Module:
    """The module of a network for given parameter values (defaults where missing).

    Args:
        context: networks and cells in scope, files, seed, sink.
        network: the block.
        values: parameter values by name.
        path: the instance path, which keys the random streams.
    """
    return _Elaborator(context, network, path).run(dict(values or {}))


@dataclass
class _Definition:
    """What an instance is made of: a cell, or a network with its declared ports."""

    cell: Cell | None
    network: t.Network | None

    @property
    def ports(self) -> list[str]:
        """The names of its ports."""
        if self.cell is not None:
            return list(self.cell.ports)
        assert self.network is not None
        return [
            s.name.text
            for s in self.network.statements
            if isinstance(s, t.Port) and s.kind in ("input", "output")
        ]

    @property
    def supplies(self) -> list[str]:
        """The ports that stand on a supply unless they are named."""
        return self.cell.supplies if self.cell is not None else []

    @property
    def noun(self) -> str:
        return f"cell `{self.cell.name}`" if self.cell else f"network `{self.network.name}`"  # type: ignore[union-attr]


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Who is connected to whom, by their numbers, and what a file says of the parameters."""

    sources: NDArray[np.int64]
    targets: NDArray[np.int64]
    shape: tuple[int, ...]
    table: Mapping[str, Column] = field(default_factory=dict)
    file: Text | None = None


@dataclass
class _Elaborator:
    context: Context
    network: t.Network
    path: str
    scope: dict[str, Value] = field(default_factory=dict)
    ports_of: dict[str, dict[str, Nodes]] = field(default_factory=dict)
    implicit: dict[tuple[str, str], bool] = field(default_factory=dict)
    declared: dict[str, Span] = field(default_factory=dict)
    pending: dict[str, t.Instance] = field(default_factory=dict)
    busy: set[str] = field(default_factory=set)
    told_import: bool = False
    # Of each mesh the file of its matrix and the phases behind it; None where it has no matrix.
    screens: dict[str, tuple[Text, NDArray[np.float64]] | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sink = self.context.sink
        self.module = Module(self.network.name.text, self.network.name.span)

    # ------------------------------------------------------------ the order of things

    def run(self, values: dict[str, Value]) -> Module:
        for parameter in self.network.parameters:
            self.declare(parameter.name)
            default = evaluate(parameter.default, self.scope, self.sink)
            self.scope[parameter.name.text] = self.parameter(parameter, default, values)
        statements = self.network.statements
        for s in statements:
            if isinstance(s, t.Port):
                self.port(s)
            elif isinstance(s, t.Supply):
                self.supply(s)
            elif isinstance(s, t.Instance) and self.declare(s.label):
                self.pending[s.label.text] = s
            elif isinstance(s, t.Connection):
                self.declare(s.label)
        for s in statements:
            if isinstance(s, t.Instance) and self.pending.get(s.label.text) is s:
                self.instance(s)
        connections = [
            s for s in statements
            if isinstance(s, t.Connection) and self.declared.get(s.label.text) == s.label.span
        ]  # fmt: skip
        # A port that is an edge waits for the edges; every other one may be connected to.
        edges = {s.label.text for s in connections}
        aliases = [s for s in statements if isinstance(s, t.Alias)]
        late = [a for a in aliases if any(name in edges for name in _first_names(a))]
        for a in aliases:
            if a not in late:
                self.alias(a)
        for c in connections:
            self.connection(c)
        for a in late:
            self.alias(a)
        self.unconnected()
        self.tie_grounds()
        # The netlist reads in the order of the source, whatever had to be made first.
        self.module.groups = dict(
            sorted(self.module.groups.items(), key=lambda item: item[1].span.start)
        )
        return self.module

    def parameter(self, p: t.Parameter, default: Value, values: dict[str, Value]) -> Value:
        value = values.get(p.name.text)
        if value is None or isinstance(value, Unknown):
            return default
        if (
            isinstance(value, Number)
            and isinstance(default, Number)
            and value.dimension != default.dimension
        ):
            self.sink.error(
                "unit-mismatch",
                f"`{p.name}` of network `{self.network.name}` is {describe(default.dimension)}, "
                f"but `{value.text}` is {describe(value.dimension)}",
                value.span,
                f"expected {symbol_of(default.dimension)}",
                secondary=(Label(p.span, "declared here"),),
            )
            return Unknown(value.span)
        return value

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

    # ------------------------------------------------------------ nodes

    def new_nodes(self, shape: tuple[int, ...]) -> Nodes:
        count = math.prod(shape)
        start = self.module.size
        self.module.size += count
        return np.arange(start, start + count, dtype=np.int32).reshape(shape)

    def shape(self, sizes: tuple[t.Expression, ...], what: str) -> tuple[int, ...] | None:
        found = [
            as_count(evaluate(s, self.scope, self.sink), what, self.sink, high=MOST_PARTS)
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

    def port(self, p: t.Port) -> None:
        if not self.declare(p.name):
            return
        shape = self.shape(p.shape, f"the size of `{p.name}`")
        discipline = p.discipline.text if p.discipline else "voltage"
        if discipline not in DISCIPLINES:
            assert p.discipline is not None
            self.sink.error(
                "unknown-name",
                f"unknown discipline `{discipline}`",
                p.discipline.span,
                help=did_you_mean(discipline, DISCIPLINES) or "known: " + one_of(DISCIPLINES),
            )
            discipline = "voltage"
        if shape is None or not self.fits(math.prod(shape), p.span):
            shape = ()
        if p.kind == "ground":
            indices = np.full(shape, GROUND, dtype=np.int32)
        else:
            indices = self.new_nodes(shape)
        self.module.arrays[p.name.text] = NodeArray(
            p.name.text, p.kind, discipline, indices, p.name.span
        )
        if p.kind in ("input", "output"):
            ports = self.module.inputs if p.kind == "input" else self.module.outputs
            ground = np.full(shape, GROUND, dtype=np.int32)
            ports[p.name.text] = Port(p.name.text, p.kind, discipline, indices, ground, p.name.span)

    def supply(self, s: t.Supply) -> None:
        if not self.declare(s.name):
            return
        value = evaluate(s.value, self.scope, self.sink)
        volts = convert(value, number("V"), f"supply `{s.name}`", self.sink)
        nodes = self.new_nodes(())
        self.module.arrays[s.name.text] = NodeArray(
            s.name.text, "supply", "voltage", nodes, s.name.span
        )
        if not isinstance(volts, Unknown):
            self.module.supplies.append(Supply(s.name.text, int(nodes), volts, s.span))

    def alias(self, a: t.Alias) -> None:
        if not self.declare(a.name):
            return
        positive: list[Nodes] = []
        negative: list[Nodes] = []
        for terminal in a.terminals:
            ends = self.terminal(terminal)
            if ends is None:
                return
            positive.append(ends[0].ravel())
            negative.append(ends[1].ravel())
        if a.kind == "node":
            self.sink.error(
                "wrong-kind", "only inputs, outputs and grounds can be existing nodes", a.span,
                help="use the nodes under the name that they have",
            )  # fmt: skip
            return
        single = len(a.terminals) == 1 and positive[0].size == 1
        high = np.concatenate(positive)
        low = np.concatenate(negative)
        if a.kind == "ground":
            self.module.grounded.extend(int(n) for n in high if n != GROUND)
            return
        if single:
            high, low = high[0].reshape(()), low[0].reshape(())
        discipline = self.discipline(a, np.concatenate([high.ravel(), low.ravel()]))
        ports = self.module.inputs if a.kind == "input" else self.module.outputs
        ports[a.name.text] = Port(a.name.text, a.kind, discipline, high, low, a.name.span)
        if (low == GROUND).all():
            self.module.arrays[a.name.text] = NodeArray(
                a.name.text, "alias", discipline, high, a.name.span
            )

    def discipline(self, a: t.Alias, nodes: Nodes) -> str:
        """The discipline of existing nodes; a port on electrical ones is a voltage."""
        kinds = {
            array.discipline
            for array in self.module.arrays.values()
            if array.kind != "alias"
            and np.isin(array.indices[array.indices != GROUND], nodes).any()
        }
        kinds = {"voltage" if kind == "current" else kind for kind in kinds} or {"voltage"}
        if len(kinds) > 1:
            self.sink.error(
                "discipline", f"`{a.name}` stands on nets of {' and '.join(sorted(kinds))}",
                a.span, help="make a port of each",
            )  # fmt: skip
        return min(kinds)

    def terminal(self, terminal: t.Path | t.Pair) -> tuple[Nodes, Nodes] | None:
        """The two nodes (ground for a single node) that a port's element stands on."""
        if isinstance(terminal, t.Pair):
            high, low = self.nodes(terminal.positive), self.nodes(terminal.negative)
            if high is None or low is None:
                return None
            if high.shape != low.shape:
                self.sink.error(
                    "shape-mismatch",
                    f"the pair joins {_nodes_of(high.shape)} to {_nodes_of(low.shape)}",
                    terminal.span,
                )
                return None
            return high, low
        first = terminal.steps[0]
        group = self.module.groups.get(first.name.text)
        if group is not None and len(terminal.steps) == 1:
            if group.terminals.shape[1] < 2:
                self.sink.error(
                    "arity", f"`{first.name}` has no two ports to measure between", terminal.span
                )
                return None
            ends = group.terminals.reshape(*group.shape, group.terminals.shape[1])
            chosen = self.index(ends, len(group.shape), first)
            return None if chosen is None else (chosen[..., 0], chosen[..., 1])
        nodes = self.nodes(terminal)
        return None if nodes is None else (nodes, np.full(nodes.shape, GROUND, dtype=np.int32))

    def nodes(self, path: t.Path) -> Nodes | None:
        """The nodes that a path names, or None after a diagnostic."""
        first = path.steps[0]
        name = first.name.text
        if name == "gnd" and len(path.steps) == 1:
            return np.full((), GROUND, dtype=np.int32)
        if name in self.pending and name not in self.ports_of and len(path.steps) == 2:
            if name in self.busy:
                self.sink.error(
                    "unknown-name", f"`{path}` is needed before it is made", path.span,
                    help="declare a node and connect both sides to it",
                )  # fmt: skip
                return None
            self.instance(self.pending[name])
        if name in self.ports_of:
            return self.instance_port(path)
        array = self.module.arrays.get(name)
        if array is None:
            self.unknown_node(path)
            return None
        if len(path.steps) > 1:
            self.sink.error("unknown-name", f"node `{name}` has no part `{path.steps[1].name}`",
                            path.steps[1].span)  # fmt: skip
            return None
        return self.index(array.indices, array.indices.ndim, first)

    def unknown_node(self, path: t.Path) -> None:
        name = path.steps[0].name.text
        if name in self.declared and name not in self.module.arrays:
            if name in self.pending or name in self.module.groups:
                self.sink.error("wrong-kind", f"`{name}` is an instance, not a node", path.span,
                                help=f"name one of its ports, such as `{name}.PORT`")  # fmt: skip
            elif name in self.scope:
                self.sink.error("wrong-kind", f"`{name}` is a parameter, not a node", path.span)
            return  # else its declaration was already reported
        self.sink.error(
            "unknown-name",
            f"unknown node `{name}` in network `{self.network.name}`",
            path.steps[0].name.span,
            "not declared",
            help=did_you_mean(name, [*self.module.arrays, *self.pending, "gnd"]),
        )

    def instance_port(self, path: t.Path) -> Nodes | None:
        label = path.steps[0].name.text
        ports = self.ports_of[label]
        if len(path.steps) != 2:
            self.sink.error("wrong-kind", f"`{label}` is an instance, not a node", path.span,
                            help=f"name one of its ports: {_listed(ports)}")  # fmt: skip
            return None
        name = path.steps[1].name.text
        if name not in ports:
            self.sink.error(
                "unknown-name", f"`{label}` has no port `{name}`", path.steps[1].name.span,
                help=did_you_mean(name, ports) or f"its ports: {_listed(ports)}",
            )  # fmt: skip
            # Whichever port was meant, it is not the next mistake that it is not connected.
            self.implicit.update({k: True for k in self.implicit if k[0] == label})
            return None
        if (label, name) in self.implicit:
            self.implicit[label, name] = True
        indices = ports[name]
        for step in path.steps:
            if step.subscripts:
                chosen = self.index(indices, indices.ndim, step)
                if chosen is None:
                    return None
                indices = chosen
        return indices

    def index(self, array: Nodes, dimensions: int, step: t.Step) -> Nodes | None:
        """Apply the subscripts of a step to the leading `dimensions` of an array."""
        if not step.subscripts:
            return array
        if len(step.subscripts) > dimensions:
            self.sink.error(
                "shape-mismatch",
                f"`{step.name}` has {dimensions} dimension{'s' * (dimensions != 1)}, "
                f"not {len(step.subscripts)}",
                step.span,
            )
            return None
        chosen: list[int | slice] = []
        for axis, s in enumerate(step.subscripts):
            size = array.shape[axis]
            what = f"an index of `{step.name}` (size {size})"
            if isinstance(s, t.Slice):
                ends = [
                    None if e is None
                    else as_count(evaluate(e, self.scope, self.sink), what, self.sink, 0, size)
                    for e in (s.low, s.high)
                ]  # fmt: skip
                if (s.low is not None and ends[0] is None) or (
                    s.high is not None and ends[1] is None
                ):
                    return None
                chosen.append(slice(*ends))
            else:
                found = as_count(evaluate(s, self.scope, self.sink), what, self.sink, 0, size - 1)
                if found is None:
                    return None
                chosen.append(found)
        return np.asarray(array[tuple(chosen)], dtype=np.int32)

    # ------------------------------------------------------------ instances

    def definition(self, cell: t.Cell) -> _Definition | None:
        """The cell or network that an instance names, or None: after a diagnostic, maybe elsewhere."""
        found = self.find(cell)
        self.module.whole &= found is not None
        return found

    def find(self, cell: t.Cell) -> _Definition | None:
        name = cell.name.text
        libraries = self.context.libraries
        if cell.library is not None:
            library = libraries.get(cell.library.text)
            if library is None:
                if self.context.complete:
                    self.sink.error(
                        "unknown-library", f"library `{cell.library}` is not imported",
                        cell.library.span, help=did_you_mean(cell.library.text, libraries)
                        or f"add `import {cell.library}`",
                    )  # fmt: skip
                return None
            candidates = [library]
        else:
            if name in self.context.unsound:
                return None
            if name in self.context.networks:
                return _Definition(None, self.context.networks[name])
            candidates = list(libraries.values())
        found = [lib for lib in candidates if name in lib.cells]
        if len(found) > 1:
            self.sink.error(
                "unknown-cell", f"cell `{name}` is in more than one library", cell.span,
                help="say which: " + ", ".join(f"`{lib.name}.{name}`" for lib in found),
            )  # fmt: skip
            return None
        if found:
            return _Definition(found[0].cells[name], None)
        if self.context.complete:
            self.unknown_cell(cell, [c for lib in candidates for c in lib.cells])
        return None

    def leveled(
        self, definition: _Definition, arguments: tuple[t.Argument, ...]
    ) -> tuple[_Definition, tuple[t.Argument, ...]]:
        """A cell at the level that its `level = ...` or the experiment asks, and the rest."""
        cell = definition.cell
        if cell is None or not cell.level:
            return definition, arguments
        chosen = cell.levels.get(self.context.level, cell)
        rest: list[t.Argument] = []
        for a in arguments:
            if a.name is None or a.name.text != "level":
                rest.append(a)
            elif isinstance(a.value, t.Path) and str(a.value) in cell.levels:
                chosen = cell.levels[str(a.value)]
            else:
                said = " ".join(a.value.span.text.split())
                self.sink.error(
                    "unknown-name", f"{definition.noun} has no level `{said}`", a.value.span,
                    help=did_you_mean(said, cell.levels) or f"it has {one_of(cell.levels)}",
                )  # fmt: skip
        return _Definition(chosen, None), tuple(rest)

    def unknown_cell(self, cell: t.Cell, cells: list[str]) -> None:
        help = did_you_mean(cell.name.text, [*self.context.networks, *cells])
        if not help and not self.context.libraries:
            # One line is missing in the file, however many cells are.
            if self.told_import:
                return
            self.told_import = True
            help = "no library is imported: begin the file with `import resistive`"
        self.sink.error("unknown-cell", f"unknown cell `{cell}`", cell.span,
                        help=help or "see `tellegen cells`")  # fmt: skip

    def instance(self, s: t.Instance) -> None:
        label = s.label.text
        self.busy.add(label)
        self.pending.pop(label, None)
        try:
            self.place(s)
        finally:
            self.busy.discard(label)

    def place(self, s: t.Instance) -> None:
        definition = self.definition(s.cell)
        if definition is not None:
            definition, arguments = self.leveled(definition, s.arguments)
            s = replace(s, arguments=arguments)
        shape = self.shape(s.shape, f"the size of `{s.label}`")
        if definition is None or shape is None or not self.fits(math.prod(shape), s.cell.span):
            # Its ports cannot be known: silence what refers to them.
            self.module.arrays.pop(s.label.text, None)
            return
        count = math.prod(shape)
        made = self.make(s.label.text, definition, count, shape, s.arguments, s.cell.span)
        if made is None:
            return
        ports, shapes, modules, which = made
        given = self.given_nodes(definition, list(ports), s.arguments, s.span)
        if given is not None:
            given = self.with_supplies(definition, given, s.cell.span)
        terminals = None if given is None else self.port_nodes(s, ports, shapes, shape, given)
        if terminals is None:
            # Its parameters may be wrong as well: do not wait with them for the next run.
            self.params(s.label.text, definition, s.arguments, 0, s.cell.span, ports)
            return
        flat = np.concatenate([n.reshape(count, -1) for n in terminals.values()], axis=1)
        params = self.params(s.label.text, definition, s.arguments, count, s.cell.span, ports)
        group = Group(
            s.label.text, shape, definition.cell, modules, which, self.port_names(ports, shapes),
            flat.astype(np.int32), params, s.span,
        )  # fmt: skip
        self.module.groups[s.label.text] = self.delayed(group)
        self.ports_of[s.label.text] = terminals

    @staticmethod
    def port_names(
        ports: Mapping[str, str], shapes: Mapping[str, tuple[int, ...]]
    ) -> tuple[str, ...]:
        return tuple(
            name + "".join(f"_{i}" for i in index)
            for name in ports
            for index in np.ndindex(shapes[name])
        )

    def make(
        self,
        label: str,
        definition: _Definition,
        count: int,
        shape: tuple[int, ...],
        arguments: tuple[t.Argument, ...],
        span: Span,
    ) -> (
        tuple[dict[str, str], dict[str, tuple[int, ...]], tuple[Module, ...], NDArray[np.int32]]
        | None
    ):
        """The ports (name to discipline), their shapes, and for a network its modules."""
        which = np.zeros(count, dtype=np.int32)
        if definition.cell is not None:
            ports = {name: port.discipline for name, port in definition.cell.ports.items()}
            return ports, dict.fromkeys(ports, ()), (), which
        network = definition.network
        assert network is not None
        known = {p.name.text for p in network.parameters}
        values = {
            a.name.text: evaluate(a.value, self.scope, self.sink)
            for a in arguments
            if a.name and a.name.text in known
        }
        modules = self.modules(label, network, shape, values, span)
        if not modules:
            return None
        if len(modules) > 1:
            which = np.arange(count, dtype=np.int32)
        first = modules[0]
        ports, shapes = {}, {}
        for name, array in first.arrays.items():
            if array.kind in ("input", "output"):
                ports[name], shapes[name] = array.discipline, array.indices.shape
        for port in [*first.inputs.values(), *first.outputs.values()]:
            if port.name not in ports:
                self.sink.error(
                    "wrong-kind",
                    f"network `{network.name}` cannot be used as a cell: `{port.name}` is not a node of its own",
                    span, secondary=(Label(port.span, "declared here"),),
                )  # fmt: skip
                return None
        return ports, shapes, modules, which

    def modules(
        self, label: str, network: t.Network, shape: tuple[int, ...], values: dict[str, Value],
        span: Span,
    ) -> tuple[Module, ...]:  # fmt: skip
        """The modules of an array of networks: one for all of them where nothing is drawn in it.

        None at all, after diagnostics, where one is wrong or they are too many.
        """
        count = math.prod(shape)
        drawn = _draws(network, self.context.networks)
        numbers = [(k, v.value, v.dimension) for k, v in values.items() if isinstance(v, Number)]
        key = (network.name.text, *sorted(numbers))
        kept = not drawn and len(numbers) == len(values)
        if kept and key in self.context.modules:
            module = self.context.modules[key]
            return (module,) if self.fits(count * (module.weight + NETWORK_WEIGHT), span) else ()
        made: list[Module] = []
        # Of none at all, one still says what the ports are.
        for index in np.ndindex(*shape) if count else [()]:
            before = len(self.sink.errors)
            path = f"{self.path}{label}{subscript(index)}."
            module = elaborate(self.context, network, values, path)
            if len(self.sink.errors) > before:
                return ()
            if not made and not self.fits(count * (module.weight + NETWORK_WEIGHT), span):
                return ()
            made.append(module)
            if not drawn:
                break
        if kept:
            self.context.modules[key] = made[0]
        return tuple(made)

    def given_nodes(
        self,
        definition: _Definition,
        ports: list[str],
        arguments: tuple[t.Argument, ...],
        span: Span,
    ) -> dict[str, tuple[Nodes, Span]] | None:
        """The nodes that an instance's arguments connect, by port."""
        given: dict[str, tuple[Nodes, Span]] = {}
        in_order = [p for p in ports if p not in definition.supplies]
        position = 0
        ok = True
        for a in arguments:
            if a.name is not None and a.name.text not in ports:
                continue  # a parameter
            if a.name is not None:
                name = a.name.text
            elif position < len(in_order):
                name, position = in_order[position], position + 1
            else:
                hint = "" if isinstance(a.value, t.Path) else self.named_hint(definition)
                hint = _decimal_comma(arguments, a) or hint
                self.sink.error(
                    "arity",
                    f"{definition.noun} has {len(in_order)} port{'s' * (len(in_order) != 1)}",
                    a.span, "one too many", help=hint or f"its ports: {_listed(in_order)}",
                )  # fmt: skip
                return None
            if a.arrow and definition.cell is not None:
                ok &= self.arrow(definition.cell, name, a)
            if not isinstance(a.value, t.Path):
                self.sink.error(
                    "wrong-kind",
                    f"port `{name}` of {definition.noun} takes a node, "
                    f"not `{' '.join(a.value.span.text.split())}`",
                    a.value.span, help=self.named_hint(definition),
                )  # fmt: skip
                ok = False
                continue
            if name in given:
                self.sink.error("duplicate-name", f"port `{name}` is connected twice", a.span,
                                secondary=(Label(given[name][1], "first here"),))  # fmt: skip
                ok = False
                continue
            nodes = self.nodes(a.value)
            if nodes is None:
                ok = False
                continue
            given[name] = (nodes, a.value.span)
        return given if ok else None

    def with_supplies(
        self, definition: _Definition, given: dict[str, tuple[Nodes, Span]], span: Span
    ) -> dict[str, tuple[Nodes, Span]] | None:
        """The given nodes, and the supplies that were not named; None after a diagnostic."""
        missing = [name for name in definition.supplies if name not in given]
        for name in missing:
            array = self.module.arrays.get(name)
            if array is None or array.indices.shape:
                self.sink.error(
                    "no-supply", f"{definition.noun} needs a supply, and network "
                    f"`{self.network.name}` has no node `{name}`", span,
                    help=f"add `supply {name} = 1.8 V`, or connect it: `{name} = NODE`",
                )  # fmt: skip
                return None
            given[name] = (array.indices, span)
        return given

    def arrow(self, cell: Cell, name: str, a: t.Argument) -> bool:
        if cell.ports[name].direction == "in":
            self.sink.error("discipline", f"`->` leads to `{name}`, which is an input of `{cell.name}`",
                            a.span)  # fmt: skip
            return False
        return True

    @staticmethod
    def named_hint(definition: _Definition) -> str:
        names = list(definition.cell.params) if definition.cell else []
        return f"parameters are given by name, such as `{names[0]} = ...`" if names else ""

    def port_nodes(
        self,
        s: t.Instance,
        ports: Mapping[str, str],
        shapes: Mapping[str, tuple[int, ...]],
        shape: tuple[int, ...],
        given: Mapping[str, tuple[Nodes, Span]],
    ) -> dict[str, Nodes] | None:
        """The nodes of each port, of shape `shape + port shape`; new ones where none is given."""
        terminals: dict[str, Nodes] = {}
        for name, discipline in ports.items():
            full = shape + shapes[name]
            if name not in given:
                nodes = self.new_nodes(full)
                self.implicit[s.label.text, name] = False
                self.module.arrays[f"{s.label}.{name}"] = NodeArray(
                    f"{s.label}.{name}", "port", discipline, nodes, s.label.span
                )
                terminals[name] = nodes
                continue
            nodes, span = given[name]
            if nodes.shape == full:
                terminals[name] = nodes
            elif nodes.shape == shapes[name]:
                terminals[name] = np.broadcast_to(nodes, full)
            else:
                self.sink.error(
                    "shape-mismatch",
                    f"port `{name}` of `{s.label}` needs {_nodes_of(full)}, not {_nodes_of(nodes.shape)}",
                    span,
                )
                return None
        return terminals

    def unconnected(self) -> None:
        unused: dict[str, list[str]] = {}
        for (label, name), used in self.implicit.items():
            cell = self.module.groups[label].cell if label in self.module.groups else None
            if not used and not (cell and cell.ports[name].open):
                unused.setdefault(label, []).append(f"`{name}`")
        for label, names in unused.items():
            group = self.module.groups[label]
            what = (
                f"port {names[0]} of `{label}` is"
                if len(names) == 1
                else (f"ports {', '.join(names)} of `{label}` are")
            )
            self.sink.error(
                "arity", f"{what} not connected", group.span,
                help=f"connect it: `{label}: {group.made_of}({', '.join(self.ports_of[label])})`",
            )  # fmt: skip

    # ------------------------------------------------------------ parameters of cells

    def params(
        self,
        label: str,
        definition: _Definition,
        arguments: tuple[t.Argument, ...],
        count: int,
        span: Span,
        ports: Mapping[str, str],
        pairs: _Pairs | None = None,
    ) -> dict[str, NDArray[np.float64]]:
        """The parameter values of a group of cells, each (count,); checks names, units and ranges.

        With a count of 0 they are only checked.
        """
        cell = definition.cell
        if cell is None:
            assert definition.network is not None
            known = [p.name.text for p in definition.network.parameters]
        else:
            known = list(cell.settable)
        written: dict[str, t.Argument] = {}
        for a in arguments:
            if a.name is None or a.name.text in ports:
                continue
            if a.name.text not in known:
                self.sink.error(
                    "unknown-argument",
                    f"{definition.noun} has no parameter `{a.name}`",
                    a.name.span,
                    help=did_you_mean(a.name.text, known)
                    or (f"it has {one_of(known)}" if known else ""),
                )
            elif a.name.text in written:
                self.sink.error("duplicate-name", f"`{a.name}` is given twice", a.span,
                                secondary=(Label(written[a.name.text].span, "first here"),))  # fmt: skip
            else:
                written[a.name.text] = a
        table = {} if pairs is None else self.columns(pairs, known, written, definition)
        if cell is None:
            return {}
        values: dict[str, NDArray[np.float64]] = {}
        for name, parameter in cell.settable.items():
            if name in written:
                found = self.given_value(label, cell, name, written[name], count)
            elif name in table:
                assert pairs is not None and pairs.file is not None
                found = self.table_value(cell, name, table[name], pairs.file)
            elif parameter.default is None:
                self.sink.error(
                    "arity", f"{definition.noun} needs its parameter `{name}`", span,
                    help=f"{parameter.doc}, in {parameter.unit or 'plain numbers'}",
                )  # fmt: skip
                found = None
            else:
                found = np.full(count, float(parameter.default))
            values[name] = np.full(count, np.nan) if found is None else found
        for name in values:
            if name in written:
                self.range(cell, name, values, written[name])
            elif name in table and pairs is not None:
                self.range(cell, name, values, pairs.file)
        return values

    def columns(
        self, pairs: _Pairs, known: list[str], written: Mapping[str, t.Argument],
        definition: _Definition,
    ) -> Mapping[str, Column]:  # fmt: skip
        """The columns of a file of edges that are parameters; reports those that are not."""
        assert pairs.file is not None or not pairs.table
        for name in pairs.table:
            assert pairs.file is not None
            if name not in known:
                self.sink.error(
                    "unknown-argument",
                    f"{definition.noun} has no parameter `{name}`, which is a column of "
                    f"`{pairs.file.value}`", pairs.file.span, help=did_you_mean(name, known)
                    or (f"it has {one_of(known)}" if known else ""),
                )  # fmt: skip
            elif name in written:
                self.sink.error(
                    "duplicate-name", f"`{name}` is given here and by `{pairs.file.value}`",
                    written[name].span, secondary=(Label(pairs.file.span, "has a column for it"),),
                )  # fmt: skip
            elif definition.cell is None:
                self.sink.error(
                    "wrong-kind", f"the file `{pairs.file.value}` gives `{name}`, but edges made of "
                    "a network share their parameters", pairs.file.span,
                )  # fmt: skip
        return pairs.table

    def given_value(
        self, label: str, cell: Cell, name: str, a: t.Argument, count: int
    ) -> NDArray[np.float64] | None:
        parameter = cell.settable[name]
        want = number(parameter.unit)
        what = f"`{name}` of cell `{cell.library}.{cell.name}`"
        value = evaluate(a.value, self.scope, self.sink)
        if a.operator == "~":
            return self.drawn(label, cell, name, a, value, count)
        if isinstance(value, SequenceValue):
            items = [convert(v, want, what, self.sink) for v in value.items]
            if any(isinstance(i, Unknown) for i in items):
                return None
            if count == 0:
                return None
            if len(items) != count:
                self.sink.error("shape-mismatch", f"{len(items)} values are given for {count} instances",
                                a.value.span)  # fmt: skip
                return None
            return np.array(items, dtype=float)
        if isinstance(value, Number) and value.dimension != unit(parameter.unit).dimension:
            dimension = unit(parameter.unit).dimension
            self.sink.error(
                "unit-mismatch",
                f"{what} is {describe(dimension)}, but `{value.text}` is {describe(value.dimension)}",
                a.value.span,
                f"expected {symbol_of(dimension)}",
                help=self.unit_hint(cell, name, value),
            )
            return None
        if isinstance(value, CallValue) and value.name in _DISTRIBUTIONS:
            self.sink.error("wrong-kind", f"`{value.name}` is a distribution", a.span,
                            help=f"write `{name} ~ {value.name}(...)`")  # fmt: skip
            return None
        found = convert(value, want, what, self.sink)
        return None if isinstance(found, Unknown) else np.full(count, float(found))

    @staticmethod
    def unit_hint(cell: Cell, name: str, value: Number) -> str:
        want = unit(cell.settable[name].unit)
        for other, parameter in cell.params.items():
            if other != name and unit(parameter.unit).dimension == value.dimension:
                return f"did you mean `{other} = {value.text}`?"
        if value.value and multiply(value.dimension, want.dimension) == PLAIN:
            return f"that is `{spelled(1 / value.value, want.text)}`"
        return ""

    def drawn(
        self, label: str, cell: Cell, name: str, a: t.Argument, value: Value, count: int
    ) -> NDArray[np.float64] | None:
        if not isinstance(value, CallValue):
            if not isinstance(value, Unknown):
                self.sink.error(
                    "wrong-kind", f"`~` draws from a distribution, not from {kind_of(value)}",
                    a.value.span, help="known: " + one_of(_DISTRIBUTIONS),
                )  # fmt: skip
            return None
        found = lookup(value, _DISTRIBUTIONS, "distribution", self.sink)
        if found is None:
            return None
        bound = bind(
            value, found.name, found.arguments, self.sink, subject=cell.settable[name].unit
        )
        if bound is None:
            return None
        if "low" in bound and "high" in bound and bound["low"] > bound["high"]:
            self.sink.error("out-of-range", f"`{found.name}` goes from low to high", value.span)
            return None
        rng = stream(self.context.seed, self.path + label, name)
        try:
            with np.errstate(all="ignore"):
                draws = found.call(rng, count, **bound)
        except (ValueError, OverflowError):
            draws = None
        if draws is None or not np.isfinite(draws).all():
            self.sink.error("out-of-range", f"`{found.name}` cannot draw from these", value.span)
            return None
        programmable = cell.programmable.get(name)
        if programmable is not None and programmable.step is not None:
            draws = np.rint(draws)
        return np.asarray(draws, dtype=float)

    def table_value(
        self, cell: Cell, name: str, column: Column, file: Text
    ) -> NDArray[np.float64] | None:
        values, dimension = column
        want = unit(cell.settable[name].unit).dimension
        if dimension != want:
            self.sink.error(
                "unit-mismatch",
                f"`{name}` of cell `{cell.library}.{cell.name}` is {describe(want)}, but its column "
                f"in `{file.value}` is {describe(dimension)}", file.span,
                help=f"give its values in {symbol_of(want)} and name the column "
                f"`{name} [{symbol_of(want)}]`",
            )  # fmt: skip
            return None
        return values

    def range(
        self, cell: Cell, name: str, values: dict[str, NDArray[np.float64]],
        given: t.Argument | Text | None,
    ) -> None:  # fmt: skip
        """Hold the values of a parameter against its range, which may depend on the others."""
        parameter = cell.settable[name]
        low = np.asarray(limit(parameter.min, values, -np.inf))
        high = np.asarray(limit(parameter.max, values, np.inf))
        found = values[name]
        bad = np.flatnonzero((found < low) | (found > high))
        if not len(bad) or given is None:
            return
        k = bad[0]
        least, most = (float(np.broadcast_to(b, found.shape)[k]) for b in (low, high))
        what = f"`{name}` of cell `{cell.library}.{cell.name}` is {in_range(least, most, parameter.unit)}"
        value = spelled(float(found[k]), parameter.unit)
        if isinstance(given, Text):
            what += f", but {len(bad)} of {len(found)} values in `{given.value}` are not"
        elif given.operator == "~":
            what += f", but {len(bad)} of {len(found)} drawn values are not"
        else:
            self.sink.error("out-of-range", f"{what}, not `{value}`", given.value.span)
            return
        self.sink.error("out-of-range", f"{what}, such as `{value}`",
                        given.span if isinstance(given, Text) else given.value.span)  # fmt: skip

    # ------------------------------------------------------------ delays

    def delayed(self, group: Group) -> Group:
        """The group with its `delay` made of lines before its first spike input.

        There is one for each source and delay, all of the cell that the library names for it.
        """
        delays = group.params.pop(DELAY.name, None) if group.cell and group.cell.delayed else None
        if delays is None or not (delays > 0).any():
            return group
        assert group.cell is not None and group.cell.delayed is not None
        library = self.context.libraries[group.cell.library]
        if not library.delay:
            self.sink.error(
                "unknown-argument", f"library `{library.name}` has no cell that delays spikes",
                group.span,
            )  # fmt: skip
            return group
        line = library.cells[library.delay]
        column = group.ports.index(group.cell.delayed)
        late = np.flatnonzero(delays > 0)
        lines, of_edge = np.unique(
            np.stack([group.terminals[late, column].astype(float), delays[late]]), axis=1,
            return_inverse=True,
        )  # fmt: skip
        label, count = f"{group.label}.delay", lines.shape[1]
        ends = self.new_nodes((count,))
        self.module.arrays[label] = NodeArray(label, "port", "spike", ends, group.span)
        params = {
            name: np.full(count, float(p.default or 0.0)) for name, p in line.params.items()
        } | {DELAY.name: lines[1]}
        self.module.groups[label] = Group(
            label, (count,), line, (), np.zeros(count, dtype=np.int32), tuple(line.ports),
            np.stack([lines[0].astype(np.int32), ends], axis=1), params, group.span,
        )  # fmt: skip
        terminals = group.terminals.copy()
        terminals[late, column] = ends[of_edge.ravel()]
        return replace(group, terminals=terminals)

    # ------------------------------------------------------------ connections

    def connection(self, s: t.Connection) -> None:
        definition = self.definition(s.cell)
        if definition is not None:
            definition, arguments = self.leveled(definition, s.arguments)
            s = replace(s, arguments=arguments)
        source = self.population(s.source)
        target = None if s.target is None else self.population(s.target)
        call = evaluate(s.rule, self.scope, self.sink, names=True)
        if definition is None:
            return
        assert isinstance(call, CallValue)
        group = None
        if source is not None and (s.target is None or target is not None):
            if call.name in lightwork.RULES:
                group = self.mesh(s, call, definition, source, target)
            else:
                found = self.pairs(s, call, source, target)
                group = found and self.joined(s, definition, source, target, found)
        if group is not None:
            self.module.groups[s.label.text] = self.delayed(group)
        else:
            # Its parameters may be wrong as well: do not wait with them for the next run.
            ports = dict.fromkeys(definition.ports, "")
            self.params(s.label.text, definition, s.arguments, 0, s.cell.span, ports)

    def joined(
        self, s: t.Connection, definition: _Definition, source: Nodes, target: Nodes | None,
        found: _Pairs,
    ) -> Group | None:  # fmt: skip
        """The edges of a connection, or None after diagnostics."""
        i, j, shape = found.sources, found.targets, found.shape
        made = self.make(s.label.text, definition, len(i), shape, s.arguments, s.cell.span)
        if made is None:
            return None
        ports, shapes, modules, which = made
        ends = self.ends(s, definition, ports, shapes)
        if ends is None:
            return None
        high = source if target is None else target
        names = list(ports)
        terminals = self.others(s, definition, names, ends, len(i))
        if terminals is None:
            return None
        terminals[:, names.index(ends[0])] = source[i]
        terminals[:, names.index(ends[1])] = high[j]
        params = self.params(
            s.label.text, definition, s.arguments, len(i), s.cell.span, ports, found
        )
        return Group(
            s.label.text, shape, definition.cell, modules, which, tuple(names), terminals, params,
            s.span,
        )  # fmt: skip

    def others(
        self, s: t.Connection, definition: _Definition, names: list[str], ends: tuple[str, ...],
        count: int,
    ) -> Nodes | None:  # fmt: skip
        """The terminals (count, ports) of a connection, those given by name filled in."""
        terminals = np.empty((count, len(names)), dtype=np.int32)
        given = self.given_nodes(
            definition, [p for p in names if p not in ends], s.arguments, s.span
        )
        if given is not None:
            given = self.with_supplies(definition, given, s.cell.span)
        if given is None:
            return None
        for name in names:
            if name in ends:
                continue
            if name not in given:
                self.sink.error(
                    "arity", f"port `{name}` of {definition.noun} is not connected", s.cell.span,
                    help=f"give it by name: `{s.cell}({name} = NODE, ...)`",
                )  # fmt: skip
                return None
            nodes, span = given[name]
            if nodes.ndim and nodes.size != count:
                self.sink.error(
                    "shape-mismatch", f"{nodes.size} nodes are given for {count} edges", span
                )
                return None
            terminals[:, names.index(name)] = nodes.ravel()
        return terminals

    def mesh(
        self, s: t.Connection, call: CallValue, definition: _Definition, source: Nodes,
        target: Nodes | None,
    ) -> Group | None:  # fmt: skip
        """The interferometers of a mesh, or None after diagnostics."""
        rule, modes = lightwork.RULES[call.name], len(source)
        if target is None or len(target) != modes or modes < 2:
            self.sink.error(
                "arity", f"`{call.name}` leads light from two or more nets to as many others",
                call.span, help=f"`connect a -> b by {call.name}`",
            )  # fmt: skip
            return None
        bound = bind(call, rule.name, rule.arguments, self.sink)
        if bound is None or not self.fits(modes * (modes - 1) // 2, call.span):
            return None
        file, matrix, back = bound["matrix"], None, bound.pop("back")
        if file is not None and not isinstance(file, Text):
            self.sink.error("wrong-kind", f"`{call.name}` takes the quoted name of a file, not {kind_of(file)}",
                            file.span)  # fmt: skip
            return None
        try:
            if file is not None:
                matrix = lightwork.read_matrix(self.context.files, file.value, modes)
            made = rule.call(modes, matrix)
        except FileRefused as error:
            self.sink.error(error.code, str(error), call.span, help=error.help)
            return None
        except ValueError as error:
            self.sink.error("bad-file", f"`{file.value}`: {error}", call.span)
            return None
        radian = unit("rad").dimension
        table = {} if file is None else {"theta": (made.theta, radian), "phi": (made.phi, radian)}
        self.screens[s.label.text] = file and (file, made.screen)
        count = len(made.top)
        found = self.make(s.label.text, definition, count, (count,), s.arguments, s.cell.span)
        ports = None if found is None else self.arms(s, definition, found[0], found[1])
        if found is None or ports is None:
            return None
        wiring = lightwork.wired(
            made.top, source, target, lambda n: self.new_nodes((n,)), back=back
        )
        inside = f"{s.label}.inside"
        self.module.arrays[inside] = NodeArray(
            inside, "port", "optical", wiring.inside, s.label.span
        )
        names = list(found[0])
        terminals = self.others(s, definition, names, ports, count)
        if terminals is None:
            return None
        for k, nodes in enumerate((*wiring.incoming.T, *wiring.outgoing.T)):
            terminals[:, names.index(ports[k])] = nodes
        pairs = _Pairs(made.top, made.top + 1, (count,), table, file)
        params = self.params(
            s.label.text, definition, s.arguments, count, s.cell.span, found[0], pairs
        )
        return Group(
            s.label.text, (count,), definition.cell, found[2], found[3], tuple(names), terminals, params,
            s.span,
        )  # fmt: skip

    def arms(
        self, s: t.Connection, definition: _Definition, ports: Mapping[str, str],
        shapes: Mapping[str, tuple[int, ...]],
    ) -> tuple[str, ...] | None:  # fmt: skip
        """The two ports by which light comes into an interferometer, and the two by which it leaves."""
        direction = self.directions(definition, ports)
        light = [n for n, d in ports.items() if d == "optical" and not shapes[n]]
        incoming = [n for n in light if direction[n] == "in"]
        outgoing = [n for n in light if direction[n] == "out"]
        if len(incoming) == len(outgoing) == 2:
            return (*incoming, *outgoing)
        self.sink.error(
            "arity", f"{definition.noun} is no interferometer: it needs two inputs and two outputs of light",
            s.cell.span,
        )  # fmt: skip
        return None

    def population(self, paths: tuple[t.Path, ...]) -> Nodes | None:
        found = [self.nodes(p) for p in paths]
        if any(f is None for f in found):
            return None
        return np.concatenate([f.ravel() for f in found if f is not None])

    def ends(
        self, s: t.Connection, definition: _Definition, ports: Mapping[str, str],
        shapes: Mapping[str, tuple[int, ...]],
    ) -> tuple[str, str] | None:  # fmt: skip
        """The two ports that a connection joins: the first in, the first out (or the next)."""
        direction = self.directions(definition, ports)
        ports = {n: d for n, d in ports.items() if direction[n] != "supply"}
        first = next((n for n, d in direction.items() if d == "in"), None)
        first = first or next((n for n, d in direction.items() if d == "inout"), None)
        rest = [n for n in ports if n != first]
        second = next((n for n in rest if direction[n] == "out"), None)
        second = second or next((n for n in rest if direction[n] == "inout"), None)
        if first is None or second is None or shapes[first] or shapes[second]:
            self.sink.error(
                "arity",
                f"{definition.noun} cannot be an edge: it needs two single ports",
                s.cell.span,
            )
            return None
        return first, second

    @staticmethod
    def directions(definition: _Definition, ports: Iterable[str]) -> dict[str, str]:
        """The direction of each port: of a network's, `in` or `out`."""
        if definition.cell is not None:
            return {n: p.direction for n, p in definition.cell.ports.items()}
        assert definition.network is not None
        kinds = {
            p.name.text: p.kind for p in definition.network.statements if isinstance(p, t.Port)
        }
        return {n: {"input": "in"}.get(kinds[n], "out") for n in ports}

    def pairs(
        self, s: t.Connection, call: CallValue, source: Nodes, target: Nodes | None
    ) -> _Pairs | None:
        """The pairs that the rule makes, or None after diagnostics."""
        population = connectivity.Population(
            len(source),
            len(source) if target is None else len(target),
            target is None,
            stream(self.context.seed, self.path + s.label.text, "connect"),
        )
        if call.name == "edges":
            return self.listed(call, population)
        if call.name == "screen":
            return self.screened(call, population)
        known = {**_RULES, **lightwork.RULES, "edges": None, "screen": None}
        found = lookup(call, known, "connection rule", self.sink)
        if found is None:
            return None
        bound = bind(
            call, found.name, {**found.arguments, "autapses": connectivity._FLAG}, self.sink
        )
        if bound is None:
            return None
        autapses = bound.pop("autapses")
        try:
            i, j = found.call(population, **bound)
        except connectivity.RuleError as error:
            self.sink.error(error.code, str(error), call.span)
            return None
        other = source if target is None else target
        shape: tuple[int, ...] = (len(i),)
        if not autapses:
            keep = source[i] != other[j]
            i, j = i[keep], j[keep]
        if call.name == "all_to_all" and target is not None and len(i) == shape[0]:
            shape = (population.sources, population.targets)
        else:
            shape = (len(i),)
        if not self.fits(len(i), call.span):
            return None
        if len(i) == 0:
            self.sink.warning("no-edges", f"`{s.label}` connects nothing", call.span)
        return _Pairs(i, j, shape)

    def listed(self, call: CallValue, population: connectivity.Population) -> _Pairs | None:
        arguments = call.arguments
        if len(arguments) != 1 or not isinstance(arguments[0].value, Text):
            self.sink.error(
                "arity", '`edges` takes one quoted file name: `edges("file.csv")`', call.span
            )
            return None
        name = arguments[0].value
        edges = self.context.tables.get(name.value)
        try:
            if edges is None:
                edges = read_edges(self.context.files, name.value)
        except FileRefused as error:
            self.sink.error(error.code, str(error), name.span, help=error.help)
            return None
        self.context.tables[name.value] = edges
        i, j = edges.pairs[:, 0], edges.pairs[:, 1]
        for ends, size in ((i, population.sources), (j, population.targets)):
            if len(ends) and ends.max() >= size:
                self.sink.error(
                    "out-of-range",
                    f"`{name.value}` names node {ends.max()}, but there are only {size} (counted from 0)",
                    name.span,
                )
                return None
        if not self.fits(len(i), call.span):
            return None
        return _Pairs(i, j, (len(i),), edges.params, name)

    def screened(self, call: CallValue, population: connectivity.Population) -> _Pairs | None:
        """One to one, with the phases that stand behind a mesh."""
        bound = bind(call, "screen", {"mesh": Argument("path")}, self.sink)
        if bound is None:
            return None
        label = bound["mesh"].text
        found = self.screens.get(label)
        if found is None:
            what = "has no matrix" if label in self.screens else "is no mesh above"
            self.sink.error(
                "unknown-name", f"`{label}` {what}", bound["mesh"].span,
                help=did_you_mean(label, [k for k in self.screens if k != label])
                or 'it stands behind a mesh of a matrix: `mesh: connect a -> u by clements("u.csv")`',
            )  # fmt: skip
            return None
        file, phases = found
        if not population.sources == population.targets == len(phases) or population.one:
            self.sink.error(
                "arity", f"`{label}` has {len(phases)} outputs: `connect u -> y by screen({label})`",
                call.span,
            )  # fmt: skip
            return None
        k = np.arange(len(phases), dtype=np.int64)
        return _Pairs(k, k, (len(k),), {"phase": (phases, unit("rad").dimension)}, file)

    # ------------------------------------------------------------ grounds

    def tie_grounds(self) -> None:
        """Make the nodes of `ground a = n[3]` ground, wherever they are used."""
        module = self.module
        if not module.grounded:
            return
        # The other nodes are counted anew: a module's nodes are 0 to size - 1, without gaps.
        live = np.ones(module.size, dtype=bool)
        live[module.grounded] = False
        new = np.full(module.size + 1, GROUND, dtype=np.int32)  # the last: ground stays ground
        new[:-1][live] = np.arange(np.count_nonzero(live))
        module.size = int(np.count_nonzero(live))
        module.supplies = [replace(s, node=int(new[s.node])) for s in module.supplies]
        for name, a in module.arrays.items():
            module.arrays[name] = replace(a, indices=new[a.indices])
        for ports in (module.inputs, module.outputs):
            for name, p in ports.items():
                ports[name] = replace(p, positive=new[p.positive], negative=new[p.negative])
        for name, g in module.groups.items():
            module.groups[name] = replace(g, terminals=new[g.terminals])


def limit(
    bound: float | str | None, values: Mapping[str, NDArray[np.float64]], missing: float
) -> float | NDArray[np.float64]:
    """A parameter's limit, which may be SPICE arithmetic over the cell's other parameters."""
    if bound is None:
        return missing
    return evaluate_spice(bound, values) if isinstance(bound, str) else float(bound)


def _decimal_comma(arguments: tuple[t.Argument, ...], a: t.Argument) -> str:
    """A help where `1.5 uS` was written `1,5 uS`."""
    before = arguments[arguments.index(a) - 1].value
    if isinstance(before, t.Quantity) and isinstance(a.value, t.Quantity) and not before.unit:
        between = a.span.source.text[before.span.end : a.span.start]
        if between == "," and "." not in before.number:
            return f"a decimal point is a point: `{before.number}.{a.value.span.text}`"
    return ""


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _first_names(alias: t.Alias) -> list[str]:
    return [x.steps[0].name.text for x in alias.terminals if isinstance(x, t.Path)]


def _nodes_of(shape: tuple[int, ...]) -> str:
    return "a single node" if shape == () else f"nodes of shape {list(shape)}"


def _draws(network: t.Network, networks: Mapping[str, t.Network]) -> bool:
    """Whether two instances of a network may differ: something random in it, or below it."""
    seen: set[str] = set()

    def visit(n: t.Network) -> bool:
        if n.name.text in seen:
            return False
        seen.add(n.name.text)
        for s in n.statements:
            if isinstance(s, t.Instance | t.Connection):
                if any(a.operator == "~" for a in s.arguments):
                    return True
                if isinstance(s, t.Connection) and s.rule.name.text.startswith(
                    ("fixed_", "pairwise_")
                ):
                    return True
                below = networks.get(s.cell.name.text) if s.cell.library is None else None
                if below is not None and visit(below):
                    return True
        return False

    return visit(network)
