"""What a cell is: a SPICE subcircuit and what its header declares of it.

A limit is a number or SPICE arithmetic over the cell's other parameters (`"levels"`), to be given
to :func:`tellegen.cells.expression.evaluate`; None says that there is none. Spans point into the
cell's file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tellegen.cells.probe import Probe
from tellegen.source import Source, Span

Limit = float | str | None

DISCIPLINES = ("voltage", "current", "optical", "spin", "spike")
DIRECTIONS = ("inout", "in", "out")
SENSES = ("", "increasing", "decreasing")
GROUND = "gnd"


@dataclass(frozen=True, kw_only=True)
class Port:
    """A terminal of a cell."""

    name: str
    discipline: str = "voltage"
    direction: str = "inout"
    doc: str = ""
    span: Span = field(repr=False, compare=False)


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
    doc: str = ""
    span: Span = field(repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class Programmable:
    """A parameter that can be written while the circuit runs, and the element that carries it.

    Attributes:
        element: name of the card in the cell, such as `R1`.
        attribute: what to alter on it; "" is its principal value, "gain" a controlled source's.
        expression: the element's value as SPICE arithmetic over the cell's parameters.
        step: distance of two writable values, counted from the parameter's min; None is continuous.
        noise: standard deviation of what a write adds, in the parameter's unit.
        sense: "increasing" where the conductance grows with the parameter, "decreasing" where it
            falls, "" where the cell does not say.
    """

    param: str
    element: str
    attribute: str
    expression: str
    step: Limit = None
    noise: float = 0.0
    sense: str = ""
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
        source: where the number comes from.
    """

    expr: str
    value: float | str
    source: str
    rtol: float = 1e-6
    atol: float = 0.0
    at: float | None = None


@dataclass(frozen=True, kw_only=True)
class SelfTest:
    """A bench around one instance of the cell, an analysis, and what must come out."""

    name: str
    params: Mapping[str, float]
    bench: tuple[str, ...]
    analysis: str
    expect: tuple[Expectation, ...]
    span: Span = field(repr=False, compare=False)


@dataclass(frozen=True, kw_only=True, eq=False)
class Cell:
    """One entry of a library.

    Attributes:
        name: name of the cell and of its subcircuit.
        library: name of its library.
        summary: one sentence.
        doc: more sentences, or "".
        reference: paper or data sheet behind it.
        ports: in the order of the `.subckt` card.
        params: in the order of the header.
        dc_paths: pairs of ports (or "gnd") between which direct current can flow.
        dc_sources: pairs of ports (or "gnd") between which a source inside holds the voltage.
        text: the subcircuit with its models and helpers, ready to be pasted into a netlist.
        defines: every name that the text gives to a subcircuit or model at the netlist's top level.
        source: the cell's file.
    """

    name: str
    library: str
    summary: str
    reference: str
    doc: str = ""
    ports: Mapping[str, Port]
    params: Mapping[str, Parameter]
    programmable: Mapping[str, Programmable]
    observables: Mapping[str, Observable]
    dc_paths: tuple[tuple[str, str], ...]
    dc_sources: tuple[tuple[str, str], ...]
    selftests: tuple[SelfTest, ...]
    text: str = field(repr=False)
    defines: tuple[str, ...]
    source: Source = field(repr=False, compare=False)


@dataclass(frozen=True, kw_only=True, eq=False)
class Library:
    """A folder of cells."""

    name: str
    title: str
    description: str
    cells: Mapping[str, Cell]
