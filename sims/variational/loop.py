"""What runs of a variational training in the worker process, beside the engine.

Every start is minimised in turn. Every evaluation crosses to the parent; a run that is taken up again is given
those that it had, and makes the others as if it had never stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tellegen.arrays import Indices, Values
from tellegen.sims.ngspice.engine import Engine
from tellegen.sims.variational.ansatz import Ansatz
from tellegen.sims.variational.costs import Setting
from tellegen.sims.variational.minimisation import Evaluation, Found, Stopped, adam, minimise
from tellegen.sims.variational.plan import VariationalPlan
from tellegen.sims.workers.worker import Job

MOST_CHECKED = 8  # settings in which phases are held against the two-term rule
# How a `vary` statement names an optimiser, and what `minimise` takes.
METHODS: dict[str, str | Callable[..., Any]] = {"bfgs": "L-BFGS-B", "adam": adam}


@dataclass(frozen=True)
class Step:
    """An evaluation, and the number of the start that it belongs to."""

    start: int
    made: Evaluation


@dataclass(frozen=True, eq=False)
class Judged:
    """The best phases on one part of the data: the probability of error, and the classes that most light says."""

    error: float
    accuracy: float
    predicted: Indices


@dataclass(frozen=True, eq=False)
class Varied:
    """How a variational training ended.

    Attributes:
        found: what each start came to.
        best: the number of the best one.
        phases: its phases by name, as they are written.
        noiseless: the cost there, measured without noise.
        judged: for classes, each part of the data.
        finished: False where it was stopped.
    """

    found: tuple[Found, ...]
    best: int
    phases: dict[str, Values]
    noiseless: float
    judged: dict[str, Judged]
    finished: bool

    @property
    def solves(self) -> int:
        """Operating points of all starts."""
        return max((f.solves[-1] for f in self.found if f.evaluations), default=0)


def vary_job(job: Job, payload: tuple[VariationalPlan, Sequence[Sequence[Evaluation]]]) -> Varied:
    """Minimise from every start; `payload` holds the plan, and of each start the evaluations that are known."""
    plan, known = payload
    engine = Engine(plan.netlist, plan.manifest)
    exact = plan.ansatz(engine, None)
    for setting in plan.cost.settings[:MOST_CHECKED]:
        exact.check(setting, plan.starts[0])
    ansatz = plan.ansatz(engine, plan.shots)
    found: list[Found] = []
    stopped = False
    for k, start in enumerate(plan.starts):
        engine.restart()

        def watch(made: Evaluation, k: int = k) -> None:
            job.send(Step(k, made))
            # What is solved next depends on what is written alone, in a run that goes on from here too.
            engine.restart()
            if job.stopping:
                raise Stopped

        known_here = known[k] if k < len(known) else ()
        method = METHODS[plan.method]
        found.append(
            minimise(
                ansatz,
                plan.cost,
                start,
                method=method,
                watch=watch,
                known=known_here,
                **plan.settings,
            )
        )
        stopped = found[-1].reason == "stopped"
        if stopped:
            break
    best = int(np.argmin([f.value for f in found]))
    point = found[best].phases
    noiseless = float(exact.cost(plan.cost, point[None])[0])
    return Varied(
        tuple(found), best, exact.named(point), noiseless, _judged(plan, exact, point), not stopped
    )


def _judged(plan: VariationalPlan, exact: Ansatz, point: Values) -> dict[str, Judged]:
    about = plan.classes
    if about is None:
        return {}
    found = {}
    for part, samples in about.parts.items():
        none = np.zeros(len(about.detectors))
        settings = [Setting(none, None, about.fields[s]) for s in samples]
        powers = exact.measure(point[None], settings)[0]
        shares = powers / powers.sum(axis=1, keepdims=True)
        each = np.eye(len(about.names))[about.detectors]  # (n, classes)
        says, true = shares @ each, about.classes[samples]
        predicted = says.argmax(axis=1)
        error = 1 - float(says[np.arange(len(true)), true].mean())
        found[part] = Judged(error, float((predicted == true).mean()), predicted)
    return found
