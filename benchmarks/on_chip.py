"""Learning on chip: correlated inputs win against uncorrelated ones, with no Python in the loop.

`examples/on_chip_learning.tgn`: ten synapses on one neuron, five of whose inputs share spikes (their
counts correlated by 0.5), all at 20 Hz; pair STDP in a circuit at every synapse; weights, growth and loss
differ by 10 % from synapse to synapse. Another seed draws other spikes and another mismatch. The
control is the same with uncorrelated inputs only. Then the same with rules of transistors, whose thresholds differ
by Pelgrom's law, for a shorter time. Full run: 12 seeds of 5 s of biological time and 10 of 0.6 s of transistors,
about 20 minutes. `--quick`: 2 seeds of 1.5 s, no transistors.
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
TRANSISTOR_SEEDS, TRANSISTOR_STOP = 10, 0.6
TRANSISTORS = """
import cmos

network OnChip(n = 5) {
    supply vdd = 1.8 V
    input  together[n]: spike
    input  alone[n]: spike
    node   membrane, wt[n], wa[n]
    output out: spike

    neuron: lif(membrane, out, tau_m = 20 ms, t_ref = 2 ms)
    st: connect together -> membrane by all_to_all using plastic_exp(w = wt, weight = 1.6 nA, tau = 5 ms)
    sa: connect alone -> membrane by all_to_all using plastic_exp(w = wa, weight = 1.6 nA, tau = 5 ms)
    lt: connect together -> wt by one_to_one using stdp(post = out, level = transistor, w0 = 0.8 V,
        a_plus = 30 mV, a_minus = 42 mV, mismatch ~ integers(1, 1000000))
    la: connect alone -> wa by one_to_one using stdp(post = out, level = transistor, w0 = 0.8 V,
        a_plus = 30 mV, a_minus = 42 mV, mismatch ~ integers(1, 1000000))
}

simulate Learn for OnChip {
    drive together = poisson(20 Hz, correlation = 0.5)
    drive alone = poisson(20 Hz)
    transient 3 s step 1 ms
    record lt.weight, la.weight, out
    seed 1
}
"""
SOURCE = "Song, Miller, Abbott 2000, Fig. 5; survey of Khacef et al. 2023"


def one(
    seed: int, correlation: float, stop: float, transistors: bool = False
) -> tuple[float, float, float]:
    """Final mean weight of the correlated inputs, of the others, and the neuron's rate."""
    from tellegen import simulate

    with tempfile.TemporaryDirectory() as folder:
        file = EXAMPLE
        if transistors:
            file = Path(folder, "transistors.tgn")
            file.write_text(TRANSISTORS, "utf-8")
        result = simulate(
            file, seed=seed, out=folder, timeout=3600,
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
    sorts: list[tuple[str, tuple[float, float, bool], int]] = [
        ("correlated", (0.5, stop, False), seeds),
        ("control", (0.0, stop, False), seeds),
    ]
    if not quick:
        sorts.append(("transistors, correlated", (0.5, TRANSISTOR_STOP, True), TRANSISTOR_SEEDS))
    for said, how, count in sorts:
        rows = np.array(Parallel(n_jobs=2)(delayed(one)(k, *how) for k in range(1, count + 1)))
        first, rest, rate = rows.T
        apart = first - rest
        for what, values, unit in (
            ("weight of the first five", first, "V"),
            ("weight of the others", rest, "V"),
            ("rate of the neuron", rate, "Hz"),
            ("difference", apart, "V"),
        ):
            spread = (values.min(), values.max())
            yield Row(f"{said}: {what}", values.mean(), spread, unit, "", "", None)
        won = int((apart > 0).sum())
        target = how[0] > 0
        yield Row(f"{said}: seeds in which the first five win", won, None, "1",
                  f"{count} of {count}" if target else "", SOURCE if target else "",
                  won == count if target else None)  # fmt: skip
