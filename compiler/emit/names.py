"""SPICE names, all given here.

A `.tgn` name is made of ASCII letters, digits and underscores, so it needs no escaping, but SPICE is
blind to case and arrays are spelled with underscores: `h[1]` becomes `h_1`. Where that would make two
names one, the later gets a trailing underscore.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from tellegen.circuit import Module, NodeArray

# Words that ngspice reads as something else than a node, and the step counter of the session.
_RESERVED = ("0", "gnd", "all", "allv", "alli", "ally", "time", "frequency", "tellegen_ix")
_INDICES = re.compile(r"(_\d+)+$")


@dataclass
class Allocator:
    """Gives each wanted name a SPICE name that no other one can be confused with."""

    taken: set[str] = field(default_factory=set)

    def give(self, wanted: str) -> str:
        """A free name, as near to the wanted one as possible."""
        name = re.sub(r"[^a-z0-9_]", "_", wanted.lower())
        while _INDICES.sub("", name) in self.taken:
            name += "_"
        self.taken.add(_INDICES.sub("", name))
        return name


def indexed(base: str, shape: tuple[int, ...]) -> list[str]:
    """The names of an array's elements in row-major order; the base itself for a scalar."""
    if not shape:
        return [base]
    if len(shape) == 1:
        return [f"{base}_{k}" for k in range(shape[0])]
    return [f"{base}_" + "_".join(map(str, index)) for index in np.ndindex(*shape)]


OWNERS = ("input", "output", "node", "supply", "port")


def owners(module: Module) -> Iterable[NodeArray]:
    """The arrays that brought nodes into the module (aliases and grounds did not)."""
    return (a for a in module.arrays.values() if a.kind in OWNERS)


@dataclass(frozen=True)
class ModuleNames:
    """The SPICE names within one module: of its nodes, groups, and what a bench adds to its ports."""

    nodes: list[str]
    arrays: dict[str, str]
    groups: dict[str, str]
    ports: dict[str, str]
    clamps: dict[str, str]  # the nodes between switch and source


def name_module(module: Module) -> ModuleNames:
    """Name everything in a module; the same module always gets the same names."""
    nodes = Allocator(set(_RESERVED))
    names = ["0"] * module.size
    arrays: dict[str, str] = {}
    for array in owners(module):
        base = arrays[array.name] = nodes.give(array.name)
        for node, name in zip(
            array.indices.ravel(), indexed(base, array.indices.shape), strict=True
        ):
            if node >= 0:
                names[node] = name
    groups = Allocator()
    ports = Allocator()
    return ModuleNames(
        names,
        arrays,
        {label: "x" + groups.give(label) for label in module.groups},
        {name: ports.give(name) for name in (*module.inputs, *module.outputs)},
        {name: nodes.give(f"clamp_{name}") for name in module.outputs},
    )


def unique(wanted: str, taken: set[str]) -> str:
    """`wanted` in lower case, numbered from 2 where it is taken; takes it."""
    name, k = wanted.lower(), 2
    while name in taken:
        name, k = f"{wanted.lower()}_{k}", k + 1
    taken.add(name)
    return name
