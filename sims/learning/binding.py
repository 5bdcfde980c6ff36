"""Binding of a training by rules: from the values of its blocks to a plan, with diagnostics for what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tellegen.arrays import Values
from tellegen.bench import Bench
from tellegen.elaborate.experiment import (
    ExperimentValues,
)
from tellegen.emit.spice import dc, emit
from tellegen.flatten import flatten
from tellegen.manifest import Manifest
from tellegen.pipeline import Compilation, Compiled
from tellegen.revalue import with_values
from tellegen.signature import Function, bind, lookup
from tellegen.sims.learning.learn import LearnLines
from tellegen.sims.learning.losses import LOSSES
from tellegen.sims.learning.plan import Learned, TrainPlan
from tellegen.sims.learning.updates import UPDATES
from tellegen.sims.tasks.blocks import bound_as, only_varied
from tellegen.sims.tasks.signals import plain
from tellegen.sims.tasks.task import Asked, Task
from tellegen.sims.tasks.transient import analysis_of, transient_of
from tellegen.values import CallValue, PathValue, as_count


@dataclass(frozen=True, eq=False)
class BoundTraining:
    """A plan, and the circuit and bench that its netlist was emitted from."""

    plan: TrainPlan
    compiled: Compiled
    bench: Bench

    def netlist(self, values: dict[str, Values]) -> str:
        """The netlist with other parameter values."""
        tied = {b: values[a] for x in self.plan.learned for a, b in x.tied.items() if a in values}
        circuit = with_values(self.compiled.circuit, values | tied)
        note = "programmable values are those after training (of the best epoch)"
        return emit(circuit, replace(self.bench, notes=(self.bench.notes[0], note))).netlist


def bind_training(compilation: Compilation, name: str) -> BoundTraining:
    """The training called `name`, ready to run.

    Raises:
        CompileError: with everything found wrong, if anything in the file is known to be.
    """
    return bound_as(compilation, name, lambda *about: _Training(compilation, *about).bound())


@dataclass
class _Training(Task):
    train: ExperimentValues

    def bound(self) -> BoundTraining | None:
        asked = self.asked()
        manifest = self.compiled.emit().manifest
        learned = LearnLines(self.compiled, self.task, self.train, self.sink).learned(manifest)
        loss, loss_settings = self.loss(asked)
        update, settings = self.update()
        numbers = self.numbers()
        transient = transient_of(self.train, self.sink)
        if transient and (most := manifest.longest_step(transient.step)) < transient.step:
            transient = replace(transient, max_step=most)
        self.only_readouts()
        only_varied(self.task, self.train, self.sink)
        if self.sink.errors or asked is None or numbers is None:
            return None
        data, splits = asked.data, asked.splits
        drives, targets = asked.drives, asked.targets
        samples = len(next(iter(drives.values())))
        drives |= {
            name: np.zeros((samples, len(manifest.inputs[name].positive)))
            for name in self.lit() - drives.keys()
        }
        held = any("clamped" in rule.phases for _, rule in learned)
        bench = Bench(
            drives={name: dc(values[splits[0][0]]) for name, values in drives.items()},
            clamps=tuple(targets) if held else (),
            analysis=analysis_of(transient),
            notes=(
                f"training {self.train.name}: the inputs stand at its first training sample",
                "programmable values are those before training",
            ),
        )
        compiled = self.mirrored([x for x, _ in learned], manifest)
        emitted = compiled.emit(bench)
        plan = TrainPlan(
            name=self.train.name.text,
            network=self.task.subject.text,
            netlist=emitted.netlist,
            manifest=emitted.manifest,
            drives=drives,
            targets=targets,
            classes=data.classes if data else None,
            class_names=data.class_names if data else (),
            train=splits[0],
            validation=splits[1],
            test=splits[2],
            learned=tuple(x for x, _ in learned),
            update=update,
            update_settings=settings,
            decode=asked.decode,
            batch=numbers["batch"],
            epochs=numbers["epochs"],
            seed=self.seed,
            transient=transient,
            loss=loss,
            loss_settings=loss_settings,
            notes={"data": data.source if data else "none"},
        )
        return BoundTraining(plan, compiled, bench)

    def lit(self) -> set[str]:
        """The inputs that rules send light into."""
        return {
            plain(a.value.text)
            for said in self.train.learn
            for a in said.rule.arguments
            if a.name == "behind" and isinstance(a.value, PathValue)
        }

    def mirrored(self, learned: list[Learned], manifest: Manifest) -> Compiled:
        """The compiled network, with the mirrors of what is learned at its values."""
        tied = {b: manifest.parameters[a].values for x in learned for a, b in x.tied.items()}
        if not tied:
            return self.compiled
        circuit = with_values(self.compiled.circuit, tied)
        return replace(self.compiled, circuit=circuit, flat=flatten(circuit))

    def only_readouts(self) -> None:
        """Report the statements that only the training of a read-out has."""
        said = [s.span for k, s in self.train.settings.items() if k == "washout"]
        for span in said + [p.span for p in self.train.record]:
            self.sink.error("reservoir", "only a read-out's training has a washout and recorded signals", span,
                            help="learn a read-out: `learn readout by ridge(alpha = 1e-6)`")  # fmt: skip

    def loss(self, asked: Asked | None) -> tuple[str, dict[str, Any]]:
        found = self.chosen("loss", LOSSES, "loss", "square")
        targets = asked.targets if asked else {}
        if found[0] == "cross_entropy" and not all(t.per_class for t in targets.values()):
            self.sink.error("wrong-kind", "`cross_entropy` needs targets that are classes",
                            self.train.settings["loss"].values[0].span,
                            help="such as `target y = onehot(class, 0 V, 1 V)`")  # fmt: skip
        return found

    def update(self) -> tuple[str, dict[str, Any]]:
        return self.chosen("update", UPDATES, "update scheme", "synchronous")

    def chosen(
        self, setting: str, known: Mapping[str, Function], noun: str, default: str
    ) -> tuple[str, dict[str, Any]]:
        """What a setting calls by name, and its arguments; the name is empty after a diagnostic."""
        said = self.train.settings.get(setting)
        if said is None:
            return default, {}
        call = said.values[0]
        assert isinstance(call, CallValue)
        found: Function | None = lookup(call, known, noun, self.sink)
        if found is None:
            return "", {}
        return found.name, bind(call, found.name, found.arguments, self.sink) or {}

    def numbers(self) -> dict[str, int] | None:
        found: dict[str, int] = {}
        for name, default in (("epochs", 20), ("batch", 1)):
            said = self.train.settings.get(name)
            value = as_count(said.values[0], f"`{name}`", self.sink) if said else default
            if value is not None:
                found[name] = value
        return found if len(found) == 2 else None
