"""The phases of an ansatz varied until its cost is least, by SciPy's optimisers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tellegen.arrays import Values
from tellegen.sims.variational.ansatz import Ansatz, VariationalError
from tellegen.sims.variational.costs import Cost


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A cost with its derivatives.

    Attributes:
        point: phases (size,) in rad.
        value: the cost as it was measured there; `gradient` (size,) per rad.
        solves: operating points until then.
    """

    point: Values
    value: float
    gradient: Values
    solves: int

    @property
    def steepness(self) -> float:
        """The largest derivative, per rad."""
        return float(np.abs(self.gradient).max())


@dataclass(eq=False)
class Found:
    """What a minimisation came to.

    Attributes:
        phases: the best that were seen, (size,) in rad; with noise the last.
        value: the cost there as it was measured.
        steepness: the largest derivative there, per rad.
        evaluations: all that were made, in their order.
        reason: why it stopped.
    """

    phases: Values
    value: float = np.inf
    steepness: float = np.inf
    evaluations: list[Evaluation] = field(default_factory=list)
    reason: str = ""

    @property
    def values(self) -> list[float]:
        """The cost at every evaluation."""
        return [e.value for e in self.evaluations]

    @property
    def solves(self) -> list[int]:
        """Operating points until then, for every evaluation."""
        return [e.solves for e in self.evaluations]

    def keep(self, made: Evaluation) -> None:
        """Take an evaluation as the result so far."""
        self.phases, self.value, self.steepness = made.point.copy(), made.value, made.steepness


class Stopped(Exception):
    """Raised by a `watch` to end a minimisation."""


def minimise(
    ansatz: Ansatz,
    cost: Cost,
    start: ArrayLike,
    *,
    method: str | Callable[..., Any] = "L-BFGS-B",
    flat: float = 1e-6,
    steps: int = 500,
    watch: Callable[[Evaluation], None] = lambda made: None,
    known: Sequence[Evaluation] = (),
    **options: Any,
) -> Found:
    """Vary the phases until the cost is flat.

    Args:
        ansatz: the circuit.
        cost: what to make small.
        start: phases in rad, (size,).
        method: an optimiser of `scipy.optimize.minimize` that takes derivatives, or one of the same
            interface, such as `adam` here for costs with noise.
        flat: stop where no derivative is larger, per rad.
        steps: stop after as many steps.
        watch: called with each evaluation; it may raise `Stopped`.
        known: the first evaluations of the same minimisation, which are not measured again.
        options: of the optimiser.

    Raises:
        VariationalError: `known` is of another minimisation.
    """
    from scipy.optimize import minimize

    found = Found(np.array(start, dtype=float))

    def evaluate(point: Values) -> tuple[float, Values]:
        k = len(found.evaluations)
        if k < len(known):
            made = known[k]
            if not np.array_equal(made.point, point):
                raise VariationalError(
                    "these evaluations are not the first ones of this minimisation"
                )
            ansatz.solves = made.solves
        else:
            value, gradient = ansatz.gradient(cost, point)
            made = Evaluation(point.copy(), value, gradient, ansatz.solves)
        found.evaluations.append(made)
        if ansatz.noisy or made.value < found.value:
            # With noise the last: the luckiest of many values is not the best point.
            found.keep(made)
        if k >= len(known):
            watch(made)
        return made.value, made.gradient

    if method == "L-BFGS-B":
        # Leave the stopping to the gradient: an energy's last digits are asked for here.
        options = {"ftol": 0.0, "maxfun": 10 * steps, **options}
    try:
        result = minimize(
            evaluate, found.phases, jac=True, method=method,
            options={"gtol": flat, "maxiter": steps, **options},
        )  # fmt: skip
        found.reason = _said(str(result.message), found, flat)
    except Stopped:
        found.reason = "stopped"
    return found


# What L-BFGS-B says, in plain words.
_SAYS = {
    "STOP": "all steps are made",
    "CONVERGENCE: RELATIVE": "the cost falls no further",
    "ABNORMAL": "the line search finds nothing lower",
}


def _said(message: str, found: Found, flat: float) -> str:
    if len(found.evaluations) == 1 and found.steepness <= flat:
        return "the cost is flat where it began"
    if found.evaluations[-1].steepness <= flat:
        return "the cost is flat"
    return next((said for begin, said in _SAYS.items() if message.startswith(begin)), message)


def adam(
    fun: Callable[[Values], float],
    x0: Values,
    args: tuple[Any, ...] = (),
    *,
    jac: Callable[[Values], Values],
    gtol: float = 0.0,
    maxiter: int = 200,
    rate: float = 0.1,
    **_unused: Any,
) -> Any:
    """A `method` of `scipy.optimize.minimize` for derivatives with noise, which its own line searches do not bear.

    Kingma, Ba, arXiv 1412.6980, algorithm 1, with beta 0.9 and 0.99; the rate falls to 0 by a cosine, so that noise
    averages out. Returns the last point.
    """
    from scipy.optimize import OptimizeResult

    x = np.array(x0, dtype=float)
    first, second = np.zeros_like(x), np.zeros_like(x)
    message = "all steps are made"
    for k in range(1, maxiter + 1):
        gradient = np.asarray(jac(x, *args))
        if np.abs(gradient).max() <= gtol:
            message = "the cost is flat"
            break
        first = 0.9 * first + 0.1 * gradient
        second = 0.99 * second + 0.01 * gradient**2
        now = rate * (1 + np.cos(np.pi * (k - 1) / maxiter)) / 2
        x = x - now * (first / (1 - 0.9**k)) / (np.sqrt(second / (1 - 0.99**k)) + 1e-12)
    return OptimizeResult(x=x, fun=fun(x, *args), success=True, message=message, nit=k)
