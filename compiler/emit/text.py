"""The elaborated circuit for people and other programs: as text, JSON and a Graphviz graph."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from tellegen.circuit import Circuit, Group, Module, Port
from tellegen.flatten import Flat
from tellegen.manifest import GROUND

_MOST_DRAWN = 5000


def as_text(circuit: Circuit) -> str:
    """A summary of each module: nodes, ports, and a line for each group."""
    return "\n\n".join("\n".join(_module(m)) for m in circuit.modules()) + "\n"


def _module(m: Module) -> Iterator[str]:
    instances = sum(len(g) for g in m.groups.values())
    yield f"module {m.name}: {m.size} nodes, {instances} instances"
    for port in (*m.inputs.values(), *m.outputs.values()):
        ends = ", ".join(_ends(m, port))
        yield f"  {port.kind} {port.name}{list(port.shape) or ''}: {port.discipline} at {ends}"
    for s in m.supplies:
        yield f"  supply {s.name} = {s.volts:g} V"
    for g in m.groups.values():
        yield f"  {g.label}{list(g.shape) or ''}: {g.made_of}({', '.join(_params(g))})"


def _ends(m: Module, port: Port, most: int = 8) -> Iterator[str]:
    pairs = list(zip(port.positive.ravel(), port.negative.ravel(), strict=True))
    for high, low in pairs[:most]:
        name = m.node_name(int(high))
        yield name if low == GROUND else f"({name}, {m.node_name(int(low))})"
    if len(pairs) > most:
        yield f"... {len(pairs)} in all"


def _params(g: Group) -> Iterator[str]:
    for name, values in g.params.items():
        low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 0.0)
        yield f"{name} = {low:g}" if low == high else f"{name} = {low:g} .. {high:g}"


def as_json(circuit: Circuit) -> str:
    """The circuit as JSON: modules with their nodes, ports, and groups with terminals and values."""

    def port(p: Port) -> dict[str, Any]:
        return {
            "shape": list(p.shape), "discipline": p.discipline,
            "positive": p.positive.ravel().tolist(), "negative": p.negative.ravel().tolist(),
        }  # fmt: skip

    def module(m: Module) -> dict[str, Any]:
        return {
            "name": m.name,
            "nodes": m.size,
            "arrays": {a.name: {"kind": a.kind, "discipline": a.discipline, "nodes": a.indices.tolist()}
                       for a in m.arrays.values()},
            "inputs": {p.name: port(p) for p in m.inputs.values()},
            "outputs": {p.name: port(p) for p in m.outputs.values()},
            "supplies": [{"name": s.name, "node": s.node, "volt": s.volts} for s in m.supplies],
            "groups": {
                g.label: {
                    "of": g.made_of, "library": g.cell.library if g.cell else None,
                    "shape": list(g.shape), "ports": list(g.ports), "line": g.span.line,
                    "terminals": g.terminals.tolist(),
                    "params": {n: v.tolist() for n, v in g.params.items()},
                }
                for g in m.groups.values()
            },
        }  # fmt: skip

    content = {"top": circuit.top.name, "seed": circuit.seed, "ground": GROUND,
               "modules": [module(m) for m in circuit.modules()]}  # fmt: skip
    return json.dumps(content, indent=1) + "\n"


def as_dot(circuit: Circuit, flat: Flat) -> str:
    """The flat network as an undirected Graphviz graph, an edge for each two-terminal cell."""
    lines = [f"graph {circuit.top.name} {{", "  layout=neato; overlap=false; node [shape=circle];"]
    for kind, ports, colour in (
        ("input", circuit.top.inputs, "lightblue"), ("output", circuit.top.outputs, "orange"),
    ):  # fmt: skip
        for p in ports.values():
            for node in np.unique(p.positive[p.positive >= 0]):
                lines.append(
                    f'  "{flat.paths[node]}" [style=filled, fillcolor={colour}, tooltip="{kind} {p.name}"];'
                )
    drawn = 0
    for g in flat.groups:
        assert g.group.cell is not None
        for row in g.terminals.tolist():
            if drawn == _MOST_DRAWN:
                break
            drawn += 1
            names = ["gnd" if n == GROUND else flat.paths[n] for n in row]
            if len(names) == 2:
                lines.append(f'  "{names[0]}" -- "{names[1]}" [label="{g.group.made_of}"];')
            else:
                box = f"{g.path} {drawn}"
                lines.append(f'  "{box}" [shape=box, label="{g.group.made_of}"];')
                lines += [f'  "{box}" -- "{n}";' for n in names]
    total = sum(len(g.terminals) for g in flat.groups)
    if total > drawn:
        lines.append(f"  // the first {drawn} of {total} instances")
    return "\n".join([*lines, "}", ""])
