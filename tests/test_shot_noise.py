"""Shot noise of detectors: its level follows the light, its numbers the seed, and it is silent by default."""

from __future__ import annotations

import numpy as np
import pytest

from tellegen.files import Files
from tellegen.pipeline import Compilation
from tellegen.sims.simulate import bind_simulation, run_plan
from tellegen.source import Source

CHARGE = 1.602176634e-19  # C, exact since 2019

EYE = """
import photonic
network Net {
    input  a: optical
    input  v
    output y
    node   u: optical
    shut: amplitude_modulator(a, u, v, vpi = 5 V, bandwidth = 1e15 Hz)
    eye:  photodetector(u, y, dark = 0.1 mA, load = 100 ohm, capacitance = 0 F, interval = 1 ps,
                        stream ~ uniform(0, 1))
}
simulate Run for Net {
    LEVEL
    drive a = 3 mW
    drive v = pulse(5 V, 0 V, delay = 8 ns, rise = 1 fs, fall = 1 fs, width = 1 us)
    transient 16 ns step 1 ps
    record y
}
"""


def seen(level: str, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Times in seconds, and the photocurrent in ampere."""
    text = EYE.replace("LEVEL", f"level {level}" if level else "")
    compilation = Compilation(Source("t.tgn", text), Files(()), seed=seed)
    (point,) = run_plan(bind_simulation(compilation, "Run").plan)
    return point.time, point.signals["y"] / 100


def test_the_variance_follows_the_photocurrent() -> None:
    """2 q I over the bandwidth 1 / (2 interval) of held values, in the dark and in the light."""
    time, current = seen("noisy")
    for start, mean in ((0.01e-9, 1e-4), (8.01e-9, 3.1e-3)):
        k = np.arange(7900)
        drawn = current[np.searchsorted(time, start + k * 1e-12 - 1e-18)]
        error = np.sqrt(2 / len(k))
        assert drawn.mean() == pytest.approx(mean, abs=4 * np.sqrt(CHARGE * mean / 1e-12 / len(k)))
        assert drawn.var() == pytest.approx(CHARGE * mean / 1e-12, rel=4 * error)
        lagged = np.corrcoef(drawn[:-1], drawn[1:])[0, 1]
        assert abs(lagged) < 4 / np.sqrt(len(k))


def test_the_seed_gives_it_again() -> None:
    (_, first), (_, again), (_, other) = (seen("noisy", seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert abs(np.corrcoef(first[:7000], other[:7000])[0, 1]) < 0.1


def test_it_is_silent_by_default() -> None:
    time, current = seen("")
    assert np.abs(current[time < 7.9e-9] - 1e-4).max() < 1e-9
    assert np.abs(current[time > 8.1e-9] - 3.1e-3).max() < 3e-9
