"""Simulations: an operating point or a transient of a network with drives and recorded signals."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tellegen.bench import Bench
from tellegen.diagnostics import Sink, did_you_mean, one_of
from tellegen.elaborate.experiment import AssignmentValue, ExperimentValues
from tellegen.emit.spice import dc
from tellegen.files import FileRefused
from tellegen.manifest import InputMap, Manifest
from tellegen.pipeline import Compilation, Compiled, open_file
from tellegen.signature import bind, convert, lookup, number
from tellegen.sims import run_folder as rf
from tellegen.sims.binding import own_sink, transient_of, undriven
from tellegen.sims.plan import Transient
from tellegen.sims.provenance import provenance
from tellegen.sims.session import Session
from tellegen.sims.signals import matching, plain, recordable, without_indices
from tellegen.sims.training import choose
from tellegen.sims.waveforms import WAVEFORMS, WaveformError
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


@dataclass(frozen=True, eq=False)
class SimulationPlan:
    """A simulation: the netlist with its drives, and what is recorded.

    `record` maps a signal as the author named it to the names that a session reads; `transient` is
    None for an operating point.
    """

    name: str
    network: str
    netlist: str
    manifest: Manifest
    record: dict[str, str]
    transient: Transient | None
    seed: int


@dataclass(frozen=True, eq=False)
class BoundSimulation:
    """A plan and the circuit that its netlist was emitted from."""

    plan: SimulationPlan
    compiled: Compiled


def bind_simulation(compilation: Compilation, name: str) -> BoundSimulation:
    """The simulation called `name`, ready to run.

    Raises:
        CompileError: with everything found wrong.
    """
    block = compilation.experiments["simulate", name]
    network = compilation.built_for(block)
    seed = compilation.seed_of(block)
    compiled = None if network is None else compilation.sound(network, seed)
    drives: dict[str, list[str]] = {}
    record: dict[str, str] = {}
    transient = None
    if compiled is not None:
        bare = compiled.emit().manifest
        with own_sink(compilation) as sink:
            for said in block.drives:
                for port in matching(said.port, bare.inputs, "input", sink):
                    found = _drive(said, port, bare.inputs[port], compilation, sink)
                    if found is not None:
                        drives[port] = found
            undriven(compiled, bare, block, sink)
            transient = transient_of(block, sink)
            record = _record(block, bare, sink)
            if transient and _TIME in record:
                _time_taken(block, sink)
    compilation.sink.raise_errors()
    assert compiled is not None
    analysis = (
        f".tran {transient.step:.9g} {transient.stop:.9g} 0 {transient.step:.9g}"
        if transient
        else ".op"
    )
    bench = Bench(drives=drives, analysis=analysis, notes=(f"simulation {name}",))
    emitted = compiled.emit(bench)
    plan = SimulationPlan(
        name, block.subject.text, emitted.netlist, emitted.manifest, record, transient, seed
    )
    return BoundSimulation(plan, compiled)


def _drive(
    said: AssignmentValue, port: str, entry: InputMap, compilation: Compilation, sink: Sink
) -> list[str] | None:
    """The SPICE source text of each element of an input; one value serves all of them."""
    size = len(entry.sources)
    value = said.value
    items = value.items if isinstance(value, SequenceValue) else (value,)
    unit = "A" if entry.kind == "current" else "V"
    texts = [_source(v, port, unit, compilation, sink) for v in items]
    if any(t is None for t in texts):
        return None
    if len(texts) not in (1, size):
        sink.error("shape-mismatch", f"input `{port}` has {size} elements, but {len(texts)} drives are given",
                   value.span)  # fmt: skip
        return None
    found = [t for t in texts if t is not None]
    return found * size if len(found) == 1 else found


def _source(value: Value, port: str, unit: str, compilation: Compilation, sink: Sink) -> str | None:
    if isinstance(value, Unknown):
        return None
    if isinstance(value, Number):
        found = convert(value, number(unit), f"input `{port}`", sink)
        return None if isinstance(found, Unknown) else dc([found])[0]
    if not isinstance(value, CallValue):
        sink.error("wrong-kind", "an input is driven with a number or a waveform", value.span,
                   help=f"waveforms: {one_of(WAVEFORMS)}")  # fmt: skip
        return None
    found = lookup(value, WAVEFORMS, "waveform", sink)
    if found is None:
        return None
    bound = bind(value, found.name, found.arguments, sink, subject=unit, variadic=found.variadic)
    if bound is None:
        return None
    try:
        return str(found.call(compilation.files, unit, **bound))
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
        time: (times,) in seconds, or None for an operating point.
        signals: recorded values, (times, *shape), or (*shape) for an operating point.
        units: the unit of each signal.
    """

    folder: Path
    plan: SimulationPlan
    time: Values | None
    signals: dict[str, Values]
    units: dict[str, str]

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
) -> SimulationResult:
    """Run a `simulate` block of a `.tgn` file in ngspice; arguments as those of `train`.

    Raises:
        CompileError: for what is wrong with the file.
        SimulationError: where ngspice fails.
    """
    compilation = open_file(file, cells=cells, allow=allow, overrides=overrides, seed=seed)
    plan = bind_simulation(compilation, choose(compilation, "simulate", name)).plan
    facts = provenance()  # before the folder: a machine without ngspice leaves none behind
    folder = rf.new_folder(Path(out), plan.name)
    units = {n: _unit(plan.manifest, source) for n, source in plan.record.items()}
    record = {
        "kind": "simulate", "name": plan.name, "network": plan.network, "status": "running",
        "file": compilation.source.name, "overrides": list(compilation.overrides), "seed": plan.seed,
        "transient": plan.transient and {"stop": plan.transient.stop, "step": plan.transient.step},
        "signals": units, "provenance": facts,
    }  # fmt: skip
    rf.write_text(folder, rf.SOURCE, compilation.source.text)
    rf.write_text(folder, rf.NETLIST, plan.netlist)
    rf.write_text(folder, rf.MANIFEST, plan.manifest.to_json())
    rf.write_json(folder, rf.RUN, record)
    try:
        time, signals = run_plan(plan, library=library, timeout=timeout)
    except Exception as error:
        rf.write_json(folder, rf.RUN, record | {"status": "failed", "failure": str(error)})
        raise
    arrays: dict[str, Any] = dict(signals) if time is None else {_TIME: time, **signals}
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    rf.write_bytes(folder, rf.WAVES, buffer.getvalue())
    rf.write_json(folder, rf.RUN, record | {"status": "finished"})
    return SimulationResult(folder, plan, time, signals, units)


def run_plan(
    plan: SimulationPlan, *, library: Path | None = None, timeout: float = 600.0
) -> tuple[Values | None, dict[str, Values]]:
    """Run a planned simulation: the times (None for an operating point) and the recorded signals."""
    sources = list(dict.fromkeys(plan.record.values()))
    with Session(plan.netlist, plan.manifest, library=library, timeout=timeout) as session:
        if plan.transient is None:
            session.solve()
            time, whole = None, {s: session.read(s)[None] for s in sources}
        else:
            waves = session.transient(
                plan.transient.step, plan.transient.stop, sources, max_step=plan.transient.step
            )
            time, whole = waves.time, waves.values
    signals = {n: _part(n, s, whole[s], plan.manifest) for n, s in plan.record.items()}
    return time, signals if time is not None else {n: v[0] for n, v in signals.items()}


def _part(name: str, source: str, values: Values, manifest: Manifest) -> Values:
    """The part (times, ...) of a recorded whole that a name means."""
    if source == "nodes":
        return values[:, manifest.paths.index(name)]
    if name == source:
        return values
    subscript = name[name.rindex("[") + 1 : name.rindex("]")]
    return np.asarray(values[(slice(None), *(int(i) for i in subscript.split(",")))])


def _unit(manifest: Manifest, source: str) -> str:
    return manifest.observables[source].unit if source in manifest.observables else "V"
