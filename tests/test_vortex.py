"""The vortex oscillator against SciPy and equipartition, and the capacity that chance makes."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import tellegen
from tellegen.sims.datasets.random_bits import delayed
from tellegen.sims.reservoir import reservoir
from tellegen.sims.reservoir.capacity import capacity, without_chance
from tellegen.sims.reservoir.readout import in_time

NET = """
import spintronic
network Vortex {
    input  i: current, nu: spin, nv: spin, fu: spin
    output u: spin, v: spin
    sto: sto_vortex(i, u, v, fu, noise_u = nu, noise_v = nv, frame = 270 MHz, temperature = 300 K)
}
"""


def states(current, nu, nv, fu, interval):
    made = tellegen.compile_text(NET).emit()
    drives = {"i": current, "nu": nu, "nv": nv, "fu": fu}
    return reservoir.run(
        made.netlist, made.manifest, drives, ["u", "v"], interval=interval, step=interval / 4
    )


def test_a_driven_vortex_is_thieles_equation():
    # Everything here in SI units, from the equation, not from the cell's own numbers.
    ms, thickness, radius, core, alpha = 1.3e6, 6e-9, 187.5e-9, 10e-9, 0.01
    gyro = 2 * np.pi * ms * thickness / 1.764e11
    damping = alpha * gyro * (1 - 0.5 * np.log(core / radius))
    stiff = 10 / 9 * 4e-7 * np.pi * ms**2 * thickness**2 / radius
    torque = np.pi * 1.054571817e-34 * 0.7 * 0.5 / (2 * 1.602176634e-19) / (np.pi * radius**2)
    current = np.array([6e-3, 6e-3, 4e-3, 7e-3, 5e-3, 2e-3] * 5)
    interval, force = 4e-9, 2e7
    found = states(current, 0 * current, 0 * current, 0 * current + force * 1e-9, interval)

    def move(t, z):
        # -i G X' - D (1 + xi s^2) X' - k (1 + zeta s^2) X + i a J X + push = 0 in the laboratory's frame,
        # with a push that turns with 270 MHz.
        s = abs(z[0]) ** 2
        i = current[min(int(t / interval), len(current) - 1)]
        push = 1j * gyro * force * np.exp(2j * np.pi * 270e6 * t)
        inner = (-stiff * (1 + 0.1 * s) + 1j * torque * i) * z[0] + push
        return [inner / (damping * (1 + 2 * s) + 1j * gyro)]

    edges = interval * np.arange(len(current) + 1)
    z, exact = 0.1 + 0j, []
    for a, b in pairwise(edges):
        z = solve_ivp(move, (a, b), [z], rtol=1e-9, atol=1e-12, method="DOP853").y[0, -1]
        exact.append(abs(z))
    assert np.hypot(*found.T) == pytest.approx(exact, rel=0.02)


def test_the_position_of_an_idle_core_has_its_thermal_share():
    rng = np.random.default_rng(0)
    interval, count = 4e-9, 4000
    noise = rng.normal(size=(2, count)) / np.sqrt(interval * 1e9)
    found = states(np.zeros(count), *noise, np.zeros(count), interval)[50:]
    stiff = 10 / 9 * 4e-7 * np.pi * 1.3e6**2 * 6e-9**2 / 187.5e-9
    # Equipartition: k <x^2> = k_B T for each component; some 300 independent samples of each.
    assert (found**2).mean() == pytest.approx(1.380649e-23 * 300 / (stiff * 187.5e-9**2), rel=0.15)


def test_a_capacity_of_nothing_is_nothing():
    rng = np.random.default_rng(3)
    bits = rng.integers(0, 2, 400)
    parts = in_time(400, 0.5, 0.1, 20)
    found = [capacity(rng.normal(size=(400, 10)), delayed(bits, 10), parts, (1e-3, 1e-1)) for _ in range(20)]  # fmt: skip
    chance = 10 / (len(parts.test) - 1)
    assert np.mean([f.total for f in found]) == pytest.approx(chance, rel=0.25)
    assert abs(np.mean([f.unbiased for f in found])) < 0.25 * chance
    assert without_chance(np.array([1.0]), 100)[0] == 1
