"""The learning loop: drive, simulate, measure, update, repeat.

It runs in the worker process, beside the engine (see :mod:`tellegen.sims.session`). Every epoch begins
with the circuit loaded anew and draws its own random streams, keyed by seed and epoch; so a run that goes
on from the checkpoint of an epoch gives bit for bit the numbers of one that was never interrupted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from tellegen.arrays import Indices, Values
from tellegen.seeds import stream
from tellegen.sims import plugins
from tellegen.sims.learning.losses import LOSSES
from tellegen.sims.learning.phases import Phases, Seen
from tellegen.sims.learning.plan import Learned, TrainPlan
from tellegen.sims.learning.updates import UPDATES
from tellegen.sims.rules import Rule
from tellegen.sims.tasks.targets import DECODERS, class_means

# A check asks every device of the circuit: the larger that is, the rarer.
STEPS_PER_CHECK, STEPS_A_NODE = 200, 2


class Job(Protocol):
    """What the loop needs of the process that runs it."""

    @property
    def stopping(self) -> bool:
        """Whether the run is asked to come to an end."""

    def send(self, message: object) -> None:
        """Pass something to the parent."""


@dataclass(frozen=True)
class EpochRow:
    """One line of `metrics.csv`; epoch 0 is before training.

    Training errors are those met on the way through the epoch, validation errors those at its end.
    Errors are mean squared differences of free outputs and targets, or the mean of another loss, in V^2;
    accuracies are shares;
    `deviation` and `residual` are the engine's check of its warm solutions against a cold one and
    against Kirchhoff's current law, made now and then. What does not apply is nan.
    """

    epoch: int
    train_error: float
    train_accuracy: float
    validation_error: float
    validation_accuracy: float
    deviation: float
    residual: float


@dataclass(eq=False)
class State:
    """Everything that a run needs to go on after an epoch."""

    epoch: int
    parameters: dict[str, Values]
    targets: dict[str, Values]  # as given, or computed once before training
    best_epoch: int
    best: dict[str, Values]
    best_score: tuple[float, float] = (-np.inf, -np.inf)
    rows: list[EpochRow] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The network's answers to some samples.

    `outputs` holds (samples, size) for each output, `predicted` class numbers or None.
    """

    error: float
    accuracy: float
    outputs: dict[str, Values]
    predicted: Indices | None


@dataclass(frozen=True, eq=False)
class Outcome:
    """How a training ended."""

    state: State
    evaluations: dict[str, Evaluation]  # of the best parameters, by part of the data
    finished: bool


def train_job(job: Job, payload: tuple[TrainPlan, State | None]) -> Outcome:
    """Train as planned from a state (None: from the start); a state is sent after every epoch."""
    plan, state = payload
    return _Loop(job, plan, state).run()


class _Loop:
    def __init__(self, job: Job, plan: TrainPlan, state: State | None) -> None:
        self.job, self.plan = job, plan
        self.rules = [_loaded(learned) for learned in plan.learned]
        self.ranges = {
            name: _range(plan, learned, name)
            for learned in plan.learned
            for name in learned.parameters
        }
        self.phases = Phases(plan, self.rules, lambda name, v: self.writable(name, v, None))
        self.engine = self.phases.engine
        self.local = False  # the rules' locality is checked at the first update
        self.state = state or self.first_state()

    def first_state(self) -> State:
        parameters = {
            name: self.writable(name, self.plan.manifest.parameters[name].values, None)
            for learned in self.plan.learned
            for name in learned.parameters
        }
        targets: dict[str, Values] = {}
        self.phases.write(parameters)
        for name, target in self.plan.targets.items():
            if target.values is not None:
                targets[name] = target.values
                continue
            assert self.plan.classes is not None
            responses = np.array([self.free(s)[name] for s in self.plan.train])
            targets[name] = class_means(
                responses,
                self.plan.classes[self.plan.train],
                len(self.plan.class_names),
                target.amplify,
            )
        return State(0, parameters, targets, 0, dict(parameters))

    # ------------------------------------------------------------ the run

    def run(self) -> Outcome:
        state = self.state
        if not state.rows:
            self.phases.begin(state.parameters)
            self.finish_epoch(self.evaluate(self.plan.train))
        while state.epoch < self.plan.epochs and not self.job.stopping:
            before = dict(state.parameters)
            seen = self.epoch(state.epoch + 1)
            if seen is None:  # stopped on the way: the epoch is run again when the run goes on
                state.parameters = before
                break
            state.epoch += 1
            self.finish_epoch(seen)
        finished = state.epoch >= self.plan.epochs
        self.phases.begin(state.best)
        parts = {
            "train": self.plan.train,
            "validation": self.plan.validation,
            "test": self.plan.test,
        }
        evaluations = {name: self.evaluate(part) for name, part in parts.items() if len(part)}
        self.engine.close()
        return Outcome(state, evaluations, finished)

    def epoch(self, number: int) -> Evaluation | None:
        """One pass over the training samples; None where the run was asked to stop."""
        plan, state = self.plan, self.state
        self.phases.begin(state.parameters)
        order = stream(plan.seed, plan.name, "order", number).permutation(plan.train)
        moves = stream(plan.seed, plan.name, "update", number)
        noise = stream(plan.seed, plan.name, "noise", number)
        sides = stream(plan.seed, plan.name, "sides", number)
        outputs: dict[str, list[Values]] = {name: [] for name in plan.targets}
        for batch in _batches(order, plan.batch):
            if self.job.stopping:
                return None
            growth: dict[str, Values] = {}
            for sample in batch:
                for name, values in self.step(int(sample), outputs, sides).items():
                    growth[name] = growth.get(name, 0.0) + values / len(batch)
            self.apply(growth, moves, noise)
        return self.judge({n: np.array(v) for n, v in outputs.items()}, order)

    def step(
        self, sample: int, outputs: Mapping[str, list[Values]], sides: np.random.Generator
    ) -> dict[str, Values]:
        """All phases of one sample; what each rule adds to its parameters, or their conductance."""
        targets = self.targets(np.array([sample]))
        free, seen = self.phases.seen(
            sample, np.concatenate([t[0] for t in targets.values()]), sides
        )
        for name, values in self.phases.split(free).items():
            outputs[name].append(values)
        return self.growth(seen)

    def growth(self, seen: Seen) -> dict[str, Values]:
        """What the rules say to what they saw."""
        growth: dict[str, Values] = {}
        for learned, rule in zip(self.plan.learned, self.rules, strict=True):
            for name in learned.parameters:
                if not self.local:
                    rule.check_locality(seen[name], learned.settings)
                sense = 1
                if rule.changes == "conductance":
                    sense = self.plan.manifest.parameters[name].sense
                growth[name] = sense * rule.update(seen[name], learned.settings)
        self.local = True
        return growth

    def apply(
        self, growth: Mapping[str, Values], moves: np.random.Generator, noise: np.random.Generator
    ) -> None:
        """Move the parameters, as far as their hardware can."""
        scheme = UPDATES[self.plan.update].call
        for name, values in growth.items():
            old = self.state.parameters[name]
            mask = scheme(moves, len(old), **self.plan.update_settings)
            new = np.where(mask, old + values, old)
            self.state.parameters[name] = np.where(mask, self.writable(name, new, noise), old)
        self.phases.write(self.state.parameters)

    def writable(self, name: str, wanted: Values, noise: np.random.Generator | None) -> Values:
        """The nearest values that can be written: within range, on a level, with write noise."""
        entry = self.plan.manifest.parameters[name]
        low, high = self.ranges[name]
        if noise is not None and entry.write_noise:
            wanted = wanted + noise.normal(0.0, entry.write_noise, len(wanted))
        if entry.step is not None:
            wanted = entry.low + np.rint((wanted - entry.low) / entry.step) * entry.step
        return np.clip(wanted, low, high)

    def free(self, sample: int) -> dict[str, Values]:
        """The free outputs (size,) of a sample."""
        return self.phases.split(self.phases.free(sample))

    # ------------------------------------------------------------ measures

    def targets(self, samples: Indices) -> dict[str, Values]:
        """The targets of samples, (samples, size) for each output."""
        return {
            name: self.state.targets[name][
                self.plan.classes[samples]
                if given.per_class and self.plan.classes is not None
                else samples
            ]
            for name, given in self.plan.targets.items()
        }

    def evaluate(self, samples: Indices) -> Evaluation:
        """Free phases of some samples, judged."""
        found = [self.free(int(s)) for s in samples]
        return self.judge({n: np.array([f[n] for f in found]) for n in self.plan.targets}, samples)

    def judge(self, outputs: dict[str, Values], samples: Indices) -> Evaluation:
        """Error and accuracy of outputs (samples, size)."""
        targets = self.targets(samples)
        predicted, accuracy = None, np.nan
        if self.plan.decode:
            assert self.plan.classes is not None
            predicted = DECODERS[self.plan.decode].call(
                np.hstack(list(outputs.values())),
                np.hstack([self.state.targets[n] for n in outputs]),
            )
            accuracy = float((predicted == self.plan.classes[samples]).mean())
        given, wanted = np.hstack(list(outputs.values())), np.hstack([targets[n] for n in outputs])
        loss, _ = LOSSES[self.plan.loss].call(given, wanted, **self.plan.loss_settings)
        # Half the sum of squares is what has the difference for its slope; their mean is what people quote.
        error = ((given - wanted) ** 2).mean() if self.plan.loss == "square" else loss.mean()
        return Evaluation(float(error), accuracy, outputs, predicted)

    def finish_epoch(self, train: Evaluation) -> None:
        """Validate, check the solver, keep the best parameters, and send the state."""
        plan, state = self.plan, self.state
        held_out = self.evaluate(plan.validation) if len(plan.validation) else None
        # Errors seen during an epoch are not those of the parameters at its end.
        judged = held_out or self.evaluate(plan.train)
        score = (judged.accuracy if plan.decode else 0.0, -judged.error)
        if score > state.best_score:
            state.best_score, state.best_epoch = score, state.epoch
            state.best = {n: v.copy() for n, v in state.parameters.items()}
        deviation = residual = np.nan
        if plan.transient is None and self.due():
            check = self.engine.check()
            deviation, residual = check.deviation, check.residual
        state.rows.append(
            EpochRow(
                state.epoch,
                train.error,
                train.accuracy,
                held_out.error if held_out else np.nan,
                held_out.accuracy if held_out else np.nan,
                deviation,
                residual,
            )
        )
        self.job.send(state)

    def due(self) -> bool:
        """Whether the solver is checked after this epoch: before training, and every so many steps."""
        steps, epoch = len(self.plan.train), self.state.epoch
        every = max(STEPS_PER_CHECK, STEPS_A_NODE * len(self.plan.manifest.nodes))
        return epoch * steps // every != (epoch - 1) * steps // every


def _loaded(learned: Learned) -> Rule:
    found = plugins.load("tellegen.sims.rules", learned.rule)
    assert isinstance(found, Rule)
    return found


def _range(plan: TrainPlan, learned: Learned, name: str) -> tuple[Values, Values]:
    entry = plan.manifest.parameters[name]
    low, high = learned.limits or (-np.inf, np.inf)
    return np.maximum(entry.low, low), np.minimum(entry.high, high)


def _batches(order: Indices, size: int) -> Iterator[Indices]:
    for start in range(0, len(order), size):
        yield order[start : start + size]
