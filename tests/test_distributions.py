"""What stands after `~`: the draws of every distribution against SciPy's law of it, and drawn weights and delays."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy import stats

from tellegen.elaborate import distributions
from tellegen.files import Files
from tellegen.pipeline import Compilation
from tellegen.seeds import stream
from tellegen.signature import functions_of
from tellegen.sims.simulation.binding import bind_simulation
from tellegen.source import Source

N = 20_000

# The arguments of a draw, and SciPy's distribution of the same law (None: checked below, it has atoms).
LAWS = {
    "uniform": ((2e-6, 5e-6), stats.uniform(2e-6, 3e-6)),
    "loguniform": ((1e-6, 1e-3), stats.loguniform(1e-6, 1e-3)),
    "normal": ((5.0, 0.5), stats.norm(5.0, 0.5)),
    "truncated_normal": ((5.0, 2.0, 4.0, 9.0), stats.truncnorm(-0.5, 2.0, 5.0, 2.0)),
    "lognormal": ((3e-9, 0.4), stats.lognorm(0.4, scale=3e-9)),
    "exponential": ((2e-3,), stats.expon(scale=2e-3)),
    "gamma": ((2.5, 1e-3), stats.gamma(2.5, scale=1e-3)),
    "vonmises": ((0.3, 4.0), stats.vonmises(4.0, loc=0.3)),
    "clipped_normal": ((5.0, 2.0, 4.0, 9.0), None),
    "integers": ((-3.0, 6.0), None),
}  # fmt: skip


def drawn(name: str, seed: int = 3) -> np.ndarray:
    return functions_of(distributions)[name].call(stream(seed, name, "x"), N, *LAWS[name][0])


def test_every_distribution_has_its_law_here():
    assert set(functions_of(distributions)) == set(LAWS)


@pytest.mark.parametrize("name", sorted(name for name, (_, law) in LAWS.items() if law))
def test_draws_follow_the_law_of_scipy(name):
    """Kolmogorov-Smirnov; the seed is fixed, so that this passes always or never."""
    assert stats.kstest(drawn(name), LAWS[name][1].cdf).pvalue > 1e-3


def test_clipped_normal_keeps_at_its_bounds_what_lies_beyond():
    values = drawn("clipped_normal")
    law = stats.norm(5.0, 2.0)
    at_low, at_high = np.mean(values == 4.0), np.mean(values == 9.0)
    assert at_low == pytest.approx(law.cdf(4.0), abs=4 * (0.25 / N) ** 0.5)
    assert at_high == pytest.approx(law.sf(9.0), abs=4 * (0.25 / N) ** 0.5)
    inner = values[(values > 4.0) & (values < 9.0)]
    assert stats.kstest(inner, stats.truncnorm(-0.5, 2.0, 5.0, 2.0).cdf).pvalue > 1e-3


def test_integers_are_equally_likely():
    values, counts = np.unique(drawn("integers"), return_counts=True)
    assert values.tolist() == list(range(-3, 7))
    assert stats.chisquare(counts).pvalue > 1e-3


NETWORK = """
import cmos
network Many {
    input  a[20]: spike
    output y[20]
    output out[20]: spike
    m: lif[20](y, out)
    w: connect a -> y by all_to_all using curr_exp(weight ~ gamma(2, 1 nA), delay ~ exponential(3 ms))
}
simulate Run for Many { drive a = spikes(1 ms); transient 2 ms step 1 ms; record y }
"""


def test_weights_and_delays_of_a_projection_are_drawn_from_their_laws():
    """As the netlist says them: the weight on each card, and the delay of each line (one line per spike source and delay)."""
    netlist = bind_simulation(
        Compilation(Source("test.tgn", NETWORK), Files(()), ()), "Run"
    ).plan.netlist.lower()
    weights = [float(w) for w in re.findall(r"^xw_\S+ .* weight=(\S+)", netlist, re.M)]
    delays = [float(t) for t in re.findall(r"^xw_delay_\S+ .* delay=(\S+)", netlist, re.M)]
    assert (len(weights), len(delays)) == (400, 400)
    assert stats.kstest(weights, stats.gamma(2, scale=1e-9).cdf).pvalue > 1e-3
    assert stats.kstest(delays, stats.expon(scale=3e-3).cdf).pvalue > 1e-3
    assert abs(stats.spearmanr(weights, delays).statistic) < 0.2
