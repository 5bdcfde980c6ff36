"""Self-tests of cells: each runs in ngspice, and what it measures is held against the theory.

A self-test puts one instance of its cell between the cards of a bench. Its expectations are closed
forms with their source: a pass says that ngspice, the cell's text and its header agree with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tellegen.arrays import Values
from tellegen.cells import Cell, Expectation, Observable, Probe, SelfTest
from tellegen.cells.expression import evaluate
from tellegen.cells.probe import replaced
from tellegen.emit.spice import options
from tellegen.sims.errors import SimulationError
from tellegen.sims.ngspice.deck import Vectors, run_decks
from tellegen.sims.ngspice.events import SPIKE, crossings

_INSTANCE = "xcell"
_GROUND = ("0", "gnd")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One expectation of a self-test and what became of it.

    Attributes:
        cell: the cell as `library.cell`.
        test: name of the self-test.
        expr: what was measured.
        measured: its value, None where the test did not come that far.
        expected: the value that the theory gives.
        error: |measured - expected|, relative to |expected| unless that is 0.
        source: where the expected value comes from.
        passed: whether the error is within the test's tolerances.
        trouble: why there is no measured value.
    """

    cell: str
    test: str
    expr: str
    measured: float | None
    expected: float
    error: float | None
    source: str
    passed: bool
    trouble: str = ""


def verify(cells: Iterable[Cell], *, library: Path | None = None) -> Iterator[Outcome]:
    """Run every self-test of the cells, in order; a failed simulation is an outcome, no exception.

    Raises:
        SimulatorMissing: there is no ngspice.
    """
    levels = (level for cell in cells for level in cell.levels.values())
    tests = [(cell, test) for cell in levels for test in cell.selftests]
    results = run_decks((deck(cell, test) for cell, test in tests), library=library)
    for (cell, test), result in zip(tests, results, strict=True):
        for expectation in test.expect:
            yield _judge(cell, test, expectation, result)


def deck(cell: Cell, test: SelfTest) -> str:
    """The complete SPICE deck of a self-test."""
    values = " ".join(f"{name}={value!r}" for name, value in _values(cell, test).items())
    instance = f"{_INSTANCE} {' '.join(cell.nodes)} {cell.subcircuit} {values}".rstrip()
    title = f"* self-test of {cell.library}.{cell.name}: {test.name}"
    cards = [*test.bench, *options(cell.solver), test.analysis, ".end", ""]
    return "\n".join([title, cell.text.rstrip(), instance, *cards])


def _values(cell: Cell, test: SelfTest) -> dict[str, float]:
    defaults = {n: p.default for n, p in cell.params.items() if p.default is not None}
    return {**defaults, **test.params}


def _judge(
    cell: Cell, test: SelfTest, expectation: Expectation, result: Vectors | SimulationError
) -> Outcome:
    measured, expected, trouble = None, float("nan"), ""
    try:
        expected = float(evaluate(expectation.value, _values(cell, test)))
        if isinstance(result, SimulationError):
            raise ValueError(str(result))
        measured = _measure(cell, expectation, result)
    except ValueError as error:
        trouble = str(error)
    deviation = abs(measured - expected) if measured is not None else None
    allowed = expectation.rtol * abs(expected) + expectation.atol
    return Outcome(
        cell=f"{cell.library}.{cell.name}" + (f" ({cell.level})" if cell.level else ""),
        test=test.name,
        expr=_said(expectation),
        measured=measured,
        expected=expected,
        error=None if deviation is None else deviation / (abs(expected) or 1.0),
        source=expectation.source,
        passed=deviation is not None and deviation <= allowed,
        trouble=trouble,
    )


def _said(expectation: Expectation) -> str:
    if expectation.between is not None:
        first, last = expectation.between
        return f"{expectation.take} of {expectation.expr} from {first:g} s to {last:g} s"
    return expectation.expr + ("" if expectation.at is None else f" at {expectation.at:g} s")


def _measure(cell: Cell, expectation: Expectation, vectors: Vectors) -> float:
    """The expectation's expression over the simulated vectors, at its time or the last point."""
    names: dict[str, Values] = {
        name: _probed(_inside(cell, observable), vectors)
        for name, observable in cell.observables.items()
    }

    def name_of(probe: Probe) -> str:
        name = f"probe_{len(names)}"
        names[name] = _probed(probe, vectors)
        return name

    values = np.atleast_1d(evaluate(replaced(expectation.expr, name_of), names))
    if expectation.at is None and expectation.between is None:
        return float(values[-1])
    time = np.real(vectors["time"])
    values = np.broadcast_to(values, time.shape)
    at = 0.0 if expectation.at is None else expectation.at
    first, last = expectation.between or (at, at)
    if not time[0] <= first <= last <= time[-1]:
        raise ValueError(f"the analysis goes from {time[0]:g} s to {time[-1]:g} s")
    if expectation.between is None:
        return float(np.interp(at, time, values))
    return _taken(expectation.take, time, values, expectation.between)


def _taken(how: str, time: Values, values: Values, between: tuple[float, float]) -> float:
    """One number of a waveform between two times; the mean is over time."""
    ends = np.interp(between, time, values)
    inside = (time > between[0]) & (time < between[1])
    t = np.array([between[0], *time[inside], between[1]])
    v = np.array([ends[0], *values[inside], ends[1]])
    if how == "mean":
        return float(np.trapezoid(v, t) / (t[-1] - t[0]))
    if how == "rises":
        return float(len(crossings(t, v, SPIKE)))
    return float(v.max() if how == "max" else v.min())


def _inside(cell: Cell, observable: Observable) -> Probe:
    """An observable's probe as the netlist around the instance spells it."""
    probe = observable.probe
    if probe.kind == "i":
        return Probe("i", tuple(f"{name[0]}.{_INSTANCE}.{name}" for name in probe.names))
    return Probe(
        "v", tuple(name if name in cell.nodes else f"{_INSTANCE}.{name}" for name in probe.names)
    )


def _probed(probe: Probe, vectors: Mapping[str, Values]) -> Values:
    def vector(name: str) -> Values:
        if name in _GROUND and probe.kind == "v":
            return np.zeros(1)
        key = name if probe.kind == "v" else f"{name}#branch"
        if key not in vectors:
            raise ValueError(
                f"the simulation has no {'node' if key == name else 'source'} `{name}`"
            )
        return np.real(vectors[key])

    first, *others = (vector(name) for name in probe.names)
    return first - others[0] if others else first
