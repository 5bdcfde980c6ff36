"""Meshes of interferometers in ngspice: against their matrices, against SAX, and how quickly phases change.

Random unitary matrices (Haar) as Clements meshes of 4 to 32 modes, in both encodings: `phases` are nodes of the
circuit, `gains` are computed outside. The matrix of a circuit is what comes out for light in each input. Times are
CPU times of one thread: an operating point after new inputs, after new phases of one interferometer, after new phases
of all, and by a netlist that is emitted and loaded anew; the ratio to an operating point alone is what writing that
costs nothing would reach. Where SAX is installed, meshes with loss and couplers that
split unequally are held against it, element by element. (SAX 0.18 brings a package `tests` that hides ours: an
environment of its own is the place for it.) Full run: 2 minutes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec

import numpy as np
from scipy.stats import unitary_group

from benchmarks.rows import Row, at_least, measured
from tellegen import compile_text
from tellegen.arrays import Complex, Values
from tellegen.meshes import Mesh, clements
from tellegen.pipeline import Compiled
from tellegen.revalue import with_values
from tellegen.sims.ngspice.engine import Engine

LEVELS = ("gains", "phases")
LIMIT = 1e-12
PEER = 1e-6
FASTER = 20.0
# Sparse chooses its pivots by the values at the first solution, and some phases make it slow.
SOLVER = "klu"
_TEXT = """
import photonic
network Layer(n = {n}) {{
    input  a[n]: optical
    output y[n]: optical
    node   u[n]: optical
    mesh:   connect a -> u by clements using mzi(
        level = {level}, loss = {loss}, first ~ normal(0 rad, {slip} rad), second ~ normal(0 rad, {slip} rad))
    screen: phase_shifter[n](u, y, level = {level})
}}
"""


def layer(n: int, level: str, loss: float = 0.0, slip: float = 0.0) -> Compiled:
    """A Clements mesh of n modes with its screen."""
    text = _TEXT.format(n=n, level=level, loss=loss, slip=slip)
    if not slip:
        text = text.replace(", first ~ normal(0 rad, 0.0 rad), second ~ normal(0 rad, 0.0 rad)", "")
    return compile_text(text)


def values_of(mesh: Mesh) -> dict[str, Values]:
    """The values of a layer's parameters."""
    return {"mesh.theta": mesh.theta, "mesh.phi": mesh.phi, "screen.phase": mesh.screen}


def put(engine: Engine, mesh: Mesh) -> None:
    """Write the phases of a mesh."""
    for name, values in values_of(mesh).items():
        engine.write(name, values)


def matrix_of(engine: Engine, n: int) -> Complex:
    """The matrix from inputs to outputs, (n, n)."""
    columns = []
    for one in np.eye(n, dtype=complex):
        engine.drive("a", one)
        engine.solve()
        columns.append(engine.read("y") @ [1, 1j])
    return np.array(columns).T


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    for n in (4, 8) if quick else (4, 8, 16, 32):
        for level in LEVELS:
            yield from _exact(n, level)
            yield from _quick(n, level, 3 if quick else 7)
    yield from _peer((4,) if quick else (4, 8))


def _exact(n: int, level: str) -> Iterator[Row]:
    emitted = layer(n, level).emit()
    engine = Engine(emitted.netlist, emitted.manifest, solver=SOLVER)
    errors, misses = [], []
    for seed in range(2):
        u = unitary_group.rvs(n, random_state=seed)
        put(engine, clements(u))
        found = matrix_of(engine, n)
        errors.append(float(np.abs(found - u).max()))
        misses.append(float(np.abs(found.conj().T @ found - np.eye(n)).max()))
    for what, values in (("field", errors), ("unitarity", misses)):
        worst = max(values)
        yield Row(f"{n} modes, {level}: worst error of {what}", worst, (min(values), worst), "1",
                  f"<= {LIMIT:g}", "the unitary matrix that was asked for, by NumPy", worst <= LIMIT)  # fmt: skip


def _quick(n: int, level: str, repeats: int) -> Iterator[Row]:
    compiled = layer(n, level)
    emitted = compiled.emit()
    engine = Engine(emitted.netlist, emitted.manifest, solver=SOLVER)
    made = [clements(unitary_group.rvs(n, random_state=k)) for k in range(2 * repeats + 2)]
    rng = np.random.default_rng(0)

    def solved() -> None:
        engine.drive("a", rng.normal(size=(n, 2)))
        engine.solve()

    def written() -> None:
        put(engine, made.pop())
        engine.solve()

    mesh = made.pop()

    def turned() -> None:
        for name, values in (("mesh.theta", mesh.theta), ("mesh.phi", mesh.phi)):
            moved = values.copy()
            moved[n // 2] = rng.uniform(0, np.pi)
            engine.write(name, moved)
        engine.solve()

    field = rng.normal(size=(n, 2))

    def rebuilt() -> None:
        values = values_of(made.pop())
        anew = Compiled(with_values(compiled.circuit, values), compiled.flat).emit()
        other = Engine(anew.netlist, anew.manifest, solver=SOLVER)
        other.drive("a", field)
        other.solve()

    put(engine, mesh)
    solved()
    turned()
    solves = [_cpu(solved) for _ in range(5 * repeats)]
    turns = [_cpu(turned) for _ in range(5 * repeats)]
    writes = [_cpu(written) for _ in range(repeats)]
    engine.close()
    builds = [_cpu(rebuilt) for _ in range(repeats)]
    for what, found in (
        ("operating point", solves),
        ("one interferometer and operating point", turns),
        ("all phases and operating point", writes),
        ("netlist anew and operating point", builds),
    ):
        value, spread = measured(found)
        yield Row(f"{n} modes, {level}: {what}", value, spread, "s", "", "", None)
    bound = FASTER if n >= 8 else None
    for what, found, wanted in (
        ("operating point", solves, None),  # the most that any way of writing could reach
        ("one interferometer written", turns, bound),
        ("all phases written", writes, bound),
    ):
        ratios = [b / float(np.median(found)) for b in builds]
        name = f"{n} modes, {level}: netlist anew / {what}"
        yield at_least(name, ratios, wanted, "both in this run")


def _cpu(call: Callable[[], None]) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


def _peer(sizes: tuple[int, ...]) -> Iterator[Row]:
    """Meshes with loss and unequal couplers against SAX, which multiplies scattering matrices."""
    if find_spec("sax") is None:
        return
    for n in sizes:
        for level in LEVELS:
            compiled = layer(n, level, loss=0.3, slip=0.05)
            emitted = compiled.emit()
            engine = Engine(emitted.netlist, emitted.manifest, solver=SOLVER)
            mesh = clements(unitary_group.rvs(n, random_state=n))
            put(engine, mesh)
            drawn = compiled.circuit.top.groups["mesh"].params
            want = _by_sax(mesh, 0.3, drawn["first"], drawn["second"])
            error = float(np.abs(matrix_of(engine, n) - want).max())
            engine.close()
            yield Row(f"{n} modes, {level}: loss and splitting errors, error of field", error, None, "1",
                      f"<= {PEER:g}", "SAX on the same netlist of couplers and phases", error <= PEER)  # fmt: skip


def _by_sax(mesh: Mesh, loss: float, first: Values, second: Values) -> Complex:
    """The matrix of a mesh by SAX: a netlist of couplers and phase shifters."""
    import jax
    import sax

    jax.config.update("jax_enable_x64", True)

    def coupler(angle: float = np.pi / 4) -> sax.SDict:
        through, cross = jax.numpy.cos(angle) + 0j, 1j * jax.numpy.sin(angle)
        return sax.reciprocal({("in0", "out0"): through, ("in1", "out1"): through,
                               ("in0", "out1"): cross, ("in1", "out0"): cross})  # fmt: skip

    def turn(phase: float = 0.0, loss: float = 0.0) -> sax.SDict:
        passed = 10 ** (-loss / 20) * jax.numpy.exp(1j * phase)
        return sax.reciprocal({("in0", "out0"): passed})

    instances: dict[str, object] = {}
    connections: dict[str, str] = {}
    ports: dict[str, str] = {}
    at: list[str] = [""] * mesh.modes

    def place(name: str, model: str, enters: dict[str, int], **settings: float) -> None:
        instances[name] = {"component": model, "settings": settings}
        for port, mode in enters.items():
            if at[mode]:
                connections[at[mode]] = f"{name},{port}"
            else:
                ports[f"in{mode}"] = f"{name},{port}"
            at[mode] = f"{name},{port.replace('in', 'out')}"

    for i, k in enumerate(int(top) for top in mesh.top):
        both = {"in0": k, "in1": k + 1}
        place(f"phi{i}", "turn", {"in0": k}, phase=float(mesh.phi[i]), loss=loss)
        place(f"low{i}", "turn", {"in0": k + 1}, loss=loss)
        place(f"first{i}", "coupler", both, angle=np.pi / 4 + float(first[i]))
        place(f"theta{i}", "turn", {"in0": k}, phase=float(mesh.theta[i]))
        place(f"second{i}", "coupler", both, angle=np.pi / 4 + float(second[i]))
    for k, phase in enumerate(mesh.screen):
        place(f"screen{k}", "turn", {"in0": k}, phase=float(phase))
    ports |= {f"out{k}": end for k, end in enumerate(at)}
    netlist = {"instances": instances, "connections": connections, "ports": ports}
    circuit, _ = sax.circuit(netlist, models={"coupler": coupler, "turn": turn})
    found = sax.sdict(circuit())
    modes = range(mesh.modes)
    return np.array(
        [[complex(np.squeeze(found[f"in{i}", f"out{o}"])) for i in modes] for o in modes]
    )
