"""Derivatives of detector powers by phases, measured at shifted phases: no small step, no model.

What a phase does to a power decides how many measurements its derivative takes. A field that passes a
phase p once leaves with amplitudes a + b e^{ip}, so every power is c0 + c1 cos p + s1 sin p and two
measurements at p +- pi/2 give its derivative exactly. That holds for both phases of an interferometer and
for a screen, whatever the splitting errors and losses, and for light in any number of modes.

Not two:

- A phase shared by R elements, or light passing it R times: powers have frequencies up to R and need 2 R
  measurements (`order` R). With R = 1 the general rule is the two-term rule.
- Heaters that warm each other: shift the phases themselves, not the drives. With phases K w of drives w the
  derivative by w is the transpose of K times that by the phases.
- A quantity that is not linear in powers (an energy of normalised powers, a squared error, the field itself):
  take the derivatives of the powers, then the chain rule. The same goes for a drive that a phase depends on by
  a curve, as on a heater's voltage.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike

from tellegen.arrays import Values


def terms(order: int = 1) -> tuple[Values, Values]:
    """Shifts in rad (2 order,) and the weights (2 order,) that make the derivative of what is measured there.

    Wierichs, Izaac, Wang, Lin, Quantum 6, 677 (2022), equidistant shifts; with order 1 it is the two-term rule of
    Mitarai, Negoro, Kitagawa, Fujii, Phys. Rev. A 98, 032309 (2018).

    Raises:
        ValueError: the order is less than 1.
    """
    if order < 1:
        raise ValueError(f"the order of a phase is at least 1, not {order}")
    m = np.arange(1, 2 * order + 1)
    shift = (2 * m - 1) * np.pi / (2 * order)
    return shift, (-1.0) ** (m - 1) / (4 * order * np.sin(shift / 2) ** 2)


@overload
def jacobian(
    measure: Callable[[Values], Values], phases: ArrayLike, order: int | Sequence[int] = 1
) -> Values: ...


@overload
def jacobian(
    measure: Callable[[dict[str, Values]], Values],
    phases: Mapping[str, ArrayLike],
    order: int | Sequence[int] = 1,
) -> dict[str, Values]: ...


def jacobian(measure: Any, phases: Any, order: int | Sequence[int] = 1) -> Any:
    """Derivatives of what is measured by each phase.

    Of a circuit: `jacobian(lambda points: session.scan(points, "y"), {"mesh.theta": theta, "mesh.phi": phi})`.

    Args:
        measure: from phases to what is seen there, (points, *shape). It is given an array (points, n) in rad, or
            (points, *shape) for each name, as the phases are.
        phases: where to take the derivatives: an array (n,), or one of any shape for each name.
        order: how many elements share each phase: one number, or one a phase (in the order of the names, each
            array row by row).

    Returns:
        (n, *shape), per rad, from 2 sum(order) points; for names an array for each, the shape of its phases first.

    Raises:
        ValueError: an order is less than 1, or there is not one a phase.
    """
    if isinstance(phases, Mapping):
        return _by_name(measure, phases, order)
    at = np.asarray(phases, dtype=float)
    rules = [terms(r) for r in np.broadcast_to(order, at.shape)]
    points = np.repeat(at[None], sum(len(shift) for shift, _ in rules), axis=0)
    first, where = 0, []
    for k, (shift, _) in enumerate(rules):
        points[first : first + len(shift), k] += shift
        where.append(slice(first, first + len(shift)))
        first += len(shift)
    seen = measure(points)
    return np.array([np.tensordot(w, seen[s], 1) for (_, w), s in zip(rules, where, strict=True)])


def _by_name(
    measure: Callable[[dict[str, Values]], Values],
    phases: Mapping[str, ArrayLike],
    order: int | Sequence[int],
) -> dict[str, Values]:
    at = {name: np.asarray(values, dtype=float) for name, values in phases.items()}
    ends = np.cumsum([values.size for values in at.values()])[:-1]

    def named(rows: Values) -> dict[str, Values]:
        parts = np.split(rows, ends, axis=-1)
        each = zip(at.items(), parts, strict=True)
        return {name: part.reshape(len(rows), *values.shape) for (name, values), part in each}

    flat = np.concatenate([values.ravel() for values in at.values()])
    slopes = np.split(jacobian(lambda rows: measure(named(rows)), flat, order), ends)
    each = zip(at.items(), slopes, strict=True)
    return {name: part.reshape(*values.shape, *part.shape[1:]) for (name, values), part in each}
