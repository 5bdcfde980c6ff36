"""Inputs, outputs, grounds and supplies of a network."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from tellegen.circuit import NodeArray, Nodes, Port, Supply
from tellegen.diagnostics import did_you_mean, one_of
from tellegen.elaborate.nodes import ends_at
from tellegen.elaborate.scope import DISCIPLINES, Scope
from tellegen.manifest import GROUND
from tellegen.signature import convert, number
from tellegen.syntax import tree as t
from tellegen.values import Unknown, evaluate


def declare_port(scope: Scope, p: t.Port) -> None:
    """An input, output or ground with nodes of its own, or inner nodes."""
    if not scope.declare(p.name):
        return
    shape = scope.shape(p.shape, f"the size of `{p.name}`")
    discipline = p.discipline.text if p.discipline else "voltage"
    if discipline not in DISCIPLINES:
        assert p.discipline is not None
        scope.sink.error(
            "unknown-name",
            f"unknown discipline `{discipline}`",
            p.discipline.span,
            help=did_you_mean(discipline, DISCIPLINES) or "known: " + one_of(DISCIPLINES),
        )
        discipline = "voltage"
    if shape is None or not scope.fits(math.prod(shape), p.span):
        shape = ()
    if p.kind == "ground":
        indices = np.full(shape, GROUND, dtype=np.int32)
    else:
        indices = scope.new_nodes(shape)
    scope.module.arrays[p.name.text] = NodeArray(
        p.name.text, p.kind, discipline, indices, p.name.span
    )
    if p.kind in ("input", "output"):
        ports = scope.module.inputs if p.kind == "input" else scope.module.outputs
        ground = np.full(shape, GROUND, dtype=np.int32)
        ports[p.name.text] = Port(p.name.text, p.kind, discipline, indices, ground, p.name.span)


def declare_supply(scope: Scope, s: t.Supply) -> None:
    """A node that stands at a voltage."""
    if not scope.declare(s.name):
        return
    value = evaluate(s.value, scope.values, scope.sink)
    volts = convert(value, number("V"), f"supply `{s.name}`", scope.sink)
    nodes = scope.new_nodes(())
    scope.module.arrays[s.name.text] = NodeArray(
        s.name.text, "supply", "voltage", nodes, s.name.span
    )
    if not isinstance(volts, Unknown):
        scope.module.supplies.append(Supply(s.name.text, int(nodes), volts, s.span))


def declare_alias(scope: Scope, a: t.Alias) -> None:
    """An input, output or ground that is made of existing nodes."""
    if not scope.declare(a.name):
        return
    positive: list[Nodes] = []
    negative: list[Nodes] = []
    for terminal in a.terminals:
        ends = ends_at(scope, terminal)
        if ends is None:
            return
        positive.append(ends[0].ravel())
        negative.append(ends[1].ravel())
    if a.kind == "node":
        scope.sink.error(
            "wrong-kind", "only inputs, outputs and grounds can be existing nodes", a.span,
            help="use the nodes under the name that they have",
        )  # fmt: skip
        return
    single = len(a.terminals) == 1 and positive[0].size == 1
    high = np.concatenate(positive)
    low = np.concatenate(negative)
    if a.kind == "ground":
        scope.module.grounded.extend(int(n) for n in high if n != GROUND)
        return
    if single:
        high, low = high[0].reshape(()), low[0].reshape(())
    discipline = _discipline(scope, a, np.concatenate([high.ravel(), low.ravel()]))
    ports = scope.module.inputs if a.kind == "input" else scope.module.outputs
    ports[a.name.text] = Port(a.name.text, a.kind, discipline, high, low, a.name.span)
    if (low == GROUND).all():
        scope.module.arrays[a.name.text] = NodeArray(
            a.name.text, "alias", discipline, high, a.name.span
        )


def _discipline(scope: Scope, a: t.Alias, nodes: Nodes) -> str:
    """The discipline of existing nodes; a port on electrical ones is a voltage."""
    kinds = {
        array.discipline
        for array in scope.module.arrays.values()
        if array.kind != "alias" and np.isin(array.indices[array.indices != GROUND], nodes).any()
    }
    kinds = {"voltage" if kind == "current" else kind for kind in kinds} or {"voltage"}
    if len(kinds) > 1:
        scope.sink.error(
            "discipline", f"`{a.name}` stands on nets of {' and '.join(sorted(kinds))}",
            a.span, help="make a port of each",
        )  # fmt: skip
    return min(kinds)


def tie_grounds(scope: Scope) -> None:
    """Make the nodes of `ground a = n[3]` ground, wherever they are used."""
    module = scope.module
    if not module.grounded:
        return
    # The other nodes are counted anew: a module's nodes are 0 to size - 1, without gaps.
    live = np.ones(module.size, dtype=bool)
    live[module.grounded] = False
    new = np.full(module.size + 1, GROUND, dtype=np.int32)  # the last: ground stays ground
    new[:-1][live] = np.arange(np.count_nonzero(live))
    module.size = int(np.count_nonzero(live))
    module.supplies = [replace(s, node=int(new[s.node])) for s in module.supplies]
    for name, a in module.arrays.items():
        module.arrays[name] = replace(a, indices=new[a.indices])
    for ports in (module.inputs, module.outputs):
        for name, p in ports.items():
            ports[name] = replace(p, positive=new[p.positive], negative=new[p.negative])
    for name, g in module.groups.items():
        module.groups[name] = replace(g, terminals=new[g.terminals])
