"""Netlists of gdsfactory and SAX: read, simulated, written again; against scattering matrices and SAX itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import tellegen
from tellegen.cells import find_library
from tellegen.cli import main
from tellegen.diagnostics import CompileError, Sink
from tellegen.netlists.circuit import netlists_of
from tellegen.netlists.netlist import Instance, Netlist, as_tgn, as_yaml
from tellegen.netlists.read import read_netlists
from tellegen.source import Source

PHOTONIC = find_library("photonic")
EXAMPLE = Path(__file__).parents[1] / "examples" / "mesh.tgn"

# Two interferometers of couplers and lengths behind each other, as gdsfactory writes them, and a ring.
FLAT = """
name: chip
instances:
  cp1: {component: coupler_ideal, settings: {coupling: 0.4}}
  cp2: {component: coupler_ideal, settings: {coupling: 0.55}}
  long: {component: straight, settings: {length: 31.7, loss_dB_cm: 120.0, neff: 2.4}}
  short: {component: straight, settings: {length: 12.5, loss_dB_cm: 120.0, ng: 3.9}}
  heat: {component: phase_shifter, settings: {length: 20, voltage: 0.37}}
  thin: {component: attenuator, settings: {loss: 1.25}}
  ring: {component: coupler_ideal, settings: {coupling: 0.3}}
  round: {component: straight, settings: {length: 60.2, loss_dB_cm: 300.0}}
placements:
  cp1: {x: 0.0, y: 0.0, rotation: 0, mirror: false}
connections:
  cp1,out0: long,in0
  long,out0: heat,in0
  heat,out0: cp2,in0
routes:
  bundle:
    links:
      cp1,out1: short,in0
nets:
  - {p1: "short,out0", p2: "cp2,in1"}
  - {p1: "cp2,out1", p2: "thin,in0"}
  - {p1: "thin,out0", p2: "ring,in0"}
  - {p1: "ring,out1", p2: "round,in0"}
  - {p1: "round,out0", p2: "ring,in1"}
ports:
  in0: cp1,in0
  in1: cp1,in1
  out0: cp2,out0
  out1: ring,out0
"""
# As gdsfactory writes its interferometer: the second splitter joins, and bends are turned as it comes.
SPLIT = """
name: chip
instances:
  cp1: {component: mmi1x2_ideal}
  cp2: {component: mmi1x2_ideal}
  b1: {component: straight, settings: {length: 16.6, npoints: 720, cross_section: strip}}
  b2: {component: straight, settings: {length: 16.6}}
  sxt: {component: straight, settings: {length: 0.1}}
  sxb: {component: straight, settings: {length: 10.1}}
connections:
  b1,out0: cp1,out0
  b2,out0: cp1,out1
  b1,in0: sxb,in0
  sxt,out0: b2,in0
  sxb,out0: cp2,out1
  sxt,in0: cp2,out0
ports:
  in0: cp1,in0
  out0: cp2,in0
"""
# The same interferometer twice, from a netlist of its own; the second seen from its outputs.
NESTED = """
chip:
  instances:
    one: {component: arms}
    two: {component: arms}
    end: {component: straight, settings: {length: 3.0}}
  connections:
    one,out0: two,in1
    one,out1: two,in0
    end,out0: two,out0
  ports: {"in0": "one,in0", "in1": "one,in1", "out0": "end,in0", "out1": "two,out1"}
arms:
  instances:
    cp1: {component: coupler_ideal, settings: {coupling: 0.45}}
    cp2: {component: mmi2x2_ideal}
    top: {component: phase_shifter, settings: {voltage: 0.2}}
  connections:
    cp1,out0: cp2,out0
    cp1,out1: top,in0
    top,out0: cp2,out1
  ports: {"in0": "cp1,in0", "in1": "cp1,in1", "out0": "cp2,in0", "out1": "cp2,in1"}
"""


def networks(text: str) -> list[Netlist]:
    sink = Sink()
    found = read_netlists(Source("netlist.yml", text), PHOTONIC, sink)
    sink.raise_errors()
    return found


def exported(text: str) -> list[Netlist]:
    sink = Sink()
    found = netlists_of(tellegen.compile_text(text).circuit, sink)
    sink.raise_errors()
    return found


def matrix(text: str, inputs: list[str], outputs: list[str]) -> np.ndarray:
    """The matrix of an imported netlist in ngspice, (outputs, inputs)."""
    emitted = tellegen.compile_text(as_tgn(networks(text), PHOTONIC, "")).emit()
    with tellegen.Session(emitted.netlist, emitted.manifest) as session:
        columns = []
        for on in inputs:
            for name in inputs:
                session.drive(name, np.array([float(name == on), 0]))
            session.solve()
            columns.append([session.read(name) @ [1, 1j] for name in outputs])
    return np.array(columns).T


# ---------------------------------------------------------------- what scattering matrices say

WL = 1.55


def scattering(component: str, s: dict[str, float]) -> dict[tuple[str, str], complex]:
    """The models of SAX 0.18, by their documentation; each way."""
    if component in ("coupler_ideal", "mmi2x2_ideal"):
        bar, cross = np.sqrt(1 - s.get("coupling", 0.5)), 1j * np.sqrt(s.get("coupling", 0.5))
        found = {
            ("in0", "out0"): bar,
            ("in1", "out1"): bar,
            ("in0", "out1"): cross,
            ("in1", "out0"): cross,
        }
    elif component == "mmi1x2_ideal":
        found = {("in0", "out0"): np.sqrt(0.5), ("in0", "out1"): np.sqrt(0.5)}
    else:
        length, index = s.get("length", 10.0), s.get("neff", 2.34)
        turned = np.exp(1j * (2 * np.pi * index * length / WL + np.pi * s.get("voltage", 0.0)))
        if component == "attenuator":
            turned = 10 ** (-s["loss"] / 20)
        found = {("in0", "out0"): turned * 10 ** (-s.get("loss_dB_cm", 0.0) * 1e-4 * length / 20)}
    return found | {(b, a): value for (a, b), value in found.items()}


def solved(netlists: dict, top: str) -> dict[tuple[str, str], complex]:
    """The scattering matrix of a netlist: waves that leave ports enter those that they are joined to."""
    net = netlists[top]
    parts = {}
    for name, made in net["instances"].items():
        inner = made["component"] in netlists
        each = (
            solved(netlists, made["component"])
            if inner
            else scattering(made["component"], made.get("settings", {}))
        )
        parts |= {(f"{name},{a}", f"{name},{b}"): value for (a, b), value in each.items()}
    ends = sorted({end for pair in parts for end in pair})
    at = {end: k for k, end in enumerate(ends)}
    s = np.zeros((len(ends), len(ends)), dtype=complex)
    for (a, b), value in parts.items():
        s[at[b], at[a]] = value
    pairs = [
        *net.get("connections", {}).items(),
        *((n["p1"], n["p2"]) for n in net.get("nets", [])),
    ]
    pairs += [link for route in net.get("routes", {}).values() for link in route["links"].items()]
    joined = np.zeros_like(s)
    for a, b in pairs:
        joined[at[a], at[b]] = joined[at[b], at[a]] = 1
    whole = s @ np.linalg.inv(np.eye(len(ends)) - joined @ s)
    ports = net["ports"]
    return {(p, q): whole[at[ports[q]], at[ports[p]]] for p in ports for q in ports}


def ports_of(text: str) -> tuple[list[str], list[str]]:
    """The inputs and outputs of the netlist on top."""
    tree = yaml.safe_load(text)
    ports = (tree if "instances" in tree else tree["chip"])["ports"]
    return [p for p in ports if p[0] == "i"], [p for p in ports if p[0] == "o"]


CHIPS = pytest.mark.parametrize("text", [FLAT, SPLIT, NESTED], ids=["flat", "split", "nested"])


@CHIPS
def test_ngspice_agrees_with_scattering_matrices(text: str) -> None:
    tree = yaml.safe_load(text)
    want = solved(tree if "instances" not in tree else {"chip": tree}, "chip")
    ins, outs = ports_of(text)
    expected = [[want[i, o] for i in ins] for o in outs]
    np.testing.assert_allclose(matrix(text, ins, outs), expected, atol=1e-12)


@CHIPS
def test_ngspice_agrees_with_sax(text: str) -> None:
    sax = pytest.importorskip("sax")
    import jax

    jax.config.update("jax_enable_x64", True)
    names = (
        "coupler_ideal",
        "mmi1x2_ideal",
        "mmi2x2_ideal",
        "straight",
        "phase_shifter",
        "attenuator",
    )
    tree = yaml.safe_load(text.replace(", npoints: 720, cross_section: strip", ""))
    tree.pop("name", None)
    circuit, _ = sax.circuit(tree, models={name: getattr(sax.models, name) for name in names})
    s = sax.sdict(circuit())
    ins, outs = ports_of(text)
    want = [[complex(np.squeeze(s[i, o])) for i in ins] for o in outs]
    np.testing.assert_allclose(matrix(text, ins, outs), want, atol=1e-6)


def test_light_from_behind_meets_an_interferometer_turned() -> None:
    """`mzi` has no model in SAX: its transpose is what light from behind meets."""
    text = """
instances:
  one: {component: mzi, settings: {theta: 1.1, phi: 0.7, first: 0.05, loss_dB: 1}}
ports:
  in0: one,o4
  in1: one,o3
  out0: one,o1
  out1: one,o2
"""
    (net,) = networks(text)
    assert net.instances["one"].component == "mzi_back"
    ahead = text.replace("in0: one,o4", "in0: one,a").replace("in1: one,o3", "in1: one,b")
    ahead = ahead.replace("out0: one,o1", "out0: one,c").replace("out1: one,o2", "out1: one,d")
    ports = (["in0", "in1"], ["out0", "out1"])
    np.testing.assert_allclose(matrix(text, *ports), matrix(ahead, *ports).T, atol=1e-12)


def test_an_array_and_names_that_the_language_has_not() -> None:
    text = """
instances:
  "arm-1": {component: straight, array: {columns: 1, rows: 2}, settings: {length: 10}, info: {length: 20}}
connections:
  arm-1<0.0>,o2: arm-1<0.1>,o1
ports:
  o1: arm-1<0.0>,o1
  gnd: arm-1<0.1>,o2
"""
    (net,) = networks(text)
    assert list(net.instances) == ["arm_1_0_0", "arm_1_0_1"]
    assert list(net.inputs), list(net.outputs) == (["o1"], ["gnd_2"])
    assert net.instances["arm_1_0_0"].values["phase"] == pytest.approx(2 * np.pi * 2.34 * 20 / WL)


# ---------------------------------------------------------------- there and back

REAL = st.floats(-10, 10, allow_subnormal=False)
SETTINGS = {
    "mzi": {"theta": REAL, "phi": REAL, "first": REAL, "second": REAL, "loss": st.floats(0, 9)},
    "mzi_back": {"theta": REAL, "phi": REAL, "loss": st.floats(0, 9)},
    "coupler": {"error": REAL, "loss": st.floats(0, 9)},
    "waveguide": {"phase": REAL, "loss": st.floats(0, 9), "delay": st.floats(1e-15, 1.0)},
    "phase_shifter": {"phase": REAL},
    "splitter": {"error": REAL, "loss": st.floats(0, 9)},
    "combiner": {"error": REAL, "loss": st.floats(0, 9)},
}
DEFAULTS = {c: {p: PHOTONIC.cells[c].params[p].default for p in s} for c, s in SETTINGS.items()}
ALWAYS = ("theta", "phi", "phase")


@st.composite
def netlists(draw: st.DrawFn) -> list[Netlist]:
    """A netlist without loops, or one that holds it twice."""
    instances: dict[str, Instance] = {}
    links, inputs = {}, {}
    free: list[tuple[str, str]] = []

    def join(end: tuple[str, str], dark: bool) -> None:
        if free and draw(st.booleans()):
            links[free.pop(draw(st.integers(0, len(free) - 1)))] = end
        elif not dark:
            inputs[f"i{len(inputs)}"] = end

    for k in range(draw(st.integers(1, 6))):
        component = draw(st.sampled_from(sorted(SETTINGS)))
        values = {}
        for name, strategy in SETTINGS[component].items():
            value = draw(strategy) if draw(st.booleans()) else DEFAULTS[component][name]
            if value != DEFAULTS[component][name] or name in ALWAYS:
                values[name] = value
        instances[f"e{k}"] = Instance(
            component, {p: values[p] for p in PHOTONIC.cells[component].params if p in values}
        )
        ways = [p.direction for p in PHOTONIC.cells[component].ports.values()]
        join((f"e{k}", "in0"), False)
        if ways.count("in") == 2:
            join((f"e{k}", "in1"), draw(st.booleans()))
        free += [(f"e{k}", f"out{m}") for m in range(ways.count("out"))]
    order = [(i, f"out{m}") for i in instances for m in (0, 1)]
    links = {start: links[start] for start in order if start in links}
    inner = Netlist("inner", instances, links, inputs, {f"o{k}": end for k, end in enumerate(free)})
    if draw(st.booleans()):
        return [inner]
    twice = {"one": Instance("inner", {}), "two": Instance("inner", {})}
    into = {f"a{k}": ("one", name) for k, name in enumerate(inputs)}
    into |= {f"b{k}": ("two", name) for k, name in enumerate(inputs) if k}
    out = {f"y{k}": ("one", f"o{k}") for k in range(1, len(free))}
    out |= {f"z{k}": ("two", f"o{k}") for k in range(len(free))}
    return [Netlist("outer", twice, {("one", "o0"): ("two", "i0")}, into, out), inner]


@given(netlists())
@settings(max_examples=60)
def test_what_is_written_is_read_again(nets: list[Netlist]) -> None:
    assert networks(as_yaml(nets)) == nets


@given(netlists())
@settings(max_examples=25)
def test_import_of_export_is_the_same(nets: list[Netlist]) -> None:
    assert exported(as_tgn(nets, PHOTONIC, "there and back")) == nets


def test_commands_there_and_back(tmp_path: Path) -> None:
    """A mesh of the language, its netlist, and the network made of that: one matrix."""
    text = """
import photonic
network Layer(n = 3) {
    input  a[n]: optical
    output y[n]: optical
    node   u[n]: optical
    mesh:   connect a -> u by clements using mzi(theta ~ uniform(0 rad, 3 rad), phi ~ uniform(0 rad, 6 rad))
    screen: phase_shifter[n](u, y, phase = (0.1 rad, 0.2 rad, 0.3 rad))
}
"""
    runner = CliRunner()
    first, second, back = (str(tmp_path / name) for name in ("layer.tgn", "layer.yml", "back.tgn"))
    Path(first).write_text(text)
    for words in (
        ["export", first, "Layer", "-o", second, "--seed", "4"],
        ["import", second, "-o", back],
    ):
        result = runner.invoke(main, words)
        assert result.exit_code == 0, result.output
    again = exported(Path(back).read_text())
    assert networks(Path(second).read_text()) == again
    emitted = tellegen.compile_text(text, seed=4).emit()
    with tellegen.Session(emitted.netlist, emitted.manifest) as session:
        session.drive("a", np.array([1, 0, 0]) + 0j)
        session.solve()
        want = session.read("y")
    ports = [f"a_{k}" for k in range(3)], [f"y_{k}" for k in range(3)]
    found = matrix(Path(second).read_text(), *ports)[:, 0]
    np.testing.assert_allclose(found, want @ [1, 1j], atol=1e-12)


def test_one_net_to_two_elements_is_no_netlist() -> None:
    text = """
import photonic
network Copied {
    input  a: optical
    output y: optical, z: optical
    one: waveguide(a, y)
    two: waveguide(a, z)
}
"""
    with pytest.raises(CompileError, match="light of `a` goes to several elements"):
        exported(text)


# ---------------------------------------------------------------- whatever stands in a file


@given(st.data())
@settings(max_examples=150)
def test_a_spoilt_netlist_gives_diagnostics(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([FLAT, NESTED]))
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 20)))
        new = data.draw(
            st.sampled_from(
                [
                    "",
                    ":",
                    "{",
                    "- ",
                    "&a ",
                    "*a",
                    "!!python/object:os.system ",
                    "\x00",
                    "'",
                    "?",
                    "coupler",
                    "1e400",
                    "~",
                    "\n",
                    "<<: ",
                    "\U0001f600",
                ]
            )
        )
        text = text[:start] + new + text[end:]
    try:
        found = networks(text)
    except CompileError as error:
        assert str(error)
    else:
        assert found


def test_depth_and_objects_are_refused() -> None:
    for text in (
        "[" * 1500,
        "{" * 500,
        "a: " + "&a [*a]",
        "!!python/object/apply:os.system ['true']",
    ):
        with pytest.raises(CompileError):
            networks(text)
