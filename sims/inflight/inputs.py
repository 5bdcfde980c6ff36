"""The inputs whose values are given while a transient runs, by name."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

import numpy as np
from numpy.typing import ArrayLike

from tellegen.manifest import Manifest
from tellegen.sims.errors import known_by_name
from tellegen.sims.inflight.external import External
from tellegen.sims.ngspice.netlist import checked_name


class Inputs:
    """External inputs.

    Attributes:
        external: the sources that they are.
    """

    def __init__(self, manifest: Manifest, names: Sequence[str], pause: str) -> None:
        """`pause` is the name of the source that lets ngspice pause.

        Raises:
            KeyError: the manifest has no such input.
        """
        self._inputs = {name: known_by_name(manifest.inputs, name, "input") for name in names}
        sources = [checked_name(s) for entry in self._inputs.values() for s in entry.sources]
        self._sources = sources
        self.external = External(sources, pause=pause)
        self._first = {
            name: sources.index(checked_name(entry.sources[0]))
            for name, entry in self._inputs.items()
            if entry.sources
        }
        self._single = {n: k for n, k in self._first.items() if not self._inputs[n].shape}

    def drive(self, name: str, values: ArrayLike) -> None:
        """Set an external input from now on, in volt or ampere."""
        if isinstance(values, float) and name in self._single and isfinite(values):
            self.external.hold(self._single[name], values)
            return
        first, entry = known_by_name(self._first, name, "external input"), self._inputs[name]
        flat = np.broadcast_to(np.asarray(values, dtype=float), entry.shape).ravel()
        if not np.isfinite(flat).all():
            raise ValueError(f"{name} would get values that are not finite")
        for k, value in enumerate(flat.tolist()):
            self.external.hold(first + k, value)

    def follow(
        self, name: str, element: int, times: Sequence[float], values: Sequence[float]
    ) -> None:
        """Let an element of an external input follow straight lines between points to come."""
        self.external.follow(self._first[name] + element, times, values)

    def without_values(self, netlist: str) -> str:
        """The netlist with these inputs' values replaced by `external`."""
        wanted = set(self._sources)
        lines: list[str] = []
        dropping = False
        for line in netlist.splitlines():
            if line.startswith("+") and dropping:
                continue
            words = line.split()
            dropping = bool(words) and words[0].lower() in wanted
            lines.append(" ".join([*words[:3], "external"]) if dropping else line)
        return "\n".join(lines)
