"""Training of phases: the run folder of a variational training, its result, and going on with one that was stopped."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from tellegen.arrays import Values
from tellegen.pipeline import Compilation
from tellegen.sims import run_folder as rf
from tellegen.sims.session import run_job
from tellegen.sims.tasks.targets import confused
from tellegen.sims.variational.ansatz import VariationalError
from tellegen.sims.variational.binding import BoundVariational, bind_variational
from tellegen.sims.variational.loop import Step, Varied
from tellegen.sims.variational.minimisation import Evaluation
from tellegen.sims.variational.plan import VariationalPlan

EVALUATIONS, PHASES = "evaluations.csv", "phases.npz"
COLUMNS = ("start", "evaluation", "solves", "cost", "steepness")
# Evaluations may be milliseconds apart; files are written at most this often, and at the end, in seconds.
WRITE_EVERY = 0.5

Watch = Callable[[Step, VariationalPlan], None]


@dataclass(frozen=True, eq=False)
class VariationalResult:
    """A finished (or stopped) variational training.

    Attributes:
        folder: the run folder.
        plan: what was run.
        varied: how it ended: what each start came to, the best phases, the cost there.
    """

    folder: Path
    plan: VariationalPlan
    varied: Varied

    @property
    def finished(self) -> bool:
        """Whether every start came to its end."""
        return self.varied.finished

    @property
    def value(self) -> float:
        """The least cost that was measured, in the plan's unit; with photons, at the end of the best start."""
        return self.varied.found[self.varied.best].value

    @property
    def phases(self) -> dict[str, Values]:
        """The best phases by name, as they were written."""
        return self.varied.phases

    @property
    def reason(self) -> str:
        """Why the best start stopped."""
        return self.varied.found[self.varied.best].reason

    @property
    def accuracy(self) -> dict[str, float]:
        """For a cost of classes the share of samples of each part whose class is right."""
        return {part: j.accuracy for part, j in self.varied.judged.items()}


def vary(
    folder: Path,
    bound: BoundVariational,
    compilation: Compilation,
    facts: dict[str, Any],
    library: Path | None,
    timeout: float,
    watch: Watch,
) -> VariationalResult:
    """Run a variational training from its beginning into a new run folder.

    Raises:
        VariationalError: a phase that is varied has no two-term rule.
        SimulationError: ngspice fails; the folder says how.
    """
    plan = bound.plan
    rf.begin(folder, "variational", plan, compilation, facts, {
        "cost": plan.kind,
        "unit": plan.unit,
        "settings_of_cost": len(plan.cost.settings),
        "least": plan.least,
        "least_is": plan.least_is,
        "varied": {name: plan.manifest.parameters[name].shape for name in plan.phases},
        "optimiser": {"name": plan.method, **plan.settings},
        "starts": len(plan.starts),
        "shots": plan.shots,
        "bits": plan.bits,
        "samples": {p: len(s) for p, s in plan.classes.parts.items()} if plan.classes else {},
        "class_names": plan.classes.names if plan.classes else (),
        "notes": plan.notes,
        "fingerprint": fingerprint(plan),
    })  # fmt: skip
    return _go_on(folder, bound, [], library, timeout, watch)


def go_on(
    folder: Path, record: dict[str, Any], compilation: Compilation, library: Path | None,
    timeout: float, watch: Watch,
) -> VariationalResult:  # fmt: skip
    """Go on with a stopped run.

    Raises:
        RunFolderError: what it was made from has changed, or its checkpoint is damaged.
    """
    bound = bind_variational(compilation, record["name"])
    if fingerprint(bound.plan) != record["fingerprint"]:
        raise rf.RunFolderError(
            f"`{folder}` cannot go on: its circuit, cost or optimiser is not what it began with"
        )
    known = _read_evaluations(folder, bound.plan)
    rf.write_json(folder, rf.RUN, record | {
        "status": "running", "starts": len(bound.plan.starts), "overrides": list(compilation.overrides),
        "optimiser": {"name": bound.plan.method, **bound.plan.settings},
    })  # fmt: skip
    try:
        return _go_on(folder, bound, known, library, timeout, watch)
    except VariationalError as error:
        raise rf.RunFolderError(f"`{folder}` cannot go on: {error}") from error


def fingerprint(plan: VariationalPlan) -> str:
    """A hash of all that a plan's numbers depend on, but for how many starts and, of `bfgs`, how many steps."""
    digest = hashlib.sha256(plan.netlist.encode())
    for setting in plan.cost.settings:
        for values in (setting.weights, setting.basis, setting.field):
            digest.update(b"|" if values is None else np.ascontiguousarray(values).tobytes())
    free = ("steps", "flat") if plan.method == "bfgs" else ()
    rest = (
        plan.phases, plan.input, plan.powers, plan.basis, plan.cost.offset, plan.method, plan.shots,
        plan.bits, plan.seed, sorted((k, v) for k, v in plan.settings.items() if k not in free),
    )  # fmt: skip
    digest.update(plan.starts[0].tobytes() + repr(rest).encode())
    return digest.hexdigest()


def _go_on(
    folder: Path, bound: BoundVariational, known: Sequence[Sequence[Evaluation]],
    library: Path | None, timeout: float, watch: Watch,
) -> VariationalResult:  # fmt: skip
    plan = bound.plan
    steps = [Step(k, made) for k, found in enumerate(known) for made in found]
    written = monotonic()

    def on_message(message: object) -> None:
        nonlocal written
        assert isinstance(message, Step)
        steps.append(message)
        if monotonic() - written > WRITE_EVERY:
            _write_evaluations(folder, steps)
            written = monotonic()
        watch(message, plan)

    try:
        varied: Varied = run_job(
            "tellegen.sims.variational.loop:vary_job", (plan, known), on_message,
            timeout=timeout, library=library, manifest=plan.manifest,
        )  # fmt: skip
    except (Exception, KeyboardInterrupt) as error:
        _write_evaluations(folder, steps)
        status = "stopped" if isinstance(error, KeyboardInterrupt) else "failed"
        rf.note(folder, status=status, failure=str(error))
        raise
    _write_evaluations(folder, steps)
    result = VariationalResult(folder, plan, varied)
    _finish(result, bound)
    return result


def _finish(result: VariationalResult, bound: BoundVariational) -> None:
    folder, plan, varied = result.folder, result.plan, result.varied
    rf.write_arrays(folder, PHASES, varied.phases)
    rf.write_text(folder, rf.TRAINED, bound.netlist(varied.phases))
    confusion = {}
    for part, judged in varied.judged.items():
        assert plan.classes is not None
        true = plan.classes.classes[plan.classes.parts[part]]
        confusion[part] = confused(true, judged.predicted, len(plan.classes.names))
    best = varied.found[varied.best]
    rf.note(
        folder,
        status="finished" if varied.finished else "stopped",
        best=varied.best,
        value=best.value,
        noiseless=varied.noiseless,
        steepness=best.steepness,
        solves=varied.solves,
        reasons=[f.reason for f in varied.found],
        results={p: {"accuracy": j.accuracy, "error": j.error} for p, j in varied.judged.items()},
        confusion=confusion,
        failure=None,
    )  # fmt: skip


def _write_evaluations(folder: Path, steps: Sequence[Step]) -> None:
    """The table for people, and the arrays to go on from."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(
        [s.start, k, s.made.solves, repr(s.made.value), repr(s.made.steepness)]
        for k, s in enumerate(steps)
    )
    rf.write_text(folder, EVALUATIONS, text.getvalue())
    if steps:
        rf.write_arrays(folder, rf.CHECKPOINT, {
            "start": np.array([s.start for s in steps]),
            "points": np.array([s.made.point for s in steps]),
            "values": np.array([s.made.value for s in steps]),
            "gradients": np.array([s.made.gradient for s in steps]),
            "solves": np.array([s.made.solves for s in steps]),
        })  # fmt: skip


def _read_evaluations(folder: Path, plan: VariationalPlan) -> list[list[Evaluation]]:
    """The evaluations of each start that a run has made; none where it made none."""
    path = folder / rf.CHECKPOINT
    found: list[list[Evaluation]] = []
    if not path.exists():
        return found
    try:
        with np.load(path, allow_pickle=False) as kept:
            start, solves = (np.asarray(kept[n], dtype=int) for n in ("start", "solves"))
            points, values, gradients = (
                np.asarray(kept[n], dtype=float) for n in ("points", "values", "gradients")
            )
        if points.shape != (len(start), plan.starts.shape[1]) or gradients.shape != points.shape:
            raise ValueError(points.shape)
        for k, of in enumerate(start):
            found += [[] for _ in range(of + 1 - len(found))]
            found[of].append(Evaluation(points[k], float(values[k]), gradients[k], int(solves[k])))
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise rf.RunFolderError(f"the checkpoint in `{folder}` is damaged: {error}") from error
    return found
