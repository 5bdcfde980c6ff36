"""The ways of one learning step, each run in its own process by :mod:`benchmarks.step`.

`python -m benchmarks._step_ways WAY NODES STEPS` prints one line of JSON.
"""

from __future__ import annotations

import gc
import json
import resource
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import coo_matrix, csc_matrix
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.sparse.linalg import splu
from scipy.spatial import Delaunay

from benchmarks.step import EARLY

NUDGE, RATE = 0.1, 1e-3  # RATE in S/V^2
LOW, HIGH = 1e-5, 1e-2  # S
OPEN, CLOSED = 1e15, 1e-6  # ohm, as the compiler's clamps
SAMPLES = 64
PORTS = {16: (2, 2), 64: (4, 2), 256: (6, 4), 1024: (8, 4)}

Values = np.ndarray
Step = Callable[[Values, Values, Values], Values]


@dataclass(frozen=True, eq=False)
class Network:
    """A planar network and its task: edges (edges, 2), inputs, outputs, conductances, samples."""

    nodes: int
    edges: Values
    inputs: Values
    outputs: Values
    conductances: Values
    drives: Values
    targets: Values

    @property
    def ends(self) -> tuple[Values, Values]:
        """First and second ends of the edges."""
        return self.edges[:, 0], self.edges[:, 1]

    def updated(self, g: Values, free: Values, clamped: Values) -> Values:
        """Coupled learning: the conductances after a step, from all node voltages of both phases."""
        a, b = self.ends
        before, after = free[a] - free[b], clamped[a] - clamped[b]
        return np.clip(g + RATE * (before**2 - after**2), LOW, HIGH)

    def clamps(self, free: Values, target: Values) -> Values:
        """The clamped outputs: a small way from the free ones to the target."""
        return free[self.outputs] + NUDGE * (target - free[self.outputs])


def planar(nodes: int) -> Network:
    """A Delaunay graph of random points, pruned at random to 2.5 edges a node but kept connected."""
    rng = np.random.default_rng(nodes)
    triangles = Delaunay(rng.random((nodes, 2))).simplices
    sides = np.vstack([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [0, 2]]])
    edges = rng.permutation(np.unique(np.sort(sides, axis=1), axis=0))
    weights = coo_matrix((rng.random(len(edges)) + 1, edges.T), shape=(nodes, nodes))
    tree = minimum_spanning_tree(weights).tocoo()
    needed = set(zip(tree.row.tolist(), tree.col.tolist(), strict=True))
    first = [e for e in edges.tolist() if tuple(e) in needed]
    rest = [e for e in edges.tolist() if tuple(e) not in needed]
    chosen = np.array([*first, *rest][: max(int(2.5 * nodes), len(first))])
    count_in, count_out = PORTS[nodes]
    ports = rng.permutation(nodes)[: count_in + count_out]
    drives = rng.uniform(0, 1, (SAMPLES, count_in))
    drives[:, 0] = 0.0
    return Network(
        nodes,
        chosen,
        ports[:count_in],
        ports[count_in:],
        rng.uniform(0.2e-3, 1e-3, len(chosen)),
        drives,
        rng.uniform(0.2, 0.8, (SAMPLES, count_out)),
    )


def source(network: Network) -> str:
    """The network as a `.tgn` text; its edges are in `edges.csv`."""
    inputs, outputs = (
        ", ".join(f"n[{k}]" for k in ports) for ports in (network.inputs, network.outputs)
    )
    return (
        "import resistive\n"
        "network Planar {\n"
        f"    node n[{network.nodes}]\n"
        f"    input x = {inputs}\n"
        f"    output y = {outputs}\n"
        '    mesh: connect n by edges("edges.csv") using resistor()\n'
        "}\n"
    )


def tellegen(network: Network) -> Step:
    """The engine on what the compiler makes of the network."""
    import tellegen
    from tellegen.bench import Bench
    from tellegen.sims.ngspice.engine import Engine

    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "planar.tgn").write_text(source(network))
        rows = [f"{a},{b},{g!r}" for (a, b), g in zip(
            network.edges.tolist(), network.conductances.tolist(), strict=True)]  # fmt: skip
        Path(folder, "edges.csv").write_text("\n".join(["source,target,g [S]", *rows]) + "\n")
        compiled = tellegen.compile_file(Path(folder, "planar.tgn"))
    emitted = compiled.emit(Bench(clamps=("y",)))
    engine = Engine(emitted.netlist, emitted.manifest)

    def step(g: Values, drive: Values, target: Values) -> Values:
        engine.drive("x", drive)
        engine.phase("free")
        engine.solve()
        before, y = engine.read("mesh.drop"), engine.read("y")
        engine.phase("clamped", {"y": y + NUDGE * (target - y)})
        engine.solve()
        after = engine.read("mesh.drop")
        g = np.clip(g + RATE * (before**2 - after**2), LOW, HIGH)
        engine.write("mesh.g", g)
        return g

    return step


def pyspice_rebuild(network: Network) -> Step:
    """The usual script: a circuit from PySpice's objects for each solve."""
    from PySpice.Spice.Netlist import Circuit

    quiet()
    prepare()

    def solve(g: Values, drive: Values, clamps: Values | None = None) -> Values:
        circuit = Circuit("planar")
        for k, ((a, b), r) in enumerate(zip(network.edges, (1 / g).tolist(), strict=True)):
            circuit.R(k, f"n{a}", f"n{b}", r)
        for k, node in enumerate(network.inputs):
            circuit.V(f"s{k}", f"n{node}", circuit.gnd, float(drive[k]))
        if clamps is not None:
            for k, node in enumerate(network.outputs):
                circuit.V(f"c{k}", f"n{node}", circuit.gnd, float(clamps[k]))
        simulator = circuit.simulator(temperature=27, nominal_temperature=27)
        return voltages(network, simulator.operating_point())

    def step(g: Values, drive: Values, target: Values) -> Values:
        free = solve(g, drive)
        return network.updated(g, free, solve(g, drive, network.clamps(free, target)))

    return step


def pyspice_alter(network: Network, private: bool = False) -> Step:
    """One circuit in PySpice's NgSpiceShared, changed by its own methods.

    Voltages are read as its documentation does, through an analysis object; or, `private`, from the
    arrays behind its objects, which is quicker.
    """
    from PySpice.Spice.NgSpice.Shared import NgSpiceShared

    quiet()
    prepare()
    ng = NgSpiceShared.new_instance()
    cards = [
        f"R{k} n{a} n{b} {1 / g!r}"
        for k, ((a, b), g) in enumerate(
            zip(network.edges.tolist(), network.conductances.tolist(), strict=True)
        )
    ]
    cards += [f"Vs{k} n{node} 0 0" for k, node in enumerate(network.inputs)]
    cards += [f"Rc{k} n{node} c{k} {OPEN}" for k, node in enumerate(network.outputs)]
    cards += [f"Vc{k} c{k} 0 0" for k in range(len(network.outputs))]
    ng.load_circuit("\n".join(["planar", *cards, ".end"]))

    def solve() -> Values:
        ng.exec_command("op")
        plot = ng.plot(None, ng.last_plot)
        if private:
            found = np.array([plot[f"n{k}"]._data[0] for k in range(network.nodes)])
        else:
            found = voltages(network, plot.to_analysis())
        ng.destroy("all")
        return found

    def step(g: Values, drive: Values, target: Values) -> Values:
        for k, value in enumerate(drive.tolist()):
            ng.alter_device(f"vs{k}", dc=value)
        for k in range(len(network.outputs)):
            ng.alter_device(f"rc{k}", resistance=OPEN)
        free = solve()
        for k, value in enumerate(network.clamps(free, target).tolist()):
            ng.alter_device(f"rc{k}", resistance=CLOSED)
            ng.alter_device(f"vc{k}", dc=value)
        g = network.updated(g, free, solve())
        for k, value in enumerate((1 / g).tolist()):
            ng.alter_device(f"r{k}", resistance=value)
        return g

    return step


def voltages(network: Network, analysis: Any) -> Values:
    """All node voltages of an operating point of PySpice's."""
    return np.array([np.asarray(analysis.nodes[f"n{k}"], float)[0] for k in range(network.nodes)])


class Laplacian:
    """The network's equations in SciPy's sparse LU; the pattern is laid out once."""

    def __init__(self, network: Network) -> None:
        self.network = network
        n, (a, b) = network.nodes, network.ends
        self.inner = np.setdiff1d(np.arange(n), network.inputs)
        place = np.full(n, -1)
        place[self.inner] = np.arange(len(self.inner))
        self.outputs = place[network.outputs]
        self.within = np.flatnonzero((place[a] >= 0) & (place[b] >= 0))
        pa, pb = place[a][self.within], place[b][self.within]
        diagonal = np.arange(len(self.inner))
        rows, columns = np.r_[pa, pb, diagonal], np.r_[pb, pa, diagonal]
        order = csc_matrix((np.arange(1.0, len(rows) + 1), (rows, columns)))
        self.order = order.data.astype(int) - 1
        self.matrix = order

    def right(self, g: Values, drive: Values) -> Values:
        """What the inputs feed into the inner nodes."""
        n, (a, b) = self.network.nodes, self.network.ends
        held = np.zeros(n)
        held[self.network.inputs] = drive
        return (np.bincount(a, g * held[b], n) + np.bincount(b, g * held[a], n))[self.inner]

    def factor(self, g: Values, clamp: float = 0.0) -> Callable[[Values], Values]:
        """The solver for these conductances, with a conductance `clamp` at each output."""
        n, (a, b) = self.network.nodes, self.network.ends
        diagonal = (np.bincount(a, g, n) + np.bincount(b, g, n))[self.inner]
        diagonal[self.outputs] += clamp
        values = np.concatenate([-g[self.within], -g[self.within], diagonal])
        self.matrix.data = values[self.order]
        options = {"SymmetricMode": True}
        lu = splu(self.matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options)
        return lu.solve  # type: ignore[no-any-return]

    def voltages(self, drive: Values, inner: Values) -> Values:
        """All node voltages."""
        found = np.empty(self.network.nodes)
        found[self.network.inputs] = drive
        found[self.inner] = inner
        return found


def scipy(network: Network) -> Step:
    """Two factorisations a step."""
    equations = Laplacian(network)

    def step(g: Values, drive: Values, target: Values) -> Values:
        right = equations.right(g, drive)
        free = equations.voltages(drive, equations.factor(g)(right))
        right[equations.outputs] += network.clamps(free, target) / CLOSED
        clamped = equations.voltages(drive, equations.factor(g, 1 / CLOSED)(right))
        return network.updated(g, free, clamped)

    return step


def scipy_schur(network: Network) -> Step:
    """One factorisation a step; ideal clamps by the response of the outputs to currents."""
    equations = Laplacian(network)
    count = len(network.outputs)

    def step(g: Values, drive: Values, target: Values) -> Values:
        sides = np.zeros((len(equations.inner), count + 1))
        sides[:, 0] = equations.right(g, drive)
        sides[equations.outputs, 1 + np.arange(count)] = 1.0
        found = equations.factor(g)(sides)
        free = equations.voltages(drive, found[:, 0])
        shift = network.clamps(free, target) - free[network.outputs]
        currents = np.linalg.solve(found[equations.outputs, 1:], shift)
        clamped = equations.voltages(drive, found[:, 0] + found[:, 1:] @ currents)
        return network.updated(g, free, clamped)

    return step


def quiet() -> None:
    """Set up PySpice's log as its examples do, but for errors only."""
    from PySpice.Logging.Logging import setup_logging

    setup_logging(logging_level="CRITICAL")


def prepare() -> None:
    """Point PySpice at the library that Tellegen uses."""
    from PySpice.Spice.NgSpice.Shared import NgSpiceShared

    from tellegen.sims.ngspice.locate import find_library, prepare_environment

    library = find_library()
    prepare_environment(library)
    NgSpiceShared.LIBRARY_PATH = str(library)


WAYS: dict[str, Callable[[Network], Step]] = {
    "tellegen": tellegen,
    "pyspice rebuild": pyspice_rebuild,
    "pyspice alter": pyspice_alter,
    "pyspice alter (private reads)": partial(pyspice_alter, private=True),
    "scipy": scipy,
    "scipy schur": scipy_schur,
}


def cpu() -> float:
    """CPU seconds of this process and its children."""
    uses = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in uses)


def resident() -> int:
    """Resident bytes of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def main() -> None:
    """Run one way for some steps and print what it took."""
    way, nodes, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    network = planar(nodes)
    step = WAYS[way](network)
    gc.freeze()  # as in Tellegen's worker, for all ways
    g = network.conductances
    for k in range(EARLY):
        g = step(g, network.drives[k % SAMPLES], network.targets[k % SAMPLES])
    early, size = g, resident()
    start = cpu()
    for k in range(EARLY, EARLY + steps):
        g = step(g, network.drives[k % SAMPLES], network.targets[k % SAMPLES])
        if k == steps // 100:
            size = resident()
    took = cpu() - start
    print(json.dumps({
        "us": took / steps * 1e6, "early": early.tolist(), "last": g.tolist(),
        "grown": resident() - size,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
