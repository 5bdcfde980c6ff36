"""The ways in which Python takes part in a transient, each run in a process of its own.

`python -m benchmarks._exchange_ways WAY NODES STEPS` runs so many steps for every line that it reads and
prints one of JSON: CPU seconds of them and how many exchanges they had. The circuit is a square grid of resistors with a capacitor at
every node, a source at one corner and a probe at the other; at each of its steps the source is set to
a function of the probe.
"""

from __future__ import annotations

import json
import math
import sys
import time
import warnings
from collections.abc import Iterator

from tellegen.sims.ngspice.locate import find_library, prepare_environment

STEP = 1e-6
GAIN = 5.0
MOST_SLICES = 1000


def grid(nodes: int, source: str) -> list[str]:
    """The cards of the circuit, its source given by a word."""
    side = math.isqrt(nodes)
    cards = [f"Vu n_0_0 0 {source}"]
    for i in range(side):
        for j in range(side):
            cards.append(f"C_{i}_{j} n_{i}_{j} 0 1n")
            if i + 1 < side:
                cards.append(f"Ra_{i}_{j} n_{i}_{j} n_{i + 1}_{j} 1k")
            if j + 1 < side:
                cards.append(f"Rb_{i}_{j} n_{i}_{j} n_{i}_{j + 1} 1k")
    return cards


def _manifest(nodes: int) -> object:
    import numpy as np

    from tellegen.manifest import InputMap, Manifest, OutputMap

    side = math.isqrt(nodes)
    names = [f"n_{i}_{j}" for i in range(side) for j in range(side)]
    zero, last, ground = np.array([0]), np.array([len(names) - 1]), np.array([-1])
    return Manifest(
        "grid", names, names, {"u": InputMap((), "voltage", zero, ground, ["vu"])},
        {"y": OutputMap((), last, ground)}, {}, {}, {}, [],
    )  # fmt: skip


class _Proportional:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self, exchange: object) -> None:
        self.count += 1
        exchange.drive("u", GAIN * (1.0 - float(exchange.read("y"))))  # type: ignore[attr-defined]


def _netlist(nodes: int) -> str:
    return "\n".join(["* grid", *grid(nodes, "dc 0"), ".end"])


def _slices(nodes: int, steps: int) -> object:
    """A flight long enough for all slices of so many steps."""
    from tellegen.sims.inflight.transient import InFlight

    return InFlight(
        _netlist(nodes), _manifest(nodes), library=find_library(), record=["y"],  # type: ignore[arg-type]
        step=STEP, stop=MOST_SLICES * steps * STEP, external=["u"],
    )  # fmt: skip


def free(nodes: int, steps: int) -> Iterator[tuple[float, int]]:
    """No exchange: ngspice alone, its source at once where the closed loops end, the probe recorded."""
    from tellegen.sims.ngspice.library import shared_library
    from tellegen.sims.ngspice.netlist import with_cards

    ng = shared_library(find_library())
    source = f"pwl(0 0 {STEP:g} {GAIN / (1 + GAIN):g})"
    cards = ["* grid", *grid(nodes, source), ".end"]
    last = math.isqrt(nodes) - 1
    while True:
        ng.load(with_cards("\n".join(cards), [f".save v(n_{last}_{last})"]), free)
        start = time.process_time()
        ng.command(f"tran {STEP:g} {steps * STEP:.9g} 0 {STEP:g}")
        yield time.process_time() - start, steps


def controller(nodes: int, steps: int) -> Iterator[tuple[float, int]]:
    """A controller in flight."""
    flight = _slices(nodes, steps)
    called = _Proportional()
    for k in range(1, MOST_SLICES):
        start, before = time.process_time(), called.count
        flight.control(called, every=STEP, until=k * steps * STEP)  # type: ignore[attr-defined]
        yield time.process_time() - start, called.count - before


def advance(nodes: int, steps: int) -> Iterator[tuple[float, int]]:
    """Advancing step by step: `stop when`, read, drive, `resume`."""
    flight = _slices(nodes, steps)
    for slice_ in range(MOST_SLICES):
        start = time.process_time()
        for k in range(1, steps + 1):
            flight.advance((slice_ * steps + k) * STEP)  # type: ignore[attr-defined]
            flight.drive("u", GAIN * (1.0 - float(flight.read("y"))))  # type: ignore[attr-defined]
        yield time.process_time() - start, steps


def pyspice(nodes: int, steps: int) -> Iterator[tuple[float, int]]:
    """PySpice's own callbacks, overridden as its documentation shows."""
    import os

    library = find_library()
    prepare_environment(library)
    os.environ["NGSPICE_LIBRARY_PATH"] = str(library)
    warnings.simplefilter("ignore")
    import logging

    logging.disable(logging.CRITICAL)
    from PySpice.Spice.NgSpice.Shared import NgSpiceShared

    probe = f"n_{math.isqrt(nodes) - 1}_{math.isqrt(nodes) - 1}"

    class Mine(NgSpiceShared):  # type: ignore[misc]
        u, count = 0.0, 0

        def get_vsrc_data(self, voltage, time, node, ngspice_id):  # type: ignore[no-untyped-def]
            voltage[0] = self.u
            return 0

        def send_data(self, actual_vector_values, number_of_vectors, ngspice_id):  # type: ignore[no-untyped-def]
            self.count += 1
            self.u = GAIN * (1.0 - actual_vector_values[probe].real)
            return 0

    ng = Mine(send_data=True)
    while True:
        ng.load_circuit("\n".join(["* grid", *grid(nodes, "external"), ".end"]))
        start, before = time.process_time(), ng.count
        ng.exec_command(f"tran {STEP:g} {steps * STEP:.9g} 0 {STEP:g}")
        yield time.process_time() - start, ng.count - before
        ng.exec_command("destroy all")
        ng.exec_command("remcirc")


WAYS = {way.__name__: way for way in (free, controller, advance, pyspice)}


def main() -> None:
    """Run a slice of a way for each line that is read, and print what it took."""
    way, nodes, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    slices = WAYS[way](nodes, steps)
    for _ in sys.stdin:
        seconds, count = next(slices)
        print(json.dumps({"seconds": seconds, "exchanges": count}), flush=True)


if __name__ == "__main__":
    main()
