"""Simulations: an operating point or a transient of a network with drives and recorded signals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tellegen.arrays import Values
from tellegen.pipeline import Compilation, open_file
from tellegen.sims import run_folder as rf
from tellegen.sims.provenance import provenance
from tellegen.sims.simulation.partitioned import CannotPartition
from tellegen.sims.simulation.streamed import Kept
from tellegen.sims.training import choose, reopened

if TYPE_CHECKING:
    import xarray

from tellegen.sims.simulation.binding import TIME, SimulationPlan, bind_simulation, units_of
from tellegen.sims.simulation.runs import FlightProgress, Point, fly_plan, run_in_parts, run_plan

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class SimulationResult:
    """A finished simulation.

    Attributes:
        folder: the run folder.
        plan: what was simulated.
        time: (times,) in seconds, or None for an operating point and for a sweep.
        signals: recorded values, (times, *shape); (*shape) for an operating point; for a sweep
            (values of the sweep, *shape), of transients the values at their end, of nets of spikes
            their number over the transient's length, in Hz.
        units: the unit of each signal.
        points: the waveforms of a sweep of transients, (time, signals) for each of its values.
        spikes: of a transient, for each recorded net of spikes the times of each element's spikes, in
            seconds, in row-major order of its shape.
        trains: the same of each transient of a sweep.
        finished: whether it came to its end, and was not stopped on the way.
    """

    folder: Path
    plan: SimulationPlan
    time: Values | None
    signals: dict[str, Values]
    units: dict[str, str]
    points: tuple[tuple[Values, dict[str, Values]], ...] = ()
    spikes: dict[str, list[Values]] = field(default_factory=dict)
    finished: bool = True
    trains: tuple[dict[str, list[Values]], ...] = ()

    def to_xarray(self) -> xarray.Dataset:
        """The signals as an xarray data set (needs the `xarray` extra)."""
        from tellegen.sims.labelled import simulation_dataset

        return simulation_dataset(self)


def simulate(
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
    in_parts: bool = False,
    progress: Progress = lambda done, of: None,
    flown: FlightProgress = lambda time, stop: None,
) -> SimulationResult:
    """Run a `simulate` block of a `.tgn` file in ngspice; arguments as those of `train`.

    With `in_parts` the circuit is cut at its delays and the parts exchange spikes
    (:mod:`tellegen.sims.simulation.partitioned`); their signals come at equal distances of a step. `progress` is
    told how many of how many values of a sweep are done, `flown` how far a single transient is, in
    simulated seconds; its points go to the run folder as they come. Ctrl-C stops a single transient that is
    not in parts; the result is then not `finished`, and :func:`resume_simulation` goes on with it.

    Raises:
        CompileError: for what is wrong with the file.
        SimulationError: where ngspice fails.
    """
    compilation = open_file(file, cells=cells, allow=allow, overrides=overrides, seed=seed)
    bound = bind_simulation(compilation, choose(compilation, "simulate", name))
    plan = bound.plan
    if in_parts and plan.control is not None:
        raise CannotPartition("a controller reads the whole circuit: without it, or in one piece")
    facts = provenance()  # before the folder: a machine without ngspice leaves none behind
    folder = rf.new_folder(Path(out), plan.name)
    record = rf.begin(folder, "simulate", plan, compilation, facts, {
        "transient": plan.transient and {"stop": plan.transient.stop, "step": plan.transient.step},
        "sweep": plan.sweep and {"name": plan.sweep.name, "unit": plan.sweep.unit,
                                 "values": plan.sweep.values},
        "control": plan.control and {"name": plan.control.name, "every": plan.control.every,
                                     "arguments": _arguments(plan)},
        "parts": in_parts, "signals": units_of(plan), "weights": plan.weights,
    })  # fmt: skip
    if in_parts:
        runs = run_in_parts(bound, library=library, timeout=timeout, flown=flown)
    elif plan.control is not None or (plan.transient is not None and plan.sweep is None):
        runs = fly_plan(plan, folder, library=library, timeout=timeout, flown=flown)
    else:
        runs = run_plan(plan, library=library, timeout=timeout)
    return _kept(folder, plan, record, runs, progress)


def resume_simulation(
    folder: str | Path,
    *,
    library: Path | None = None,
    timeout: float = 600.0,
    flown: FlightProgress = lambda time, stop: None,
) -> SimulationResult:
    """Go on with a transient that was stopped, in its own folder.

    It is gone through again from its beginning, and held against the points that were kept, bit for
    bit (:mod:`tellegen.sims.simulation.streamed`).

    Raises:
        RunFolderError: the folder is none of a stopped transient, what it was made from has changed, or
            the points come out differently.
    """
    folder = Path(folder)
    record = rf.read_json(folder)
    if record.get("kind") != "simulate" or not record.get("transient"):
        raise rf.RunFolderError(f"`{folder}` cannot be resumed: only trainings and transients can")
    if record.get("sweep") or record.get("parts"):
        raise rf.RunFolderError(
            f"`{folder}` cannot be resumed: sweeps and simulations in parts begin anew"
        )
    if record.get("status") == "finished":
        raise rf.RunFolderError(f"the simulation in `{folder}` is finished")
    compilation = reopened(folder, record)
    plan = bind_simulation(compilation, record["name"]).plan
    if plan.netlist != (folder / rf.NETLIST).read_text("utf-8"):
        raise rf.RunFolderError(f"`{folder}` cannot go on: its circuit is not what it began with")
    file = folder / rf.POINTS
    kept = Kept(file, record.get("points")) if file.exists() else None
    runs = fly_plan(plan, folder, kept, library=library, timeout=timeout, flown=flown)
    return _kept(folder, plan, record | {"status": "running"}, runs, lambda done, of: None)


def _kept(
    folder: Path, plan: SimulationPlan, record: dict[str, object], runs: Iterator[Point],
    progress: Progress,
) -> SimulationResult:  # fmt: skip
    """Run, and keep what comes of it in the folder."""
    points: list[Point] = []
    units = units_of(plan)
    try:
        for k, point in enumerate(runs):
            points.append(point)
            if plan.sweep is not None and point.time is not None:
                rf.write_arrays(folder, f"waves-{k:03d}.npz", {TIME: point.time, **point.signals})
                if point.spikes:
                    rf.write_spikes(folder, point.spikes, f"spikes-{k:03d}.csv")
            progress(k + 1, len(plan.netlists))
            if point.stopped is not None:
                break
    except BaseException as error:
        status = "stopped" if isinstance(error, KeyboardInterrupt) else "failed"
        _write_waves(folder, plan, points)
        rf.write_json(folder, rf.RUN, record | {"status": status, "failure": str(error)})
        raise
    time, signals = _write_waves(folder, plan, points)
    stopped = points[-1].stopped
    ended = {
        "status": "finished" if stopped is None else "stopped",
        "points": stopped,
        "failure": None,
    }
    rf.write_json(folder, rf.RUN, record | ended)
    finished = stopped is None
    if plan.sweep is not None:
        kept = tuple((p.time, p.signals) for p in points if p.time is not None)
        trains = tuple(p.spikes for p in points)
        return SimulationResult(
            folder, plan, time, signals, units, kept, finished=finished, trains=trains
        )
    spikes = points[0].spikes
    if spikes:
        rf.write_spikes(folder, spikes)
    return SimulationResult(folder, plan, time, signals, units, spikes=spikes, finished=finished)


def _write_waves(
    folder: Path, plan: SimulationPlan, points: list[Point]
) -> tuple[Values | None, dict[str, Values]]:
    """Keep what was simulated so far; a sweep as a table of last values and rates over its own."""
    if not points:
        return None, {}
    time, signals = points[0].time, points[0].signals
    axis: dict[str, Values] = {} if time is None else {TIME: time}
    if plan.sweep is not None:
        last = [_at_end(plan, point) for point in points]
        time, signals = None, {n: np.array([found[n] for found in last]) for n in signals}
        axis = {plan.sweep.name: np.array(plan.sweep.values[: len(points)])}
    rf.write_arrays(folder, rf.WAVES, {**axis, **signals})
    return time, signals


def _arguments(plan: SimulationPlan) -> dict[str, object]:
    """The controller's arguments; of those that change over a sweep, the value at each of its own."""
    first = plan.controls[0].arguments
    every = {name: [c.arguments[name] for c in plan.controls] for name in first}
    return {n: v[0] if all(x == v[0] for x in v) else v for n, v in every.items()}


def _at_end(plan: SimulationPlan, point: Point) -> dict[str, Values]:
    """What a sweep keeps of one of its points: values, of transients the last; the rates of spikes."""
    if point.time is None or plan.transient is None:
        return point.signals
    found = {name: values[-1] for name, values in point.signals.items()}
    for name, trains in point.spikes.items():
        counts = np.array([float(len(times)) for times in trains])
        found[name] = counts.reshape(np.shape(found[name])) / plan.transient.stop
    return found
