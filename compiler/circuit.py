"""The circuit: an elaborated network, arrays all the way.

A network becomes a :class:`Module`. Its instances are held as groups: a group is one line of the source
(an instance, an array of instances, or a connection of a hundred thousand edges) with its terminals and
parameter values as arrays. Node numbers are local to their module; ground is -1 everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tellegen.arrays import Indices, Values
from tellegen.cells import Cell
from tellegen.cells.expression import evaluate
from tellegen.cells.solver import Solver, tightest
from tellegen.manifest import GROUND
from tellegen.source import Span

Nodes = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class NodeArray:
    """Declared nodes (or one node: shape `()`)."""

    name: str
    kind: str  # "input", "output", "node", "ground", "supply", or "port" of an instance
    discipline: str
    indices: Nodes  # of the declared shape
    span: Span


@dataclass(frozen=True, eq=False)
class Port:
    """An input or output: a voltage (or current) between two nodes per element."""

    name: str
    kind: str  # "input" or "output"
    discipline: str
    positive: Nodes  # of the declared shape
    negative: Nodes
    span: Span

    @property
    def shape(self) -> tuple[int, ...]:
        """The declared shape."""
        return self.positive.shape


@dataclass(frozen=True, eq=False)
class Supply:
    """A node held at a voltage."""

    name: str
    node: int
    volts: float
    span: Span


@dataclass(frozen=True, eq=False)
class Group:
    """Instances made by one line: of a cell, or of a network (then `modules[which[k]]` is the k-th)."""

    label: str
    shape: tuple[int, ...]
    cell: Cell | None
    modules: tuple[Module, ...]
    which: NDArray[np.int32]
    ports: tuple[str, ...]
    terminals: Nodes  # (instances, ports)
    params: dict[str, Values]  # each (instances,)
    span: Span

    def __len__(self) -> int:
        return len(self.terminals)

    @property
    def made_of(self) -> str:
        """The name of the cell or network."""
        return self.cell.name if self.cell else self.modules[0].name


@dataclass(eq=False)
class Module:
    """A network elaborated for one set of parameter values."""

    name: str
    span: Span
    size: int = 0  # number of nodes
    whole: bool = True  # False where something was left out because its own mistakes were reported
    weight: int = 0  # how much it holds, seen through its hierarchy: nodes, instances
    arrays: dict[str, NodeArray] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    inputs: dict[str, Port] = field(default_factory=dict)
    outputs: dict[str, Port] = field(default_factory=dict)
    supplies: list[Supply] = field(default_factory=list)
    grounded: list[int] = field(default_factory=list)  # nodes tied to ground by `ground a = n[3]`

    def node_name(self, node: int) -> str:
        """A node as the author calls it."""
        if node == GROUND:
            return "gnd"
        for array in self.arrays.values():
            where = np.argwhere(array.indices == node)
            if len(where):
                return array.name + subscript(where[0])
        return f"node {node}"


def subscript(index: Indices | tuple[int, ...]) -> str:
    """An array index as the language writes it; empty for a scalar."""
    return "[" + ", ".join(str(int(i)) for i in index) + "]" if len(index) else ""


@dataclass(frozen=True, eq=False)
class Circuit:
    """What is emitted: a module at the top, and the seed of every value drawn in it."""

    top: Module
    seed: int

    def modules(self) -> list[Module]:
        """Every module, each after those that it uses; the top one comes last."""
        seen: dict[int, Module] = {}

        def visit(module: Module) -> None:
            for group in module.groups.values():
                for child in group.modules:
                    visit(child)
            seen.setdefault(id(module), module)

        visit(self.top)
        return list(seen.values())

    def cells(self) -> list[Cell]:
        """The cells in use, by name, library and level."""
        used = {
            (g.cell.name, g.cell.library, g.cell.level): g.cell
            for m in self.modules()
            for g in m.groups.values()
            if g.cell
        }
        return [used[name] for name in sorted(used)]

    def max_step(self) -> float:
        """The longest step of a transient that its instances bear, in seconds; infinite for any."""
        return min(
            (
                float(np.min(evaluate(g.cell.max_step, g.params)))
                for m in self.modules()
                for g in m.groups.values()
                if g.cell and g.cell.max_step is not None and g.terminals.size
            ),
            default=np.inf,
        )

    def solver(self) -> Solver:
        """What its cells ask of the simulator."""
        return tightest([cell.solver for cell in self.cells()])
