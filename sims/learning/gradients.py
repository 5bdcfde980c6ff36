"""Gradients of phases in situ: two solutions for all phases, one of them with light from behind.

It asks of a session or an engine no more than what a laboratory could: write phases, send light, look. Light runs
through the mesh a second time, from behind; its product with the light from ahead, at each phase, is the gradient
(Hughes, Minkov, Shi, Fan, Optica 5, 864 (2018)). The other way, two measurements a phase, is
:mod:`tellegen.sims.learning.parameter_shift`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from tellegen.arrays import Complex, Values

Fields = Complex


class Circuit(Protocol):
    """What is asked of a :class:`~tellegen.Session` or an engine."""

    manifest: Any

    def drive(self, name: str, values: ArrayLike) -> None:
        """Set an input."""

    def solve(self) -> None:
        """Find the operating point."""

    def read(self, name: str) -> Values:
        """A signal of the last one."""


def in_situ(
    circuit: Circuit,
    output: str,
    behind: str,
    adjoint: Callable[[Fields], Fields],
    pairs: Mapping[str, str],
) -> dict[str, Values]:
    """The derivative of a cost with respect to every phase, by two solutions of one circuit.

    The circuit holds the mesh twice: as light meets it from ahead, and as it meets it from behind (`mzi_back`,
    `clements(back = true)`), with the same phases.

    Args:
        circuit: with its inputs driven.
        output: the field z that the cost depends on.
        behind: the input of the light from behind, an element for each of `output`.
        adjoint: from z to dL/dz* of the real cost L(z, z*): `z - t` for `sum |z - t|^2`, `g z` for a
            function of the powers |z|^2 with the gradient g.
        pairs: groups of phases from ahead, and the same from behind. Their cells show the fields before
            and behind each phase p as observables `p_in_re`, `p_in_im`, `p_out_re` and `p_out_im`.

    Returns:
        dL/dp for each parameter `GROUP.p` from ahead, in its shape, per rad.
    """
    # Light from ahead and from behind do not meet in it, so what is driven behind does not matter yet.
    circuit.solve()
    # What is launched from behind is the conjugate: backwards in space is backwards in time.
    circuit.drive(behind, np.conj(adjoint(complex_of(circuit.read(output)))))
    circuit.solve()
    found: dict[str, Values] = {}
    for ahead, back in pairs.items():
        for phase in phases_of(circuit, ahead):
            from_ahead = field_at(circuit, f"{ahead}.{phase}_out")
            from_behind = field_at(circuit, f"{back}.{phase}_in")
            found[f"{ahead}.{phase}"] = -2 * np.imag(from_ahead * from_behind)
    return found


def phases_of(circuit: Circuit, group: str) -> Iterable[str]:
    """The phases of a group whose cells show the fields behind them."""
    names = circuit.manifest.observables
    start, end = f"{group}.", "_out_re"
    return [n[len(start) : -len(end)] for n in names if n.startswith(start) and n.endswith(end)]


def complex_of(parts: Values) -> Fields:
    """The fields (...,) of a signal that is read as real and imaginary part (..., 2)."""
    return np.asarray(parts @ [1, 1j], dtype=complex)


def field_at(circuit: Circuit, name: str) -> Fields:
    """The complex field that observables `NAME_re` and `NAME_im` show."""
    return np.asarray(circuit.read(f"{name}_re") + 1j * circuit.read(f"{name}_im"), dtype=complex)
