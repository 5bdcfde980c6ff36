"""Spin-torque oscillators: equation, average, noise by seed, coupling, and the method that is refused."""

from pathlib import Path

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from benchmarks import sto
from benchmarks._sto_theory import integrate, orbit, threshold
from tellegen import simulate
from tellegen.cells import find_library
from tellegen.files import Files
from tellegen.pipeline import Compilation
from tellegen.sims.simulation.binding import bind_simulation
from tellegen.sims.simulation.runs import run_plan
from tellegen.source import Source

EXAMPLE = Path(__file__).parents[1] / "examples" / "sto.tgn"

HEAT = """
import spintronic
network Net {
    input  bias: current
    output y
    node   h[2]: spin
    orbit: sto_averaged(bias, y, noise_power = h[0], noise_phase = h[1])
    a: white_noise(h[0], interval = 2 ns, stream ~ uniform(0, 1))
    b: white_noise(h[1], interval = 5 ns, stream ~ uniform(0, 1))
}
simulate Run for Net {
    drive bias = 2.5 mA
    transient 2 us step 10 ns
    record a.value, b.value, orbit.power
}
"""


def run(text, **named):
    (point,) = run_plan(
        bind_simulation(Compilation(Source("t.tgn", text), Files(()), **named), "Run").plan
    )
    return point


@pytest.mark.parametrize(
    ("cell", "step", "within"), [("sto_macrospin", 10, 5e-3), ("sto_cartesian", 2, 0.03)]
)
def test_the_macrospin_follows_its_equation(cell, step, within):
    cards = [f"Xs d mx my mz hx hy hz {cell} start=0.5", "I1 0 d 3m"]
    (found,) = sto.solved([sto.deck([cell], cards, "mx my mz", 1, step)])
    time, m = integrate(0.2, 3e-3, 1.02, 0.5)
    for name, exact in zip(("mx", "my", "mz"), m, strict=True):
        assert np.abs(found[name] - CubicSpline(time, exact)(found["time"])).max() < within, name


def test_theory_has_its_known_numbers():
    assert 1e3 * threshold(0.2) == pytest.approx(1.555, abs=1e-3)  # Kubota's device
    assert orbit(0.2, 2.5e-3).mz == pytest.approx(0.54861, abs=1e-4)


def test_gear_would_be_wrong():
    (row,) = sto.gear(True)
    assert row.value > 0.75  # 0.546 is true


def test_every_netlist_of_a_spin_asks_for_the_trapezoidal_rule():
    for cell in find_library("spintronic").cells.values():
        assert cell.solver.method == "trap"


def test_noise_is_the_seed_s():
    first, again, other = (run(HEAT, seed=seed).signals for seed in (1, 1, 2))
    for name in ("a.value", "b.value", "orbit.power"):
        assert np.array_equal(first[name], again[name])
        assert not np.allclose(first[name][-50:], other[name][-50:], rtol=1e-3)


def test_noise_does_not_depend_on_what_stands_beside_it():
    more = "    z: white_noise(h[1], density = 0, interval = 3 ns, stream ~ uniform(0, 1))\n    a: white"
    alone, beside = run(HEAT), run(HEAT.replace("    a: white", more))
    times = np.arange(50) * 20 + 0.5
    read = [np.interp(times, 1e9 * p.time, p.signals["a.value"]) for p in (alone, beside)]
    assert read[0] == pytest.approx(read[1], abs=1e-9)


def test_instances_are_independent_and_white():
    names = [f"n{k}" for k in range(4)]
    cards = [
        f"X{n} {n} white_noise interval=1n stream={0.123 + 0.2 * k}" for k, n in enumerate(names)
    ]
    cards += [f"R{n} {n} 0 1" for n in names]
    (found,) = sto.solved([sto.deck(["white_noise"], cards, " ".join(names), 20000, 1000)])
    count = 19900
    # read at points and not between them, where half of each neighbour would be seen
    drawn = np.array(
        [found[n][np.searchsorted(found["time"], np.arange(1, count) - 1e-6)] for n in names]
    )
    bound = 4.5 / np.sqrt(count)
    assert np.abs(np.corrcoef(drawn) - np.eye(4)).max() < bound
    assert np.abs(drawn.mean(axis=1)).max() < bound
    assert np.abs(drawn.var(axis=1) - 1).max() < bound * np.sqrt(2)
    assert np.abs((drawn**4).mean(axis=1) - 3).max() < bound * np.sqrt(96)
    for x in drawn:
        spectrum = np.abs(np.fft.rfft(x)[1:]) ** 2 / count
        assert spectrum.max() < np.log(count) + 8  # exponentially distributed, no line
    assert drawn.max() > 3.3


def test_steps_are_no_longer_than_the_noise_is_held():
    plan = bind_simulation(Compilation(Source("t.tgn", HEAT), Files(())), "Run").plan
    assert plan.transient.max_step == pytest.approx(2e-9)
    assert ".tran 1e-08 2e-06 0 2e-09" in plan.netlists[0]


def test_the_average_holds_where_it_says():
    rows = {row.name: row for row in sto.averages(True)}
    assert len(rows) == 2
    assert all(row.met for row in rows.values())


def test_adler():
    assert all(row.met for row in sto.auto_locking(True))


def test_two_oscillators_lock_by_their_fields(tmp_path):
    phases = [
        simulate(EXAMPLE, "Locking", overrides=[f"Pair.strength={strength}"], out=tmp_path).signals[
            "spin.phase"
        ]
        for strength in ("0.1 mT", "0 mT")
    ]
    late = [p[len(p) // 2 :, 1] - p[len(p) // 2 :, 0] for p in phases]
    slips = [
        abs(np.polyval(np.polyfit(np.arange(len(d)), d, 1), [0, len(d)]) @ [-1, 1]) for d in late
    ]
    assert slips[0] < 0.2
    assert slips[1] > 0.8
