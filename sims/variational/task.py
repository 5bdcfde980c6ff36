"""A task with a cost: its light, what is measured in which basis, and the cost that is made of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tellegen.arrays import Complex
from tellegen.diagnostics import did_you_mean
from tellegen.elaborate.experiment import AssignmentValue, ExperimentValues, MeasureValue
from tellegen.emit.spice import dc
from tellegen.manifest import InputMap, Manifest
from tellegen.pipeline import Compilation
from tellegen.quantity import PLAIN, describe
from tellegen.signature import Argument, bind, lookup
from tellegen.sims.datasets import Dataset
from tellegen.sims.tasks.blocks import checked_as
from tellegen.sims.tasks.drives import columns_for, fields, undriven, unit_of
from tellegen.sims.tasks.encoders import Samples, encode
from tellegen.sims.tasks.signals import matching, plain
from tellegen.sims.tasks.task import Task
from tellegen.sims.variational.cost_binding import COSTS, Costs, Made, wrong
from tellegen.sims.variational.costs import (
    Cost,
    compiling,
    hermitian,
)
from tellegen.values import CallValue

_AMPLITUDES = {
    "re": Argument("any", doc="real parts, a column for each mode"),
    "im": Argument("any", default=None, doc="imaginary parts, as many"),
}


def has_cost(task: ExperimentValues) -> bool:
    """Whether a task is one for a training that varies phases."""
    return "cost" in task.settings or task.measure is not None


def check_cost(compilation: Compilation, name: str) -> None:
    """Report what is wrong with the task with a cost called `name`, which no training asks."""
    checked_as(compilation, name, lambda *about: CostTask(compilation, *about).asked_cost())


@dataclass(frozen=True, eq=False)
class AskedCost:
    """What a task with a cost asks; `light` is the field (n,) that stands at the input in the netlist."""

    made: Made
    input: str
    powers: str
    basis: str | None
    constants: dict[str, list[str]]
    light: Complex
    source: str


@dataclass
class CostTask(Task):
    """A task with a cost."""

    def asked_cost(self) -> AskedCost | None:
        """All that the task asks, or None after diagnostics."""
        manifest = self.compiled.emit().manifest
        for said in self.task.targets:
            wrong(self.sink, "a task has a cost or targets, not both", said.span)
        for keyword in ("target", "decode"):
            if keyword in self.task.settings:
                wrong(
                    self.sink,
                    f"`{keyword}` is not for a task with a cost",
                    self.task.settings[keyword].span,
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
            wrong(self.sink, f"`{call.name}` is a cost of one circuit, not of samples", self.task.data.span,
                       "samples are for `classifying(CLASS, ...)`, a class for each detector")  # fmt: skip
            return None
        found = self.made(call, data, input, modes, manifest)
        if found is None:
            return None
        made, light_at = found
        if basis is None and any(s.basis is not None for s in made.cost.settings):
            assert self.task.measure is not None
            wrong(
                self.sink,
                "this cost is measured in several bases, and no mesh is named that sets them",
                self.task.measure.span,
                "a `clements` mesh right before the detectors: `measure OUTPUT in MESH`",
            )
            return None
        constants = self.constants(input, manifest)
        if self.sink.errors:
            return None
        return AskedCost(
            made, input, powers, basis, constants, light_at, data.source if data else "none"
        )

    def light_input(self, manifest: Manifest) -> tuple[str, int] | None:
        """The one input of light, and its modes."""
        found = [
            (n, len(e.positive) // 2) for n, e in manifest.inputs.items() if e.kind == "optical"
        ]
        if len(found) != 1:
            wrong(
            self.sink,
                f"a cost is of one state, so its network has one input of light, and `{self.task.subject}` has "
                f"{len(found) or 'none'}", self.task.subject.span, "such as `input a[4]: optical`",
            )  # fmt: skip
            return None
        return found[0]

    def measured(self, manifest: Manifest) -> tuple[str, int, str | None] | None:
        """What reads the powers, how many they are, and the mesh that sets the basis."""
        said: MeasureValue | None = self.task.measure
        if said is None:
            wrong(self.sink, f"task `{self.task.name}` has a cost and measures nothing", self.task.name.span,
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
        wrong(
            self.sink,
            f"`{basis}` is no `clements` mesh of {modes} modes, which a basis is set by", said.basis.span,
            did_you_mean(basis, known) or "such as `basis: connect v -> w by clements using mzi(level = gains)`",
        )  # fmt: skip
        return False

    def said_cost(self) -> CallValue | None:
        """The call of the cost."""
        said = self.task.settings.get("cost")
        if said is None:
            wrong(self.sink, f"task `{self.task.name}` measures powers and has no cost", self.task.name.span,
                       "add `cost pauli_sum(ZI = 0.4 Ha, ...)` or another one")  # fmt: skip
            return None
        (call,) = said.values
        assert isinstance(call, CallValue)
        return call if lookup(call, COSTS, "cost", self.sink) else None

    def made(
        self, call: CallValue, data: Dataset | None, input: str, modes: int, manifest: Manifest
    ) -> tuple[Made, Complex] | None:
        """The cost, and the light (n,) to show in the netlist."""
        costs = Costs(self.compilation, self.sink)
        if call.name == "compiling":
            for said in self.task.drives:
                if plain(said.port.text) == input:
                    wrong(self.sink, "`compiling` sends its own light, mode by mode", said.span,
                               f"leave `drive {input}` out")  # fmt: skip
            made = costs.matrix(call, modes, compiling)
            return None if made is None else (made, np.eye(modes, dtype=complex)[0])
        splits = self.split(data)
        if splits is None:
            return None
        states = self.states(Samples(data, splits[0], self.sink), input, manifest)
        if call.name == "classifying":
            made = costs.classes(call, data, splits, states, modes)
        else:
            made = (
                costs.matrix(call, modes, hermitian)
                if call.name == "hermitian"
                else costs.paulis(call, modes)
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
        """Columns of powers as a state for each sample, without phases."""
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
