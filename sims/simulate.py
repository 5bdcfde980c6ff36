"""Simulations: an operating point or a transient of a network with drives and recorded signals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tellegen.bench import Bench
from tellegen.diagnostics import Label, Sink, did_you_mean, one_of
from tellegen.elaborate.experiment import (
    AssignmentValue,
    ExperimentValues,
    elaborate_experiment,
)
from tellegen.emit.spice import dc
from tellegen.files import FileRefused
from tellegen.manifest import GROUND, InputMap, Manifest
from tellegen.partition import partition
from tellegen.pipeline import Compilation, Compiled, open_file
from tellegen.quantity import symbol_of
from tellegen.seeds import stream
from tellegen.signature import bind, convert, lookup, number
from tellegen.sims import run_folder as rf
from tellegen.sims.binding import own_sink, transient_of, undriven, unit_of
from tellegen.sims.control import ControlPlan, bind_control
from tellegen.sims.errors import placed
from tellegen.sims.events import crossings
from tellegen.sims.locate import find_library
from tellegen.sims.partitioned import CannotPartition, run_parts
from tellegen.sims.plan import Transient
from tellegen.sims.process import Worker
from tellegen.sims.provenance import provenance
from tellegen.sims.quantities import quantity
from tellegen.sims.session import Session, run_job
from tellegen.sims.signals import matching, plain, recordable, without_indices
from tellegen.sims.streamed import Flown, Kept, Order
from tellegen.sims.training import choose, reopened
from tellegen.sims.waveform import Recording, tran_command
from tellegen.sims.waveforms import LIGHT, WAVEFORMS, Site, WaveformError
from tellegen.values import (
    CallValue,
    Number,
    PathValue,
    SequenceValue,
    Unknown,
    Value,
)

if TYPE_CHECKING:
    import xarray

Values = NDArray[np.float64]

_TIME = "time"  # what a transient's times are called among its signals
_WEIGHT = "weight"  # what plastic cells call the observable that is their weight


@dataclass(frozen=True)
class Axis:
    """What a sweep goes over: a name of the block, its values in SI units, and their unit."""

    name: str
    values: tuple[float, ...]
    unit: str


@dataclass(frozen=True, eq=False)
class SimulationPlan:
    """A simulation: netlists with their drives, and what is recorded.

    `netlists` holds one for each value of the sweep, or a single one; they differ in their drives
    only. `record` maps a signal as the author named it to the names that a session reads, `spiking`
    are those of them that carry spikes, `weights` those that are weights of plastic synapses; `transient`
    is None for an operating point.
    """

    name: str
    network: str
    netlists: tuple[str, ...]
    manifest: Manifest
    record: dict[str, str]
    spiking: tuple[str, ...]
    transient: Transient | None
    sweep: Axis | None
    seed: int
    control: ControlPlan | None = None
    weights: tuple[str, ...] = ()

    @property
    def netlist(self) -> str:
        """The (first) netlist."""
        return self.netlists[0]


@dataclass(frozen=True, eq=False)
class BoundSimulation:
    """A plan, the circuit that its netlist was emitted from, and the drives of each netlist."""

    plan: SimulationPlan
    compiled: Compiled
    drives: tuple[dict[str, list[str]], ...]


def bind_simulation(compilation: Compilation, name: str) -> BoundSimulation:
    """The simulation called `name`, ready to run.

    Raises:
        CompileError: with everything found wrong.
    """
    block = compilation.experiments["simulate", name]
    network = compilation.built_for(block)
    build = compilation.build_of(block)
    compiled = None if network is None else compilation.sound(network, build)
    found: list[dict[str, list[str]]] = []
    record: dict[str, str] = {}
    transient = control = None
    if compiled is not None:
        bare = compiled.emit().manifest
        with own_sink(compilation) as sink:
            transient = transient_of(block, sink)
            for at in block.sweep.values if block.sweep else (None,):
                drives = _Drives(compilation, block, at, build.seed, transient, sink)
                found.append(drives.texts(bare))
                if sink.errors:
                    break
            if block.control is not None:
                control = bind_control(block.control, bare, transient, sink)
            if control is not None:
                found_in = _spiking({n: n for n in control.reads}, bare, compiled)
                control = replace(control, spikes=found_in)
                _control_fits(block, control, sink)
            if control is not None or block.control is None:
                undriven(compiled, bare, block, sink, control.drives if control else ())
            record = _record(block, bare, sink)
            if transient and _TIME in record:
                _time_taken(block, sink)
    compilation.sink.raise_errors()
    assert compiled is not None
    analysis = ".op"
    if transient:
        most = min(transient.step, compiled.circuit.max_step())
        transient = replace(transient, max_step=most)
        analysis = f".tran {transient.step:.9g} {transient.stop:.9g} 0 {most:.9g}"
    emitted = [
        compiled.emit(Bench(drives=drives, analysis=analysis, notes=(f"simulation {name}",)))
        for drives in found
    ]
    plan = SimulationPlan(
        name, block.subject.text, tuple(e.netlist for e in emitted), emitted[0].manifest, record,
        _spiking(record, emitted[0].manifest, compiled), transient, _axis(block), build.seed,
        control, _weights(record, emitted[0].manifest, compiled),
    )  # fmt: skip
    return BoundSimulation(plan, compiled, tuple(found))


def _spiking(record: dict[str, str], manifest: Manifest, compiled: Compiled) -> tuple[str, ...]:
    """The recorded signals that are nets of spikes."""
    kinds = compiled.flat.disciplines
    found = {n: quantity(manifest, n if s == "nodes" else s) for n, s in record.items()}
    return tuple(
        name
        for name, q in found.items()
        if len(q.positive)
        and all(k < len(kinds) and k != GROUND and kinds[k] == "spike" for k in q.positive)
    )


def _weights(record: dict[str, str], manifest: Manifest, compiled: Compiled) -> tuple[str, ...]:
    """The recorded signals that are weights: all their nodes are those of the weights of rules."""
    known: set[int] = set()
    for flat in compiled.flat.groups:
        weight = manifest.observables.get(f"{flat.path}.{_WEIGHT}")
        if weight is not None and flat.group.cell is not None and flat.group.cell.locality:
            known.update(weight.positive.tolist())
    found = {n: quantity(manifest, n if s == "nodes" else s) for n, s in record.items()}
    return tuple(
        name
        for name, q in found.items()
        if len(q.positive)
        and known.issuperset(q.positive.tolist())
        and (q.negative == GROUND).all()
    )


def _control_fits(block: ExperimentValues, control: ControlPlan, sink: Sink) -> None:
    """Report inputs that are driven twice, and exchanges that have no time."""
    assert block.control is not None
    for said in block.drives:
        if plain(said.port.text) in control.drives:
            sink.error("duplicate-name", f"input `{said.port.text}` is driven by the controller too", said.span,
                       secondary=(Label(block.control.span, "controlled here"),))  # fmt: skip
    if not control.every and not control.spikes:
        sink.error("arity", f"`{control.name}` reads no spikes: say when it is to take part", block.control.span,
                   help="add `every 50 us`, say, behind the controller")  # fmt: skip


def _axis(block: ExperimentValues) -> Axis | None:
    if block.sweep is None:
        return None
    values = tuple(v.value for v in block.sweep.values)
    return Axis(block.sweep.name, values, symbol_of(block.sweep.values[0].dimension))


@dataclass(frozen=True)
class _Drives:
    """The drives of a simulation at a value of its sweep."""

    compilation: Compilation
    block: ExperimentValues
    at: Number | None
    seed: int
    transient: Transient | None
    sink: Sink

    def texts(self, manifest: Manifest) -> dict[str, list[str]]:
        """The SPICE source text of each element of each input that is driven."""
        block = self.block
        if self.at is not None and block.block is not None:
            block = elaborate_experiment(block.block, self.sink, self.at)
        found: dict[str, list[str]] = {}
        for said in block.drives:
            for port in matching(said.port, manifest.inputs, "input", self.sink):
                texts = self.port(said, port, manifest.inputs[port])
                if texts is not None:
                    found[port] = texts
        return found

    def port(self, said: AssignmentValue, port: str, entry: InputMap) -> list[str] | None:
        """The texts of an input; one value serves all of its elements."""
        light = entry.kind == "optical"
        size = len(entry.sources) // (2 if light else 1)
        value = said.value
        items = value.items if isinstance(value, SequenceValue) else (value,)
        if len(items) not in (1, size):
            self.sink.error("shape-mismatch", f"input `{port}` has {size} elements, but {len(items)} drives are given",
                            value.span)  # fmt: skip
            return None
        unit = unit_of(entry)
        texts: list[str] = []
        for k, item in enumerate(items):
            count = size // len(items)
            if light:
                made = self.light(item, port, count)
            else:
                made = self.source(item, port, unit, k, count)
            if made is None:
                return None
            texts += made
        return texts

    def light(self, value: Value, port: str, count: int) -> list[str] | None:
        """The texts of the two parts of fields: light of a power, or `light(power, phase)`."""
        bound: dict[str, float] | None = None
        if isinstance(value, CallValue):
            found = lookup(value, {LIGHT.name: LIGHT}, "kind of light", self.sink)
            bound = found and bind(value, found.name, found.arguments, self.sink)
        elif not isinstance(value, Unknown):
            power = convert(value, number("W", low=0), f"input `{port}`", self.sink)
            bound = None if isinstance(power, Unknown) else {"power": power, "phase": 0.0}
        return None if bound is None else dc(LIGHT.call(**bound)) * count

    def source(self, value: Value, port: str, unit: str, k: int, count: int) -> list[str] | None:
        if isinstance(value, Unknown):
            return None
        sink = self.sink
        if isinstance(value, Number):
            found = convert(value, number(unit), f"input `{port}`", sink)
            return None if isinstance(found, Unknown) else dc([found]) * count
        if not isinstance(value, CallValue):
            sink.error("wrong-kind", "an input is driven with a number or a waveform", value.span,
                       help=f"waveforms: {one_of(WAVEFORMS)}")  # fmt: skip
            return None
        found = lookup(value, WAVEFORMS, "waveform", sink)
        if found is None:
            return None
        bound = bind(
            value, found.name, found.arguments, sink, subject=unit, variadic=found.variadic
        )
        if bound is None:
            return None
        rng = stream(self.seed, self.block.name.text, f"drive {port} {k}")
        stop = self.transient.stop if self.transient else 0.0
        try:
            made = found.call(Site(self.compilation.files, unit, count, stop, rng), **bound)
            return [made] * count if isinstance(made, str) else list(made)
        except WaveformError as error:
            sink.error(error.code, str(error), error.span or value.span)
        except FileRefused as error:
            sink.error(error.code, str(error), value.span, help=error.help)
        return None


def _record(block: ExperimentValues, manifest: Manifest, sink: Sink) -> dict[str, str]:
    """The recorded signals by name; outputs where the block does not say."""
    if not block.record:
        names = [*manifest.outputs] or list(manifest.inputs)
        return {name: name for name in names}
    found: dict[str, str] = {}
    for path in block.record:
        for name, source in _signal(path, manifest, sink):
            found[name] = source
    return found


def _time_taken(block: ExperimentValues, sink: Sink) -> None:
    said = [path.span for path in block.record if plain(path.text) == _TIME]
    sink.error(
        "duplicate-name",
        f"a recorded signal is called `{_TIME}`, as are a transient's times",
        said[0] if said else block.span,
        help="give the port or the node another name",
    )


def _signal(path: PathValue, manifest: Manifest, sink: Sink) -> list[tuple[str, str]]:
    """What a path records: a whole port or observable, or nodes one by one."""
    text = plain(path.text)
    whole = (*manifest.inputs, *manifest.outputs, *manifest.observables)
    if text in whole:
        return [(text, text)]
    # A subscript of a port or an observable is taken from the whole when it is read.
    base, bracket, _ = text.rpartition("[")
    if bracket and base in whole:
        return [(text, base)]
    inside = [o for o in manifest.observables if without_indices(o) == text]
    if inside:
        return [(o, o) for o in inside]
    nodes = [p for p in manifest.paths if p == text or without_indices(p) == text]
    if nodes:
        return [(n, "nodes") for n in nodes]
    known = sorted({without_indices(n) for n in recordable(manifest)})
    sink.error("unknown-name", f"there is no signal `{path.text}` to record", path.span,
               help=did_you_mean(text, known) or f"known: {one_of(known)}")  # fmt: skip
    return []


@dataclass(frozen=True, eq=False)
class SimulationResult:
    """A finished simulation.

    Attributes:
        folder: the run folder.
        plan: what was simulated.
        time: (times,) in seconds, or None for an operating point and for a sweep.
        signals: recorded values, (times, *shape); (*shape) for an operating point; for a sweep
            (values of the sweep, *shape), of transients the values at their end.
        units: the unit of each signal.
        points: the waveforms of a sweep of transients, (time, signals) for each of its values.
        spikes: of a transient, for each recorded net of spikes the times of each element's spikes, in
            seconds, in row-major order of its shape.
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

    def to_xarray(self) -> xarray.Dataset:
        """The signals as an xarray data set (needs the `xarray` extra)."""
        from tellegen.sims.labelled import simulation_dataset

        return simulation_dataset(self)


Progress = Callable[[int, int], None]
FlightProgress = Callable[[float, float], None]


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
    (:mod:`tellegen.sims.partitioned`); their signals come at equal distances of a step. `progress` is
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
    record = {
        "kind": "simulate", "name": plan.name, "network": plan.network, "status": "running",
        "file": compilation.source.name,
        "roots": [str(p.resolve()) for p in compilation.files.roots],
        "cells": [str(p.resolve()) for p in compilation.cells],
        "overrides": list(compilation.overrides), "seed": plan.seed,
        "transient": plan.transient and {"stop": plan.transient.stop, "step": plan.transient.step},
        "sweep": plan.sweep and {"name": plan.sweep.name, "unit": plan.sweep.unit,
                                 "values": plan.sweep.values},
        "control": plan.control and {"name": plan.control.name, "every": plan.control.every,
                                     "arguments": dict(plan.control.arguments)},
        "parts": in_parts, "signals": _units(plan), "weights": plan.weights, "provenance": facts,
    }  # fmt: skip
    rf.write_text(folder, rf.SOURCE, compilation.source.text)
    rf.write_text(folder, rf.NETLIST, plan.netlist)
    rf.write_text(folder, rf.MANIFEST, plan.manifest.to_json())
    rf.write_json(folder, rf.RUN, record)
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
    bit (:mod:`tellegen.sims.streamed`).

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
    if record["status"] == "finished":
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
    units = _units(plan)
    try:
        for k, point in enumerate(runs):
            points.append(point)
            if plan.sweep is not None and point.time is not None:
                rf.write_arrays(folder, f"waves-{k:03d}.npz", {_TIME: point.time, **point.signals})
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
        return SimulationResult(folder, plan, time, signals, units, kept, finished=finished)
    spikes = points[0].spikes
    if spikes:
        rf.write_spikes(folder, spikes)
    return SimulationResult(folder, plan, time, signals, units, spikes=spikes, finished=finished)


def _units(plan: SimulationPlan) -> dict[str, str]:
    return {n: _unit(plan.manifest, source) for n, source in plan.record.items()}


def _write_waves(
    folder: Path, plan: SimulationPlan, points: list[Point]
) -> tuple[Values | None, dict[str, Values]]:
    """Keep what was simulated so far; a sweep as a table of the last values over its own."""
    if not points:
        return None, {}
    time, signals = points[0].time, points[0].signals
    axis: dict[str, Values] = {} if time is None else {_TIME: time}
    if plan.sweep is not None:
        last = [{n: v if p.time is None else v[-1] for n, v in p.signals.items()} for p in points]
        time, signals = None, {n: np.array([found[n] for found in last]) for n in signals}
        axis = {plan.sweep.name: np.array(plan.sweep.values[: len(points)])}
    rf.write_arrays(folder, rf.WAVES, {**axis, **signals})
    return time, signals


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
    transient, control = plan.transient, plan.control
    assert transient is not None
    file = folder / (rf.POINTS if kept is None else rf.REPLAY)

    def told(message: object) -> None:
        assert isinstance(message, float)
        flown(message, transient.stop)

    for netlist in plan.netlists:
        order = Order(netlist, plan.manifest, _flown_signals(plan), transient, control, file, kept)
        found: Flown = run_job(
            "tellegen.sims.streamed:fly_job", order, told, timeout=timeout, library=library,
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
            engine = "tellegen.sims.waveform:TransientEngine"
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


def _unit(manifest: Manifest, source: str) -> str:
    if source in manifest.observables:
        return manifest.observables[source].unit
    port = manifest.inputs.get(source) or manifest.outputs.get(source)
    return "W^0.5" if port is not None and port.kind == "optical" else "V"
