"""The recorded signals of a transient by name: what they are made of, their last values, waveforms and spikes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tellegen.arrays import Values
from tellegen.manifest import GROUND, Manifest
from tellegen.sims.errors import known_by_name
from tellegen.sims.inflight.recorder import Recorder
from tellegen.sims.ngspice.netlist import checked_name
from tellegen.sims.ngspice.quantities import branches_of, quantity
from tellegen.sims.ngspice.waveform import Waveforms


class Signals:
    """Signals that are read, kept and watched.

    Attributes:
        vectors: the vectors of ngspice that they are made of, each once: node voltages and branch currents.
        recorder: takes the points of these vectors.
        watches: for each watched signal the numbers of its elements among all that are watched.
    """

    def __init__(
        self,
        manifest: Manifest,
        record: Sequence[str],
        spikes: Sequence[str] = (),
        file: Path | None = None,
        *,
        keep: bool = True,
    ) -> None:
        """See :class:`~tellegen.sims.inflight.transient.InFlight`.

        Raises:
            KeyError: the manifest has no such signal.
            ValueError: a signal whose spikes are asked for is no voltage against ground.
        """
        self._signals = {name: quantity(manifest, name) for name in record}
        spiking = {name: self._signals[name] for name in spikes}
        nodes = [checked_name(n) for n in manifest.nodes]
        branches = branches_of(manifest)
        self._at_node: dict[int, int] = {}
        self._at_branch: dict[int, int] = {}
        self.vectors: list[str] = []
        for signal in self._signals.values():
            for node in signal.nodes():
                if node != GROUND and node not in self._at_node:
                    self._at_node[node] = len(self.vectors)
                    self.vectors.append(nodes[node])
            for branch in signal.branches.tolist():
                if branch not in self._at_branch:
                    self._at_branch[branch] = len(self.vectors)
                    self.vectors.append(f"{branches[branch]}#branch")
        self._alone = {
            name: self._at_node[int(s.positive[0])]
            for name, s in self._signals.items()
            if not s.shape
            and len(s.positive)
            and s.positive[0] != GROUND
            and s.negative[0] == GROUND
        }
        self._voltages = np.zeros(len(nodes) + 1)
        self._currents = np.zeros(len(branches))
        watched: dict[str, list[int]] = {}
        for name, signal in spiking.items():
            if len(signal.branches) or (signal.negative != GROUND).any():
                raise ValueError(f"{name} is no voltage against ground: it cannot be watched")
            watched[name] = [self._at_node[int(k)] for k in signal.positive]
        # A node that two names watch is watched twice: each of them is told of its spikes.
        flat: list[int] = []
        self.watches = {}
        for name, found in watched.items():
            self.watches[name] = list(range(len(flat), len(flat) + len(found)))
            flat += found
        self.recorder = Recorder(len(self.vectors), flat, file, keep=keep)

    def read(self, name: str) -> Values:
        """A recorded signal at the last point, in its declared shape."""
        last = self.recorder.last
        alone = self._alone.get(name)
        if alone is not None:  # one node against ground: most of what controllers ask
            return np.float64(last[alone])  # type: ignore[return-value]
        signal = known_by_name(self._signals, name, "recorded signal")
        for node, k in self._at_node.items():
            self._voltages[node] = last[k]
        for branch, k in self._at_branch.items():
            self._currents[branch] = last[k]
        return signal.of(self._voltages, self._currents).reshape(signal.shape).copy()

    def spikes(self, name: str) -> list[Values]:
        """The times of the spikes of each element of a watched signal since the last call."""
        watched = known_by_name(self.watches, name, "signal whose spikes are watched")
        return [np.array(self.recorder.spikes(w)) for w in watched]

    def edges(self, name: str) -> list[list[tuple[float, bool]]]:
        """When each element of a watched signal crossed the threshold, and whether upwards."""
        return [self.recorder.edges(w) for w in self.watches[name]]

    def waveforms(self, names: Sequence[str] | None = None) -> Waveforms:
        """What was recorded so far (all recorded signals by default)."""
        table = self.recorder.table()
        columns = table.T
        values = {}
        for name in names if names is not None else self._signals:
            signal = self._signals[name]
            # Not all nodes: a long run has many points.
            found = np.empty((len(signal.branches) or len(signal.positive), len(table)))
            for k, branch in enumerate(signal.branches.tolist()):
                found[k] = columns[1 + self._at_branch[branch]]
            for k, (positive, negative) in enumerate(
                zip(signal.positive.tolist(), signal.negative.tolist(), strict=True)
            ):
                found[k] = columns[1 + self._at_node[positive]] if positive != GROUND else 0.0
                other = columns[1 + self._at_node[negative]] if negative != GROUND else 0.0
                if signal.squares:
                    found[k] = found[k] ** 2 + other**2
                else:
                    found[k] -= other
            values[name] = found.T.reshape(len(table), *signal.shape)
        return Waveforms(np.array(table[:, 0]), values)
