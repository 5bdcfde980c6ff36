"""The manifest of an emitted circuit: every array of the session, by SPICE name."""

from __future__ import annotations

import numpy as np

from tellegen.bench import CLOSED_OHM, OPEN_OHM, Bench
from tellegen.circuit import Circuit, Port
from tellegen.elaborate.parameters import limit
from tellegen.emit import spice
from tellegen.emit.names import ModuleNames
from tellegen.flatten import Flat, FlatGroup
from tellegen.manifest import (
    GROUND,
    InputMap,
    LineMap,
    Manifest,
    ObservableMap,
    OutputMap,
    ParameterMap,
)

_SENSE = {"increasing": 1, "decreasing": -1}


def make_manifest(circuit: Circuit, flat: Flat, own: ModuleNames, bench: Bench) -> Manifest:
    """The manifest of a circuit on a bench, with the names that the emitter gave."""
    nodes, paths = list(flat.nodes), list(flat.paths)
    observables: dict[str, ObservableMap] = {}
    parameters: dict[str, ParameterMap] = {}
    for group in flat.groups:
        _parameters(group, parameters)
        _observables(group, observables, nodes, paths)
    observables |= _light(circuit, flat)
    lines = dict(flat.lines)
    for port in (*circuit.top.inputs.values(), *circuit.top.outputs.values()):
        base = own.ports[port.name]
        for prefix in (f"vin_{base}", f"iin_{base}", f"rclamp_{base}", f"vclamp_{base}"):
            lines[prefix] = LineMap(prefix, port.name, port.span.source.name, port.span.line)
    return Manifest(
        network=circuit.top.name,
        nodes=nodes,
        paths=paths,
        inputs={p.name: _input(p, own) for p in circuit.top.inputs.values()},
        outputs={p.name: _output(p, own, bench) for p in circuit.top.outputs.values()},
        parameters=parameters,
        observables=observables,
        phases={"free": {"switch": OPEN_OHM}, "clamped": {"switch": CLOSED_OHM}},
        lines=list(lines.values()),
        max_step=most if np.isfinite(most := circuit.max_step()) else None,
    )


def _input(port: Port, own: ModuleNames) -> InputMap:
    return InputMap(
        port.shape,
        port.discipline if port.discipline in ("current", "optical") else "voltage",
        port.positive.ravel(),
        port.negative.ravel(),
        [name.lower() for name in spice.input_sources(port, own)],
    )


def _output(port: Port, own: ModuleNames, bench: Bench) -> OutputMap:
    clamps = spice.clamp_elements(port, own) if port.name in bench.clamps else []
    return OutputMap(
        port.shape,
        port.positive.ravel(),
        port.negative.ravel(),
        [switch.lower() for switch, _, _ in clamps],
        [source.lower() for _, source, _ in clamps],
        "optical" if port.discipline == "optical" else "voltage",
    )


def _parameters(flat: FlatGroup, parameters: dict[str, ParameterMap]) -> None:
    group, cell = flat.group, flat.group.cell
    assert cell is not None
    instances = flat.names() if cell.programmable else []
    for name, how in cell.programmable.items():
        declared = cell.params[name]
        count = len(group)

        def bounds(value: float | str | None, missing: float, count: int = count) -> np.ndarray:
            return np.broadcast_to(
                np.asarray(limit(value, group.params, missing), dtype=float), (count,)
            ).copy()

        parameters[f"{flat.path}.{name}"] = ParameterMap(
            shape=group.shape,
            unit=declared.unit,
            symbol=name,
            elements=[
                f"{element[0]}.{instance}.{element}".lower()
                for element in how.elements
                for instance in instances
            ],
            attribute=how.attribute,
            expressions=list(how.expressions),
            arguments={k: v for k, v in group.params.items() if k != name},
            values=group.params[name].copy(),
            low=bounds(declared.min, -np.inf),
            high=bounds(declared.max, np.inf),
            step=None if how.step is None else bounds(how.step, 1.0),
            write_noise=float(how.noise),
            sense=_SENSE.get(how.sense or "", 0),
            instances=flat.path,
            phase=how.phase,
        )


def _observables(
    flat: FlatGroup, observables: dict[str, ObservableMap], nodes: list[str], paths: list[str]
) -> None:
    group, cell = flat.group, flat.group.cell
    assert cell is not None
    nothing = np.zeros(0, dtype=np.int32)
    for name, observable in cell.observables.items():
        key = f"{flat.path}.{name}"
        probe = observable.probe
        if probe.kind == "i":
            names = [f"v.{instance}.{probe.names[0]}" for instance in flat.names()]
            observables[key] = ObservableMap(
                group.shape, "i", observable.unit, nothing, nothing, names
            )
            continue
        ends = [_node(flat, end, nodes, paths) for end in probe.names]
        if len(ends) == 1:
            ends.append(np.full(len(group), GROUND, dtype=np.int32))
        observables[key] = ObservableMap(group.shape, "v", observable.unit, ends[0], ends[1])


def _light(circuit: Circuit, flat: Flat) -> dict[str, ObservableMap]:
    """The power in every optical net, and the field in those that are no port."""
    found: dict[str, ObservableMap] = {}
    ports = {p.name: p for p in (*circuit.top.inputs.values(), *circuit.top.outputs.values())}
    nets = dict(flat.light)
    for name, port in ports.items():
        if port.discipline == "optical" and (port.negative == GROUND).all():
            nets[name] = port.positive[..., 0], port.positive[..., 1]
    for name, (real, imaginary) in nets.items():
        found[f"{name}.power"] = ObservableMap(
            real.shape, "power", "W", real.ravel(), imaginary.ravel()
        )
        if name not in ports:
            both = np.stack([real, imaginary], axis=-1)
            dark = np.full(both.size, GROUND, dtype=np.int32)
            found[name] = ObservableMap(both.shape, "v", "W^0.5", both.ravel(), dark)
    return found


def _node(flat: FlatGroup, name: str, nodes: list[str], paths: list[str]) -> np.ndarray:
    """The node numbers behind a name in a cell: a port's, or new ones for a node inside."""
    if name in flat.group.ports:
        return flat.terminals[:, flat.group.ports.index(name)]
    start = len(nodes)
    nodes += [f"{instance}.{name.lower()}" for instance in flat.names()]
    paths += [f"{flat.path}.{name}"] * len(flat.group)
    return np.arange(start, len(nodes), dtype=np.int32)
