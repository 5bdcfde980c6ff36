"""Learning on chip: correlated inputs win against uncorrelated ones, with no Python in the loop.

`examples/on_chip_learning.tgn`: ten synapses on one neuron, five of whose inputs share spikes (their
counts correlated by 0.5), all at 20 Hz; pair STDP in a circuit at every synapse; weights, growth and loss
differ by 10 % from synapse to synapse. Another seed draws other spikes and another mismatch. The
control is the same with uncorrelated inputs only. Full run: 12 seeds of 5 s of biological time, about 3
minutes. `--quick`: 2 seeds of 1.5 s.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed

from benchmarks.rows import Row

EXAMPLE = Path(__file__).parents[1] / "examples" / "on_chip_learning.tgn"
SEEDS, STOP = 12, 5.0
QUICK_SEEDS, QUICK_STOP = 2, 1.5
SOURCE = "Song, Miller, Abbott 2000, Fig. 5; survey of Khacef et al. 2023"


def one(seed: int, correlation: float, stop: float) -> tuple[float, float, float]:
    """Final mean weight of the correlated inputs, of the others, and the neuron's rate."""
    from tellegen import simulate

    with tempfile.TemporaryDirectory() as folder:
        result = simulate(
            EXAMPLE, seed=seed, out=folder,
            overrides=(
                f"simulate.drive.together=poisson(20 Hz, correlation = {correlation:g})",
                f"simulate.transient.stop={stop:g} s",
            ),
        )  # fmt: skip
    together, alone = (result.signals[n][-1].mean() for n in ("lt.weight", "la.weight"))
    return float(together), float(alone), len(result.spikes["out"][0]) / stop


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    seeds, stop = (QUICK_SEEDS, QUICK_STOP) if quick else (SEEDS, STOP)
    cases = [(seed, c) for c in (0.5, 0.0) for seed in range(1, seeds + 1)]
    found = Parallel(n_jobs=2)(delayed(one)(seed, c, stop) for seed, c in cases)
    for c, said in ((0.5, "correlated"), (0.0, "control")):
        rows = np.array([f for f, (_, k) in zip(found, cases, strict=True) if k == c])
        first, rest, rate = rows.T
        yield Row(
            f"{said}: weight of the first five",
            first.mean(),
            (first.min(), first.max()),
            "V",
            "",
            "",
            None,
        )
        yield Row(
            f"{said}: weight of the others",
            rest.mean(),
            (rest.min(), rest.max()),
            "V",
            "",
            "",
            None,
        )
        yield Row(
            f"{said}: rate of the neuron", rate.mean(), (rate.min(), rate.max()), "Hz", "", "", None
        )
        apart = first - rest
        won = int((apart > 0).sum())
        target = c > 0
        yield Row(f"{said}: seeds in which the first five win", won, None, "1",
                  f"{len(apart)} of {len(apart)}" if target else "", SOURCE if target else "",
                  won == len(apart) if target else None)  # fmt: skip
        yield Row(
            f"{said}: difference", apart.mean(), (apart.min(), apart.max()), "V", "", "", None
        )
