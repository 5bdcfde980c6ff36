"""The SPICE emitter: a circuit and a bench in, a netlist and its manifest out.

The text is the contract with people: hierarchical, commented with the `.tgn` names and lines, the same
for the same input, and complete (cell definitions included), so that `ngspice -b` runs it as it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from tellegen.arrays import Values
from tellegen.bench import CLOSED_OHM, OPEN_OHM, Bench
from tellegen.cells import Cell
from tellegen.cells.definitions import Definition
from tellegen.cells.solver import Solver
from tellegen.circuit import Circuit, Group, Module, Port
from tellegen.emit.manifest import make_manifest
from tellegen.emit.names import ModuleNames, indexed, name_module, owners, unique
from tellegen.flatten import Flat, flatten
from tellegen.manifest import Manifest
from tellegen.source import Span

_WIDTH = 100
# Signals of a transient that `ngspice -b` prints, and how many stand in one table.
_MOST_SHOWN, _SHOWN_TOGETHER = 24, 4


@dataclass(frozen=True, eq=False)
class Emitted:
    """A netlist with the manifest that goes with it."""

    netlist: str
    manifest: Manifest


def emit(circuit: Circuit, bench: Bench, flat: Flat | None = None) -> Emitted:
    """The netlist and manifest of a circuit on a bench."""
    names = {id(m): name_module(m) for m in circuit.modules()}
    taken = {name.lower() for cell in circuit.cells() for name in cell.defines}
    called = {id(m): unique(m.name, taken) for m in circuit.modules()[:-1]}
    lines = [*_head(circuit, bench)]
    lines += _definitions(circuit.cells())
    for module in circuit.modules()[:-1]:
        lines += ["", *_subcircuit(module, names, called)]
    lines += ["", f"* ---- network {circuit.top.name} ({_where(circuit.top.span)})"]
    lines += _body(circuit.top, names, called)
    lines += ["", "* ---- test bench"]
    lines += _bench(circuit.top, names[id(circuit.top)], bench)
    lines += ["", *options(circuit.solver()), bench.analysis]
    if bench.analysis.startswith(".tran"):
        lines += _prints(circuit.top, names[id(circuit.top)])
    lines += [".end", ""]
    manifest = make_manifest(circuit, flat or flatten(circuit), names[id(circuit.top)], bench)
    return Emitted("\n".join(lines), manifest)


def _definitions(cells: list[Cell]) -> Iterator[str]:
    """The text of the cells, with what they share before the first that needs it."""
    pasted: set[Definition] = set()
    for cell in cells:
        for definition in cell.definitions:
            if definition.library and definition not in pasted:
                yield from ["", f"* shared by the cells of {definition.library}"]
                yield from definition.text.rstrip("\n").split("\n")
                pasted.add(definition)
        level = f", {cell.level}" if cell.level else ""
        yield from ["", f"* {_comment(cell.summary)} ({cell.library}.{cell.name}{level})"]
        for definition in cell.definitions:
            if definition not in pasted:
                yield from definition.text.rstrip("\n").split("\n")
                pasted.add(definition)


def _head(circuit: Circuit, bench: Bench) -> Iterator[str]:
    yield f"* {circuit.top.name}, compiled by Tellegen from {_comment(circuit.top.span.source.name)}"
    for note in bench.notes:
        yield f"* {_comment(note)}"
    yield f"* seed {circuit.seed}"


def options(asked: Solver) -> Iterator[str]:
    """The cards that give ngspice the tolerances that some cells need."""
    if asked.options or asked.method:
        yield f"* tolerances: {_comment(asked.reason)}"
        words = [f"method={asked.method}"] if asked.method else []
        words += [f"{name}={number(value)}" for name, value in asked.options]
        yield f".options {' '.join(words)}"


def _comment(text: str) -> str:
    """A text as one line of comment, whatever it holds."""
    return "".join(c if c.isprintable() else " " for c in text)


def _where(span: Span) -> str:
    return _comment(f"{span.source.name}:{span.line}")


def _said(span: Span) -> str:
    """The source text of a span on one line, shortened."""
    text = " ".join(span.text.split())
    return _comment(text if len(text) <= 160 else text[:157] + "...")


def _wrap(card: str) -> Iterator[str]:
    """A card, continued on further lines where it is long."""
    while len(card) > _WIDTH:
        cut = card.rfind(" ", 0, _WIDTH)
        if cut <= 2:
            break
        yield card[:cut]
        card = "+ " + card[cut + 1 :]
    yield card


def _subcircuit(
    module: Module, names: dict[int, ModuleNames], called: dict[int, str]
) -> Iterator[str]:
    own = names[id(module)]
    yield f"* network {module.name} ({_where(module.span)})"
    ports = [
        name
        for array in owners(module)
        if array.kind in ("input", "output")
        for name in indexed(own.arrays[array.name], array.indices.shape)
    ]
    yield from _wrap(" ".join([".subckt", called[id(module)], *ports]))
    # A port tied to ground inside is still a port: a source of no volts joins the two.
    for array in owners(module):
        if array.kind in ("input", "output"):
            flat = indexed(own.arrays[array.name], array.indices.shape)
            for name, node in zip(flat, array.indices.ravel(), strict=True):
                if node < 0:
                    yield f"Vtie_{name} {name} 0 0"
    yield from _body(module, names, called)
    yield f".ends {called[id(module)]}"


def _body(module: Module, names: dict[int, ModuleNames], called: dict[int, str]) -> Iterator[str]:
    own = names[id(module)]
    for supply in module.supplies:
        yield f"* {_said(supply.span)} ({_where(supply.span)})"
        base = own.arrays[supply.name]
        node = "0" if supply.node < 0 else own.nodes[supply.node]
        yield f"Vsupply_{base} {node} 0 {number(supply.volts)}"
    for group in module.groups.values():
        yield f"* {_said(group.span)} ({_where(group.span)})"
        yield from _instances(group, own, called)


def _instances(group: Group, own: ModuleNames, called: dict[int, str]) -> Iterator[str]:
    base = "X" + own.groups[group.label][1:]
    instances = indexed(base, group.shape)
    node_names = np.array([*own.nodes, "0"], dtype=object)
    rows = node_names[group.terminals].tolist()
    if group.cell is None:
        made = [called[id(group.modules[k])] for k in group.which]
        for name, nodes, of in zip(instances, rows, made, strict=True):
            yield from _wrap(" ".join([name, *nodes, of]))
        return
    columns: list[list[str]] = []
    for name, values in group.params.items():
        default = group.cell.params[name].default
        if default is None or (values != float(default)).any():
            columns.append([f"{name}={number(v)}" for v in values.tolist()])
    tails = (
        [" ".join(parts) for parts in zip(*columns, strict=True)] if columns else [""] * len(rows)
    )
    of = group.cell.subcircuit
    for name, nodes, tail in zip(instances, rows, tails, strict=True):
        card = f"{name} {' '.join(nodes)} {of} {tail}".rstrip()
        if len(card) <= _WIDTH:
            yield card
        else:
            yield from _wrap(card)


def number(value: float) -> str:
    """A number as SPICE reads it: 15 significant digits, no suffix."""
    return f"{value:.15g}"


def dc(values: Iterable[float] | Values) -> list[str]:
    """Source values that are constant."""
    return [f"dc {number(float(v))}" for v in np.ravel(np.asarray(values, dtype=float))]


def _bench(top: Module, own: ModuleNames, bench: Bench) -> Iterator[str]:
    nodes = [*own.nodes, "0"]
    for port in top.inputs.values():
        yield f"* input {port.name} ({_where(port.span)})"
        values = bench.drives.get(port.name) or ["dc 0"] * port.positive.size
        for source, value, high, low in zip(
            input_sources(port, own), values, *_ends(port, nodes), strict=True
        ):
            if port.discipline == "current":
                high, low = low, high  # the current flows into the positive node
            yield from _wrap(f"{source} {high} {low} {value}")
    for name in bench.clamps:
        port = top.outputs[name]
        yield (
            f"* clamp of output {name}: {OPEN_OHM:g} ohm is the free phase, {CLOSED_OHM:g} ohm the "
            "clamped one"
        )
        for (switch, source, middle), high, low in zip(
            clamp_elements(port, own), *_ends(port, nodes), strict=True
        ):
            yield f"{switch} {high} {middle} {OPEN_OHM:g}"
            yield f"{source} {middle} {low} dc 0"


def _prints(top: Module, own: ModuleNames) -> Iterator[str]:
    """What `ngspice -b` shows of a transient: without a `.print` it refuses to run one."""
    nodes = [*own.nodes, "0"]
    shown = [
        f"v({high})" if low == "0" else f"v({high},{low})"
        for port in (top.outputs or top.inputs).values()
        for high, low in zip(*_ends(port, nodes), strict=True)
        if high != "0"
    ]
    for start in range(0, min(len(shown), _MOST_SHOWN), _SHOWN_TOGETHER):
        yield " ".join([".print tran", *shown[start : start + _SHOWN_TOGETHER]])


def _ends(port: Port, nodes: list[str]) -> tuple[list[str], list[str]]:
    return (
        [nodes[n] for n in port.positive.ravel()],
        [nodes[n] for n in port.negative.ravel()],
    )


def input_sources(port: Port, own: ModuleNames) -> list[str]:
    """The SPICE names of an input's sources."""
    letter = "I" if port.discipline == "current" else "V"
    return indexed(f"{letter}in_{own.ports[port.name]}", port.shape)


def clamp_elements(port: Port, own: ModuleNames) -> list[tuple[str, str, str]]:
    """Switch, source and middle node of each clamp of an output."""
    base = own.ports[port.name]
    return list(
        zip(
            indexed(f"Rclamp_{base}", port.shape),
            indexed(f"Vclamp_{base}", port.shape),
            indexed(own.clamps[port.name], port.shape),
            strict=True,
        )
    )
