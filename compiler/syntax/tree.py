"""The syntax tree: what the author wrote, nothing resolved.

Nodes compare equal when they say the same, wherever they stand in a file: spans do not take part.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tellegen.source import Source, Span


def _span() -> Any:
    return field(compare=False, repr=False)


# ---------------------------------------------------------------- values


@dataclass(frozen=True, slots=True)
class Name:
    """A name with its place."""

    text: str
    span: Span = _span()

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as written, with its unit's text (empty for none)."""

    number: str
    unit: str
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class String:
    """A quoted text."""

    text: str
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Interval:
    """`low .. high`."""

    low: Expression
    high: Expression
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Sequence:
    """`(a, b, c)`, or the same after a drive without the parentheses."""

    items: tuple[Expression, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Binary:
    """An arithmetic operation `+ - * /`."""

    operator: str
    left: Expression
    right: Expression
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Negative:
    """`-x`."""

    operand: Expression
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a call: positional, `name = value`, or `name ~ distribution`.

    `arrow` is set where `->` and not a comma stands before it.
    """

    name: Name | None
    operator: str  # "", "=" or "~"
    value: Expression
    arrow: bool
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Call:
    """`name(arguments)`; a bare word where a rule is due is a call without arguments."""

    name: Name
    arguments: tuple[Argument, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Slice:
    """`[low:high]`, either end may be missing."""

    low: Expression | None
    high: Expression | None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Step:
    """A name in a path with its subscripts."""

    name: Name
    subscripts: tuple[Expression | Slice, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Path:
    """`a.b[3].c`."""

    steps: tuple[Step, ...]
    span: Span = _span()

    def __str__(self) -> str:
        return " ".join(self.span.text.split())


Expression = Quantity | String | Interval | Sequence | Binary | Negative | Call | Path


# ---------------------------------------------------------------- networks


@dataclass(frozen=True, slots=True)
class Import:
    """`import library`."""

    library: Name
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Parameter:
    """A network's parameter with its default."""

    name: Name
    default: Expression
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Port:
    """A declared node or array of nodes; `kind` is input, output, node or ground."""

    kind: str
    name: Name
    shape: tuple[Expression, ...]
    discipline: Name | None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Pair:
    """Two nodes: a voltage is taken or applied between them."""

    positive: Path
    negative: Path
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Alias:
    """`input source = n[0], n[4]`: ports that are nodes, node pairs or edges of the network."""

    kind: str
    name: Name
    terminals: tuple[Path | Pair, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Supply:
    """A node held at a voltage."""

    name: Name
    value: Expression
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Cell:
    """The cell or network that an instance is made of, possibly qualified by its library."""

    library: Name | None
    name: Name
    span: Span = _span()

    def __str__(self) -> str:
        return f"{self.library}.{self.name}" if self.library else str(self.name)


@dataclass(frozen=True, slots=True)
class Instance:
    """`load: capacitor(out, gnd, c = 1 pF)`, or an array of them."""

    label: Name
    cell: Cell
    shape: tuple[Expression, ...]
    arguments: tuple[Argument, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Connection:
    """`first: connect x -> h by all_to_all using resistor(...)`; without `target` within one population."""

    label: Name
    source: tuple[Path, ...]
    target: tuple[Path, ...] | None
    rule: Call
    cell: Cell
    arguments: tuple[Argument, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Network:
    """A network block."""

    name: Name
    parameters: tuple[Parameter, ...]
    statements: tuple[Port | Alias | Supply | Instance | Connection, ...]
    span: Span = _span()


# ---------------------------------------------------------------- experiments


@dataclass(frozen=True, slots=True)
class Setting:
    """A statement of an experiment: its keyword and its values.

    `decode, loss, update, cost` hold one call; `epochs, batch, starts, shots, bits, washout, seed, window`
    one value;
    `transient` two (stop, step) or its step alone; `target` the column that a read-out shall give.
    """

    keyword: str
    values: tuple[Expression, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Assignment:
    """`drive x = ...` or `target y = ...`; several values make a sequence."""

    keyword: str
    port: Path
    value: Expression
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Data:
    """`data iris split 0.6, 0.2`."""

    source: Call
    split: tuple[Expression, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Learn:
    """`learn first.g, second.g in 1 uS .. 1 mS by coupled(...)`."""

    parameters: tuple[Path, ...]
    limits: Expression | None
    rule: Call
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Vary:
    """`vary mesh.theta, mesh.phi by bfgs(flat = 1 mHa)`."""

    parameters: tuple[Path, ...]
    rule: Call
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Measure:
    """`measure y in basis`: the powers that a cost is made of, and the mesh that turns the light before them."""

    output: Path
    basis: Path | None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Record:
    """`record out, load.current`."""

    signals: tuple[Path, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Sweep:
    """`sweep dt = -40 ms .. 40 ms step 5 ms`, or the values one by one (then without a step)."""

    name: Name
    values: tuple[Expression, ...]
    step: Expression | None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Control:
    """`control pi(read = y, drive = u, ...) every 50 us`; without `every` at spikes."""

    controller: Call
    every: Expression | None
    span: Span = _span()


ExperimentStatement = (
    Setting | Assignment | Data | Learn | Vary | Measure | Record | Sweep | Control
)


@dataclass(frozen=True, slots=True)
class Experiment:
    """A task, train or simulate block.

    `subject` is the network of a task or simulation, and the task of a training.
    """

    kind: str
    name: Name
    subject: Name
    statements: tuple[ExperimentStatement, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Unit:
    """A whole `.tgn` file."""

    imports: tuple[Import, ...]
    networks: tuple[Network, ...]
    experiments: tuple[Experiment, ...]
    source: Source = field(compare=False, repr=False)
