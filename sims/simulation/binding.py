"""Binding of `simulate` blocks: from what a file says to netlists with drives, and what is recorded."""

from __future__ import annotations

from dataclasses import dataclass, replace

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
from tellegen.pipeline import Compilation, Compiled
from tellegen.quantity import symbol_of
from tellegen.seeds import stream
from tellegen.signature import bind, convert, lookup, number
from tellegen.sims.ngspice.quantities import quantity
from tellegen.sims.simulation.control import ControlPlan, bind_control
from tellegen.sims.simulation.waveforms import LIGHT, WAVEFORMS, Site, WaveformError
from tellegen.sims.tasks.blocks import own_sink
from tellegen.sims.tasks.drives import undriven, unit_of
from tellegen.sims.tasks.signals import matching, plain, recordable, without_indices
from tellegen.sims.tasks.transient import Transient, transient_of
from tellegen.values import (
    CallValue,
    Number,
    PathValue,
    SequenceValue,
    Unknown,
    Value,
)

TIME = "time"  # what a transient's times are called among its signals
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
    only. `controls` holds the controller of each netlist, or nothing. `record` maps a signal as the author named it to the names that a session reads, `spiking`
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
    controls: tuple[ControlPlan, ...] = ()
    weights: tuple[str, ...] = ()

    @property
    def netlist(self) -> str:
        """The (first) netlist."""
        return self.netlists[0]

    @property
    def control(self) -> ControlPlan | None:
        """The (first) controller, if there is one."""
        return self.controls[0] if self.controls else None


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
    controls: list[ControlPlan] = []
    if compiled is not None:
        bare = compiled.emit().manifest
        with own_sink(compilation) as sink:
            transient = transient_of(block, sink)
            for at in block.sweep.values if block.sweep else (None,):
                there = block
                if at is not None and block.block is not None:
                    there = elaborate_experiment(block.block, sink, at)
                drives = _Drives(compilation, there, build.seed, transient, sink)
                found.append(drives.texts(bare))
                if there.control is not None:
                    control = bind_control(there.control, bare, transient, sink)
                if control is not None:
                    found_in = _spiking({n: n for n in control.reads}, bare, compiled)
                    controls.append(replace(control, spikes=found_in))
                if sink.errors:
                    break
            if controls:
                _control_fits(block, controls[0], sink)
            _sweep_fits(block, found, controls, sink)
            if control is not None or block.control is None:
                undriven(compiled, bare, block, sink, control.drives if control else ())
            record = _record(block, bare, sink)
            _sweep_name_taken(block, record, sink)
            if transient and TIME in record:
                _time_taken(block, sink)
    compilation.sink.raise_errors()
    assert compiled is not None
    analysis = ".op"
    if transient:
        most = bare.longest_step(transient.step)
        transient = replace(transient, max_step=most)
        analysis = f".tran {transient.step:.9g} {transient.stop:.9g} 0 {most:.9g}"
    emitted = [
        compiled.emit(Bench(drives=drives, analysis=analysis, notes=(f"simulation {name}",)))
        for drives in found
    ]
    plan = SimulationPlan(
        name, block.subject.text, tuple(e.netlist for e in emitted), emitted[0].manifest, record,
        _spiking(record, emitted[0].manifest, compiled), transient, _axis(block), build.seed,
        tuple(controls), _weights(record, emitted[0].manifest, compiled),
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


def _sweep_fits(
    block: ExperimentValues, drives: list[dict[str, list[str]]], controls: list[ControlPlan], sink: Sink
) -> None:  # fmt: skip
    """Report a sweep that changes nothing."""
    sweep = block.sweep
    if sweep is None or sink.errors or len({v.value for v in sweep.values}) < 2:
        return
    if all(d == drives[0] for d in drives) and all(c == controls[0] for c in controls):
        sink.error("unused-sweep", f"nothing changes with `{sweep.name}`", sweep.span,
                   help=f"let it stand in a drive, `drive u = {sweep.name}`")  # fmt: skip


def _sweep_name_taken(block: ExperimentValues, record: dict[str, str], sink: Sink) -> None:
    sweep = block.sweep
    if sweep is not None and (sweep.name in record or sweep.name == TIME):
        taken = "a transient's times" if sweep.name == TIME else "a recorded signal"
        sink.error("duplicate-name", f"what is swept is called `{sweep.name}`, as is {taken}", sweep.span,
                   help="give it another name")  # fmt: skip


def _axis(block: ExperimentValues) -> Axis | None:
    if block.sweep is None:
        return None
    values = tuple(v.value for v in block.sweep.values)
    return Axis(block.sweep.name, values, symbol_of(block.sweep.values[0].dimension))


@dataclass(frozen=True)
class _Drives:
    """The drives of a simulation; its block is elaborated at a value of its sweep."""

    compilation: Compilation
    block: ExperimentValues
    seed: int
    transient: Transient | None
    sink: Sink

    def texts(self, manifest: Manifest) -> dict[str, list[str]]:
        """The SPICE source text of each element of each input that is driven."""
        found: dict[str, list[str]] = {}
        for said in self.block.drives:
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
    said = [path.span for path in block.record if plain(path.text) == TIME]
    sink.error(
        "duplicate-name",
        f"a recorded signal is called `{TIME}`, as are a transient's times",
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


def units_of(plan: SimulationPlan) -> dict[str, str]:
    """The unit of each recorded signal; of spikes over a sweep that of a rate."""
    units = {n: _unit(plan.manifest, source) for n, source in plan.record.items()}
    rates = plan.spiking if plan.sweep is not None and plan.transient is not None else ()
    return units | dict.fromkeys(rates, "Hz")


def _unit(manifest: Manifest, source: str) -> str:
    if source in manifest.observables:
        return manifest.observables[source].unit
    port = manifest.inputs.get(source) or manifest.outputs.get(source)
    return "W^0.5" if port is not None and port.kind == "optical" else "V"
