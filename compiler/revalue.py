"""A circuit with other parameter values: what a trained network is, as hardware.

Instances that shared a definition and now differ get definitions of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from tellegen.arrays import Values
from tellegen.circuit import Circuit, Group, Module, subscript


def with_values(circuit: Circuit, values: Mapping[str, Values]) -> Circuit:
    """The circuit with parameters replaced, by manifest name (`unit[3].first.g`), each flat."""
    return replace(circuit, top=_module(circuit.top, "", values))


def _module(module: Module, path: str, values: Mapping[str, Values]) -> Module:
    if not any(name.startswith(path) for name in values):
        return module
    groups = {label: _group(g, path, values) for label, g in module.groups.items()}
    return replace(module, groups=groups)


def _group(group: Group, path: str, values: Mapping[str, Values]) -> Group:
    if group.cell is not None:
        own = {p: values.get(f"{path}{group.label}.{p}", v) for p, v in group.params.items()}
        return replace(group, params=own)
    indices = list(np.ndindex(*group.shape)) if group.shape else [()]
    modules = [
        _module(group.modules[k], f"{path}{group.label}{subscript(i)}.", values)
        for k, i in zip(group.which, indices, strict=True)
    ]
    if all(new is group.modules[k] for new, k in zip(modules, group.which, strict=True)):
        return group
    return replace(group, modules=tuple(modules), which=np.arange(len(modules), dtype=np.int32))
