"""Meshes of Mach-Zehnder interferometers that realise a given matrix.

A mesh is a list of interferometers in the order in which light passes them, then a screen of output phases.
Light in modes `k`, `k + 1` of an interferometer meets a phase `phi` on the upper arm, a 50:50 coupler, a
phase `theta` on the upper arm, and another coupler; a coupler is [[1, i], [i, 1]] / sqrt(2):

    T = i e^{i theta/2} [[e^{i phi} sin(theta/2), cos(theta/2)], [e^{i phi} cos(theta/2), -sin(theta/2)]]

`theta` is 0 in the cross state and pi in the bar state. Time runs as e^{-i w t}: a delay is a positive phase.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tellegen.arrays import Complex, Indices, Values

Real = Values

_UNITARY = 1e-9


@dataclass(frozen=True, eq=False)
class Mesh:
    """Interferometers in the order of the light, and the phases behind them.

    Attributes:
        modes: number of modes, n.
        top: upper mode of each interferometer, n (n - 1) / 2 of them.
        theta: inner phases in rad, 0 .. pi.
        phi: phases before the first coupler in rad, 0 .. 2 pi.
        screen: phases of the outputs in rad, one a mode.
    """

    modes: int
    top: Indices
    theta: Real
    phi: Real
    screen: Real

    def matrix(self) -> Complex:
        """The (n, n) matrix from the fields of the inputs to those of the outputs."""
        u = np.eye(self.modes, dtype=complex)
        for k, theta, phi in zip(self.top, self.theta, self.phi, strict=True):
            u[k : k + 2] = interferometer(float(theta), float(phi)) @ u[k : k + 2]
        return np.asarray(np.exp(1j * self.screen)[:, None] * u)


def interferometer(theta: float, phi: float) -> Complex:
    """The (2, 2) matrix of an interferometer, phases in rad."""
    s, c, e = np.sin(theta / 2), np.cos(theta / 2), np.exp(1j * phi)
    return np.asarray(1j * np.exp(0.5j * theta) * np.array([[e * s, c], [e * c, -s]]))


def clements(unitary: ArrayLike) -> Mesh:
    """The rectangular mesh of a unitary matrix: depth n.

    Clements, Humphreys, Metcalf, Kolthammer, Walmsley, Optica 3, 1460 (2016): antidiagonals are nulled from
    the right and from the left in turn, then the left factors are drawn through the diagonal.

    Raises:
        ValueError: the matrix is not square or not unitary.
    """
    u = _checked(unitary)
    n = len(u)
    right: list[tuple[int, float, float]] = []
    left: list[tuple[int, float, float]] = []
    for i in range(n - 1):
        for j in range(i + 1):
            if i % 2 == 0:
                right.append(_from_right(u, n - 1 - j, i - j))
            else:
                left.append(_from_left(u, n - 1 - i + j, j))
    screen = np.angle(np.diag(u))
    drawn = []
    for k, theta, phi in reversed(left):
        # T(theta, phi)^H D = D' T(theta, phi'): the same theta on the other side of the diagonal.
        above, below = screen[k], screen[k + 1]
        drawn.append((k, theta, above - below))
        screen[k] = below - phi - theta + np.pi
        screen[k + 1] = below - theta + np.pi
    return _mesh(n, right + drawn, screen)


def reck(unitary: ArrayLike) -> Mesh:
    """The triangular mesh of a unitary matrix: depth 2 n - 3.

    Reck, Zeilinger, Bernstein, Bertani, Phys. Rev. Lett. 73, 58 (1994): rows are nulled from the right, the
    last one first.

    Raises:
        ValueError: the matrix is not square or not unitary.
    """
    u = _checked(unitary)
    n = len(u)
    found = [_from_right(u, row, column) for row in range(n - 1, 0, -1) for column in range(row)]
    return _mesh(n, found, np.angle(np.diag(u)))


def singular(matrix: ArrayLike) -> tuple[Complex, Real, Complex, float]:
    """The parts of any matrix that meshes and attenuators realise: `scale * u @ diag(gains) @ v`.

    Returns:
        u (m, m) and v (n, n), unitary; gains (min(m, n),) of amplitude, the greatest 1; scale.

    Raises:
        ValueError: the matrix has not two dimensions, is not finite, or is zero.
    """
    m = np.asarray(matrix, dtype=complex)
    if m.ndim != 2 or not m.size or not np.isfinite(m).all() or not m.any():
        raise ValueError("a mesh needs a matrix of finite numbers that is not zero")
    u, gains, v = np.linalg.svd(m)
    return u, gains / gains[0], v, float(gains[0])


def _checked(unitary: ArrayLike) -> Complex:
    u = np.array(unitary, dtype=complex)
    if u.ndim != 2 or u.shape[0] != u.shape[1] or not len(u):
        raise ValueError("a mesh needs a square matrix")
    error = np.abs(u.conj().T @ u - np.eye(len(u))).max()
    if not error <= _UNITARY:
        raise ValueError(f"the matrix is not unitary: it misses by {error:.2g}")
    return u


def _from_right(u: Complex, row: int, k: int) -> tuple[int, float, float]:
    """Null u[row, k] by the inverse of an interferometer of modes k and k + 1, in place."""
    a, b = u[row, k], u[row, k + 1]
    # e^{-i phi} sin(theta/2) a + cos(theta/2) b = 0
    theta, phi = float(2 * np.arctan2(abs(b), abs(a))), float(np.angle(-a * np.conj(b)))
    u[:, k : k + 2] = u[:, k : k + 2] @ interferometer(theta, phi).conj().T
    u[row, k] = 0
    return k, theta, phi


def _from_left(u: Complex, row: int, column: int) -> tuple[int, float, float]:
    """Null u[row, column] by an interferometer of modes row - 1 and row, in place."""
    a, b = u[row - 1, column], u[row, column]
    # e^{i phi} cos(theta/2) a = sin(theta/2) b
    theta, phi = float(2 * np.arctan2(abs(a), abs(b))), float(np.angle(b * np.conj(a)))
    u[row - 1 : row + 1] = interferometer(theta, phi) @ u[row - 1 : row + 1]
    u[row, column] = 0
    return row - 1, theta, phi


def _mesh(n: int, found: list[tuple[int, float, float]], screen: Real) -> Mesh:
    top, theta, phi = (
        (np.array(column) for column in zip(*found, strict=True)) if found else ([],) * 3
    )
    turn = 2 * np.pi
    return Mesh(
        n, np.asarray(top, dtype=np.int64), np.asarray(theta, dtype=float),
        np.asarray(phi, dtype=float) % turn, np.asarray(screen) % turn,
    )  # fmt: skip
