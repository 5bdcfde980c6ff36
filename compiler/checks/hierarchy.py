"""The hierarchy of networks: which is made of which, and that none is made of itself."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from tellegen.diagnostics import Label, Sink
from tellegen.syntax import tree as t

DEEPEST = 20


def bottom_up(networks: Mapping[str, t.Network], sink: Sink) -> list[str]:
    """The networks, each after those that it is made of.

    Those that contain themselves, or are nested too deeply, are reported and left out.
    """
    made_of = {name: set(parts(n, networks)) for name, n in networks.items()}
    while True:
        try:
            order = list(TopologicalSorter(made_of).static_order())
            break
        except CycleError as error:
            # Each network of the cycle is a part of the next one.
            cycle = list(reversed(error.args[1][1:]))
            _report(networks, cycle, sink)
            made_of = {n: p - set(cycle) for n, p in made_of.items() if n not in cycle}
    depth: dict[str, int] = {}
    for name in order:
        depth[name] = 1 + max((depth[p] for p in made_of[name]), default=0)
    deep = {name for name in order if depth[name] > DEEPEST}
    for name in order:
        if depth[name] == DEEPEST + 1:
            span = networks[name].name.span
            sink.error("out-of-range", f"network `{name}` is nested more than {DEEPEST} deep", span)
    return [name for name in order if name not in deep]


def parts(network: t.Network, networks: Mapping[str, t.Network]) -> dict[str, t.Cell]:
    """The networks that a network uses as cells, and where it first does."""
    found: dict[str, t.Cell] = {}
    for s in network.statements:
        if isinstance(s, t.Instance | t.Connection) and s.cell.library is None:
            name = s.cell.name.text
            if name in networks:
                found.setdefault(name, s.cell)
    return found


def _report(networks: Mapping[str, t.Network], cycle: list[str], sink: Sink) -> None:
    """Report a cycle at the network that comes first in the file."""
    first = min(range(len(cycle)), key=lambda k: networks[cycle[k]].span.start)
    cycle = cycle[first:] + cycle[:first]
    links = list(zip(cycle, cycle[1:] + cycle[:1], strict=True))
    uses = [parts(networks[name], networks)[part].span for name, part in links]
    labels = tuple(
        Label(span, f"network `{name}` contains `{part}`")
        for (name, part), span in list(zip(links, uses, strict=True))[1:]
    )
    sink.error(
        "recursive-network", f"network `{cycle[0]}` contains itself", uses[0], secondary=labels
    )
