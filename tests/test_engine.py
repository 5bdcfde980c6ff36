"""The engine's numbers, on every ngspice library at hand.

Every engine runs in a worker process (a process holds one library for good). Without further notice
the library is the one that Tellegen finds; `TELLEGEN_TEST_LIBRARIES=path:path` adds others.
"""

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from tellegen.manifest import (
    GROUND,
    InputMap,
    LineMap,
    Manifest,
    ObservableMap,
    OutputMap,
    ParameterMap,
)
from tellegen.sims.errors import Cause, SimulationError
from tellegen.sims.ngspice.deck import run_batch
from tellegen.sims.ngspice.engine import Engine
from tellegen.sims.ngspice.netlist import count_nodes
from tellegen.sims.session import Session, run_job

LIBRARIES = [None, *filter(None, os.environ.get("TELLEGEN_TEST_LIBRARIES", "").split(":"))]
DRIVES = np.array([1.0, -0.5])


@pytest.fixture(params=LIBRARIES)
def library(request):
    return request.param and Path(request.param)


CELLS = """\
.subckt resistor p n g=1e-05
R1 p n {1/g}
.ends resistor
.subckt diode p n
D1 p n diode_m
.model diode_m d(is=1e-12 n=1)
.ends diode
"""


def torus(side, *, diodes=False, seed=0):
    """Netlist and manifest of a torus of random conductances, with diodes to ground if asked."""
    rng = np.random.default_rng(seed)
    count = side * side
    edges = np.array(
        [(i * side + j, (i + 1) % side * side + j) for i in range(side) for j in range(side)]
        + [(i * side + j, i * side + (j + 1) % side) for i in range(side) for j in range(side)]
    )
    sources, outputs = [0, count // 2], [1, side]
    g = rng.uniform(1e-6, 1e-5, len(edges))
    cards = [
        f"Xmesh_{k} n_{a} n_{b} resistor g={value:.17g}"
        for k, ((a, b), value) in enumerate(zip(edges, g, strict=True))
    ]
    if diodes:
        cards += [f"Xload_{k} n_{k} 0 diode" for k in range(count) if k not in sources]
    cards += [f"Vin_x_{i} n_{node} 0 dc 0" for i, node in enumerate(sources)]
    for i, node in enumerate(outputs):
        cards += [
            f"Rclamp_y_{i} n_{node} clamp_y_{i} 1e12",
            f"Vclamp_y_{i} clamp_y_{i} 0 dc 0",
        ]
    netlist = "\n".join(["* torus", CELLS.rstrip(), *cards, ".op", ".end", ""])
    ground = np.full(2, GROUND, dtype=np.int32)
    manifest = Manifest(
        network="Torus",
        nodes=[f"n_{k}" for k in range(count)],
        paths=[f"n[{k}]" for k in range(count)],
        inputs={
            "x": InputMap((2,), "voltage", _index(sources), ground, ["Vin_x_0", "Vin_x_1"]),
        },
        outputs={
            "y": OutputMap(
                (2,),
                _index(outputs),
                ground,
                ["Rclamp_y_0", "Rclamp_y_1"],
                ["Vclamp_y_0", "Vclamp_y_1"],
            )
        },
        parameters={
            "mesh.g": ParameterMap(
                shape=(len(edges),),
                unit="S",
                symbol="g",
                elements=[f"r.xmesh_{k}.r1" for k in range(len(edges))],
                attribute="",
                expressions=["1/g"],
                arguments={},
                values=g,
                low=np.full(len(edges), 1e-12),
                high=np.full(len(edges), 1e3),
                step=None,
                write_noise=0.0,
                sense=1,
                instances="mesh",
            )
        },
        observables={
            "mesh.drop": ObservableMap(
                (len(edges),), "v", "V", _index(edges[:, 0]), _index(edges[:, 1])
            )
        },
        phases={"free": {"switch": 1e12}, "clamped": {"switch": 1e-6}},
        lines=[
            LineMap("n", "n", "torus.tgn", 3),
            LineMap("xmesh", "mesh", "torus.tgn", 4),
            LineMap("xload", "load", "torus.tgn", 5),
        ],
    )
    return netlist, manifest


def driven(netlist, manifest, conductances, drives):
    """The netlist with other conductances and drives written into its text."""
    for k, (old, new) in enumerate(
        zip(manifest.parameters["mesh.g"].values, conductances, strict=True)
    ):
        card = f"Xmesh_{k} n_"
        head, tail = netlist.split(card, 1)
        netlist = head + card + tail.replace(f"g={old:.17g}", f"g={new:.17g}", 1)
    for k, value in enumerate(drives):
        head, tail = netlist.split(f"Vin_x_{k} ", 1)
        netlist = f"{head}Vin_x_{k} {tail.replace('dc 0', f'dc {value:.17g}', 1)}"
    return netlist.replace(".op", ".options reltol=1e-9 vntol=1e-12 abstol=1e-15\n.op")


def _index(values):
    return np.asarray(values, dtype=np.int32)


def learn(engine, manifest, steps, seed):
    """Random drives, both phases, and parameters that wander: the traffic of a learning loop."""
    rng = np.random.default_rng(seed)
    g = manifest.parameters["mesh.g"].values.copy()
    for _ in range(steps):
        engine.drive("x", DRIVES * rng.uniform(0.5, 1))
        engine.phase("free")
        engine.solve()
        free = engine.read("mesh.drop")
        engine.phase("clamped", {"y": engine.read("y") + 0.05})
        engine.solve()
        clamped = engine.read("mesh.drop")
        g = np.clip(g + 1e-5 * (clamped**2 - free**2), 1e-7, 1e-4)
        engine.write("mesh.g", g)
    return g


def learn_long(job, payload):
    """A job: 5,000 warm solves, then one more; how much memory they took, in pages."""
    engine = Engine(*payload)
    manifest = payload[1]
    learn(engine, manifest, 500, seed=1)
    before = pages()
    g = learn(engine, manifest, 2000, seed=2)
    grown = pages() - before
    engine.drive("x", DRIVES)
    engine.phase("free")
    engine.solve()
    return g, engine.read("nodes"), engine.check(), grown


def pages():
    return int(Path("/proc/self/statm").read_text().split()[1])


@pytest.mark.parametrize("diodes", [False, True], ids=["linear", "diodes"])
def test_agrees_with_batch_after_thousands_of_warm_solves(library, diodes, monkeypatch):
    netlist, manifest = torus(4, diodes=diodes)
    monkeypatch.syspath_prepend(Path(__file__).parent)
    payload = (netlist, manifest)
    g, nodes, check, grown = run_job("test_engine:learn_long", payload, library=library)
    assert check.deviation < 1e-9
    assert check.residual < 1e-6
    assert grown < 64
    assert np.abs(g / manifest.parameters["mesh.g"].values - 1).max() > 0.1
    found = run_batch(driven(netlist, manifest, g, DRIVES))
    expected = np.array([found[name][0] for name in manifest.nodes])
    np.testing.assert_allclose(nodes, expected, rtol=1e-9, atol=1e-12)


def test_klu_gives_the_same_voltages(library):
    netlist, manifest = torus(4, diodes=True)
    found = {}
    for solver in ("sparse", "klu"):
        try:
            with Session(netlist, manifest, library=library, solver=solver) as session:
                learn(session, manifest, 20, seed=4)
                found[solver] = session.read("nodes")
        except ValueError as error:
            assert solver == "klu"
            pytest.skip(str(error).splitlines()[0])
    np.testing.assert_allclose(found["klu"], found["sparse"], rtol=1e-9, atol=1e-12)


def test_nodes_are_counted_through_subcircuits():
    """In the order of the file: a continued card, arithmetic, parameters, one subcircuit in another."""
    netlist = """title
.subckt inner a b g=1
r1 a m {1/g}
b1 0 m i=v(a)*v(b)
.ends inner
.subckt outer a b
x1 a k inner g={2 + 1}
x2 k b inner
m1 a k 0 0 nch w=1u
.ends
v1 in 0 dc 1
xo in out
+ outer
e1 far 0 in
+ out 2
.end
"""
    assert count_nodes(netlist) == 3 + 1 + 2


def test_phases(library):
    netlist, manifest = torus(4)
    with Session(netlist, manifest, library=library) as session:
        session.drive("x", DRIVES)
        session.phase("free")
        session.solve()
        free = session.read("nodes")
        np.testing.assert_allclose(session.read("x"), DRIVES, rtol=1e-12)
        np.testing.assert_array_equal(session.read("y"), free[[1, 4]])
        session.phase("clamped", {"y": [0.3, 0.4]})
        session.solve()
        np.testing.assert_allclose(session.read("y"), [0.3, 0.4], rtol=1e-6)
        session.phase("free")
        session.solve()
        np.testing.assert_allclose(session.read("nodes"), free, rtol=1e-12)


@pytest.mark.parametrize("diodes", [False, True], ids=["linear", "diodes"])
def test_restart_is_deterministic(library, diodes):
    """A resumed run goes on bit for bit like the one that went through."""
    netlist, manifest = torus(4, diodes=diodes)

    def go_on(session):
        session.restart()
        session.write("mesh.g", checkpoint)
        return learn_from(session, checkpoint)

    def learn_from(session, g):
        manifest.parameters["mesh.g"].values[:] = g
        return learn(session, manifest, 40, seed=3), session.read("nodes")

    initial = manifest.parameters["mesh.g"].values.copy()
    with Session(netlist, manifest, library=library) as through:
        checkpoint = learn(through, manifest, 57, seed=2)
        expected = go_on(through)
    manifest.parameters["mesh.g"].values[:] = initial
    with Session(netlist, manifest, library=library) as resumed:
        found = go_on(resumed)
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_transients_and_steps_in_one_session(library):
    netlist, manifest = torus(4)
    netlist = netlist.replace(
        "Vin_x_0 n_0 0 dc 0", "Vin_x_0 n_0 0 dc 0 pulse(0 1 1u 1n 1n 1 1)\nCload n_1 0 1n"
    )
    with Session(netlist, manifest, library=library) as session:
        session.write("mesh.g", 2e-4)
        session.drive("x", [0.0, 0.0])
        session.phase("free")
        session.solve()
        waves = session.transient(1e-7, 2e-4, ["y", "nodes"], max_step=1e-6)
        assert waves.time[-1] == pytest.approx(2e-4)
        assert waves.values["y"].shape == (len(waves.time), 2)
        assert waves.values["nodes"].shape == (len(waves.time), 16)
        np.testing.assert_allclose(waves.values["y"][0], 0, atol=1e-9)
        session.drive("x", [1.0, 0.0])
        session.solve()
        np.testing.assert_allclose(waves.values["y"][-1], session.read("y"), rtol=1e-6)


def test_singular_circuit_names_the_source_line(library):
    netlist, manifest = torus(4)
    netlist = netlist.replace(".op", "Vloop n_0 0 1\n.op")
    with (
        Session(netlist, manifest, library=library) as session,
        pytest.raises(SimulationError, match=r"n\[0\]|singular") as caught,
    ):
        session.solve()
    assert caught.value.cause is Cause.SINGULAR


def test_no_solution(library):
    netlist, manifest = torus(4)
    netlist = netlist.replace(".op", "Bbad n_3 0 i=1e-3*(2+sgn(v(n_3)-0.1))-v(n_3)*0\n.op")
    netlist = netlist.replace(".op", "Bworse n_5 0 i=sgn(v(n_5)+1e-4)\n.op")
    with Session(netlist, manifest, library=library) as session:
        with pytest.raises(SimulationError) as caught:
            session.solve()
        assert caught.value.cause in (Cause.NOT_CONVERGED, Cause.SINGULAR)
        assert caught.value.words


def test_bad_netlist_is_refused(library):
    netlist, manifest = torus(4)
    for card in ("Xbad n_0 n_1 nosuch", "Rbad n_0 n_1 {missing}"):
        with pytest.raises(SimulationError) as caught:
            Session(netlist.replace(".op", f"{card}\n.op"), manifest, library=library)
        assert caught.value.cause is Cause.BAD_NETLIST


@pytest.mark.parametrize(
    "card",
    [
        ".control\nshell touch pwned\n.endc",
        "*# shell touch pwned",
        ".include /etc/passwd",
        ".print tran v(a) > pwned",
        ".print tran v(a) `touch pwned`",
    ],
)
def test_cards_that_run_commands_are_refused(card):
    netlist, manifest = torus(4)
    with pytest.raises(SimulationError, match="not allowed"):
        Session(netlist.replace(".op", f"{card}\n.op"), manifest)


def test_names_that_are_commands_are_refused():
    netlist, manifest = torus(4)
    manifest.parameters["mesh.g"].elements[3] = "r1=1;shell touch pwned;alter r1"
    with pytest.raises(ValueError, match="not a SPICE name"):
        Session(netlist, manifest)


def test_wrong_values_are_refused():
    netlist, manifest = torus(4)
    with Session(netlist, manifest) as session:
        with pytest.raises(ValueError, match="shape"):
            session.write("mesh.g", [1.0, 2.0])
        with pytest.raises(ValueError, match="no value"):
            session.write("mesh.g", 0.0)
        with pytest.raises(KeyError):
            session.write("mesh.q", 1.0)
        with pytest.raises(KeyError):
            session.phase("clamped", {"z": [1.0, 2.0]})


def test_a_killed_worker_is_a_typed_error(library):
    netlist, manifest = torus(4)
    with Session(netlist, manifest, library=library) as session:
        session.solve()
        os.kill(session._worker.pid, signal.SIGKILL)
        with pytest.raises(SimulationError, match="SIGKILL") as caught:
            session.solve()
        assert caught.value.cause is Cause.CRASHED
