"""Binding: from the values of an experiment's blocks to a plan, with diagnostics for what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tellegen.bench import Bench
from tellegen.diagnostics import Label, Sink, did_you_mean, one_of
from tellegen.elaborate.experiment import (
    AssignmentValue,
    DataValue,
    ExperimentValues,
    LearnValue,
)
from tellegen.emit.spice import dc, emit
from tellegen.files import FileRefused
from tellegen.flatten import flatten
from tellegen.manifest import InputMap, Manifest, OutputMap
from tellegen.pipeline import Compilation, Compiled
from tellegen.quantity import PLAIN, describe, symbol_of, unit
from tellegen.revalue import with_values
from tellegen.seeds import stream
from tellegen.signature import Argument, Function, bind, convert, lookup, number
from tellegen.sims import plugins
from tellegen.sims.datasets import Dataset
from tellegen.sims.learning.losses import LOSSES
from tellegen.sims.learning.phases import found_in, place
from tellegen.sims.learning.plan import Learned, TrainPlan, Transient
from tellegen.sims.learning.updates import UPDATES
from tellegen.sims.rules import MIRROR, Rule
from tellegen.sims.tasks.encoders import ENCODERS, Samples, encode
from tellegen.sims.tasks.signals import matching, plain, without_indices
from tellegen.sims.tasks.targets import DECODERS, TARGETS, Target
from tellegen.source import Span
from tellegen.values import CallValue, IntervalValue, PathValue, Unknown, as_count

T = TypeVar("T")

DEFAULT_SPLIT = (0.8, 0.0)


@dataclass(frozen=True, eq=False)
class BoundTraining:
    """A plan, and the circuit and bench that its netlist was emitted from."""

    plan: TrainPlan
    compiled: Compiled
    bench: Bench

    def netlist(self, values: dict[str, NDArray[np.float64]]) -> str:
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


def bound_as(compilation: Compilation, name: str, bind_it: Callable[..., T | None]) -> T:
    """What `bind_it` makes of the training called `name`.

    It is given the compiled network, the task, the seed, a sink and the training.

    Raises:
        CompileError: with everything found wrong.
    """
    train = compilation.experiments["train", name]
    network = compilation.built_for(train)
    bound = None
    if network is not None:
        build = compilation.build_of(train)
        task = compilation.experiments["task", train.subject.text]
        compiled = compilation.sound(network, build)
        if compiled is not None:
            with own_sink(compilation) as sink:
                bound = bind_it(compiled, task, build.seed, sink, train)
    compilation.sink.raise_errors()
    assert bound is not None
    return bound


def check_task(compilation: Compilation, name: str) -> None:
    """Report what is wrong with the task called `name`, which no training asks."""
    checked_as(compilation, name, lambda *about: Task(compilation, *about).asked())


def checked_as(compilation: Compilation, name: str, look: Callable[..., object]) -> None:
    """Let `look` report on the task called `name`: given the compiled network, the task, the seed and a sink."""
    task = compilation.experiments["task", name]
    network = compilation.built_for(task)
    if network is None:
        return
    build = compilation.build_of(task)
    compiled = compilation.sound(network, build)
    if compiled is not None:
        with own_sink(compilation) as sink:
            look(compiled, task, build.seed, sink)


@contextmanager
def own_sink(compilation: Compilation) -> Iterator[Sink]:
    """A sink for one experiment, so that mistakes in another one do not count; all are reported."""
    sink = Sink()
    try:
        yield sink
    finally:
        compilation.sink.extend(sink)


@dataclass(frozen=True, eq=False)
class _Asked:
    """What a task asks: its data, split into samples, and what drives and clamps the ports."""

    data: Dataset | None
    splits: tuple[NDArray[np.int64], ...]
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

    def asked(self) -> _Asked | None:
        """All that the task asks, or None after diagnostics."""
        data = self.data()
        splits = self.split(data)
        if splits is None:
            return None
        samples = Samples(data, splits[0], self.sink)
        bare = self.compiled.emit().manifest
        drives = self.drives(samples, bare)
        targets = self.targets(samples, bare)
        return _Asked(data, splits, drives, targets, self.decode(data, targets))

    def data(self) -> Dataset | None:
        """The data set, or None where there is none."""
        said = self.task.data
        if said is None:
            return None
        return load_data(said.source, self.compilation, self.sink)

    def split(self, data: Dataset | None) -> tuple[NDArray[np.int64], ...] | None:
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
        parts: tuple[list[NDArray[np.int64]], ...] = ([], [], [])
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
        bound = bind(value, function.name, function.arguments, self.sink)
        if samples.data is None or samples.data.classes is None:
            self.sink.error("wrong-kind", f"`{value.name}` needs classes, which the data do not have",
                            value.span)  # fmt: skip
            return None
        if bound is None:
            return None
        try:
            target: Target = function.call(
                len(samples.data.class_names), len(entry.positive), **bound
            )
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


@dataclass
class _Training(Task):
    train: ExperimentValues

    def bound(self) -> BoundTraining | None:
        asked = self.asked()
        manifest = self.compiled.emit().manifest
        learned = self.learned(manifest)
        loss, loss_settings = self.loss(asked)
        update, settings = self.update()
        numbers = self.numbers()
        transient = transient_of(self.train, self.sink)
        most = self.compiled.circuit.max_step()
        if transient and most < transient.step:
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
            analysis=_analysis(transient),
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

    def learned(self, manifest: Manifest) -> list[tuple[Learned, Rule]]:
        if not self.train.learn:
            self.sink.error("no-target", f"training `{self.train.name}` learns nothing",
                            self.train.name.span, help="add `learn GROUP.PARAMETER by coupled(...)`")  # fmt: skip
        found = [self.learn(said, manifest) for said in self.train.learn]
        seen: dict[str, Span] = {}
        for said, made in zip(self.train.learn, found, strict=True):
            for name in (*made[0].parameters, *made[0].tied.values()) if made else ():
                if name in seen:
                    self.sink.error("duplicate-name", f"`{name}` is learned twice", said.span,
                                    secondary=(Label(seen[name], "first here"),))  # fmt: skip
                seen[name] = said.span
        lit: dict[str, tuple[str, str, Span]] = {}
        for said, made in zip(self.train.learn, found, strict=True):
            if made and made[1].feedback:
                at, behind = made[0].settings["at"], made[0].settings["behind"]
                before = lit.setdefault(behind, (at, made[1].name, said.span))
                if before[:2] != (at, made[1].name):
                    self.sink.error("duplicate-name", f"two lights are sent into `{behind}`", said.rule.span,
                                    secondary=(Label(before[2], "first here"),))  # fmt: skip
        return [f for f in found if f is not None]

    def learn(self, said: LearnValue, manifest: Manifest) -> tuple[Learned, Rule] | None:
        names: list[str] = []
        for path in said.parameters:
            names += learnable(path, self.compiled, manifest, self.sink)
        rule = find_rule(said.rule, self.sink)
        if rule is None or not names:
            return None
        units = {manifest.parameters[n].unit for n in names}
        if len(units) > 1:
            self.sink.error("unit-mismatch", "parameters of different units need `learn` lines of their own",
                            said.span)  # fmt: skip
            return None
        subject = units.pop()
        settings = bind(said.rule, rule.name, rule.arguments, self.sink, subject=subject)
        limits = self.limits(said, subject)
        resolved = None if settings is None else self.resolved(said, rule, settings, manifest)
        mirror = resolved.get("mirror") if resolved else None
        tied = {}
        if mirror:
            tied = {n: f"{mirror}.{manifest.parameters[n].symbol}" for n in names}
        learned = Learned(tuple(names), rule.name, resolved or {}, limits, tied)
        if not self.fits(said, rule, learned, manifest) or resolved is None:
            return None
        return learned, rule

    def fits(self, said: LearnValue, rule: Rule, learned: Learned, manifest: Manifest) -> bool:
        """Whether the cells offer what the rule needs; reports what they lack."""
        for name in learned.parameters:
            entry = manifest.parameters[name]
            for read in rule.reads:
                mirrored = read.startswith(MIRROR)
                if mirrored and "mirror" not in learned.settings:
                    continue  # it has been reported
                group = learned.settings["mirror"] if mirrored else entry.instances
                if not found_in(manifest, place(read, learned, manifest, name)):
                    what = read.removeprefix(MIRROR).replace("@", entry.symbol)
                    self.sink.error(
                        "locality", f"rule `{rule.name}` reads `{what}`, which the cell of "
                        f"`{group}` does not offer", said.rule.span,
                        help=f"the rule reads, at each edge, {one_of(r.replace('@', entry.symbol) for r in rule.reads)} and nothing else",
                    )  # fmt: skip
                    return False
            if name in learned.tied and not self.mirrors(said, name, learned.tied[name], manifest):
                return False
            if rule.changes == "conductance" and entry.sense == 0:
                self.sink.error(
                    "not-learnable", f"the cell of `{name}` does not say whether its conductance grows "
                    "with it", said.span, help="add `sense` to the cell's header",
                )  # fmt: skip
                return False
            if rule.moves == "quarter" and not entry.phase:
                self.sink.error(
                    "not-learnable", f"`{name}` is no phase of light, so two measurements a quarter turn "
                    "away do not give a derivative by it", said.span,
                    help="a cell's header says `phase = true` of one; `spsa` needs none",
                )  # fmt: skip
                return False
            size = learned.settings.get("size", np.inf)
            if rule.moves == "together" and (
                size == 0 or (entry.step is not None and size < entry.step.max())
            ):
                self.sink.error("out-of-range", f"`size` of `{rule.name}` is less than what `{name}` can be moved by",
                                said.rule.span)  # fmt: skip
                return False
        return True

    def mirrors(self, said: LearnValue, name: str, other: str, manifest: Manifest) -> bool:
        """Whether a parameter of the mirror can take the values of the learned one."""
        found = manifest.parameters.get(other)
        if found is not None and found.shape == manifest.parameters[name].shape:
            return True
        what = "has another shape than" if found else "has no programmable"
        self.sink.error("shape-mismatch", f"mirror `{other.rpartition('.')[0]}` {what} `{name}`",
                        said.rule.span, help="it is the same mesh from behind: "
                        "`connect w -> back by clements(back = true) using mzi_back()`")  # fmt: skip
        return False

    def resolved(
        self, said: LearnValue, rule: Rule, settings: dict[str, Any], manifest: Manifest
    ) -> dict[str, Any] | None:
        """The settings with names of the manifest for paths, or None after diagnostics."""
        known: dict[str, tuple[Mapping[str, Any], str]] = {
            "at": ({n: o for n, o in manifest.outputs.items() if o.kind == "optical"}, "output of light"),
            "behind": ({n: i for n, i in manifest.inputs.items() if i.kind == "optical"}, "input of light"),
            "mirror": ({p.instances: p for p in manifest.parameters.values()}, "group of cells"),
        }  # fmt: skip
        found = dict(settings)
        for key, value in settings.items():
            if not isinstance(value, PathValue):
                continue
            names, what = known[key]
            matched = matching(value, names, what, self.sink)
            if not matched:
                return None
            if len(matched) > 1:
                self.sink.error("shape-mismatch", f"`{value.text}` means {len(matched)} groups of cells; name one",
                                value.span)  # fmt: skip
                return None
            found[key] = matched[0]
        if rule.feedback:
            at, behind = manifest.outputs[found["at"]], manifest.inputs[found["behind"]]
            if at.shape != behind.shape:
                self.sink.error(
                    "shape-mismatch", f"`{found['at']}` has {len(at.positive) // 2} elements, and "
                    f"`{found['behind']}` {len(behind.positive) // 2}", said.rule.span,
                    help="light goes back where it came out: an element for each",
                )  # fmt: skip
                return None
        return found

    def limits(self, said: LearnValue, subject: str) -> tuple[float, float] | None:
        if said.limits is None:
            return None
        found = convert(
            said.limits, Argument("interval", subject), "the range after `in`", self.sink
        )
        if isinstance(found, Unknown):
            return None
        if found[0] >= found[1]:
            assert isinstance(said.limits, IntervalValue)
            self.sink.error(
                "out-of-range", "the range after `in` goes from low to high", said.limits.span
            )
            return None
        return float(found[0]), float(found[1])

    def loss(self, asked: _Asked | None) -> tuple[str, dict[str, Any]]:
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


def only_varied(task: ExperimentValues, train: ExperimentValues, sink: Sink) -> None:
    """Report the statements that only a training that varies phases has, and its task."""
    said = [s.span for k, s in train.settings.items() if k in ("starts", "shots", "bits")]
    said += [s.span for k, s in task.settings.items() if k == "cost"]
    for span in said + ([task.measure.span] if task.measure else []):
        sink.error("variational", "this belongs to a training that varies phases", span,
                   help="such as `vary mesh.theta, mesh.phi by bfgs(flat = 1 mHa)`")  # fmt: skip


def learnable(path: PathValue, compiled: Compiled, manifest: Manifest, sink: Sink) -> list[str]:
    """The programmable parameters that a path means; none, after diagnostics, where there are none."""
    text = plain(path.text)
    known = manifest.parameters
    if text not in known and text not in {without_indices(k) for k in known}:
        group, _, parameter = text.rpartition(".")
        for module in compiled.circuit.modules():
            made = module.groups.get(group.rpartition(".")[2])
            if made is not None and made.cell is not None and parameter in made.cell.params:
                programmable = list(made.cell.programmable)
                sink.error(
                    "not-learnable",
                    f"`{parameter}` of cell `{made.cell.library}.{made.cell.name}` is not programmable",
                    path.span,
                    help=f"programmable: {one_of(programmable)}" if programmable
                    else "nothing of this cell is",
                )  # fmt: skip
                return []
    return matching(path, known, "parameter", sink)


# ---------------------------------------------------------------- shared with simulations


def load_data(call: CallValue, compilation: Compilation, sink: Sink) -> Dataset | None:
    """The data set that a call names, or None after diagnostics."""
    package = "tellegen.sims.datasets"
    known = plugins.names(package)
    if call.name not in known:
        sink.error("unknown-name", f"unknown data set `{call.name}`", call.name_span,
                   help=did_you_mean(call.name, known) or f"known: {one_of(known)}")  # fmt: skip
        return None
    function = plugins.load(package, call.name)
    assert isinstance(function, Function)
    bound = bind(call, function.name, function.arguments, sink)
    if bound is None:
        return None
    try:
        data: Dataset = function.call(compilation.files, **bound)
    except FileRefused as error:
        sink.error(error.code, str(error), call.span, help=error.help)
        return None
    return data


def find_rule(call: CallValue, sink: Sink) -> Rule | None:
    """The learning rule that a call names, or None after a diagnostic."""
    package = "tellegen.sims.rules"
    known = plugins.names(package)
    if call.name not in known:
        sink.error("unknown-name", f"unknown learning rule `{call.name}`", call.name_span,
                   help=did_you_mean(call.name, known) or f"known: {one_of(known)}")  # fmt: skip
        return None
    found = plugins.load(package, call.name)
    assert isinstance(found, Rule)
    return found


def columns_for(
    said: AssignmentValue,
    samples: Samples,
    name: str,
    entry: InputMap | OutputMap,
    want: str,
    sink: Sink,
) -> NDArray[np.float64] | None:
    """The columns of an assignment, of the port's unit and size; one column serves every element."""
    with np.errstate(all="ignore"):
        columns = encode(said.value, samples)
    if columns is None:
        return None
    if not np.isfinite(columns.values).all():
        sink.error(
            "out-of-range", f"`{name}` would get values that are not finite", said.value.span
        )
        return None
    dimension = unit(want).dimension
    if columns.dimension != dimension:
        hint = "give plain data their unit: `times(..., 1 V)` or `scaled(..., 0 V .. 1 V)`"
        sink.error(
            "unit-mismatch",
            f"`{name}` takes {describe(dimension)}, but this is {describe(columns.dimension)}",
            said.value.span,
            f"expected {symbol_of(dimension)}",
            help=hint if columns.dimension == PLAIN else "",
        )
        return None
    size = len(entry.positive) // (2 if entry.kind == "optical" else 1)
    if columns.values.shape[1] not in (1, size):
        sink.error(
            "shape-mismatch",
            f"`{name}` has {size} element{'s' * (size != 1)}, but {columns.values.shape[1]} columns are given",
            said.value.span,
        )
        return None
    return np.ascontiguousarray(np.broadcast_to(columns.values, (samples.count, size)))


def undriven(
    compiled: Compiled, manifest: Manifest, block: ExperimentValues, sink: Sink,
    controlled: Iterable[str] = (),
) -> None:  # fmt: skip
    """Report the inputs that a block leaves without a drive and that nothing controls."""
    driven = {plain(d.port.text) for d in block.drives} | set(controlled)
    if not driven <= set(manifest.inputs):
        return  # the unknown one has been reported, and may be the one that is missed
    what = {"simulate": "simulation"}.get(block.kind, block.kind)
    for name in manifest.inputs:
        if name not in driven:
            port = compiled.circuit.top.inputs[name]
            sink.error(
                "undriven-input", f"input `{name}` is not driven in {what} `{block.name}`",
                block.name.span, secondary=(Label(port.span, "declared here"),),
                help=f"add `drive {name} = ...`",
            )  # fmt: skip


def _analysis(transient: Transient | None) -> str:
    if transient is None:
        return ".op"
    most = f" 0 {transient.max_step:.9g}" if transient.max_step else ""
    return f".tran {transient.step:.9g} {transient.stop:.9g}{most}"


def transient_of(block: ExperimentValues, sink: Sink) -> Transient | None:
    """The transient of a block, or None for operating points."""
    said = block.settings.get("transient")
    if said is None:
        return None
    want = number("s", low=1e-18, high=1e9)
    if len(said.values) == 1:
        sink.error("arity", "this transient needs its length", said.span,
                   help="write `transient LENGTH step STEP`")  # fmt: skip
        return None
    stop = convert(said.values[0], want, "the length of a transient", sink)
    step = convert(said.values[1], want, "the step of a transient", sink)
    if isinstance(stop, Unknown) or isinstance(step, Unknown):
        return None
    if step > stop:
        sink.error("out-of-range", "the step is longer than the transient", said.span)
        return None
    return Transient(float(stop), float(step))


def unit_of(entry: InputMap) -> str:
    """The unit in which an input is driven."""
    return {"current": "A", "optical": "W"}.get(entry.kind, "V")


def fields(said: AssignmentValue, powers: NDArray[np.float64], sink: Sink) -> NDArray[np.float64]:
    """The real and imaginary parts (samples, 2 elements) of light of a power and no phase."""
    if (powers < 0).any():
        sink.error("out-of-range", "light has no negative power", said.value.span)
        return np.zeros((len(powers), 2 * powers.shape[1]))
    parts = np.stack([np.sqrt(powers), np.zeros_like(powers)], axis=-1)
    return parts.reshape(len(powers), -1)
