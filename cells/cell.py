"""What a cell is: a SPICE subcircuit and what its header declares of it.

A limit is a number or SPICE arithmetic over the cell's other parameters (`"levels"`), to be given
to :func:`tellegen.cells.expression.evaluate`; None says that there is none. Spans point into the
cell's file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tellegen.cells.definitions import Definition
from tellegen.cells.probe import Probe
from tellegen.cells.solver import NO_SOLVER, Solver
from tellegen.source import Source, Span

Limit = float | str | None

DISCIPLINES = ("voltage", "current", "optical", "spin", "spike")
DIRECTIONS = ("inout", "in", "out", "supply")
SENSES = ("", "increasing", "decreasing")
GROUND = "gnd"
# What a plasticity rule may read of its two neurons and of a third factor (Khacef et al. 2023).
LOCAL = {
    "pre": ("spike", "trace", "event trace", "eligibility", "psp"),
    "post": (
        "spike", "trace", "second trace", "membrane", "membrane averages", "calcium", "burst",
        "event", "rate", "dendrite",
    ),
    "third": ("reward", "error", "target"),
}  # fmt: skip


@dataclass(frozen=True)
class Locality:
    """What a plasticity rule reads: of its pre and postsynaptic side, of a third factor, its weight."""

    pre: tuple[str, ...] = ()
    post: tuple[str, ...] = ()
    third: tuple[str, ...] = ()
    weight: bool = False


@dataclass(frozen=True, kw_only=True)
class Port:
    """A terminal of a cell.

    One of direction "supply" is connected to the supply or node of its name where an instance does
    not say otherwise; one that is `open` may be left unconnected.
    """

    name: str
    discipline: str = "voltage"
    direction: str = "inout"
    open: bool = False
    doc: str = ""
    span: Span = field(repr=False, compare=False)

    @property
    def nodes(self) -> tuple[str, ...]:
        """Its nodes on the `.subckt` card: an optical port has a real and an imaginary one."""
        if self.discipline == "optical":
            return f"{self.name}_re", f"{self.name}_im"
        return (self.name,)


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A number that an instance may set, in `unit`; one without a default must be given.

    Where there is a `step`, only min + k*step are values of it.
    """

    name: str
    unit: str = "1"
    default: float | None = None
    min: Limit = None
    max: Limit = None
    step: Limit = None
    bias: bool = False
    doc: str = ""
    span: Span = field(repr=False, compare=False)


# What the compiler makes of a line of its own before a cell that takes spikes.
DELAY = Parameter(
    name="delay",
    unit="s",
    default=0.0,
    min=0.0,
    doc="transmission delay of the spikes that it takes",
    span=Source("", "").span(0, 0),
)


@dataclass(frozen=True, kw_only=True)
class Programmable:
    """A parameter that can be written while the circuit runs, and the elements that carry it.

    Attributes:
        elements: names of cards in the cell, such as `R1`.
        attribute: what to alter on them; "" is the principal value, "gain" a controlled source's.
        expressions: the elements' values as SPICE arithmetic over the cell's parameters.
        step: distance of two writable values, counted from the parameter's min; None is continuous.
        noise: standard deviation of what a write adds, in the parameter's unit.
        sense: "increasing" where the conductance grows with the parameter, "decreasing" where it
            falls, "" where the cell does not say.
        phase: whether it is the phase of light that passes it once, so that every power behind is
            a + b cos p + c sin p.
    """

    param: str
    elements: tuple[str, ...]
    attribute: str
    expressions: tuple[str, ...]
    step: Limit = None
    noise: float = 0.0
    sense: str = ""
    phase: bool = False
    span: Span = field(repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class Observable:
    """A quantity that can be measured at each instance: `v(p,n)`, or `i(V1)` of a source inside."""

    name: str
    expr: str
    probe: Probe
    unit: str
    doc: str = ""
    span: Span = field(repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """A number that a self-test must measure.

    Attributes:
        expr: arithmetic over `v(...)`, `i(...)` and the names of the cell's observables.
        value: the number, or SPICE arithmetic over the test's parameters.
        rtol: relative tolerance.
        atol: absolute tolerance, added to the relative one.
        at: time at which it is measured, in seconds; None is the last point.
        between: instead, the times between which it is taken, by `take`.
        take: "max", "min", "mean", or "rises": how often it rises through 0.9.
        source: where the number comes from.
    """

    expr: str
    value: float | str
    source: str
    rtol: float = 1e-6
    atol: float = 0.0
    at: float | None = None
    between: tuple[float, float] | None = None
    take: str = ""


@dataclass(frozen=True, kw_only=True)
class SelfTest:
    """A bench around one instance of the cell, an analysis, and what must come out.

    It holds at the named `levels`, or at every one.
    """

    name: str
    levels: tuple[str, ...] = ()
    params: Mapping[str, float]
    bench: tuple[str, ...]
    analysis: str
    expect: tuple[Expectation, ...]
    span: Span = field(repr=False, compare=False)


@dataclass(frozen=True, kw_only=True, eq=False)
class Cell:
    """One entry of a library, at one of its levels.

    Attributes:
        name: name of the cell.
        library: name of its library.
        level: what this body is ("transistor", "behavioural", ...); "" where there is but one.
        levels: the cell at each of its levels, this one among them.
        subcircuit: name of the `.subckt`.
        summary: one sentence.
        doc: more sentences, or "".
        reference: paper or data sheet behind it.
        ports: in the order of the `.subckt` card.
        params: in the order of the header.
        biases: bias currents in ampere, as SPICE arithmetic over the parameters.
        locality: what it reads if it is a plasticity rule.
        dc_paths: pairs of ports (or "gnd") between which direct current can flow.
        dc_sources: pairs of ports (or "gnd") between which a source inside holds the voltage.
        solver: what its library asks of the simulator.
        max_step: the longest step of a transient that it bears, in seconds, or SPICE arithmetic over the
            parameters for it; None for any.
        definitions: the text to be pasted into a netlist, in order.
        source: the cell's file.
    """

    name: str
    library: str
    level: str = ""
    levels: Mapping[str, Cell] = field(repr=False)
    subcircuit: str
    summary: str
    reference: str
    doc: str = ""
    ports: Mapping[str, Port]
    params: Mapping[str, Parameter]
    biases: Mapping[str, str] = field(default_factory=dict)
    programmable: Mapping[str, Programmable]
    observables: Mapping[str, Observable]
    locality: Locality | None = None
    dc_paths: tuple[tuple[str, str], ...]
    dc_sources: tuple[tuple[str, str], ...]
    selftests: tuple[SelfTest, ...]
    solver: Solver = NO_SOLVER
    max_step: Limit = None
    definitions: tuple[Definition, ...] = field(repr=False)
    source: Source = field(repr=False, compare=False)

    @property
    def text(self) -> str:
        """The subcircuit with all that it needs, ready to be pasted into a netlist."""
        return "".join(d.text for d in self.definitions)

    @property
    def nodes(self) -> list[str]:
        """The nodes of its ports, in the order of the `.subckt` card."""
        return [node for port in self.ports.values() for node in port.nodes]

    @property
    def defines(self) -> tuple[str, ...]:
        """Every name that the text gives at the netlist's top level."""
        return tuple(name for d in self.definitions for name in d.names)

    @property
    def delayed(self) -> str | None:
        """The port before which a transmission delay acts: the first that takes spikes."""
        takes = (n for n, p in self.ports.items() if (p.discipline, p.direction) == ("spike", "in"))
        return None if DELAY.name in self.params else next(takes, None)

    @property
    def settable(self) -> Mapping[str, Parameter]:
        """What an instance may set: its parameters, and a delay where it takes spikes."""
        return self.params if self.delayed is None else {**self.params, DELAY.name: DELAY}

    @property
    def supplies(self) -> list[str]:
        """The ports that are connected to a supply by default."""
        return [name for name, port in self.ports.items() if port.direction == "supply"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Library:
    """A folder of cells; `delay` names the one that delays spikes, "" where there is none."""

    name: str
    title: str
    description: str
    delay: str = ""
    cells: Mapping[str, Cell]
