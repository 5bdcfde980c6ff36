"""An ansatz: a circuit of light with phases to vary, and detectors.

A further mesh before the detectors turns the light into the basis of a measurement. Derivatives are measured by the parameter-shift rule and by nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from tellegen import meshes
from tellegen.arrays import Values
from tellegen.diagnostics import TellegenError
from tellegen.sims.learning.parameter_shift import jacobian
from tellegen.sims.ngspice.engine import Engine
from tellegen.sims.session import Session
from tellegen.sims.variational.costs import Cost, Setting


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
