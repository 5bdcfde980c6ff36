"""How named quantities are made of a circuit's node voltages and branch currents."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tellegen.arrays import Values
from tellegen.diagnostics import did_you_mean, one_of
from tellegen.manifest import GROUND, Manifest, ObservableMap
from tellegen.sims.errors import UnknownSignal
from tellegen.sims.ngspice.netlist import checked_name

Index = NDArray[np.intp]


def _none() -> Index:
    return np.zeros(0, dtype=np.intp)


@dataclass(frozen=True, eq=False)
class Quantity:
    """A named quantity: differences of node voltages, branch currents, or sums of two squares."""

    shape: tuple[int, ...]
    positive: Index = field(default_factory=_none)
    negative: Index = field(default_factory=_none)
    branches: Index = field(default_factory=_none)
    squares: bool = False

    def of(self, voltages: Values, currents: Values) -> Values:
        """The quantity from arrays whose first axis is nodes (ground last) and branches."""
        if len(self.branches):
            return currents[self.branches]
        if self.squares:
            return voltages.take(self.positive, 0) ** 2 + voltages.take(self.negative, 0) ** 2
        return voltages.take(self.positive, 0) - voltages.take(self.negative, 0)

    def nodes(self) -> Iterable[int]:
        """Indices of the nodes that it needs."""
        return [*self.positive.tolist(), *self.negative.tolist()]


def branches_of(manifest: Manifest) -> list[str]:
    """The sources whose currents the manifest's observables need, in order."""
    return sorted({checked_name(s) for o in manifest.observables.values() for s in o.sources})


def quantity(manifest: Manifest, name: str) -> Quantity:
    """An input, output or observable of a manifest; a node by its path; or "nodes", all of them.

    Raises:
        KeyError: there is none of that name.
    """
    if name == "nodes":
        every = np.arange(len(manifest.nodes))
        return Quantity(every.shape, every, np.full_like(every, GROUND))
    for part in (manifest.outputs, manifest.inputs, manifest.observables):
        if name in part:
            entry = part[name]
            break
    else:
        if name not in manifest.paths:
            known = (*manifest.inputs, *manifest.outputs, *manifest.observables, *manifest.paths)
            said = did_you_mean(name, known) or f"known: {one_of(known) or 'none'}"
            raise UnknownSignal(f"there is no signal `{name}`; {said}")
        return Quantity((), np.array([manifest.paths.index(name)]), np.full(1, GROUND))
    if isinstance(entry, ObservableMap) and entry.kind == "i":
        branches = branches_of(manifest)
        at = [branches.index(source.lower()) for source in entry.sources]
        return Quantity(entry.shape, branches=np.array(at, dtype=np.intp))
    squares = isinstance(entry, ObservableMap) and entry.kind == "power"
    ends = entry.positive.astype(np.intp), entry.negative.astype(np.intp)
    return Quantity(entry.shape, *ends, squares=squares)
