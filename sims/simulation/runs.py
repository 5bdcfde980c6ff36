"""Runs of planned simulations: netlist after netlist, streamed to disk, or in parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tellegen.arrays import Values
from tellegen.manifest import GROUND, Manifest
from tellegen.partition import partition
from tellegen.sims import run_folder as rf
from tellegen.sims.errors import placed
from tellegen.sims.ngspice.events import crossings
from tellegen.sims.ngspice.locate import find_library
from tellegen.sims.ngspice.quantities import quantity
from tellegen.sims.ngspice.waveform import Recording, tran_command
from tellegen.sims.session import Session, run_job
from tellegen.sims.simulation.binding import BoundSimulation, SimulationPlan
from tellegen.sims.simulation.partitioned import CannotPartition, run_parts
from tellegen.sims.simulation.streamed import Flown, Kept, Order
from tellegen.sims.workers.process import Worker

FlightProgress = Callable[[float, float], None]


@dataclass(frozen=True, eq=False)
class Point:
    """What came of one netlist: times (None for an operating point), signals, spikes by signal.

    `stopped` is how many points came before it was stopped, None if it was not.
    """

    time: Values | None
    signals: dict[str, Values]
    spikes: dict[str, list[Values]] = field(default_factory=dict)
    stopped: int | None = None


def run_plan(
    plan: SimulationPlan, *, library: Path | None = None, timeout: float = 600.0
) -> Iterator[Point]:
    """Run a planned simulation, netlist after netlist."""
    sources = list(dict.fromkeys(plan.record.values()))
    run = _points if plan.transient is None else _transients
    for time, whole in run(plan, sources, library, timeout):
        signals = {n: _part(n, s, whole[s], plan.manifest) for n, s in plan.record.items()}
        if time is None:
            yield Point(None, {n: v[0] for n, v in signals.items()})
            continue
        yield Point(time, signals, _spikes(plan, time, signals))


def _spikes(
    plan: SimulationPlan, time: Values, signals: dict[str, Values]
) -> dict[str, list[Values]]:
    return {
        n: [crossings(time, v) for v in signals[n].reshape(len(time), -1).T] for n in plan.spiking
    }


def fly_plan(
    plan: SimulationPlan, folder: Path, kept: Kept | None = None, *, library: Path | None = None,
    timeout: float = 600.0, flown: FlightProgress = lambda time, stop: None,
) -> Iterator[Point]:  # fmt: skip
    """As :func:`run_plan`, of transients whose points go to the folder as they come, with their controller.

    `kept` are points of a stopped run that it must come through again.
    """
    transient = plan.transient
    assert transient is not None
    file = folder / (rf.POINTS if kept is None else rf.REPLAY)

    def told(message: object) -> None:
        assert isinstance(message, float)
        flown(message, transient.stop)

    controls = plan.controls or (None,) * len(plan.netlists)
    for netlist, control in zip(plan.netlists, controls, strict=True):
        order = Order(netlist, plan.manifest, _flown_signals(plan), transient, control, file, kept)
        found: Flown = run_job(
            "tellegen.sims.simulation.streamed:fly_job", order, told, timeout=timeout, library=library,
            manifest=plan.manifest,
        )  # fmt: skip
        if kept is not None and found.checked:
            file.replace(kept.file)
        elif kept is not None:
            file.unlink()
        waves = found.waves
        signals = {}
        for name, source in plan.record.items():
            key = name if source == "nodes" else source
            part = waves.values[key]
            signals[name] = part if key == name else _part(name, source, part, plan.manifest)
        yield Point(waves.time, signals, _spikes(plan, waves.time, signals), found.points)


def _flown_signals(plan: SimulationPlan) -> tuple[str, ...]:
    """What a streamed transient records: nodes one by one, for its points are many."""
    return tuple(dict.fromkeys(n if s == "nodes" else s for n, s in plan.record.items()))


def run_in_parts(
    bound: BoundSimulation, *, library: Path | None = None, timeout: float = 600.0,
    flown: FlightProgress = lambda time, stop: None,
) -> Iterator[Point]:  # fmt: skip
    """As :func:`run_plan`, of a transient whose circuit is cut at its delays; `flown` is told how far it is.

    Raises:
        CannotPartition: the simulation cannot be run so; the text says why.
    """
    plan, manifest = bound.plan, bound.plan.manifest
    if plan.transient is None:
        raise CannotPartition("an operating point has no spikes to exchange: add a `transient`")
    paths = bound.compiled.flat.paths
    # A part knows the whole's nodes by their paths; what is within a cell it knows as an observable.
    inside = [s for s in dict.fromkeys(plan.record.values()) if _within(s, manifest, len(paths))]
    ends = {
        name: _ends(source, name, manifest)
        for name, source in plan.record.items()
        if source not in inside
    }
    if any(k >= len(paths) for found in ends.values() for pair in found for k in pair):
        raise CannotPartition(
            "in parts, ports, nodes and observables can be recorded, but not nodes within cells"
        )
    nodes = {paths[k] for found in ends.values() for pair in found for k in pair if k != GROUND}
    cut = partition(bound.compiled.circuit, bound.compiled.delays)
    stop = plan.transient.stop
    for drives in bound.drives:
        full = {
            name: drives.get(name, ["dc 0"] * len(e.sources)) for name, e in manifest.inputs.items()
        }
        outcome = run_parts(
            cut, full, plan.transient, nodes, inside, library=library, timeout=timeout,
            progress=lambda time: flown(time, stop),
        )  # fmt: skip
        values = {paths.index(p): v for p, v in outcome.values.items()} | {
            GROUND: np.zeros(len(outcome.time))
        }
        signals = {}
        for name, source in plan.record.items():
            if source in inside:
                found = outcome.observables[source]
                found = found.reshape(-1, *manifest.observables[source].shape)
                signals[name] = _part(name, source, found, manifest)
                continue
            columns = np.stack([values[a] - values[b] for a, b in ends[name]], axis=1)
            whole = source == name and source != "nodes"
            shape = quantity(manifest, source).shape if whole else ()
            signals[name] = columns.reshape(len(outcome.time), *shape)
        spikes = {name: [outcome.spikes[paths[a]] for a, _ in ends[name]] for name in plan.spiking}
        yield Point(outcome.time, signals, spikes)


def _within(source: str, manifest: Manifest, nodes: int) -> bool:
    """Whether an observable is a current, or of nodes that are within cells; `nodes` are those without."""
    if source not in manifest.observables:
        return False
    found = quantity(manifest, source)
    return bool(len(found.branches)) or any(k >= nodes for k in found.nodes())


def _ends(source: str, name: str, manifest: Manifest) -> list[tuple[int, int]]:
    """The two nodes of each element of a recorded signal."""
    found = quantity(manifest, name if source == "nodes" else source)
    pairs = list(zip(found.positive.tolist(), found.negative.tolist(), strict=True))
    if source in ("nodes", name):
        return pairs
    subscript = name[name.rindex("[") + 1 : name.rindex("]")]
    index = np.ravel_multi_index(tuple(int(i) for i in subscript.split(",")), found.shape)
    return [pairs[int(index)]]


_Whole = Iterator[tuple[Values | None, dict[str, Values]]]


def _points(
    plan: SimulationPlan, sources: list[str], library: Path | None, timeout: float
) -> _Whole:
    """An operating point of each netlist."""
    for netlist in plan.netlists:
        with Session(netlist, plan.manifest, library=library, timeout=timeout) as session:
            session.solve()
            yield None, {s: session.read(s)[None] for s in sources}


def _transients(
    plan: SimulationPlan, sources: list[str], library: Path | None, timeout: float
) -> _Whole:
    """A transient of each netlist, one after the other in one process."""
    assert plan.transient is not None
    recording = Recording(plan.manifest, sources)
    command = tran_command(plan.transient.step, plan.transient.stop, plan.transient.max_step)
    worker = Worker(library, timeout)
    try:
        for netlist in plan.netlists:
            engine = "tellegen.sims.ngspice.waveform:TransientEngine"
            placed(worker.make, plan.manifest, engine, netlist, library or find_library())
            found = placed(worker.call, plan.manifest, "run", [], command, recording.vectors)
            waves = recording.waveforms(found)
            yield waves.time, waves.values
    finally:
        worker.close()


def _part(name: str, source: str, values: Values, manifest: Manifest) -> Values:
    """The part (times, ...) of a recorded whole that a name means."""
    if source == "nodes":
        return values[:, manifest.paths.index(name)]
    if name == source:
        return values
    subscript = name[name.rindex("[") + 1 : name.rindex("]")]
    place: tuple[int | slice, ...] = (slice(None), *(int(i) for i in subscript.split(",")))
    return np.asarray(values[place])
