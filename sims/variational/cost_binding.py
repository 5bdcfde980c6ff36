"""The costs that a task names, with the least value that each can have."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from tellegen.arrays import Complex, Indices
from tellegen.diagnostics import Sink, did_you_mean, one_of
from tellegen.elaborate.lightwork import read_matrix
from tellegen.files import FileRefused
from tellegen.pipeline import Compilation
from tellegen.quantity import PLAIN, describe, unit
from tellegen.signature import Argument, bind
from tellegen.sims.datasets import Dataset
from tellegen.sims.variational.costs import (
    Cost,
    classifying,
    operator,
    pauli_sum,
)
from tellegen.sims.variational.plan import Classes
from tellegen.source import Span
from tellegen.values import CallValue, Number, PathValue, Text, Unknown, kind_of

HARTREE = "Ha"
# What an eigenvalue is looked for in.
MOST_MODES = 1024
LARGEST = 1e100  # squares of an energy are finite


@dataclass(frozen=True, eq=False)
class Made:
    """A cost in its unit, with the least value that it can have where that is known."""

    kind: str
    cost: Cost
    unit: str
    least: float | None
    least_is: str
    classes: Classes | None = None


def wrong(sink: Sink, message: str, span: Span, help: str = "") -> None:
    """Report what makes no sense in a training that varies phases, or in its task."""
    sink.error("variational", message, span, help=help)


@dataclass
class Costs:
    """Costs as they are called in a file."""

    compilation: Compilation
    sink: Sink

    def paulis(self, call: CallValue, modes: int) -> Made | None:
        """A sum of Pauli strings, a letter for each qubit."""
        qubits = modes.bit_length() - 1
        if modes != 2**qubits:
            wrong(self.sink, f"{modes} modes are no number of qubits: Pauli strings are for 2, 4, 8, ... modes",
                       call.span, "`hermitian(\"file.csv\")` takes any number of modes")  # fmt: skip
            return None
        terms: dict[str, Number] = {}
        for said in call.arguments:
            name_span = said.span.source.span(
                said.span.start, said.span.start + max(1, len(said.name))
            )
            if not said.name:
                wrong(
                    self.sink,
                    "a term of a Pauli sum is `STRING = FACTOR`",
                    said.span,
                    "such as `ZI = 0.4 Ha`",
                )
            elif not re.fullmatch("[IXYZ]+", said.name):
                wrong(
                    self.sink,
                    f"`{said.name}` is no Pauli string: its letters are I, X, Y and Z",
                    name_span,
                )
            elif len(said.name) != qubits:
                letters = f"{qubits} letter{'s' * (qubits != 1)}"
                self.sink.error("shape-mismatch", f"`{said.name}` is not of {letters}: "
                                f"{modes} modes are {qubits} qubit{'s' * (qubits != 1)}", name_span)  # fmt: skip
            elif said.name in terms:
                self.sink.error("duplicate-name", f"`{said.name}` is given twice", name_span)
            elif isinstance(said.value, Number):
                terms[said.name] = said.value
            elif not isinstance(said.value, Unknown):
                self.sink.error(
                    "wrong-kind",
                    f"a factor is a number, not {kind_of(said.value)}",
                    said.value.span,
                )
        if not call.arguments:
            self.sink.error(
                "arity", "`pauli_sum` needs a term", call.span, help="such as `ZI = 0.4 Ha`"
            )
        symbol = self.unit_of_terms(terms)
        if symbol is None or len(terms) != len(call.arguments):
            return None
        factor = unit(symbol).factor
        cost = pauli_sum({name: v.value / factor for name, v in terms.items()})
        return self.energy(call, cost, symbol)

    def unit_of_terms(self, terms: Mapping[str, Number]) -> str | None:
        """The unit of an energy: hartree, or none."""
        first = next(iter(terms.values()), None)
        for term in terms.values():
            assert first is not None
            if (
                term.dimension not in (PLAIN, unit(HARTREE).dimension)
                or term.dimension != first.dimension
            ):
                self.sink.error("unit-mismatch", "an energy is made of energies or of plain numbers, all of one kind, "
                                f"but `{term.text}` is {describe(term.dimension)}", term.span)  # fmt: skip
                return None
        return None if first is None else "" if first.dimension == PLAIN else HARTREE

    def matrix(self, call: CallValue, modes: int, make: Callable[[Complex], Cost]) -> Made | None:
        """A cost that a matrix in a file says."""
        arguments = {"matrix": Argument("text", doc='a file with the matrix, as `"u.csv"`')}
        if call.name == "hermitian":
            arguments["scale"] = Argument(
                "any", default=None, doc="what 1 in the file is, as `1 Ha`"
            )
        bound = bind(call, call.name, arguments, self.sink)
        if bound is None:
            return None
        scale, symbol = bound.get("scale"), ""
        if scale is not None:
            if not isinstance(scale, Number):
                self.sink.error(
                    "wrong-kind", f"`scale` is a number, not {kind_of(scale)}", scale.span
                )
                return None
            found = self.unit_of_terms({"scale": scale})
            if found is None:
                return None
            symbol = found
        try:
            table = read_matrix(self.compilation.files, bound["matrix"], modes)
        except FileRefused as error:
            self.sink.error(error.code, str(error), call.span, help=error.help)
            return None
        factor = 1.0 if scale is None else scale.value / unit(symbol).factor
        try:
            cost = make(factor * table)
        except ValueError as error:
            self.sink.error("bad-file", f"`{bound['matrix']}`: {error}", call.span)
            return None
        if call.name == "compiling":
            return Made("compiling", cost, "", 0.0, "compiled")
        return self.energy(call, cost, symbol)

    def energy(self, call: CallValue, cost: Cost, symbol: str) -> Made | None:
        """A cost that is the expectation value of a matrix, with its lowest eigenvalue."""
        with np.errstate(all="ignore"):
            matrix = operator(cost)
        if not np.isfinite(matrix).all() or np.abs(matrix).max() > LARGEST:
            self.sink.error("out-of-range", "this energy is too large a number", call.span)
            return None
        least = float(np.linalg.eigvalsh(matrix)[0]) if len(matrix) <= MOST_MODES else None
        return Made(call.name, cost, symbol, least, "lowest eigenvalue")

    def classes(
        self,
        call: CallValue,
        data: Dataset | None,
        splits: tuple[Indices, ...],
        states: Complex | None,
        modes: int,
    ) -> Made | None:
        """The probability that light comes to a detector of the wrong class."""
        if data is None or data.classes is None:
            self.sink.error("wrong-kind", "`classifying` needs classes, which the data do not have" if data else
                            "`classifying` needs data with classes", call.span,
                            help='such as `data csv("states.csv", label = "class") split 0.7`')  # fmt: skip
            return None
        names = list(data.class_names)
        detectors: list[int] = []
        for said in call.arguments:
            text = said.value.text if isinstance(said.value, PathValue | Number) else (
                said.value.value if isinstance(said.value, Text) else "")  # fmt: skip
            if said.name or text not in names:
                self.sink.error("unknown-name", "`classifying` takes a class for each detector", said.span,
                                help=did_you_mean(text, names) or f"classes: {one_of(names)}")  # fmt: skip
                return None
            detectors.append(names.index(text))
        if len(detectors) != modes:
            self.sink.error("shape-mismatch", f"{len(detectors)} classes are given for {modes} detectors", call.span,
                            help="a class for each detector, in their order")  # fmt: skip
            return None
        if states is None:
            return None
        about = Classes(states, data.classes, tuple(names), np.array(detectors), *splits)
        train = about.train
        cost = classifying(states[train], [int(c) for c in data.classes[train]], detectors)
        return Made("classifying", cost, "", _helstrom(about), "least possible (Helstrom)", about)


def _helstrom(about: Classes) -> float | None:
    """The least mean probability of error that detectors of two classes can have on the training states.

    Helstrom, J. Stat. Phys. 1, 231 (1969), with as many detectors for each class as there are.
    """
    if len(about.names) != 2:
        return None
    states = about.fields[about.train]
    states = states / np.linalg.norm(states, axis=1, keepdims=True)
    signs = np.where(about.classes[about.train] == 0, 1, -1) / len(states)
    difference = np.einsum("s,si,sj->ij", signs, states, states.conj())
    firsts = int((about.detectors == 0).sum())
    top = np.linalg.eigvalsh(difference)[len(about.detectors) - firsts :]
    share = float((about.classes[about.train] == 1).mean())
    return float(1 - share - top.sum())


# The costs that a task can name.
COSTS = dict.fromkeys(("pauli_sum", "hermitian", "compiling", "classifying"), True)
