"""What a running transient shows: its last point, the recorded points, and spikes.

Points come one by one, from within ngspice. They are kept in blocks; with a file they go to the disk
block by block, so that a long run needs no more memory than a short one.
"""

from __future__ import annotations

from array import array
from pathlib import Path

import numpy as np

from tellegen.arrays import Values
from tellegen.sims.ngspice.events import SPIKE

_BLOCK = 4096  # points
_NONE: list[int] = []


class Recorder:
    """Points of some vectors over time.

    Args:
        vectors: how many.
        watched: which of them are watched for spikes.
        file: where to keep what was recorded (raw rows of float64, time first); in memory if None.
        keep: whether points are kept at all; without, only the last ones are there.
    """

    def __init__(
        self, vectors: int, watched: list[int], file: Path | None = None, *, keep: bool = True
    ) -> None:
        self.time = 0.0
        self.last = [0.0] * vectors
        self.count = 0
        self._row = vectors + 1
        # Plain doubles: points come as a few floats, for which an array of NumPy's is slow.
        self._block = array("d")
        self._blocks: list[Values] = []
        self._file = None if file is None else file.open("wb")
        self._path = file
        self._keep = keep
        self._watched = watched
        self._high = [False] * len(watched)
        self._edges: list[list[tuple[float, bool]]] = [[] for _ in watched]

    def take(self, point: list[float]) -> list[int]:
        """Add a point, its time first; which of the watched vectors have just spiked."""
        fired = self._crossed(point) if self._watched else _NONE
        if self._keep:
            self._block.extend(point)
        self.time = point[0]
        self.last = point[1:]
        self.count += 1
        if not self.count % _BLOCK:
            self._store()
        return fired

    def _crossed(self, point: list[float]) -> list[int]:
        """Note the watched vectors that have crossed the threshold; which of them upwards."""
        time, earlier, before = point[0], self.time, self.last
        fired: list[int] = []
        for w, k in enumerate(self._watched):
            above = point[k + 1] > SPIKE
            if above != self._high[w]:
                self._high[w] = above
                if self.count:
                    share = (SPIKE - before[k]) / (point[k + 1] - before[k])
                    self._edges[w].append((earlier + share * (time - earlier), above))
                    if above:
                        fired.append(w)
        return fired

    def _store(self) -> None:
        if self._file is None:
            if self._block:
                self._blocks.append(np.array(self._block).reshape(-1, self._row))
        else:
            self._block.tofile(self._file)
            self._file.flush()
        del self._block[:]

    def edges(self, w: int) -> list[tuple[float, bool]]:
        """When a watched vector crossed the threshold since the last call, and whether upwards."""
        found, self._edges[w] = self._edges[w], []
        return found

    def spikes(self, w: int) -> list[float]:
        """The times of a watched vector's spikes since the last call."""
        return [time for time, rising in self.edges(w) if rising]

    def table(self) -> Values:
        """All points: (points, 1 + vectors), time first; from a file without reading it all."""
        self._store()
        if self._path is None:
            return np.concatenate(self._blocks) if self._blocks else np.empty((0, self._row))
        if not self._path.stat().st_size:
            return np.empty((0, self._row))
        return np.memmap(self._path, dtype=np.float64, mode="r").reshape(-1, self._row)

    def close(self) -> None:
        """Write what is left and close the file."""
        self._store()
        if self._file is not None:
            self._file.close()
