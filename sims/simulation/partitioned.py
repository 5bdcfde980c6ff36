"""A spiking circuit simulated in parts that exchange spikes.

In one netlist every spike makes ngspice take small steps for every device. Cut at its delays
(:mod:`tellegen.partition`), each part has a transient of its own: all run for the shortest delay, then the
spikes that left a part are sent, late by the delay of their line, as pulses to the parts at its end. What
is sent is when the voltage crossed the threshold, upwards and downwards; so the pulse arrives as wide as
it left, and for what the two sides of a line see of each other nothing is approximated but its edges.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count
from pathlib import Path

import numpy as np

from tellegen.arrays import Values
from tellegen.bench import Bench
from tellegen.diagnostics import TellegenError
from tellegen.emit.spice import emit
from tellegen.manifest import Manifest
from tellegen.partition import ARRIVING, LATE, LEAVING, Part, Partition
from tellegen.sims.errors import placed
from tellegen.sims.inflight.transient import InFlight
from tellegen.sims.ngspice.locate import find_library
from tellegen.sims.tasks.transient import Transient
from tellegen.sims.workers.process import Worker
from tellegen.sims.workers.vitals import TIMEOUT

Edges = list[tuple[float, bool]]

# Rise and fall of the pulses that arrive, in seconds; any from 0.05 to 1 us will do. Synapses of transistors take 0.5 to
# 1.5 % more charge from edges of 1 us than from edges of 0.1 us; neurons have rises from 0.01 to 5 us and falls from 2 to 8 us.
_EDGE = 2e-7
_HEIGHT = 1.8
_PWL = re.compile(r"pwl\(([^()]*)\)", re.IGNORECASE)
# The parts run ahead of each other by this much less than the shortest delay: the edges have a width.
_MARGIN = 2 * _EDGE


class CannotPartition(TellegenError):
    """A circuit cannot be simulated in parts; the text says why."""


@dataclass(frozen=True, eq=False)
class PartFlight:
    """What a part's transient needs: its netlist, and the nodes and observables recorded of it."""

    netlist: str
    manifest: Manifest
    record: tuple[str, ...]
    observables: tuple[str, ...]
    arriving: int
    leaving: int


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of it: voltages and observables on a common grid, and the spikes of nodes.

    Attributes:
        time: (times,) in seconds, at equal distances.
        values: (times,) of each recorded node.
        observables: (times, elements) of each recorded observable.
        spikes: of each watched node, in seconds.
    """

    time: Values
    values: dict[str, Values]
    observables: dict[str, Values]
    spikes: dict[str, Values]


class Host:
    """Some parts in one process, each in an ngspice of its own."""

    def __init__(self, parts: Sequence[PartFlight], transient: Transient, library: Path) -> None:
        self._parts = parts
        self._flights = []
        for part in parts:
            spiking = [*part.record] + ([LEAVING] if part.leaving else [])
            self._flights.append(InFlight(
                part.netlist, part.manifest, library=library,
                record=[*spiking, *part.observables], spikes=spiking,
                step=transient.step, stop=transient.stop, max_step=transient.max_step,
                external=[ARRIVING] if part.arriving else [],
            ))  # fmt: skip
        self._pending: list[list[Edges]] = [[[] for _ in range(p.arriving)] for p in parts]
        self._seen: list[dict[str, list[float]]] = [{n: [] for n in p.record} for p in parts]

    def advance(self, until: float, arriving: Mapping[tuple[int, int], Edges]) -> list[list[Edges]]:
        """Run every part to a time; `arriving` are edges to come, by part and element.

        Returns:
            for each part and each element of what leaves it, the edges since the last call.
        """
        for (number, element), edges in arriving.items():
            self._pending[number][element] += edges
        found = []
        for k, (part, flight) in enumerate(zip(self._parts, self._flights, strict=True)):
            for element in range(part.arriving):
                self._send(k, element, flight)
            flight.advance(until)
            found.append(flight.edges(LEAVING) if part.leaving else [])
            for name in part.record:
                self._seen[k][name] += flight.spikes(name)[0].tolist()
        return found

    def _send(self, k: int, element: int, flight: InFlight) -> None:
        """Let a source follow the edges that are still to come."""
        now = flight.time
        edges = self._pending[k][element] = [
            e for e in self._pending[k][element] if e[0] + _EDGE > now
        ]
        if not edges:
            return
        times, values = [], []
        for time, rising in edges:
            times += [time - _EDGE / 2, time + _EDGE / 2]
            values += [0.0, _HEIGHT] if rising else [_HEIGHT, 0.0]
        flight.follow(ARRIVING, element, times, values)

    def results(self, grid: Values) -> list[tuple[dict[str, Values], dict[str, Values]]]:
        """For each part its recorded nodes and observables on a grid (times, elements); nodes' spikes."""
        found = []
        for k, (part, flight) in enumerate(zip(self._parts, self._flights, strict=True)):
            waves = flight.waveforms([*part.record, *part.observables])
            values = {}
            for name, v in waves.values.items():
                columns = v.reshape(len(waves.time), -1).T
                values[name] = np.stack([np.interp(grid, waves.time, c) for c in columns], axis=1)
            found.append((values, {n: np.array(t) for n, t in self._seen[k].items()}))
        return found


def run_parts(
    partition: Partition,
    drives: Mapping[str, Sequence[str]],
    transient: Transient,
    nodes: Iterable[str],
    observables: Iterable[str] = (),
    *,
    library: Path | None = None,
    workers: int | None = None,
    timeout: float = TIMEOUT,
    progress: Callable[[float], None] = lambda time: None,
) -> Outcome:
    """Simulate a circuit in parts.

    Args:
        partition: the parts.
        drives: for each input of the whole the SPICE text of its sources.
        transient: stop, step, longest step.
        nodes: paths of the nodes to be recorded (`out[3]`, `neuron.spike`).
        observables: those of the whole to be recorded (`rule.weight`).
        library: ngspice's shared library.
        workers: processes; by default one for each processor.
        timeout: seconds without progress after which ngspice counts as hung.
        progress: is told the simulated time.

    Raises:
        CannotPartition: a delay line begins at an input that is driven by something else than points.
        SimulationError: ngspice failed in one of the parts.
    """
    nodes, observables = set(nodes), list(observables)
    parts = [
        _part_flight(partition, part, drives, transient, nodes, observables)
        for part in partition.parts
    ]
    inner = partition.delays[[k for k, d in enumerate(partition.driven) if d is None]]
    chunk = max(float(inner.min()) - _MARGIN, _MARGIN) if len(inner) else transient.stop
    count = min(workers or cpu_count() or 1, len(parts))
    shares = [list(range(k, len(parts), count)) for k in range(count)]
    ends = [
        {int(line): (p, e) for e, line in enumerate(part.arriving)}
        for p, part in enumerate(partition.parts)
    ]
    where = {line: at for found in ends for line, at in found.items()}
    hosts = [Worker(library, timeout) for _ in shares]
    try:
        with ThreadPoolExecutor(count) as pool:
            path = library or find_library()
            list(pool.map(
                lambda k: placed(
                    hosts[k].make, None, "tellegen.sims.simulation.partitioned:Host",
                    [parts[p] for p in shares[k]], transient, path,
                ),
                range(count),
            ))  # fmt: skip
            time = 0.0
            edges: list[dict[tuple[int, int], Edges]] = [{} for _ in shares]
            while time < transient.stop * (1 - 1e-12):
                until = min(time + chunk, transient.stop)
                found = list(pool.map(
                    lambda k, until=until, edges=edges: placed(
                        hosts[k].call, None, "advance", until, edges[k]
                    ),
                    range(count),
                ))  # fmt: skip
                edges = [{} for _ in shares]
                for share, left in zip(shares, found, strict=True):
                    for p, elements in zip(share, left, strict=True):
                        for lines, seen in zip(partition.parts[p].leaving, elements, strict=True):
                            for line in lines.tolist() if seen else ():
                                to, element = where[line]
                                late = [(t + float(partition.delays[line]), r) for t, r in seen]
                                edges[to % count].setdefault((to // count, element), []).extend(
                                    late
                                )
                time = until
                progress(time)
            grid = np.linspace(0, transient.stop, round(transient.stop / transient.step) + 1)
            results = list(pool.map(lambda k: hosts[k].call("results", grid), range(count)))
    finally:
        for host in hosts:
            host.close()
    values: dict[str, Values] = {}
    spikes: dict[str, Values] = {}
    inside = {name: np.empty((len(grid), _size(partition, name))) for name in observables}
    for share, result in zip(shares, results, strict=True):
        for p, (found_here, seen_here) in zip(share, result, strict=True):
            spikes |= seen_here
            values |= {name: found_here[name][:, 0] for name in parts[p].record}
            for name in parts[p].observables:
                rows = partition.parts[p].rows[_group(name)]
                inside[name][:, rows] = found_here[name]
    return Outcome(grid, values, inside, spikes)


def _group(observable: str) -> str:
    """The path of the group of cells that an observable is of."""
    return observable.rpartition(".")[0]


def _size(partition: Partition, observable: str) -> int:
    """How many elements an observable has in all parts."""
    size = sum(len(part.rows.get(_group(observable), ())) for part in partition.parts)
    if not size:
        raise CannotPartition(f"`{observable}` is in a delay line, of which no part consists")
    return size


def _part_flight(
    partition: Partition, part: Part, drives: Mapping[str, Sequence[str]], transient: Transient,
    nodes: set[str], observables: Iterable[str],
) -> PartFlight:  # fmt: skip
    """A part's netlist on its bench."""
    own = {name: [drives[name][k] for k in rows] for name, rows in part.elements.items()}
    late = []
    for line in part.late:
        at = partition.driven[line]
        assert at is not None
        late.append(_late(drives[at[0]][at[1]], float(partition.delays[line])))
    bench = Bench(
        drives=own | ({LATE: late} if late else {}),
        analysis=f".tran {transient.step:.9g} {transient.stop:.9g} 0 {transient.max_step or transient.step:.9g}",
        notes=("a part of a circuit cut at its delays",),
    )
    emitted = emit(part.circuit, bench)
    here = tuple(p for p in emitted.manifest.paths if p in nodes)
    inside = tuple(name for name in observables if _group(name) in part.rows)
    return PartFlight(
        emitted.netlist, emitted.manifest, here, inside, len(part.arriving), len(part.leaving),
    )  # fmt: skip


def _late(source: str, delay: float) -> str:
    """A source's text, later by a delay."""
    if source.startswith("dc "):
        return source
    found = _PWL.fullmatch(source)
    if found is None:
        raise CannotPartition("an input with a delay is driven by spikes or points, or not at all")
    numbers = [float(x) for x in found[1].split()]
    points = zip(numbers[::2], numbers[1::2], strict=True)
    first = f"0 {numbers[1]:.15g} "
    return f"pwl({first}{' '.join(f'{t + delay:.15g} {v:.15g}' for t, v in points)})"
