"""A reservoir's states: a circuit driven by a held signal, its observables sampled as it runs.

One long transient; at every virtual node's end the observables are read and the next value is driven, in
ngspice's own callbacks. Only the samples are kept, so memory does not grow with the number of
ngspice's points. Nothing here knows what the circuit is made of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from tellegen.arrays import Values
from tellegen.manifest import Manifest
from tellegen.sims.flight import Flight
from tellegen.sims.inflight.exchange import Exchange
from tellegen.sims.workers.vitals import TIMEOUT

# Values that cross to the worker at a time: progress and Ctrl-C have their place between.
_CHUNK = 2000


def masked(signal: Values, mask: Values) -> Values:
    """A signal (samples,) times a mask (nodes,), as values (samples * nodes,) in the order of time."""
    return np.outer(signal, mask).ravel()


def binary_mask(nodes: int, rng: np.random.Generator) -> Values:
    """A mask of -1 and 1 at random (Appeltant et al., Nature Communications 2, 468 (2011))."""
    return rng.choice([-1.0, 1.0], nodes)


class Sampler:
    """The controller: reads at the end of each interval, and drives the next one's values.

    `values[k]` are the inputs' values in the interval after the k-th call.
    """

    def __init__(self, values: Mapping[str, Values], observe: Sequence[str]) -> None:
        self.values = dict(values)
        self.observe = tuple(observe)
        self.rows: list[Values] = []

    def __call__(self, exchange: Exchange) -> None:
        """Take a sample."""
        k = len(self.rows)
        self.rows.append(np.concatenate([np.ravel(exchange.read(n)) for n in self.observe]))
        for name, values in self.values.items():
            exchange.drive(name, values[k])


def run(
    netlist: str,
    manifest: Manifest,
    drives: Mapping[str, Values],
    observe: Sequence[str],
    *,
    interval: float,
    step: float,
    nodes: int = 1,
    library: Path | None = None,
    timeout: float = TIMEOUT,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Values:
    """Drive a circuit through a series of values and return its states.

    Args:
        netlist: SPICE text that the compiler emitted.
        manifest: what the compiler says of it.
        drives: for each input that is driven (samples * nodes, *shape), in volt or ampere; the others
            keep what the netlist says.
        observe: ports and observables to be sampled.
        interval: how long each value is held, in seconds: the hold time over the nodes.
        step: the longest step of the transient, in seconds; less than half of the interval.
        nodes: virtual nodes: consecutive intervals that make one sample.
        library: ngspice's shared library; by default the one that is found.
        timeout: seconds without progress after which ngspice counts as hung.
        progress: called now and then with the intervals done and all of them.

    Returns:
        States (samples, nodes * observed): at the end of each interval, node by node.

    Raises:
        ValueError: drives of unequal length, or a step that does not resolve an interval.
        SimulationError: ngspice fails.
    """
    lengths = {len(v) for v in drives.values()}
    if len(lengths) != 1 or (count := lengths.pop()) % nodes:
        raise ValueError("all drives have the same number of values, a multiple of the nodes")
    if step >= interval / 2:
        raise ValueError(f"steps of {step:g} s do not resolve intervals of {interval:g} s")
    rows: list[Values] = []
    with Flight(
        netlist, manifest, record=list(observe), step=step, stop=(count + 0.5) * interval,
        external=list(drives), keep=False, library=library, timeout=timeout,
    ) as flight:  # fmt: skip
        for name, values in drives.items():
            flight.drive(name, values[0])
        while len(rows) < count:
            a = len(rows)
            b = min(a + _CHUNK, count)
            # The last call of all has nothing to drive: it holds the last value.
            after = {
                n: v[np.minimum(np.arange(a + 1, b + 1), count - 1)] for n, v in drives.items()
            }
            sampler = Sampler(after, observe)
            sampler = flight.control(sampler, every=interval, until=b * interval)
            rows += sampler.rows
            progress(len(rows), count)
    return np.array(rows).reshape(count // nodes, -1)
