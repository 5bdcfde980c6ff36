"""Training of a read-out: the series through the circuit, ridge regression, and a run folder of both."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tellegen.arrays import Indices, Values
from tellegen.pipeline import Compilation
from tellegen.sims import run_folder as rf
from tellegen.sims.reservoir import reservoir
from tellegen.sims.reservoir.binding import READOUT, ReservoirPlan
from tellegen.sims.reservoir.capacity import Capacity, squared_correlation
from tellegen.sims.reservoir.readout import Readout, fit, nrmse
from tellegen.sims.tasks.targets import confused

STATES, WEIGHTS, PREDICTIONS = "states.npy", "readout.npz", "predictions.csv"


@dataclass(frozen=True, eq=False)
class ReservoirResult:
    """A trained read-out.

    Attributes:
        folder: the run folder.
        plan: what was run.
        states: (samples, nodes * observed), as :func:`tellegen.sims.reservoir.reservoir.run` gives them.
        readout: the trained read-out.
        outputs: what it says (samples, outputs).
        results: for each part that has samples its `nrmse`, for classes the `accuracy` per sample, for
            several targets their `capacity`, less what chance makes of it.
        correlations: (targets,) on the test part, the squared correlation of each output with its target;
            empty where there is no test.
    """

    folder: Path
    plan: ReservoirPlan
    states: Values
    readout: Readout
    outputs: Values
    results: dict[str, dict[str, float]]
    correlations: Values

    @property
    def accuracy(self) -> dict[str, float]:
        """The share of samples on each part whose class is right; empty where there are no classes."""
        return {part: r["accuracy"] for part, r in self.results.items() if "accuracy" in r}

    @property
    def nrmse(self) -> dict[str, float]:
        """The root mean square error on each part over the targets' standard deviation there."""
        return {part: r["nrmse"] for part, r in self.results.items()}


def read_out(
    folder: Path,
    plan: ReservoirPlan,
    compilation: Compilation,
    facts: dict[str, Any],
    library: Path | None,
    timeout: float,
    held: Callable[[int, int], None],
) -> ReservoirResult:
    """Run a series through a circuit, train the read-out, and keep all of it in a run folder.

    Raises:
        SimulationError: ngspice fails; the folder says how.
    """
    record = _begin(folder, plan, compilation, facts)
    try:
        states = reservoir.run(
            plan.netlist, plan.manifest, plan.drives, plan.observe, interval=plan.interval,
            step=plan.step, nodes=plan.nodes, library=library, timeout=timeout, progress=held,
        )  # fmt: skip
    except (Exception, KeyboardInterrupt) as error:
        status = "stopped" if isinstance(error, KeyboardInterrupt) else "failed"
        rf.write_json(folder, rf.RUN, record | {"status": status, "failure": str(error)})
        raise
    readout = fit(states, plan.targets, plan.parts, plan.alphas)
    outputs = readout.predict(states)
    test = plan.parts.test
    correlations = _correlations(outputs[test], plan.targets[test]) if len(test) else np.empty(0)
    result = ReservoirResult(
        folder, plan, states, readout, outputs, _results(plan, outputs), correlations
    )
    _finish(result, record)
    return result


def _parts(plan: ReservoirPlan) -> dict[str, Indices]:
    parts = plan.parts
    found = {"train": parts.train, "validation": parts.validation, "test": parts.test}
    return {name: samples for name, samples in found.items() if len(samples)}


def _results(plan: ReservoirPlan, outputs: Values) -> dict[str, dict[str, float]]:
    found = {}
    for part, samples in _parts(plan).items():
        wanted = plan.targets[samples]
        with np.errstate(all="ignore"):  # a part whose targets are all the same has no spread
            found[part] = {"nrmse": nrmse(outputs[samples], wanted)}
        if plan.classes is not None:
            right = outputs[samples].argmax(axis=1) == plan.classes[samples]
            found[part]["accuracy"] = float(right.mean())
        elif wanted.shape[1] > 1 and len(samples) > 2:  # delays, each a target of its own
            found[part]["capacity"] = Capacity(
                _correlations(outputs[samples], wanted), len(samples)
            ).unbiased
    return found


def _correlations(outputs: Values, targets: Values) -> Values:
    """The squared correlation of each output with its target."""
    return np.array([squared_correlation(a, b) for a, b in zip(outputs.T, targets.T, strict=True)])


def _begin(
    folder: Path, plan: ReservoirPlan, compilation: Compilation, facts: dict[str, Any]
) -> dict[str, Any]:
    return rf.begin(folder, "reservoir", plan, compilation, facts, {
        "learned": [{"parameters": [READOUT], "rule": "ridge", "settings": {"alpha": list(plan.alphas)}}],
        "target": plan.target,
        "observed": list(plan.observe),
        "nodes": plan.nodes,
        "interval": plan.interval,
        "step": plan.step,
        "washout": plan.washout,
        "samples": {part: len(samples) for part, samples in _parts(plan).items()},
        "class_names": plan.class_names,
        "notes": plan.notes,
    })  # fmt: skip


def _finish(result: ReservoirResult, record: dict[str, Any]) -> None:
    folder, plan, readout = result.folder, result.plan, result.readout
    buffer = io.BytesIO()
    np.save(buffer, result.states)
    rf.write_bytes(folder, STATES, buffer.getvalue())
    rf.write_arrays(folder, WEIGHTS, {n: getattr(readout, n) for n in ("mean", "scale", "weights", "offset")})  # fmt: skip
    rf.write_text(folder, PREDICTIONS, _predictions(plan, result.outputs))
    confusion = {}
    if plan.classes is not None:
        for part, samples in _parts(plan).items():
            said = result.outputs[samples].argmax(axis=1)
            confusion[part] = confused(plan.classes[samples], said, len(plan.class_names))
    rf.write_json(folder, rf.RUN, record | {
        "status": "finished", "alpha": readout.alpha, "validation": readout.validation,
        "results": result.results, "confusion": confusion,
        "squared_correlations": result.correlations.tolist(),
    })  # fmt: skip


def _predictions(plan: ReservoirPlan, outputs: Values) -> str:
    """A line for each sample: its number, its part, targets and outputs."""
    part = np.full(len(outputs), "washout", dtype=object)
    for name, samples in _parts(plan).items():
        part[samples] = name
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    count = outputs.shape[1]
    writer.writerow(["sample", "part", *(f"target{k}" for k in range(count)),
                     *(f"output{k}" for k in range(count))])  # fmt: skip
    for k, (wanted, said) in enumerate(zip(plan.targets, outputs, strict=True)):
        writer.writerow([k, part[k], *(f"{v:.9g}" for v in (*wanted, *said))])
    return text.getvalue()
