"""Defects of meshes that learning is tried with: couplers off, crosstalk of heaters, coarse phases, photons."""

from __future__ import annotations

import numpy as np

from tellegen.arrays import Values
from tellegen.meshes import clements


class Defect:
    """One defect of two meshes of n modes; of any other name, none.

    Attributes:
        slips: splitting errors in rad, `first` and `second` of each mesh (2, interferometers), or None.
    """

    def __init__(self, name: str, size: float, seed: int, n: int, *, screen: bool = False) -> None:
        """Draw it.

        Args:
            name: it begins with `splitting`, `crosstalk`, `bits` or `photons`.
            size: standard deviation in rad; share of a neighbour; bits; photons of the unit of power.
            seed: of couplers and noise.
            n: modes of each mesh.
            screen: whether the phases behind a mesh are among those that warm each other.
        """
        self._random = np.random.default_rng([seed, 1])
        self.slips: dict[str, Values] | None = None
        if name.startswith("splitting"):
            shape = (2, n * (n - 1) // 2)
            self.slips = {w: size * self._random.normal(size=shape) for w in ("first", "second")}
        self._step = 2 * np.pi / 2**size if name.startswith("bits") else 0.0
        self._photons = size if name.startswith("photons") else None
        self._warmed = size * neighbours(n, screen) if name.startswith("crosstalk") else None

    def bent(self, phases: Values) -> Values:
        """The phases of a mesh, or of several (meshes, phases), as it lets them."""
        if self._step:
            phases = np.round(phases / self._step) * self._step
        if self._warmed is not None:
            driven = phases % (2 * np.pi)  # heaters give phases from 0 to 2 pi
            phases = driven + driven @ self._warmed
        return phases

    def seen(self, exact: Values, variance: float) -> Values:
        """Parts of fields as they are detected; `variance` is that of one photon of the unit of power."""
        if self._photons is None:
            return exact
        return exact + (variance / self._photons) ** 0.5 * self._random.normal(size=exact.shape)


def neighbours(n: int, screen: bool = False) -> Values:
    """How much the phases of a mesh of n modes warm each other, for a share of 1 at the distance 1.

    They are theta, phi and, with `screen`, those behind the mesh.
    """
    met, places = np.zeros(n), []
    for k in clements(np.eye(n)).top:
        column = met[k : k + 2].max()
        met[k : k + 2] = column + 1
        places.append((column, float(k)))
    outer = np.array(places)
    at = np.concatenate([outer + np.array([0.5, 0.0]), outer])  # theta stands behind phi
    if screen:
        at = np.concatenate([at, [(met.max(), float(k)) for k in range(n)]])
    away = np.linalg.norm(at[:, None] - at, axis=-1)
    return np.asarray(np.where(away > 0, np.exp(1 - away), 0.0))
