"""What theory says of the spin-torque oscillator of `cells/spintronic`, written from the equations and not from the cells.

`integrate` is the Landau-Lifshitz-Gilbert-Slonczewski equation in Cartesian components by SciPy's DOP853. `Orbit` is the
theory of Slavin and Tiberkevich (IEEE Trans. Magn. 45, 1875 (2009)) with the constants that the average over an orbit gives:
power P = (1-mz)/2, damping and torque on it, frequency falling with it. Times in ns, fields in T, angles in rad.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sqrt

import numpy as np
from scipy.constants import Boltzmann, e, hbar, mu_0
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from tellegen.arrays import Values

MS, RADIUS, THICKNESS = 1448.3e3, 60e-9, 2e-9
VOLUME = pi * RADIUS**2 * THICKNESS
GAMMA, ALPHA, ETA, LAMBDA = 176.4, 0.005, 0.537, 0.288
HK = 1.8616 - mu_0 * MS
TORQUE = hbar * ETA / (2 * e * MS * VOLUME)


def integrate(
    field: float, current: float, stop: float, start: float = 0.1
) -> tuple[Values, Values]:
    """Times (ns) and the three components; p along x, field and axis along z."""

    def slope(_t: float, m: Values) -> tuple[float, float, float]:
        x, y, z = m
        h = field + HK * z
        torque = TORQUE * current / (1 + LAMBDA * x)
        # Gilbert's form: dm = a + alpha m x dm, with a = -gamma (m x H + Hs m x (p x m))
        ax = -GAMMA * (y * h + torque * (y * y + z * z))
        ay = -GAMMA * (-x * h - torque * x * y)
        az = GAMMA * torque * x * z
        return (
            (ax + ALPHA * (y * az - z * ay)) / (1 + ALPHA**2),
            (ay + ALPHA * (z * ax - x * az)) / (1 + ALPHA**2),
            (az + ALPHA * (x * ay - y * ax)) / (1 + ALPHA**2),
        )

    found = solve_ivp(
        slope, (0, stop), [np.sin(start), 0, np.cos(start)], method="DOP853", rtol=1e-9, atol=1e-10,
        t_eval=np.arange(0, stop, 0.005),
    )  # fmt: skip
    return found.t, found.y


def threshold(field: float) -> float:
    """The current (A) at which mz = 1 loses its stability: 4 alpha e Ms V H/(hbar eta lambda)."""
    return float(4 * ALPHA * e * MS * VOLUME * (field + HK) / (hbar * ETA * LAMBDA))


@dataclass(frozen=True)
class Orbit:
    """The steady orbit at a field and a current, and what small disturbances of it do.

    Attributes:
        mz: mean of mz.
        s: sin(theta)^2.
        omega: angular frequency in rad/ns.
        shift: N, the change of the frequency with the power, in rad/ns.
        relaxation: rate at which a disturbance of the power decays (twice Slavin's Gamma_p), in 1/ns.
        nu: N s/(2 relaxation), how much of a noise of the power becomes one of the phase.
    """

    mz: float
    s: float
    omega: float
    shift: float
    relaxation: float
    nu: float

    def variance(self, lag: Values, temperature: float) -> Values:
        """Of the phase over a time (ns): Slavin and Tiberkevich, eqs. 89 and 90, in rad^2."""
        decayed = (1 - np.exp(-self.relaxation * lag)) / self.relaxation
        return np.asarray(self.white(temperature) * ((1 + self.nu**2) * lag - self.nu**2 * decayed))

    def white(self, temperature: float) -> float:
        """Diffusion of the phase without that of the power, in rad^2/ns."""
        diffusion = ALPHA * GAMMA / (1 + ALPHA**2) * Boltzmann * temperature / (MS * VOLUME)
        return float(2 * diffusion / self.s)

    def linewidth(self, temperature: float) -> float:
        """Full width at half maximum in GHz."""
        return self.white(temperature) * (1 + self.nu**2) / (2 * pi)

    def locking(self, amplitude: float) -> tuple[float, float]:
        """Half width (rad/ns) of locking to a rotating field in the plane (T), and the phase in its middle (rad).

        The phase is that of the field before the oscillator's; it is `middle + arcsin(detuning/half width)`.
        """
        g = GAMMA / (1 + ALPHA**2)
        through_power = self.shift * sqrt(self.s) * g * amplitude / (2 * self.relaxation)
        direct = g * amplitude * self.mz / sqrt(self.s)
        return float(np.hypot(through_power, direct)), float(np.arctan2(direct, through_power))


def orbit(field: float, current: float) -> Orbit:
    """The orbit on which damping and torque balance, above the threshold."""
    g = GAMMA / (1 + ALPHA**2)

    def rate(power: float) -> float:
        h = field + HK * (1 - 2 * power)
        torque = (1 / sqrt(1 - 4 * LAMBDA**2 * power * (1 - power)) - 1) / LAMBDA
        return g * (
            -2 * ALPHA * h * power * (1 - power) + TORQUE * current / 2 * (1 - 2 * power) * torque
        )

    power = float(brentq(rate, 1e-6, 0.5))
    step = 1e-6
    relaxation = (rate(power - step) - rate(power + step)) / (2 * step)
    mz, s, shift = 1 - 2 * power, 4 * power * (1 - power), -2 * g * HK
    return Orbit(mz, s, g * (field + HK * mz), shift, relaxation, shift * s / (2 * relaxation))
