"""Training: from a compilation to a finished run folder.

The parent's part: it writes the run folder, shows progress, and sees the run through crashes of the
simulator by going on from the last checkpoint. The loop itself is :mod:`tellegen.sims.learning.loop`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np

from tellegen.diagnostics import CompileError, did_you_mean, one_of
from tellegen.files import Files
from tellegen.pipeline import Compilation, open_file
from tellegen.sims import run_folder as rf
from tellegen.sims.errors import Cause, SimulationError
from tellegen.sims.learning.binding import BoundTraining, bind_training
from tellegen.sims.learning.loop import Outcome, State
from tellegen.sims.learning.plan import TrainPlan
from tellegen.sims.provenance import provenance
from tellegen.sims.reservoir.binding import BoundReservoir
from tellegen.sims.reservoir.training import ReservoirResult, read_out
from tellegen.sims.session import run_job
from tellegen.sims.sorts import bind_train
from tellegen.sims.tasks.targets import confused
from tellegen.sims.variational.binding import BoundVariational
from tellegen.sims.variational.training import VariationalResult, Watch, go_on, vary
from tellegen.source import Source

if TYPE_CHECKING:
    import xarray

# A crash or a hang may be the machine's; the third in a row without an epoch between is the circuit's.
MOST_FAILURES = 3
# Epochs may be a millisecond long; files are written at most this often, and at the end, in seconds.
WRITE_EVERY = 0.5

Progress = Callable[[State, TrainPlan], None]


@dataclass(frozen=True, eq=False)
class TrainResult:
    """A finished (or stopped) training.

    Attributes:
        folder: the run folder.
        plan: what was trained.
        outcome: its state and the evaluations of the best parameters.
    """

    folder: Path
    plan: TrainPlan
    outcome: Outcome

    @property
    def finished(self) -> bool:
        """Whether all epochs were run."""
        return self.outcome.finished

    @property
    def metrics(self) -> dict[str, np.ndarray]:
        """The columns of `metrics.csv`, each (epochs + 1,)."""
        return rf.read_metrics(self.folder)

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """The learned parameters over time, each (epochs + 1, *shape), in the parameter's unit."""
        table = rf.read_parameters(self.folder)
        found, start = {}, 0
        for name in self.outcome.state.parameters:
            entry = self.plan.manifest.parameters[name]
            stop = start + entry.values.size
            found[name] = table[:, start:stop].reshape(-1, *entry.shape)
            start = stop
        return found

    @property
    def accuracy(self) -> dict[str, float]:
        """The accuracy of the best parameters on each part of the data."""
        return {part: e.accuracy for part, e in self.outcome.evaluations.items()}

    @property
    def error(self) -> dict[str, float]:
        """The error of the best parameters on each part of the data (see `EpochRow`), in V^2."""
        return {part: e.error for part, e in self.outcome.evaluations.items()}

    def to_xarray(self) -> xarray.Dataset:
        """Metrics and parameters over time as an xarray data set (needs the `xarray` extra)."""
        from tellegen.sims.labelled import training_dataset

        return training_dataset(self)

    def _repr_html_(self) -> str:
        from html import escape

        rows = "".join(
            f"<tr><td>{part}</td><td>{e.accuracy:.4f}</td><td>{e.error:.6g}</td></tr>"
            for part, e in self.outcome.evaluations.items()
        )
        return (
            f"<p>{escape(self.plan.name)}: {self.outcome.state.epoch} epochs, {escape(str(self.folder))}</p>"
            f"<table><tr><th></th><th>accuracy</th><th>error (V²)</th></tr>{rows}</table>"
        )


def train(
    file: str | Path | Compilation,
    name: str | None = None,
    *,
    overrides: Iterable[str] = (),
    seed: int | None = None,
    cells: Iterable[str | Path] = (),
    allow: Iterable[str | Path] = (),
    out: str | Path = "runs",
    library: Path | None = None,
    timeout: float = 600.0,
    progress: Progress = lambda state, plan: None,
    held: Callable[[int, int], None] = lambda done, of: None,
    varied: Watch = lambda step, plan: None,
) -> TrainResult | ReservoirResult | VariationalResult:
    """Run a `train` block of a `.tgn` file in ngspice and keep everything in a run folder.

    Args:
        file: path of the `.tgn` file, or a compilation.
        name: the training's name; needed where the file has several.
        overrides: settings such as `train.epochs=5`.
        seed: replaces the file's seed.
        cells: folders of cells besides our own.
        allow: folders besides the file's own from which it may read data.
        out: where run folders are made.
        library: the ngspice library to use; by default the one that is found.
        timeout: seconds without progress after which ngspice counts as hung.
        progress: called after each epoch with the state and the plan.
        held: while a read-out's series runs, called with the values held so far and all of them.
        varied: while phases are varied, called after each evaluation of the cost, with it and the plan.

    Returns:
        The training's result; a :class:`ReservoirResult` where a read-out is learned, a
        :class:`VariationalResult` where phases are varied.

    Raises:
        CompileError: for what is wrong with the file.
        SimulationError: where ngspice fails for good; the run folder can be resumed.
    """
    compilation = open_file(file, cells=cells, allow=allow, overrides=overrides, seed=seed)
    chosen = choose(compilation, "train", name)
    bound = bind_train(compilation, chosen)
    facts = provenance()  # before the folder: a machine without ngspice leaves none behind
    folder = rf.new_folder(Path(out), bound.plan.name)
    if isinstance(bound, BoundReservoir):
        return read_out(folder, bound.plan, compilation, facts, library, timeout, held)
    if isinstance(bound, BoundVariational):
        return vary(folder, bound, compilation, facts, library, timeout, varied)
    _begin(folder, bound.plan, compilation, facts)
    return _go_on(folder, bound, None, library, timeout, progress)


def resume(
    folder: str | Path,
    *,
    overrides: Iterable[str] = (),
    library: Path | None = None,
    timeout: float = 600.0,
    progress: Progress = lambda state, plan: None,
    varied: Watch = lambda step, plan: None,
) -> TrainResult | VariationalResult:
    """Go on with a run from its checkpoint, to the numbers that it would have had uninterrupted.

    `overrides` may change `train.epochs`, or of a training that varies phases `train.starts` and the steps of
    `bfgs`; anything that changes the circuit or the data is refused.

    Raises:
        RunFolderError: if the folder is no training's, or what it was made from has changed.
    """
    folder = Path(folder)
    record = rf.read_json(folder)
    if record.get("kind") == "reservoir":
        raise rf.RunFolderError(
            f"`{folder}` cannot go on: a series is one transient; train it again from its beginning"
        )
    if record.get("kind") == "variational":
        compilation = reopened(folder, record, overrides)
        return go_on(folder, record, compilation, library, timeout, varied)
    if record.get("kind") != "train":
        raise rf.RunFolderError(f"`{folder}` is not the folder of a training")
    compilation = reopened(folder, record, overrides)
    bound = bind_training(compilation, record["name"])
    plan = bound.plan
    if fingerprint(plan) != record.get("fingerprint"):
        raise rf.RunFolderError(
            f"`{folder}` cannot go on: its circuit, data or learning rule is not what it began with"
        )
    record["overrides"] = list(compilation.overrides)
    rf.write_json(folder, rf.RUN, record | {"status": "running", "epochs": plan.epochs})
    return _go_on(folder, bound, rf.read_state(folder), library, timeout, progress)


def reopened(folder: Path, record: dict[str, Any], overrides: Iterable[str] = ()) -> Compilation:
    """The compilation that a run folder began with.

    Raises:
        RunFolderError: the folder has lost its source, or its record is damaged.
        CompileError: the source has no such block any more.
    """
    try:
        text = (folder / rf.SOURCE).read_text("utf-8")
    except (OSError, ValueError) as error:
        raise rf.RunFolderError(f"`{folder}` has lost its {rf.SOURCE}") from error
    try:
        compilation = Compilation(
            Source(str(Path(record["file"])), text),
            Files(tuple(Path(p) for p in record["roots"])),
            tuple(Path(p) for p in record["cells"]),
            (*record["overrides"], *overrides),
            record["seed"],
        )
    except (KeyError, TypeError) as error:
        raise rf.RunFolderError(f"`{folder}` cannot go on: {rf.RUN} is damaged") from error
    kind = "simulate" if record.get("kind") == "simulate" else "train"
    choose(compilation, kind, str(record.get("name")))
    return compilation


def choose(compilation: Compilation, kind: str, name: str | None) -> str:
    """The name of the experiment to run: the one given, or the only one.

    Raises:
        CompileError: if there is none, or several and no name.
    """
    known = [n for k, n in compilation.experiments if k == kind]
    if name in known or (name is None and len(known) == 1):
        return name or known[0]
    sink = compilation.sink
    sink.raise_errors()  # a block that could not be read is not missing
    span = compilation.source.span(0, 1)
    if not known:
        sink.error("no-experiment", f"the file has no `{kind}` block that can be run", span)
    elif name is None:
        sink.error("no-experiment", f"the file has several `{kind}` blocks", span,
                   help=f"name one: {one_of(known)}")  # fmt: skip
    else:
        sink.error("no-experiment", f"the file has no `{kind}` block `{name}`", span,
                   help=did_you_mean(name or "", known) or f"known: {one_of(known)}")  # fmt: skip
    raise CompileError(sink.found)


def fingerprint(plan: TrainPlan) -> str:
    """A hash of everything in a plan that its numbers depend on, but for how many epochs are run."""
    digest = hashlib.sha256(plan.netlist.encode())
    for group in (plan.drives, {n: t.values for n, t in plan.targets.items()}):
        for name, values in sorted(group.items()):
            digest.update(name.encode())
            if values is not None:
                digest.update(np.ascontiguousarray(values).tobytes())
    for part in (plan.train, plan.validation, plan.test):
        digest.update(part.tobytes() + b"|")
    rest = (plan.learned, plan.update, plan.update_settings, plan.decode, plan.batch, plan.seed,
            plan.loss, plan.loss_settings, plan.transient and (plan.transient.stop, plan.transient.step, plan.transient.window))  # fmt: skip
    digest.update(
        repr([(x.parameters, x.rule, x.settings, x.limits) for x in plan.learned]).encode()
    )
    digest.update(repr(rest[1:]).encode())
    return digest.hexdigest()


def _begin(folder: Path, plan: TrainPlan, compilation: Compilation, facts: dict[str, Any]) -> None:
    rf.begin(folder, "train", plan, compilation, facts, {
        "epochs": plan.epochs,
        "batch": plan.batch,
        "decode": plan.decode,
        "loss": {"name": plan.loss, **plan.loss_settings},
        "update": {"name": plan.update, **plan.update_settings},
        "learned": [
            {"parameters": x.parameters, "rule": x.rule, "settings": x.settings, "limits": x.limits,
             **_rule_facts(x.rule)}
            for x in plan.learned
        ],
        "samples": {"train": len(plan.train), "validation": len(plan.validation), "test": len(plan.test)},
        "class_names": plan.class_names,
        "notes": plan.notes,
        "fingerprint": fingerprint(plan),
    })  # fmt: skip


def _rule_facts(name: str) -> dict[str, Any]:
    from tellegen.sims import plugins
    from tellegen.sims.rules import Rule

    rule = plugins.load("tellegen.sims.rules", name)
    assert isinstance(rule, Rule)
    return {"locality": rule.locality, "reads": rule.reads, "told": rule.told, "phases": rule.phases,
            "reference": rule.reference}  # fmt: skip


def _go_on(
    folder: Path, bound: BoundTraining, state: State | None, library: Path | None, timeout: float,
    progress: Progress,
) -> TrainResult:  # fmt: skip
    plan, latest = bound.plan, state
    rf.begin_parameters(folder, plan.epochs + 1, _columns(plan))
    failures = 0

    unwritten: list[State] = []
    written = 0.0

    def on_message(message: object) -> None:
        nonlocal latest, failures, written
        assert isinstance(message, State)
        latest, failures = message, 0
        unwritten.append(message)
        if monotonic() - written > WRITE_EVERY:
            write()
            written = monotonic()
        progress(message, plan)

    def write() -> None:
        if unwritten:
            rf.write_parameters(folder, unwritten)
            rf.write_state(folder, unwritten[-1])
            unwritten.clear()

    while True:
        try:
            outcome: Outcome = run_job(
                "tellegen.sims.learning.loop:train_job",
                (plan, latest),
                on_message,
                timeout=timeout,
                library=library,
                manifest=plan.manifest,
            )
            break
        except (Exception, KeyboardInterrupt) as error:
            write()
            if not isinstance(error, SimulationError):
                rf.note(folder, status="stopped" if isinstance(error, KeyboardInterrupt) else "failed",
                      failure=str(error))  # fmt: skip
                raise
            failures += 1
            rf.note(folder, status="failed", failure=str(error))
            if error.cause not in (Cause.CRASHED, Cause.HUNG) or failures >= MOST_FAILURES:
                raise
    write()
    result = TrainResult(folder, plan, outcome)
    _finish(folder, bound, outcome)
    return result


def _finish(folder: Path, bound: BoundTraining, outcome: Outcome) -> None:
    plan = bound.plan
    rf.write_state(folder, outcome.state)
    rf.write_text(folder, rf.TRAINED, bound.netlist(outcome.state.best))
    confusion = {}
    for part, e in outcome.evaluations.items():
        if e.predicted is not None and plan.classes is not None:
            samples = {"train": plan.train, "validation": plan.validation, "test": plan.test}[part]
            confusion[part] = confused(plan.classes[samples], e.predicted, len(plan.class_names))
    rf.note(
        folder,
        status="finished" if outcome.finished else "stopped",
        epoch=outcome.state.epoch,
        best_epoch=outcome.state.best_epoch,
        results={
            p: {"accuracy": e.accuracy, "error": e.error} for p, e in outcome.evaluations.items()
        },
        confusion=confusion,
        failure=None,
    )


def _columns(plan: TrainPlan) -> int:
    """How many values are learned."""
    names = [n for learned in plan.learned for n in learned.parameters]
    return sum(len(plan.manifest.parameters[n].values) for n in names)
