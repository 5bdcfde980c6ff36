"""Transients: their results, and the process that runs them.

ngspice's `.save none`, on which the stepped sweep of :mod:`tellegen.sims.ngspice.engine` stands, holds
for the whole process once it was given, and a transient in such a process keeps only its last
point. Transients therefore run in an ngspice process of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tellegen.arrays import Values
from tellegen.manifest import GROUND, Manifest
from tellegen.sims.errors import Cause, SimulationError
from tellegen.sims.ngspice.library import shared_library
from tellegen.sims.ngspice.netlist import checked_name, saves, with_cards
from tellegen.sims.ngspice.quantities import branches_of, quantity
from tellegen.sims.workers import vitals
from tellegen.sims.workers.process import Worker


@dataclass(frozen=True, eq=False)
class Waveforms:
    """Signals over time: `values[name]` has the shape (times, *shape of the name)."""

    time: Values
    values: dict[str, Values]


class Recording:
    """Which vectors of ngspice some signals need, and how they are made of them."""

    def __init__(self, manifest: Manifest, record: Sequence[str]) -> None:
        """`record` names ports, observables, node paths, or "nodes".

        Raises:
            KeyError: the manifest has no such signal.
        """
        self._quantities = {name: quantity(manifest, name) for name in record}
        nodes = sorted({k for q in self._quantities.values() for k in q.nodes() if k != GROUND})
        branches = sorted({int(k) for q in self._quantities.values() for k in q.branches})
        names = branches_of(manifest)
        self._nodes = {k: checked_name(manifest.nodes[k]) for k in nodes}
        self._branches = {k: f"{names[k]}#branch" for k in branches}
        self._sizes = len(manifest.nodes) + 1, len(names)
        self.vectors = [*self._nodes.values(), *self._branches.values()]

    def waveforms(self, found: Mapping[str, Values]) -> Waveforms:
        """The signals from the vectors and `time`."""
        time = found["time"]
        voltages = np.zeros((self._sizes[0], len(time)))  # ground, index -1, stays 0
        currents = np.zeros((self._sizes[1], len(time)))
        for k, name in self._nodes.items():
            voltages[k] = found[name]
        for k, name in self._branches.items():
            currents[k] = found[name]
        values = {
            name: q.of(voltages, currents).T.reshape(len(time), *q.shape)
            for name, q in self._quantities.items()
        }
        return Waveforms(time, values)


def tran_command(
    step: float, stop: float, max_step: float | None = None, initial: str = "operating point"
) -> str:
    """The command of a transient; times in seconds.

    Raises:
        ValueError: `initial` is neither "operating point" nor "given".
    """
    if initial not in ("operating point", "given"):
        raise ValueError(f"initial is 'operating point' or 'given', not {initial!r}")
    most = f" {max_step:.17g}" if max_step else ""
    return f"tran {step:.17g} {stop:.17g} 0{most}" + (" uic" if initial == "given" else "")


class TransientEngine:
    """One circuit in this process's ngspice, for transients only."""

    def __init__(self, netlist: str, library: Path) -> None:
        self._ng = shared_library(library)
        self._netlist = netlist
        self._saved: tuple[str, ...] = ()

    def run(self, commands: Sequence[str], tran: str, vectors: Sequence[str]) -> dict[str, Values]:
        """The vectors of a transient after the given `alter` commands; `time` is among them.

        Raises:
            SimulationError: ngspice refused the netlist or found no solution.
        """
        if self._saved != tuple(vectors):
            self._ng.load(with_cards(self._netlist, saves(vectors)), self)
            self._saved = tuple(vectors)
        self._ng.forget_words()
        for command in commands:
            self._ng.command(command)
        self._ng.command("destroy all")
        self._ng.command(tran)
        found = {name: self._ng.vector(name) for name in ("time", *vectors)}
        self._ng.free_log()
        if any(value is None for value in found.values()) or "aborted" in self._ng.words():
            raise SimulationError(Cause.NOT_CONVERGED, self._ng.words())
        return {name: np.asarray(value) for name, value in found.items()}


class RemoteTransients:
    """A :class:`TransientEngine` in a worker process."""

    def __init__(self, netlist: str, library: Path) -> None:
        self._worker = Worker(library, vitals.timeout())
        try:
            self._worker.make("tellegen.sims.ngspice.waveform:TransientEngine", netlist, library)
        except BaseException:
            self.close()
            raise

    def run(self, commands: Sequence[str], tran: str, vectors: Sequence[str]) -> dict[str, Values]:
        """As :meth:`TransientEngine.run`."""
        found: dict[str, Values] = self._worker.call("run", commands, tran, vectors)
        return found

    def close(self) -> None:
        """End the worker."""
        self._worker.close()
