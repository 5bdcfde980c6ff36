"""Binding of a training that learns a read-out: from blocks to a plan, with diagnostics.

Such a task is about a series: its samples follow each other in time, held at the inputs one after the
other, and `target` names a column that the read-out shall give.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tellegen.arrays import Indices, Values
from tellegen.bench import Bench
from tellegen.diagnostics import did_you_mean, one_of
from tellegen.elaborate.experiment import AssignmentValue, ExperimentValues
from tellegen.emit.spice import dc
from tellegen.manifest import InputMap, Manifest
from tellegen.pipeline import Compilation, Compiled
from tellegen.seeds import stream
from tellegen.signature import Argument, Function, bind, convert, lookup, number
from tellegen.sims.datasets import Dataset
from tellegen.sims.reservoir.masks import MASKS
from tellegen.sims.reservoir.readout import Parts, in_time, ridge
from tellegen.sims.tasks.blocks import bound_as, checked_as, only_varied
from tellegen.sims.tasks.drives import columns_for, fields, undriven, unit_of
from tellegen.sims.tasks.encoders import Samples
from tellegen.sims.tasks.signals import matching
from tellegen.sims.tasks.task import Task
from tellegen.values import CallValue, Number, PathValue, SequenceValue, Unknown, as_count

READOUT = "readout"
READOUTS: dict[str, Function] = {ridge.name: ridge}

_HOLD = {
    "of": Argument("any", doc="what is held: columns of the data, with a unit"),
    "time": number("s", low=1e-15, high=1e9, doc="how long each sample is held"),
    "mask": Argument("any", default=None, doc="virtual nodes, such as `binary(24)`"),
    "bias": number("@", default=0.0, doc="what is added to the masked value"),
}


@dataclass(frozen=True, eq=False)
class ReservoirPlan:
    """A training of a read-out, with nothing left to look up.

    Attributes:
        name: the training's name; `network` the network's.
        netlist: the SPICE text; `manifest` what its names mean.
        drives: for each input that the series drives (samples * nodes, *shape), in volt or ampere.
        observe: the ports and observables that are the states.
        interval: how long each value is held; `step` the longest step of the transient, in seconds.
        nodes: virtual nodes in a sample.
        target: the column's name; `targets` its values (samples, outputs), 0 and 1 for classes.
        classes: (samples,) class numbers, or None; `class_names` their names.
        parts: the samples of each part, in time.
        alphas: ridge parameters to choose from.
        seed: of the mask and of what the network draws.
        notes: what a reader of the results should know, such as the data's source.
    """

    name: str
    network: str
    netlist: str
    manifest: Manifest
    drives: dict[str, Values]
    observe: tuple[str, ...]
    interval: float
    step: float
    nodes: int
    target: str
    targets: Values
    classes: Indices | None
    class_names: tuple[str, ...]
    parts: Parts
    washout: int
    alphas: tuple[float, ...]
    seed: int
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class BoundReservoir:
    """A plan, and the circuit that its netlist was emitted from."""

    plan: ReservoirPlan
    compiled: Compiled


def bind_reservoir(compilation: Compilation, name: str) -> BoundReservoir:
    """The training of a read-out called `name`, ready to run.

    Raises:
        CompileError: with everything found wrong.
    """
    return bound_as(compilation, name, lambda *about: _Reading(compilation, *about).bound())


def is_series(task: ExperimentValues) -> bool:
    """Whether a task is about a series, told by a `hold` or a bare `target`."""
    held = (d.value for d in task.drives)
    return "target" in task.settings or any(
        isinstance(v, CallValue) and v.name == "hold" for v in held
    )


def check_series(compilation: Compilation, name: str) -> None:
    """Report what is wrong with the series task called `name`, which no training asks."""
    checked_as(compilation, name, lambda *about: _Series(compilation, *about).series(0))


@dataclass(frozen=True)
class _Held:
    """The drives of a series: (samples * nodes, *shape) each, how long a sample is held, its nodes."""

    drives: dict[str, Values]
    constants: dict[str, list[str]]
    time: float
    nodes: int


@dataclass
class _Series(Task):
    """A task about a series."""

    def series(
        self, washout: int
    ) -> tuple[Dataset, Parts, _Held | None, tuple[str, Values, bool] | None] | None:
        data = self.data()
        if data is None:
            if self.task.data is None:
                self.sink.error("no-target", f"task `{self.task.name}` has no data to hold",
                                self.task.name.span, help="add `data SERIES split 0.6, 0.2`")  # fmt: skip
            return None
        parts = self.parts(data, washout)
        if parts is None:
            return None
        bare = self.compiled.emit().manifest
        held = self.held(Samples(data, parts.train, self.sink), bare)
        undriven(self.compiled, bare, self.task, self.sink)
        return data, parts, held, self.wanted(data)

    def parts(self, data: Dataset, washout: int) -> Parts | None:
        said = self.task.data
        assert said is not None
        shares = self.shares(said)
        if shares is None:
            return None
        try:
            return in_time(len(data), *shares, washout)
        except ValueError as error:
            self.sink.error("out-of-range", str(error), said.span)
            return None

    def held(self, samples: Samples, manifest: Manifest) -> _Held | None:
        drives: dict[str, Values] = {}
        constants: dict[str, list[str]] = {}
        rhythm: tuple[float, int] | None = None
        for said in self.task.drives:
            for name in matching(said.port, manifest.inputs, "input", self.sink):
                entry = manifest.inputs[name]
                if isinstance(said.value, Unknown):
                    continue
                if isinstance(said.value, Number | SequenceValue):
                    one = Samples(None, np.zeros(1, dtype=np.int64), self.sink)
                    values = columns_for(said, one, name, entry, unit_of(entry), self.sink)
                    if values is not None and entry.kind == "optical":
                        values = fields(said, values, self.sink)
                    if values is not None:
                        constants[name] = dc(values[0])
                    continue
                found = self.hold(said, samples, name, entry)
                if found is None:
                    continue
                values, time, nodes = found
                if rhythm not in (None, (time, nodes)):
                    self.sink.error("reservoir", f"`{name}` is held in another rhythm than the inputs before it",
                                    said.value.span, help="one hold time and one number of virtual nodes for all")  # fmt: skip
                    continue
                rhythm = time, nodes
                drives[name] = values
        if rhythm is None:
            if not self.sink.errors:
                self.sink.error("reservoir", f"task `{self.task.name}` holds its series at no input",
                                self.task.name.span,
                                help="write `drive INPUT = hold(times(signal, 1 V), 1 ms)`")  # fmt: skip
            return None
        return _Held(drives, constants, *rhythm)

    def hold(
        self, said: AssignmentValue, samples: Samples, name: str, entry: InputMap
    ) -> tuple[Values, float, int] | None:
        """The values of an input, the hold time and the number of virtual nodes."""
        call = said.value
        if not isinstance(call, CallValue) or call.name != "hold":
            self.sink.error("reservoir", f"in a task about a series, input `{name}` is held or constant",
                            call.span, help="such as `hold(times(signal, 1 V), 1 ms, mask = binary(24))`")  # fmt: skip
            return None
        unit = unit_of(entry)
        bound = bind(call, "hold", _HOLD, self.sink, subject=unit)
        if bound is None:
            return None
        mask = self.mask(bound["mask"])
        columns = columns_for(
            replace(said, value=bound["of"]), samples, name, entry, unit, self.sink
        )
        if columns is None or mask is None:
            return None
        # (samples, nodes, size), in the order of time
        values = bound["bias"] + columns[:, None, :] * mask[None, :, None]
        if entry.kind == "optical":
            values = fields(said, values.reshape(-1, columns.shape[1]), self.sink)
        return values.reshape(-1, *entry.shape), float(bound["time"]), len(mask)

    def mask(self, value: Any) -> Values | None:
        match value:
            case None:
                return np.ones(1)
            case SequenceValue():
                found = convert(value, Argument("numbers"), "`mask` of `hold`", self.sink)
                return None if any(isinstance(v, Unknown) for v in found) else np.array(found)
            case CallValue():
                function = lookup(value, MASKS, "mask", self.sink)
                bound = function and bind(value, function.name, function.arguments, self.sink)
                if function is None or bound is None:
                    return None
                made: Values = function.call(
                    stream(self.seed, self.task.name.text, "mask"), **bound
                )
                return made
        self.sink.error("wrong-kind", "a mask is drawn or listed", value.span,
                        help=f"such as `binary(24)`; known: {one_of(MASKS)}")  # fmt: skip
        return None

    def wanted(self, data: Dataset) -> tuple[str, Values, bool] | None:
        """The target column, and whether it is the class."""
        said = self.task.settings.get("target")
        if said is None and self.task.targets:
            return None  # told where the training is looked at
        if said is None:
            self.sink.error("no-target", f"task `{self.task.name}` has no target for a read-out",
                            self.task.name.span,
                            help="add `target COLUMN`, such as `target class`")  # fmt: skip
            return None
        (value,) = said.values
        known = [*data.columns, *(["class"] if data.classes is not None else [])]
        if not isinstance(value, PathValue) or value.text not in known:
            text = value.text if isinstance(value, PathValue) else ""
            self.sink.error("unknown-name", "a read-out's target is a column of the data", value.span,
                            help=did_you_mean(text, known) or f"known: {one_of(known)}")  # fmt: skip
            return None
        if value.text == "class":
            assert data.classes is not None
            return "class", np.eye(len(data.class_names))[data.classes], True
        return value.text, data.columns[value.text].reshape(len(data), -1), False


@dataclass
class _Reading(_Series):
    train: ExperimentValues

    def bound(self) -> BoundReservoir | None:
        for keyword in ("update", "epochs", "batch", "window"):
            if keyword in self.train.settings:
                self.sink.error("reservoir", f"`{keyword}` is not for a read-out, which is found in one go",
                                self.train.settings[keyword].span)  # fmt: skip
        for said in self.task.targets:
            self.sink.error("reservoir", "a read-out's target is a column, not an output's voltage",
                            said.span, help="write `target COLUMN`, such as `target class`")  # fmt: skip
        if "decode" in self.task.settings:
            self.sink.error("reservoir", "a read-out gives the class of the largest output; there is nothing to decode",
                            self.task.settings["decode"].span)  # fmt: skip
        only_varied(self.task, self.train, self.sink)
        washout = self.washout()
        alphas = self.alphas()
        step = self.step()
        found = self.series(washout or 0)
        observe = self.observed()
        if found is None or self.sink.errors or step is None:
            return None
        data, parts, held, wanted = found
        assert held is not None and wanted is not None
        if len(alphas) > 1 and not len(parts.validation):
            self.sink.error("reservoir", "several `alpha` need a validation part to choose one on",
                            self.train.learn[0].rule.span, help="write `split 0.6, 0.2` behind the data")  # fmt: skip
            return None
        interval = held.time / held.nodes
        if step >= interval / 2:
            self.sink.error("out-of-range", f"this step does not resolve the {interval:.4g} s of a virtual node",
                            self.train.settings["transient"].span,
                            help=f"at most {interval / 4:.3g} s, say")  # fmt: skip
            return None
        column, targets, classes = wanted
        step = self.compiled.emit().manifest.longest_step(step)
        first = {name: dc(np.ravel(values[0])) for name, values in held.drives.items()}
        bench = Bench(
            drives=first | held.constants,
            analysis=f".tran {step:.9g} {held.time:.9g} 0 {step:.9g}",
            notes=(f"training {self.train.name}: held inputs stand at their first value",),
        )
        emitted = self.compiled.emit(bench)
        plan = ReservoirPlan(
            name=self.train.name.text,
            network=self.task.subject.text,
            netlist=emitted.netlist,
            manifest=emitted.manifest,
            drives=held.drives,
            observe=observe,
            interval=interval,
            step=step,
            nodes=held.nodes,
            target=column,
            targets=targets,
            classes=data.classes if classes else None,
            class_names=data.class_names if classes else (),
            parts=parts,
            washout=washout or 0,
            alphas=alphas,
            seed=self.seed,
            notes={"data": data.source},
        )
        return BoundReservoir(plan, self.compiled)

    def washout(self) -> int | None:
        said = self.train.settings.get("washout")
        return as_count(said.values[0], "`washout`", self.sink) if said else 0

    def alphas(self) -> tuple[float, ...]:
        said = self.train.learn[0]
        if len(self.train.learn) > 1 or len(said.parameters) > 1 or said.limits is not None:
            self.sink.error("reservoir", "`readout` is learned alone, in one `learn` line, without a range",
                            self.train.learn[-1].span, help="write `learn readout by ridge(alpha = 1e-6)`")  # fmt: skip
            return ()
        function = lookup(said.rule, READOUTS, "rule for a read-out", self.sink)
        bound = function and bind(said.rule, function.name, function.arguments, self.sink)
        if bound is None or any(isinstance(a, Unknown) for a in bound["alpha"]):
            return ()
        return tuple(bound["alpha"])

    def step(self) -> float | None:
        said = self.train.settings.get("transient")
        if said is None or len(said.values) != 1:
            self.sink.error("reservoir", "a read-out needs the step of its transient, and no length: the series has one",
                            said.span if said else self.train.name.span,
                            help="write `transient step 20 ps`")  # fmt: skip
            return None
        found = convert(said.values[0], number("s", low=1e-18, high=1e9), "the step of a transient",
                        self.sink)  # fmt: skip
        return None if isinstance(found, Unknown) else float(found)

    def observed(self) -> tuple[str, ...]:
        """The ports and observables that are the states; the outputs where the block does not say."""
        manifest = self.compiled.emit().manifest
        if not self.train.record:
            if not manifest.outputs:
                self.sink.error("reservoir", "there is nothing to read: the network has no outputs",
                                self.train.name.span, help="add `record SIGNAL`")  # fmt: skip
            return tuple(manifest.outputs)
        known = [*manifest.inputs, *manifest.outputs, *manifest.observables]
        found = [
            n for path in self.train.record for n in matching(path, known, "signal", self.sink)
        ]
        return tuple(dict.fromkeys(found))
