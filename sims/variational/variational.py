"""Variational circuits: the phases of a mesh are varied until a cost that detectors measure is least.

An ansatz is a circuit of light with phases to vary, detectors, and a further mesh before them that turns the
light into the basis of a measurement. A cost is a sum over settings (input field, basis, a weight for each
detector): an energy, a distance of two unitaries, a rate of errors. Derivatives are measured by the
parameter-shift rule and by nothing else; SciPy's optimisers take them. Light in n modes is a state of n levels,
and a detector's share of the light a probability: Peruzzo et al., Nature Communications 5, 4213 (2014); Cerezo
et al., Nature Reviews Physics 3, 625 (2021).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tellegen import meshes
from tellegen.diagnostics import TellegenError
from tellegen.sims.learning.parameter_shift import jacobian
from tellegen.sims.ngspice.engine import Engine
from tellegen.sims.session import Session

Values = NDArray[np.float64]
Complex = NDArray[np.complex128]

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


class VariationalError(TellegenError):
    """A circuit is not one that can be varied as asked."""


class Ansatz:
    """A circuit whose phases are varied and whose powers are read.

    Attributes:
        solves: operating points so far.
        size: number of phases.
        noisy: whether two measurements of one thing differ.
    """

    def __init__(
        self,
        session: Session | Engine,
        phases: Sequence[str],
        *,
        input: str,
        powers: str,
        basis: str | None = None,
        bits: int | None = None,
        shots: int | None = None,
        seed: int = 0,
    ) -> None:
        """Take a circuit that runs.

        Args:
            session: the circuit, in a worker or in this process.
            phases: names of the phases to vary, as `mesh.theta`; each enters once.
            input: the input of light, n modes.
            powers: what reads the n powers at the end: an output of light by its `.power`, or photodetectors
                that are alike. What they show in the dark is subtracted; with `shots` they have 1 A/W on 1 ohm,
                as the photons that are lost are not known otherwise.
            basis: name of a `clements` mesh right before the detectors, for costs whose settings have bases.
            bits: phases that are varied are rounded to 2 pi / 2^bits when they are written.
            shots: photons that are sent in each setting at each point; some are lost where there is loss.
                None measures powers without noise.
            seed: of the photons.
        """
        self._session, self._names, self._basis = session, tuple(phases), basis
        self._input, self._powers = input, powers
        shapes = [session.manifest.parameters[name].shape for name in self._names]
        self._shapes = shapes
        self._ends = np.cumsum([prod(shape) for shape in shapes])
        self.size = int(self._ends[-1])
        self._bits, self._shots, self.noisy = bits, shots, shots is not None
        self._seed = seed
        self.solves = 0
        shape = session.manifest.inputs[input].shape
        session.drive(input, np.zeros(shape))
        session.solve()
        self._dark = session.read(powers).ravel()

    def measure(self, points: Values, settings: Sequence[Setting]) -> Values:
        """Powers in watt at phases (points, size): (points, settings, n).

        Raises:
            ValueError: a setting has a basis and the ansatz has no mesh for it.
            VariationalError: photons cannot be counted.
            SimulationError: ngspice finds no operating point.
        """
        parameters = self._parameters(points)
        seen = []
        for setting in settings:
            sent = self._prepare(setting)
            powers = self._session.scan(parameters, self._powers)
            seen.append(self._counted(powers.reshape(len(points), -1) - self._dark, sent))
            self.solves += len(points)
        return np.stack(seen, axis=1)

    def cost(self, cost: Cost, points: Values) -> Values:
        """The cost at phases (points, size): (points,)."""
        powers = self.measure(points, cost.settings)
        return cost.offset + np.einsum("psk,sk->p", _shares(powers), _weights(cost))

    def gradient(self, cost: Cost, point: Values) -> tuple[float, Values]:
        """The cost at phases (size,) and its derivatives per rad (size,), by the two-term rule.

        The rule is exact for powers; where loss makes the light that arrives depend on the phases, the
        quotient rule turns it into that of the shares.
        """
        powers = self.measure(point[None], cost.settings)[0]
        slopes = jacobian(lambda points: self.measure(points, cost.settings), point)
        weights, total = _weights(cost), _total(powers)
        means = (weights * powers).sum(-1, keepdims=True) / total
        gradient = np.einsum("psk,sk->p", slopes, (weights - means) / total)
        return cost.offset + float(means.sum()), gradient

    def check(self, setting: Setting, point: Values) -> None:
        """Hold the powers of a setting against the two-term rule, at phases (size,).

        Of a sinusoid of one turn opposite points have the same mean. Not counted as solves; photons do not matter.

        Raises:
            VariationalError: a phase has no such rule.
        """
        sent = self._prepare(setting)
        turns = np.array([1, -1, 2])[:, None, None] * np.pi / 2 * np.eye(self.size)
        points = np.concatenate([point[None], point + turns.reshape(-1, self.size)])
        seen = self._session.scan(self._parameters(points), self._powers).reshape(len(points), -1)
        up, down, across = seen[1:].reshape(3, self.size, -1)
        off = np.abs(seen[0] + across - up - down).max(axis=1)
        if off.max() > 1e-6 * max(float(seen.max()), np.finfo(float).tiny):
            name = self._name_of(int(off.argmax()))
            raise VariationalError(
                f"`{name}` has no two-term rule: the powers are no sinusoid of it ({off.max() / sent:.3g} of the light off)"
            )

    def _name_of(self, k: int) -> str:
        which = int(np.searchsorted(self._ends, k, side="right"))
        first = int(self._ends[which - 1]) if which else 0
        shape = self._shapes[which]
        index = ", ".join(str(int(i)) for i in np.unravel_index(k - first, shape)) if shape else ""
        return f"{self._names[which]}[{index}]" if index else self._names[which]

    def named(self, point: Values) -> dict[str, Values]:
        """Phases (size,) by name, in their shapes and as they are written."""
        return {name: values[0] for name, values in self._parameters(point[None]).items()}

    def _prepare(self, setting: Setting) -> float:
        """Write the field and the basis of a setting; the power that is sent."""
        n = len(setting.weights)
        light = np.eye(n, dtype=complex)[0] if setting.field is None else setting.field
        self._session.drive(self._input, np.asarray(light, dtype=complex))
        if self._basis is not None:
            mesh = meshes.clements(np.eye(n) if setting.basis is None else setting.basis)
            # Behind the screen the detectors see the same powers.
            self._session.write(f"{self._basis}.theta", mesh.theta)
            self._session.write(f"{self._basis}.phi", mesh.phi)
        elif setting.basis is not None:
            raise ValueError("the cost is measured in several bases: name the mesh that sets them")
        return float((abs(light) ** 2).sum())

    def _parameters(self, points: Values) -> dict[str, Values]:
        """The parameters' values at phases (points, size)."""
        if self._bits is not None:
            step = 2 * np.pi / 2**self._bits
            points = np.round(points / step) * step
        parts = np.split(points, self._ends[:-1], axis=1)
        each = zip(self._names, self._shapes, parts, strict=True)
        return {name: part.reshape(len(points), *shape) for name, shape, part in each}

    def _counted(self, powers: Values, sent: float) -> Values:
        """Powers (points, n) as so many photons tell them."""
        if self._shots is None:
            return powers
        shares = np.clip(powers / sent, 0, None)
        lost = 1 - shares.sum(1, keepdims=True)
        if lost.min() < -1e-6:
            raise VariationalError(
                f"`{self._powers}` shows more light than is sent: photons are counted by detectors of 1 A/W on 1 ohm"
            )
        shares = np.hstack([shares, np.clip(lost, 0, None)])
        # Every measurement has a stream of its own, so that a run can go on where it stopped.
        random = np.random.default_rng([self._seed, self.solves])
        counts = random.multinomial(self._shots, shares / shares.sum(1, keepdims=True))
        return np.asarray(counts[:, :-1] * (sent / self._shots))


def _weights(cost: Cost) -> Values:
    return np.array([setting.weights for setting in cost.settings])


def _total(powers: Values) -> Values:
    """The light that arrives, kept from zero: where no photon came, nothing is known."""
    return np.asarray(np.maximum(powers.sum(-1, keepdims=True), np.finfo(float).tiny))


def _shares(powers: Values) -> Values:
    return np.asarray(powers / _total(powers))


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
