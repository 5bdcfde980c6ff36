"""Costs that detectors measure: an energy, a distance of two unitaries, a rate of errors.

A cost is a sum over settings (input field, basis, a weight for each detector). Light in n modes is a state of n
levels, and a detector's share of the light a probability: Peruzzo et al., Nature Communications 5, 4213 (2014);
Cerezo et al., Nature Reviews Physics 3, 625 (2021).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import ArrayLike

from tellegen import meshes
from tellegen.arrays import Complex, Values

_S2 = 1 / np.sqrt(2)
# What brings the eigenvectors of a Pauli matrix to those of Z.
_BASES = {
    "I": np.eye(2, dtype=complex),
    "Z": np.eye(2, dtype=complex),
    "X": _S2 * np.array([[1, 1], [1, -1]], dtype=complex),
    "Y": _S2 * np.array([[1, -1j], [1, 1j]]),
}


@dataclass(frozen=True, eq=False)
class Setting:
    """One way to measure: what goes in, the basis, and what each detector counts for.

    Attributes:
        weights: what a detector's share of the light adds to the cost, (n,).
        basis: unitary (n, n) before the detectors; None leaves the light as it is.
        field: input field in the root of a watt, complex (n,); None is 1 W in the first mode.
    """

    weights: Values
    basis: Complex | None = None
    field: Complex | None = None


@dataclass(frozen=True, eq=False)
class Cost:
    """offset + the sum over settings of weights times shares of the light."""

    settings: tuple[Setting, ...]
    offset: float = 0.0


def pauli_sum(terms: Mapping[str, float]) -> Cost:
    """The energy of a sum of Pauli strings, as `{"II": -0.3, "ZI": 0.4, "XX": 0.2}`.

    The first letter is the most significant bit of a mode's number. Strings whose letters agree wherever both have one are measured together.

    Raises:
        ValueError: there is no term, or a string is not of I, X, Y, Z or not as long as the others.
    """
    qubits = {len(string) for string in terms}
    if len(qubits) != 1 or not all(set(s) <= set(_BASES) and s for s in terms):
        raise ValueError("a Pauli sum needs strings of I, X, Y and Z, all of one length")
    n = qubits.pop()
    groups: list[tuple[list[str], Values]] = []
    offset = 0.0
    for string, factor in terms.items():
        if set(string) == {"I"}:
            offset += factor
            continue
        weights = np.array([float(factor)])
        for letter in string:
            weights = np.kron(weights, [1, 1] if letter == "I" else [1, -1])
        for letters, total in groups:
            if all("I" in pair or pair[0] == pair[1] for pair in zip(letters, string, strict=True)):
                letters[:] = [b if a == "I" else a for a, b in zip(letters, string, strict=True)]
                total += weights
                break
        else:
            groups.append((list(string), weights))
    settings = []
    for letters, total in groups:
        basis = None
        if not set(letters) <= {"I", "Z"}:
            basis = reduce(np.kron, [_BASES[letter] for letter in letters])
        settings.append(Setting(total, basis))
    return Cost(tuple(settings) or (Setting(np.zeros(2**n)),), offset)


def operator(cost: Cost) -> Complex:
    """The matrix (n, n) whose expectation value a cost is, where all settings send the same light."""
    n = len(cost.settings[0].weights)
    total = np.diag(np.full(n, cost.offset, dtype=complex))
    for setting in cost.settings:
        basis = np.eye(n, dtype=complex) if setting.basis is None else setting.basis
        total = total + basis.conj().T @ np.diag(setting.weights) @ basis
    return total


def hermitian(matrix: ArrayLike) -> Cost:
    """The energy of a Hermitian matrix (n, n): its diagonal, then pairs of modes that interfere.

    Each entry off the diagonal is the difference of two powers behind a 50:50 coupler and a phase; pairs that
    share no mode are measured together, so that n settings do (n + 1 where n is odd).

    Raises:
        ValueError: the matrix is not square or not Hermitian.
    """
    h = np.asarray(matrix, dtype=complex)
    if (
        h.ndim != 2
        or h.shape[0] != h.shape[1]
        or not np.isfinite(h).all()
        or not np.allclose(h, h.conj().T, rtol=0, atol=1e-12)
    ):
        raise ValueError("an energy needs a square matrix that is its own conjugate transpose")
    n = len(h)
    settings = [Setting(np.diag(h).real.copy())]
    for pairs in _rounds(n):
        basis, weights = np.eye(n, dtype=complex), np.zeros(n)
        for i, j in pairs:
            turn = np.exp(1j * np.angle(h[i, j]))
            basis[np.ix_([i, j], [i, j])] = _S2 * np.array([[1, turn], [1, -turn]])
            weights[[i, j]] = abs(h[i, j]), -abs(h[i, j])
        if weights.any():
            settings.append(Setting(weights, basis))
    return Cost(tuple(settings))


def _rounds(n: int) -> list[list[tuple[int, int]]]:
    """All pairs of n in rounds of pairs that share nothing: the circle method."""
    ring = list(range(n + n % 2))
    found = []
    for _ in range(len(ring) - 1):
        half = len(ring) // 2
        pairs = zip(ring[:half], reversed(ring[half:]), strict=True)
        found.append([(min(p), max(p)) for p in pairs if max(p) < n])
        ring = [ring[0], ring[-1], *ring[1:-1]]
    return found


def compiling(unitary: ArrayLike) -> Cost:
    """How far the ansatz is from a unitary (n, n): 0 where it is equal up to a phase of the whole, at most 1.

    The inverse stands behind the ansatz. Of light that enters by one mode, what does not leave by the same is
    counted; once more for the modes' Fourier transforms, as the first alone do not see the phases between
    modes. It lies between half the infidelity of the process and that: Hofmann, Phys. Rev. Lett. 94, 160504
    (2005), with F1 + F2 - 1 <= F <= min(F1, F2); this is 1 - (F1 + F2) / 2.

    Raises:
        ValueError: the matrix is not square or not unitary.
    """
    u = np.asarray(unitary, dtype=complex)
    meshes.clements(u)
    n = len(u)
    fourier = np.fft.fft(np.eye(n), norm="ortho")
    settings = []
    for change in (np.eye(n, dtype=complex), fourier):
        basis = change.conj().T @ u.conj().T
        for k in range(n):
            settings.append(Setting(-np.eye(n)[k] / (2 * n), basis, change[:, k]))
    return Cost(tuple(settings), 1.0)


def classifying(fields: ArrayLike, labels: Sequence[int], detectors: Sequence[int]) -> Cost:
    """The mean probability that a state is given the wrong class.

    Args:
        fields: states, complex (samples, n).
        labels: their classes, (samples,).
        detectors: the class that each detector stands for, (n,).

    Raises:
        ValueError: as many states as labels, and as many modes as detectors, are needed.
    """
    states, stands = np.asarray(fields, dtype=complex), np.asarray(detectors)
    if states.ndim != 2 or states.shape != (len(labels), len(stands)):
        raise ValueError("states are (samples, modes): a label for each, and a class for each mode")
    return Cost(
        tuple(
            Setting((stands == label) / -len(states), None, state)
            for state, label in zip(states, labels, strict=True)
        ),
        1.0,
    )
