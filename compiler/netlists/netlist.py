"""A netlist of photonic cells: what `.tgn` text and YAML are written from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tellegen.cells import Library
from tellegen.netlists.components import OUR_NAMES, setting_of

End = tuple[str, str]  # an instance and its port; of cells `in0`, `in1`, `out0`, `out1`


@dataclass(frozen=True)
class Instance:
    """An instance of a cell or of another netlist; `values` are its cell's parameters, in their units."""

    component: str
    values: Mapping[str, float]


@dataclass(frozen=True)
class Netlist:
    """Instances and how light goes between them.

    Attributes:
        name: of the network.
        instances: by name.
        links: from outputs to inputs.
        inputs: names of ports, and where their light goes.
        outputs: names of ports, and where their light comes from.
    """

    name: str
    instances: Mapping[str, Instance]
    links: Mapping[End, End]
    inputs: Mapping[str, End]
    outputs: Mapping[str, End]


def as_tgn(netlists: Sequence[Netlist], library: Library, heading: str) -> str:
    """The netlists, the top one first, as a `.tgn` file; `heading` is its comment."""
    said = "".join(c if c.isprintable() else "?" for c in heading)
    known = {n.name: n for n in netlists}
    parts = [f"# {said}", f"import {library.name}"]
    for netlist in reversed(netlists):
        parts += ["", *_network(netlist, known, library)]
    return "\n".join(parts) + "\n"


def _network(n: Netlist, known: Mapping[str, Netlist], library: Library) -> Iterator[str]:
    yield f"network {n.name} {{"
    for kind, ports in (("input ", n.inputs), ("output", n.outputs)):
        for name in ports:
            yield f"    {kind} {name}: optical"
    # An output that leads back to an earlier instance has a node, as references to ports cannot go in circles.
    at = {label: k for k, label in enumerate(n.instances)}
    taken = {*n.instances, *n.inputs, *n.outputs}
    nodes: dict[End, str] = {}
    for start, end in n.links.items():
        if at[start[0]] >= at[end[0]]:
            nodes[start] = free(f"{start[0]}_{_port(n, start, known)}", taken)
            yield f"    node   {nodes[start]}: optical"
    yield ""
    sources = {
        end: nodes.get(start, f"{start[0]}.{_port(n, start, known)}")
        for start, end in n.links.items()
    }
    sources |= {end: name for name, end in n.inputs.items()}
    sinks = nodes | {start: name for name, start in n.outputs.items()}
    for label, instance in n.instances.items():
        entries, exits = ports_of(instance.component, known)
        given = [(p, sources.get((label, p), "gnd")) for p in entries]
        # An output that nothing follows is a dump; the others make nets that are called after them.
        given += [
            (p, sinks.get((label, p), "gnd")) for p in exits
            if (label, p) in sinks or (label, p) not in n.links
        ]  # fmt: skip
        words = [f"{_port(n, (label, p), known)} = {net}" for p, net in given]
        for name, value in instance.values.items():
            unit = library.cells[instance.component].params[name].unit
            words.append(f"{name} = {value!r}" + f" {unit}" * (unit != "1"))
        yield f"    {label}: {instance.component}({', '.join(words)})"
    yield "}"


def free(name: str, taken: set[str]) -> str:
    """The name, or one with a number behind; it is taken from now on."""
    found, k = name, 2
    while found in taken:
        found, k = f"{name}_{k}", k + 1
    taken.add(found)
    return found


def ports_of(component: str, known: Mapping[str, Netlist]) -> tuple[list[str], list[str]]:
    """The inputs and the outputs of a cell, or of one of the known netlists."""
    if component in known:
        return list(known[component].inputs), list(known[component].outputs)
    names = OUR_NAMES[component]
    return [p for p in names if p[0] == "i"], [p for p in names if p[0] == "o"]


def in_order(
    instances: Mapping[str, Instance], links: Mapping[End, End], known: Mapping[str, Netlist]
) -> dict[End, End]:
    """The links in the order of the instances that light leaves."""
    starts = [(i, p) for i, made in instances.items() for p in ports_of(made.component, known)[1]]
    return {start: links[start] for start in starts if start in links}


def _port(n: Netlist, end: End, known: Mapping[str, Netlist]) -> str:
    component = n.instances[end[0]].component
    return end[1] if component in known else OUR_NAMES[component][end[1]]


def as_yaml(netlists: Sequence[Netlist]) -> str:
    """The netlists as YAML: one as it stands, several by name with the top one first, as SAX reads them."""
    import yaml

    each = {n.name: _plain(n) for n in netlists}
    (top, *others) = each.items()
    tree = each if others else {"name": top[0], **top[1]}
    return str(yaml.safe_dump(tree, sort_keys=False, width=100, allow_unicode=True))


def _plain(n: Netlist) -> dict[str, object]:
    instances: dict[str, object] = {}
    for label, i in n.instances.items():
        settings = {setting_of(p): float(v) for p, v in i.values.items()}
        instances[label] = {"component": i.component} | ({"settings": settings} if settings else {})
    ports = {**n.inputs, **n.outputs}
    return {
        "instances": instances,
        "connections": {",".join(start): ",".join(end) for start, end in n.links.items()},
        "ports": {name: ",".join(end) for name, end in ports.items()},
    }
