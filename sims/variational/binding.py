"""Binding of a training that varies phases: from blocks to a plan, with diagnostics.

Such a task has a cost, made of the powers that it measures; its training says which phases are varied, and by
which optimiser.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellegen.bench import Bench
from tellegen.diagnostics import Label, did_you_mean, one_of
from tellegen.elaborate.experiment import AssignmentValue, ExperimentValues, MeasureValue
from tellegen.elaborate.lightwork import read_matrix
from tellegen.emit.spice import dc, emit
from tellegen.files import FileRefused
from tellegen.manifest import InputMap, Manifest
from tellegen.pipeline import Compilation, Compiled
from tellegen.quantity import PLAIN, describe, unit
from tellegen.revalue import with_values
from tellegen.seeds import stream
from tellegen.signature import Argument, Function, bind, count, function, lookup, number
from tellegen.sims.datasets import Dataset
from tellegen.sims.tasks.blocks import bound_as, checked_as
from tellegen.sims.tasks.drives import columns_for, fields, undriven, unit_of
from tellegen.sims.tasks.encoders import Samples, encode
from tellegen.sims.tasks.signals import learnable, matching, plain
from tellegen.sims.tasks.task import Task
from tellegen.sims.variational.loop import Classes, VariationalPlan
from tellegen.sims.variational.variational import (
    Cost,
    classifying,
    compiling,
    hermitian,
    operator,
    pauli_sum,
)
from tellegen.source import Span
from tellegen.values import CallValue, Number, PathValue, Text, Unknown, as_count, kind_of

Values = NDArray[np.float64]
Complex = NDArray[np.complex128]

HARTREE = "Ha"
# What an eigenvalue is looked for in.
MOST_MODES = 1024
LARGEST = 1e100  # squares of an energy are finite

_AMPLITUDES = {
    "re": Argument("any", doc="real parts, a column for each mode"),
    "im": Argument("any", default=None, doc="imaginary parts, as many"),
}


@function(flat=number("@", low=0, default=None, doc="stop where no phase changes the cost by more per rad"),
          steps=count(500, low=1, doc="stop after as many steps"))  # fmt: skip
def bfgs(flat: float | None, steps: int) -> dict[str, Any]:
    """Quasi-Newton steps with line searches (SciPy's L-BFGS-B), for costs without noise."""
    return {"flat": 1e-4 if flat is None else flat, "steps": steps}


@function(rate=number("rad", low=1e-9, default=0.3, doc="the first steps' length"),
          steps=count(200, low=1, doc="how many steps are made"))  # fmt: skip
def adam(rate: float, steps: int) -> dict[str, Any]:
    """Steps that bear noise (Kingma and Ba 2014), shorter and shorter."""
    return {"flat": 0.0, "steps": steps, "rate": rate}


METHODS: dict[str, Function] = {"bfgs": bfgs, "adam": adam}


@dataclass(frozen=True, eq=False)
class BoundVariational:
    """A plan, and the circuit and bench that its netlist was emitted from."""

    plan: VariationalPlan
    compiled: Compiled
    bench: Bench

    def netlist(self, values: Mapping[str, Values]) -> str:
        """The netlist with other phases."""
        circuit = with_values(self.compiled.circuit, {n: v.ravel() for n, v in values.items()})
        note = "phases are those that the training found"
        return emit(circuit, replace(self.bench, notes=(self.bench.notes[0], note))).netlist


def bind_variational(compilation: Compilation, name: str) -> BoundVariational:
    """The training called `name`, which varies phases, ready to run.

    Raises:
        CompileError: with everything found wrong.
    """
    return bound_as(compilation, name, lambda *about: _Training(compilation, *about).bound())


def has_cost(task: ExperimentValues) -> bool:
    """Whether a task is one for a training that varies phases."""
    return "cost" in task.settings or task.measure is not None


def check_cost(compilation: Compilation, name: str) -> None:
    """Report what is wrong with the task with a cost called `name`, which no training asks."""
    checked_as(compilation, name, lambda *about: _Costly(compilation, *about).asked_cost())


@dataclass(frozen=True, eq=False)
class _Made:
    """A cost in its unit, with the least value that it can have where that is known."""

    kind: str
    cost: Cost
    unit: str
    least: float | None
    least_is: str
    classes: Classes | None = None


@dataclass(frozen=True, eq=False)
class _Asked:
    """What a task with a cost asks; `light` is the field (n,) that stands at the input in the netlist."""

    made: _Made
    input: str
    powers: str
    basis: str | None
    constants: dict[str, list[str]]
    light: Complex
    source: str


@dataclass
class _Costly(Task):
    """A task with a cost."""

    def asked_cost(self) -> _Asked | None:
        """All that the task asks, or None after diagnostics."""
        manifest = self.compiled.emit().manifest
        for said in self.task.targets:
            self.wrong("a task has a cost or targets, not both", said.span)
        for keyword in ("target", "decode"):
            if keyword in self.task.settings:
                self.wrong(
                    f"`{keyword}` is not for a task with a cost", self.task.settings[keyword].span
                )
        light = self.light_input(manifest)
        measured = self.measured(manifest)
        call = self.said_cost()
        if light is None or measured is None or call is None:
            return None
        (input, modes), (powers, shown, basis) = light, measured
        if shown != modes:
            assert self.task.measure is not None
            self.sink.error(
                "shape-mismatch", f"{shown} powers are measured, and light enters by {modes} modes",
                self.task.measure.span, help=f"a detector for each of the modes of `{input}`",
            )  # fmt: skip
            return None
        if basis is not None and not self.turns(basis, modes, manifest):
            return None
        data = self.data()
        if self.task.data is not None and data is None:
            return None
        if self.task.data is not None and call.name != "classifying":
            self.wrong(f"`{call.name}` is a cost of one circuit, not of samples", self.task.data.span,
                       "samples are for `classifying(CLASS, ...)`, a class for each detector")  # fmt: skip
            return None
        found = self.made(call, data, input, modes, manifest)
        if found is None:
            return None
        made, light_at = found
        if basis is None and any(s.basis is not None for s in made.cost.settings):
            assert self.task.measure is not None
            self.wrong(
                "this cost is measured in several bases, and no mesh is named that sets them",
                self.task.measure.span,
                "a `clements` mesh right before the detectors: `measure OUTPUT in MESH`",
            )
            return None
        constants = self.constants(input, manifest)
        if self.sink.errors:
            return None
        return _Asked(
            made, input, powers, basis, constants, light_at, data.source if data else "none"
        )

    def wrong(self, message: str, span: Span, help: str = "") -> None:
        self.sink.error("variational", message, span, help=help)

    def light_input(self, manifest: Manifest) -> tuple[str, int] | None:
        """The one input of light, and its modes."""
        found = [
            (n, len(e.positive) // 2) for n, e in manifest.inputs.items() if e.kind == "optical"
        ]
        if len(found) != 1:
            self.wrong(
                f"a cost is of one state, so its network has one input of light, and `{self.task.subject}` has "
                f"{len(found) or 'none'}", self.task.subject.span, "such as `input a[4]: optical`",
            )  # fmt: skip
            return None
        return found[0]

    def measured(self, manifest: Manifest) -> tuple[str, int, str | None] | None:
        """What reads the powers, how many they are, and the mesh that sets the basis."""
        said: MeasureValue | None = self.task.measure
        if said is None:
            self.wrong(f"task `{self.task.name}` has a cost and measures nothing", self.task.name.span,
                       "add `measure OUTPUT`, or `measure OUTPUT in MESH` for a cost of several bases")  # fmt: skip
            return None
        names = matching(said.output, manifest.outputs, "output", self.sink)
        if not names:
            return None
        entry = manifest.outputs[names[0]]
        light = entry.kind == "optical"
        size = len(entry.positive) // (2 if light else 1)
        basis = None if said.basis is None else plain(said.basis.text)
        return f"{names[0]}.power" if light else names[0], size, basis

    def turns(self, basis: str, modes: int, manifest: Manifest) -> bool:
        """Whether a name is that of a `clements` mesh of all modes."""
        said = self.task.measure
        assert said is not None and said.basis is not None
        rules = self.compilation.rules_of(self.task.subject.text)
        rule, phases = rules.get(basis), manifest.parameters.get(f"{basis}.theta")
        if (
            rule is not None
            and rule.name.text == "clements"
            and not any(a.name and a.name.text == "back" for a in rule.arguments)
            and phases is not None
            and f"{basis}.phi" in manifest.parameters
            and len(phases.values) == modes * (modes - 1) // 2
        ):
            return True
        known = [name for name, r in rules.items() if r.name.text == "clements"]
        self.wrong(
            f"`{basis}` is no `clements` mesh of {modes} modes, which a basis is set by", said.basis.span,
            did_you_mean(basis, known) or "such as `basis: connect v -> w by clements using mzi(level = gains)`",
        )  # fmt: skip
        return False

    def said_cost(self) -> CallValue | None:
        said = self.task.settings.get("cost")
        if said is None:
            self.wrong(f"task `{self.task.name}` measures powers and has no cost", self.task.name.span,
                       "add `cost pauli_sum(ZI = 0.4 Ha, ...)` or another one")  # fmt: skip
            return None
        (call,) = said.values
        assert isinstance(call, CallValue)
        return call if lookup(call, COSTS, "cost", self.sink) else None

    def made(
        self, call: CallValue, data: Dataset | None, input: str, modes: int, manifest: Manifest
    ) -> tuple[_Made, Complex] | None:
        """The cost, and the light (n,) to show in the netlist."""
        if call.name == "compiling":
            for said in self.task.drives:
                if plain(said.port.text) == input:
                    self.wrong("`compiling` sends its own light, mode by mode", said.span,
                               f"leave `drive {input}` out")  # fmt: skip
            made = self.matrix(call, modes, compiling)
            return None if made is None else (made, np.eye(modes, dtype=complex)[0])
        splits = self.split(data)
        if splits is None:
            return None
        states = self.states(Samples(data, splits[0], self.sink), input, manifest)
        if call.name == "classifying":
            made = self.classes(call, data, splits, states, modes)
        else:
            made = (
                self.matrix(call, modes, hermitian)
                if call.name == "hermitian"
                else self.paulis(call, modes)
            )
        if made is None or states is None:
            return None
        if made.classes is None:
            sent = tuple(replace(s, field=states[0]) for s in made.cost.settings)
            made = replace(made, cost=Cost(sent, made.cost.offset))
        return made, states[splits[0][0]]

    def states(self, samples: Samples, input: str, manifest: Manifest) -> Complex | None:
        """The light of each sample, (samples, n) in the root of a watt."""
        entry = manifest.inputs[input]
        for said in self.task.drives:
            if plain(said.port.text) != input:
                continue
            call = said.value
            if isinstance(call, CallValue) and call.name == "amplitudes":
                found = self.amplitudes(call, samples, len(entry.positive) // 2)
            else:
                found = self.powers(said, samples, input, entry)
            if found is not None and not (abs(found) ** 2).sum(axis=1).all():
                self.sink.error(
                    "out-of-range", "a state without light cannot be measured", said.value.span
                )
                return None
            return found
        undriven(self.compiled, manifest, self.task, self.sink)
        return None

    def powers(
        self, said: AssignmentValue, samples: Samples, input: str, entry: InputMap
    ) -> Complex | None:
        columns = columns_for(said, samples, input, entry, unit_of(entry), self.sink)
        if columns is None:
            return None
        parts = fields(said, columns, self.sink).reshape(len(columns), -1, 2)
        return np.asarray(parts[..., 0] + 1j * parts[..., 1])

    def amplitudes(self, call: CallValue, samples: Samples, modes: int) -> Complex | None:
        """Plain columns as a state: each sample at 1 W."""
        bound = bind(call, "amplitudes", _AMPLITUDES, self.sink)
        if bound is None:
            return None
        parts = []
        for said in (bound["re"], bound["im"]):
            columns = None if said is None else encode(said, samples)
            if said is not None and columns is None:
                return None
            values = np.zeros((samples.count, modes)) if columns is None else columns.values
            if columns is not None and columns.dimension != PLAIN:
                self.sink.error("unit-mismatch", f"amplitudes are plain numbers, not {describe(columns.dimension)}",
                                said.span, help="each sample is scaled to 1 W")  # fmt: skip
                return None
            if values.shape[1] != modes:
                self.sink.error(
                    "shape-mismatch",
                    f"{values.shape[1]} amplitudes are given for {modes} modes",
                    said.span,
                )
                return None
            parts.append(values)
        made = parts[0] + 1j * parts[1]
        size = np.linalg.norm(made, axis=1, keepdims=True)
        return np.asarray(made / np.where(size > 0, size, 1.0))

    def constants(self, input: str, manifest: Manifest) -> dict[str, list[str]]:
        """What stands at the other inputs."""
        found: dict[str, list[str]] = {}
        one = Samples(None, np.zeros(1, dtype=np.int64), self.sink)
        for said in self.task.drives:
            for name in matching(said.port, manifest.inputs, "input", self.sink):
                if name != input:
                    entry = manifest.inputs[name]
                    values = columns_for(said, one, name, entry, unit_of(entry), self.sink)
                    if values is not None:
                        found[name] = dc(values[0])
        undriven(self.compiled, manifest, self.task, self.sink, controlled=[input])
        return found

    # ---- costs

    def paulis(self, call: CallValue, modes: int) -> _Made | None:
        """A sum of Pauli strings, a letter for each qubit."""
        qubits = modes.bit_length() - 1
        if modes != 2**qubits:
            self.wrong(f"{modes} modes are no number of qubits: Pauli strings are for 2, 4, 8, ... modes",
                       call.span, "`hermitian(\"file.csv\")` takes any number of modes")  # fmt: skip
            return None
        terms: dict[str, Number] = {}
        for said in call.arguments:
            name_span = said.span.source.span(
                said.span.start, said.span.start + max(1, len(said.name))
            )
            if not said.name:
                self.wrong(
                    "a term of a Pauli sum is `STRING = FACTOR`", said.span, "such as `ZI = 0.4 Ha`"
                )
            elif not re.fullmatch("[IXYZ]+", said.name):
                self.wrong(
                    f"`{said.name}` is no Pauli string: its letters are I, X, Y and Z", name_span
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

    def matrix(self, call: CallValue, modes: int, make: Callable[[Complex], Cost]) -> _Made | None:
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
            return _Made("compiling", cost, "", 0.0, "compiled")
        return self.energy(call, cost, symbol)

    def energy(self, call: CallValue, cost: Cost, symbol: str) -> _Made | None:
        """A cost that is the expectation value of a matrix, with its lowest eigenvalue."""
        with np.errstate(all="ignore"):
            matrix = operator(cost)
        if not np.isfinite(matrix).all() or np.abs(matrix).max() > LARGEST:
            self.sink.error("out-of-range", "this energy is too large a number", call.span)
            return None
        least = float(np.linalg.eigvalsh(matrix)[0]) if len(matrix) <= MOST_MODES else None
        return _Made(call.name, cost, symbol, least, "lowest eigenvalue")

    def classes(
        self,
        call: CallValue,
        data: Dataset | None,
        splits: tuple[NDArray[np.int64], ...],
        states: Complex | None,
        modes: int,
    ) -> _Made | None:
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
        return _Made("classifying", cost, "", _helstrom(about), "least possible (Helstrom)", about)


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


@dataclass
class _Training(_Costly):
    train: ExperimentValues

    def bound(self) -> BoundVariational | None:
        for keyword in ("update", "epochs", "batch", "washout", "transient"):
            if keyword in self.train.settings:
                self.wrong(
                    f"`{keyword}` is not for a training that varies phases",
                    self.train.settings[keyword].span,
                )
        for span in [s.span for s in self.train.learn] + [s.span for s in self.train.record]:
            self.wrong("a training varies phases or learns, not both", span)
        if not has_cost(self.task):
            assert self.train.vary is not None
            self.wrong(f"task `{self.task.name}` has no cost to make small", self.train.vary.span,
                       "add `measure OUTPUT in MESH` and `cost pauli_sum(...)` to the task")  # fmt: skip
            return None
        asked = self.asked_cost()
        manifest = self.compiled.emit().manifest
        phases = self.phases(manifest)
        method = self.method("" if asked is None else asked.made.unit)
        shots, bits = self.number("shots", 1, 10**9), self.number("bits", 2, 32)
        starts = self.number("starts", 1, 10_000)
        if asked is None or method is None or self.sink.errors:
            return None
        if shots is not None and method[0] == "bfgs":
            assert self.train.vary is not None
            self.sink.warning("variational", "the line searches of `bfgs` do not bear the noise of photons",
                              self.train.vary.rule.span, help="write `by adam(steps = 200)`")  # fmt: skip
        bench = Bench(
            drives={asked.input: dc(np.ravel([asked.light.real, asked.light.imag], order="F"))}
            | asked.constants,
            analysis=".op",
            notes=(
                f"training {self.train.name}: one state stands at the input",
                "phases are those before training",
            ),
        )
        emitted = self.compiled.emit(bench)
        plan = VariationalPlan(
            name=self.train.name.text,
            network=self.task.subject.text,
            netlist=emitted.netlist,
            manifest=emitted.manifest,
            phases=phases,
            input=asked.input,
            powers=asked.powers,
            basis=asked.basis,
            cost=asked.made.cost,
            kind=asked.made.kind,
            unit=asked.made.unit,
            least=asked.made.least,
            least_is=asked.made.least_is,
            classes=asked.made.classes,
            method=method[0],
            settings=method[1],
            starts=self.starts(phases, starts, emitted.manifest),
            shots=shots,
            bits=bits,
            seed=self.seed,
            notes={"data": asked.source},
        )
        return BoundVariational(plan, self.compiled, bench)

    def phases(self, manifest: Manifest) -> tuple[str, ...]:
        """The parameters that are varied."""
        assert self.train.vary is not None
        basis = self.task.measure.basis if self.task.measure else None
        taken = {f"{plain(basis.text)}.{p}" for p in ("theta", "phi")} if basis else set()
        seen: dict[str, Span] = {}
        for path in self.train.vary.parameters:
            for name in learnable(path, self.compiled, manifest, self.sink):
                if name in seen:
                    self.sink.error("duplicate-name", f"`{name}` is varied twice", path.span,
                                    secondary=(Label(seen[name], "first here"),))  # fmt: skip
                seen[name] = path.span
                dimension = unit(manifest.parameters[name].unit).dimension
                if dimension != unit("rad").dimension:
                    self.wrong(
                        f"`{name}` is {describe(dimension)}, and the two-term rule is for phases",
                        path.span,
                    )
                elif name in taken:
                    self.wrong(f"`{name}` is set for each basis, and cannot be varied", path.span)
        return tuple(seen)

    def method(self, symbol: str) -> tuple[str, dict[str, Any]] | None:
        """The optimiser and its settings."""
        assert self.train.vary is not None
        call = self.train.vary.rule
        found = lookup(call, METHODS, "optimiser", self.sink)
        bound = found and bind(call, found.name, found.arguments, self.sink, subject=symbol)
        if found is None or bound is None:
            return None
        if bound.get("flat") is not None:
            bound["flat"] /= unit(symbol).factor
        return found.name, found.call(**bound)

    def number(self, keyword: str, low: int, high: int) -> int | None:
        said = self.train.settings.get(keyword)
        return as_count(said.values[0], f"`{keyword}`", self.sink, low, high) if said else None

    def starts(self, phases: tuple[str, ...], drawn: int | None, manifest: Manifest) -> Values:
        """Phases to begin from: those of the circuit, or drawn."""
        own = np.concatenate([manifest.parameters[name].values.ravel() for name in phases])
        if drawn is None:
            return own[None]
        rows = [stream(self.seed, self.train.name.text, "starts", k) for k in range(drawn)]
        return np.array([rng.uniform(0, 2 * np.pi, len(own)) for rng in rows])
