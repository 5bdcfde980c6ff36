"""A task: its data split into samples, what drives the inputs, what the outputs shall be and what class they say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tellegen.arrays import Indices
from tellegen.diagnostics import Sink
from tellegen.elaborate.experiment import (
    AssignmentValue,
    DataValue,
    ExperimentValues,
)
from tellegen.manifest import Manifest, OutputMap
from tellegen.pipeline import Compilation, Compiled
from tellegen.seeds import stream
from tellegen.signature import bind, convert, lookup, number
from tellegen.sims.datasets import Dataset
from tellegen.sims.tasks.blocks import checked_as
from tellegen.sims.tasks.data import load_data
from tellegen.sims.tasks.drives import columns_for, fields, undriven, unit_of
from tellegen.sims.tasks.encoders import ENCODERS, Samples
from tellegen.sims.tasks.signals import matching
from tellegen.sims.tasks.targets import DECODERS, TARGETS, Target
from tellegen.values import CallValue, Unknown

DEFAULT_SPLIT = (0.8, 0.0)


def check_task(compilation: Compilation, name: str) -> None:
    """Report what is wrong with the task called `name`, which no training asks."""
    checked_as(compilation, name, lambda *about: Task(compilation, *about).asked())


@dataclass(frozen=True, eq=False)
class Asked:
    """What a task asks: its data, split into samples, and what drives and clamps the ports."""

    data: Dataset | None
    splits: tuple[Indices, ...]
    drives: dict[str, Any]
    targets: dict[str, Target]
    decode: str


@dataclass
class Task:
    """A task and its network; what it asks is looked up part by part."""

    compilation: Compilation
    compiled: Compiled
    task: ExperimentValues
    seed: int
    sink: Sink

    def asked(self) -> Asked | None:
        """All that the task asks, or None after diagnostics."""
        data = self.data()
        splits = self.split(data)
        if splits is None:
            return None
        samples = Samples(data, splits[0], self.sink)
        bare = self.compiled.emit().manifest
        drives = self.drives(samples, bare)
        targets = self.targets(samples, bare)
        return Asked(data, splits, drives, targets, self.decode(data, targets))

    def data(self) -> Dataset | None:
        """The data set, or None where there is none."""
        said = self.task.data
        if said is None:
            return None
        return load_data(said.source, self.compilation, self.sink)

    def split(self, data: Dataset | None) -> tuple[Indices, ...] | None:
        """Sample numbers for training, validation and test; classes keep their shares."""
        none = np.zeros(0, dtype=np.int64)
        said = self.task.data
        if data is None:
            return (np.zeros(1, dtype=np.int64), none, none) if said is None else None
        assert said is not None
        shares = self.shares(said)
        if shares is None:
            return None
        first, second = shares
        rng = stream(self.seed, self.task.name.text, "split")
        groups = (
            [np.arange(len(data))]
            if data.classes is None
            else [np.flatnonzero(data.classes == c) for c in np.unique(data.classes)]
        )
        parts: tuple[list[Indices], ...] = ([], [], [])
        for group in groups:
            order = rng.permutation(group)
            a = round(first * len(order))
            b = a + round(second * len(order))
            for part, chosen in zip(parts, (order[:a], order[a:b], order[b:]), strict=True):
                part.append(chosen)
        train, validation, test = (np.sort(np.concatenate(p)).astype(np.int64) for p in parts)
        if not len(train):
            self.sink.error("out-of-range", "the split leaves nothing to train on", said.span)
            return None
        return train, validation, test

    def shares(self, said: DataValue) -> tuple[float, float] | None:
        """The shares for training and validation, or None after diagnostics."""
        shares = [
            convert(v, number(low=0, high=1), "a share of `split`", self.sink) for v in said.split
        ]
        if any(isinstance(s, Unknown) for s in shares):
            return None
        if len(shares) > 2 or sum(shares) > 1 + 1e-9 or (shares and shares[0] == 0):
            self.sink.error(
                "out-of-range", "`split` is the share for training, then that for validation; "
                "the rest is for the test", said.span, help="such as `split 0.6, 0.2`",
            )  # fmt: skip
            return None
        first, second = [*shares, *(DEFAULT_SPLIT if not shares else (0.0,))][:2]
        return first, second

    def drives(self, samples: Samples, manifest: Manifest) -> dict[str, Any]:
        """The columns of each input; every input must have some."""
        found: dict[str, Any] = {}
        for said in self.task.drives:
            names = matching(said.port, manifest.inputs, "input", self.sink)
            if isinstance(said.value, CallValue) and said.value.name == "hold":
                self.sink.error("reservoir", "`hold` drives a series in time, and this training takes samples singly",
                                said.value.span, help="learn a read-out: `learn readout by ridge(alpha = 1e-6)`")  # fmt: skip
                continue
            for name in names:
                entry = manifest.inputs[name]
                values = columns_for(said, samples, name, entry, unit_of(entry), self.sink)
                if values is not None and entry.kind == "optical":
                    values = fields(said, values, self.sink)
                if values is not None:
                    found[name] = values
        undriven(self.compiled, manifest, self.task, self.sink, self.lit())
        return found

    def lit(self) -> set[str]:
        """The inputs that are lit in a phase of the training, and dark else if the task does not say."""
        return set()

    def targets(self, samples: Samples, manifest: Manifest) -> dict[str, Target]:
        """The target of each output that has one."""
        found: dict[str, Target] = {}
        if not self.task.targets:
            self.sink.error("no-target", f"task `{self.task.name}` has no target to learn",
                            self.task.name.span, help="add `target OUTPUT = ...`")  # fmt: skip
        for said in self.task.targets:
            for name in matching(said.port, manifest.outputs, "output", self.sink):
                entry = manifest.outputs[name]
                if entry.kind == "optical":
                    self.sink.error("wrong-kind", f"output `{name}` is light: no source can clamp it", said.span,
                                    help="let a photodetector look at it, and clamp its output")  # fmt: skip
                    continue
                target = self.target(said, samples, name, entry)
                if target is not None:
                    found[name] = target
        return found

    def target(
        self, said: AssignmentValue, samples: Samples, name: str, entry: OutputMap
    ) -> Target | None:
        """One output's target, or None after diagnostics."""
        value = said.value
        if isinstance(value, CallValue) and value.name not in {**TARGETS, **ENCODERS}:
            lookup(value, {**TARGETS, **ENCODERS}, "target", self.sink)
            return None
        if not isinstance(value, CallValue) or value.name not in TARGETS:
            values = columns_for(said, samples, name, entry, "V", self.sink)
            return None if values is None else Target(values, False)
        function = TARGETS[value.name]
        bound = bind(
            value, function.name, function.arguments, self.sink, variadic=function.variadic
        )
        if samples.data is None or samples.data.classes is None:
            self.sink.error("wrong-kind", f"`{value.name}` needs classes, which the data do not have",
                            value.span)  # fmt: skip
            return None
        if bound is None:
            return None
        try:
            target: Target = function.call(samples.data.class_names, len(entry.positive), **bound)
        except ValueError as error:
            self.sink.error("shape-mismatch", str(error), value.span)
            return None
        return target

    def decode(self, data: Dataset | None, targets: dict[str, Target]) -> str:
        """The decoder's name, empty where there are no classes to tell."""
        said = self.task.settings.get("decode")
        classes = data is not None and data.classes is not None and bool(targets)
        if said is None:
            return "nearest" if classes and all(t.per_class for t in targets.values()) else ""
        call = said.values[0]
        assert isinstance(call, CallValue)
        found = lookup(call, DECODERS, "decoder", self.sink)
        if found is None or bind(call, found.name, found.arguments, self.sink) is None:
            return ""
        if self.task.targets and not targets:
            return ""  # they have been reported
        if not classes or not all(t.per_class for t in targets.values()):
            self.sink.error("wrong-kind", "there are no classes to decode", said.span)
            return ""
        if found.name == "argmax" and (
            len(targets) != 1
            or data is None
            or any(
                t.values is not None and t.values.shape[1] != len(data.class_names)
                for t in targets.values()
            )
        ):
            self.sink.error("shape-mismatch", "`argmax` needs one output array with an element a class",
                            said.span)  # fmt: skip
        return str(found.name)
