"""Three ways to the same voltages: the session, `ngspice -b` on the emitted netlist, nodal analysis.

Random networks are written as source text and go through the whole compiler. The session gets there
after warm steps with other drives and conductances, in both phases.
"""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tellegen import compile_text
from tellegen.bench import Bench
from tellegen.circuit import Circuit
from tellegen.emit.spice import dc, emit
from tellegen.revalue import with_values
from tellegen.sims.ngspice.deck import run_batch
from tellegen.sims.workers.process import Worker


@pytest.fixture(scope="module")
def worker():
    worker = Worker()
    yield worker
    worker.close()


RULES = ["all_to_all", "pairwise_bernoulli(0.5)", "fixed_indegree(2)", "fixed_total_number(4)"]


@st.composite
def programs(draw):
    """A connected network of resistors: a chain, random edges, a current input, a sub-network."""
    n = draw(st.integers(4, 14))
    rule = draw(st.sampled_from(RULES))
    low = draw(st.sampled_from(["1 nS", "0.1 uS", "2 mS"]))
    nested = draw(st.booleans())
    unit = f"u: Unit[2](h[0:2], h[{n - 2}:{n}], g = {low})" if nested else ""
    return f"""
    import resistive
    network Unit(g = 1 uS) {{
        input a
        output b
        node  m[2]
        left:  connect a -> m by all_to_all using resistor(g ~ uniform(g, 2 * g))
        right: connect m -> b by all_to_all using resistor(g ~ loguniform(g, 10 * g))
    }}
    network Net(n = {n}) {{
        input  x[2], i: current
        output y[2]
        output drop = chain[1]
        node   h[n]
        chain: connect h[0:n - 1] -> h[1:n] by one_to_one using resistor(g ~ loguniform({low}, 10 * {low}))
        more:  connect h by {rule} using resistor(g ~ loguniform({low}, 100 * {low}))
        feed:  connect (x, i) -> h by all_to_all using resistor(g ~ uniform({low}, 3 * {low}))
        out:   connect h[0:2] -> y by one_to_one using resistor(g = {low})
        load:  connect y -> h[2:4] by one_to_one using resistor(g = {low})
        {unit}
    }}
    """


def nodal(manifest, parameters, volts, amps, clamps):
    """Nodal analysis of the manifest's resistors; clamps: node -> voltage behind the closed switch.

    Outputs that are not clamped have their open switch to a source of 0 V.
    """
    n = len(manifest.nodes)
    matrix, right = np.zeros((n + 1, n + 1)), np.zeros(n + 1)
    for name, g in parameters.items():
        seen = manifest.observables[manifest.parameters[name].instances + ".drop"]
        a, b = seen.positive, seen.negative
        for i, j, sign in ((a, a, 1), (b, b, 1), (a, b, -1), (b, a, -1)):
            np.add.at(matrix, (i, j), sign * g.ravel())
    np.add.at(right, manifest.inputs["i"].positive, amps)
    closed, opened = (1 / manifest.phases[p]["switch"] for p in ("clamped", "free"))
    for node in manifest.outputs["y"].positive:
        matrix[node, node] += closed if node in clamps else opened
        right[node] += closed * clamps.get(node, 0.0)
    held = manifest.inputs["x"].positive
    free = np.setdiff1d(np.arange(n), held)
    solution = np.zeros(n)
    solution[held] = volts
    solution[free] = np.linalg.solve(
        matrix[np.ix_(free, free)], right[free] - matrix[np.ix_(free, held)] @ volts
    )
    return solution


def session_state(worker, circuit, rng, steps):
    """Load a circuit and walk through warm steps; what it ended with, and the voltages of both phases."""
    emitted = emit(circuit, Bench(clamps=("y",)))
    manifest = emitted.manifest
    worker.make("tellegen.sims.ngspice.engine:Engine", emitted.netlist, manifest)
    original = {n: p.values for n, p in manifest.parameters.items()}
    for step in range(steps):
        parameters = {n: v * rng.uniform(0.5, 2.0, v.shape) for n, v in original.items()}
        volts, targets = rng.uniform(-5, 5, 2), rng.uniform(-1, 1, 2)
        amps = rng.uniform(-1, 1) * next(iter(original.values())).min()
        for name, values in parameters.items():
            worker.call("write", name, values)
        worker.call("drive", "x", volts)
        worker.call("drive", "i", amps)
        worker.call("phase", "free")
        worker.call("solve")
        free = worker.call("read", "nodes")
        worker.call("phase", "clamped", {"y": targets})
        worker.call("solve")
        if step == steps - 1:
            drop = worker.call("read", "drop")
            clamped = worker.call("read", "nodes")
    worker.call("close")
    return emitted, parameters, volts, amps, targets, free, clamped, drop


def batch_voltages(circuit: Circuit, parameters, volts, amps, manifest):
    """Node voltages of `ngspice -b` on the netlist emitted with these values."""
    bench = Bench(drives={"x": dc(volts), "i": dc([amps])}, clamps=("y",))
    flat = {n: v.ravel() for n, v in parameters.items()}
    found = run_batch(emit(with_values(circuit, flat), bench).netlist)
    return np.array([found[name][0] for name in manifest.nodes])


def compare(worker, circuit, rng, steps):
    emitted, parameters, volts, amps, targets, free, clamped, drop = session_state(
        worker, circuit, rng, steps
    )
    manifest = emitted.manifest
    scale = np.abs(free).max()
    batch = batch_voltages(circuit, parameters, volts, amps, manifest)
    np.testing.assert_allclose(free, batch, rtol=1e-9, atol=1e-9 * scale)
    reference = nodal(manifest, parameters, volts, amps, {})
    np.testing.assert_allclose(free, reference, rtol=1e-7, atol=1e-7 * scale)
    held = dict(zip(manifest.outputs["y"].positive, targets, strict=True))
    reference = nodal(manifest, parameters, volts, amps, held)
    np.testing.assert_allclose(clamped, reference, rtol=1e-7, atol=1e-7 * scale)
    seen = manifest.outputs["drop"]
    assert drop == clamped[seen.positive] - clamped[seen.negative]


@settings(max_examples=25, deadline=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(text=programs(), seed=st.integers(0, 2**32 - 1))
def test_three_ways_agree(worker, text, seed):
    circuit = compile_text(text, "Net", seed=seed).circuit
    compare(worker, circuit, np.random.default_rng(seed), steps=4)


def test_three_ways_agree_after_thousands_of_warm_steps(worker):
    text = """
    import resistive
    network Net {
        input  x[2], i: current
        output y[2]
        node   h[25]
        mesh: connect h by torus(5, 5) using resistor(g ~ uniform(1 uS, 10 uS))
        feed: connect (x, i) -> h[0:3] by one_to_one using resistor(g = 5 uS)
        out:  connect h[12:14] -> y by one_to_one using resistor(g = 5 uS)
        output drop = mesh[7]
    }
    """
    circuit = compile_text(text, "Net", seed=1).circuit
    compare(worker, circuit, np.random.default_rng(1), steps=1500)
