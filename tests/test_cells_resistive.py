"""The resistive library in ngspice, beyond its self-tests.

`TELLEGEN_TEST_LIBRARIES=path:path` adds ngspice libraries to the one that Tellegen finds.
"""

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import brentq

from tellegen.cells import find_library
from tellegen.cells.expression import evaluate
from tellegen.manifest import Manifest, ParameterMap
from tellegen.sims.ngspice.deck import run_deck
from tellegen.sims.session import Session

CELLS = find_library("resistive").cells
LIBRARIES = [None, *filter(None, os.environ.get("TELLEGEN_TEST_LIBRARIES", "").split(":"))]
TIGHT = ".options reltol=1e-9 vntol=1e-12 abstol=1e-18"


@pytest.fixture(params=LIBRARIES)
def library(request):
    return request.param and Path(request.param)


def instance(name, cell, nodes, **values):
    return " ".join([f"x{name}", *nodes, cell.name, *(f"{k}={v!r}" for k, v in values.items())])


def netlist(cells, cards):
    texts = [CELLS[name].text for name in sorted({cell.name for cell in cells})]
    return "\n".join(["* bench", *texts, *cards, TIGHT, ".op", ".end", ""])


# ---------------------------------------------------------------- writes

WRITABLE = [(cell, name) for cell in CELLS.values() for name in cell.programmable]
WRITTEN = {"g": 3e-4, "code": 17.0, "high": 0.5, "low": 0.25, "gain": -2.5, "offset": 0.7}
WRITTEN |= {"gm": 4e-3, "vg": 3.3}


def test_the_library_has_the_cells_of_the_field():
    assert CELLS.keys() >= {
        "resistor", "digipot", "digipot_log", "capacitor", "diode", "diode_rails",
        "voltage_driver", "voltage_driver_ideal", "current_driver", "current_driver_ideal",
        "bidirectional_amplifier", "nmos_edge_ground", "nmos_edge_source",
    }  # fmt: skip


def test_writing_the_element_is_setting_the_parameter(library):
    """A session's write changes the circuit as another value on the instance would."""
    before, after, parameters = [], [], {}
    for k, (cell, name) in enumerate(WRITABLE):
        nodes = [f"{port}_{k}" for port in cell.ports]
        bench = [f"V{k} {nodes[0]} b_{k} 0.4", f"Rb{k} b_{k} 0 100", f"R{k} {nodes[1]} 0 1k"]
        before += [instance(k, cell, nodes), *bench]
        after += [instance(k, cell, nodes, **{name: WRITTEN[name]}), *bench]
        how = cell.programmable[name]
        defaults = {p: np.array([v.default]) for p, v in cell.params.items()}
        parameters[f"{k}.{name}"] = ParameterMap(
            shape=(1,),
            unit=cell.params[name].unit,
            symbol=name,
            elements=[f"{e[0]}.x{k}.{e}".lower() for e in how.elements],
            attribute=how.attribute,
            expressions=list(how.expressions),
            arguments={p: v for p, v in defaults.items() if p != name},
            values=defaults[name],
            low=np.array([-np.inf]),
            high=np.array([np.inf]),
            step=None,
            write_noise=0.0,
            sense=0,
            instances=str(k),
        )
    cells = [cell for cell, _ in WRITABLE]
    want = run_deck(netlist(cells, after), library=library)
    nodes = [f"{port}_{k}" for k, (cell, _) in enumerate(WRITABLE) for port in cell.ports]
    manifest = Manifest("Bench", nodes, nodes, {}, {}, parameters, {}, {}, [])
    with Session(netlist(cells, before), manifest, library=library) as session:
        session.solve()
        first = session.read("nodes")
        for key, parameter in parameters.items():
            session.write(key, np.array([WRITTEN[parameter.symbol]]))
        session.solve()
        found = session.read("nodes")
    np.testing.assert_allclose(found, [want[node][0] for node in nodes], rtol=1e-6, atol=1e-9)
    for k, (cell, name) in enumerate(WRITABLE):
        own = [nodes.index(f"{port}_{k}") for port in cell.ports]
        assert np.abs(found - first)[own].max() > 1e-6, f"{cell.name}.{name} changed nothing"


@pytest.mark.parametrize(("cell", "name"), [(c, n) for c, n in WRITABLE if "digipot" in c.name])
def test_codes_are_resistances(cell, name):
    """The session computes element values by the same expression that is on the card."""
    defaults = {p: v.default for p, v in cell.params.items()}
    parameter, how = cell.params[name], cell.programmable[name]
    low, high = (evaluate(limit, defaults) for limit in (parameter.min, parameter.max))
    codes = np.arange(low, high + 1)
    found = evaluate(how.expressions[0], defaults | {name: codes})
    if cell.name == "digipot":
        np.testing.assert_allclose(np.diff(found), 100e3 / 128)
        assert (len(codes), found[-1]) == (128, 100e3)
    else:
        np.testing.assert_allclose(found[1:] / found[:-1], (32e3 / 40) ** (1 / 99))
        assert (len(codes), found[0]) == (100, 40)
    assert np.all(np.diff(found) > 0) == (how.sense == "decreasing")


# ---------------------------------------------------------------- transistors


def shichman_hodges(vd, vg, vs):
    """Drain current of the card's level 1 (H. Shichman, D. Hodges, IEEE JSSC 3, 285 (1968)).

    Terminal voltages against the bulk; the series resistances of drain and source are solved for.
    """
    beta, vto, gamma, phi, lam = 6.2496e-5 * 1.38e-4 / 7.8e-6, 0.75, 1.09, 0.94995, 0.19998
    rd, rs = 0.3 * 73.213, 73.213

    def channel(d, s):
        if d < s:
            return -channel(s, d)
        threshold = vto + gamma * (np.sqrt(phi + s) - np.sqrt(phi))
        over, drop = vg - s - threshold, d - s
        if over <= 0:
            return 0.0
        reach = min(drop, over)
        return beta * (1 + lam * drop) * reach * (over - reach / 2)

    def residual(current):
        return channel(vd - current * rd, vs + current * rs) - current

    span = (vd - vs) / (rd + rs)
    return brentq(residual, min(0, span), max(0, span), xtol=1e-18, rtol=1e-12) if span else 0.0


@pytest.mark.parametrize("kind", ["ground", "source"])
def test_transistor_edge_follows_its_equations(library, kind):
    cell = CELLS[f"nmos_edge_{kind}"]
    biases = [
        (vd, vs, vg)
        for vd in (0.0, 0.11, 0.45, 2.0)
        for vs in (0.0, 0.2, 0.45, 1.1)
        for vg in (0.9, 1.6, 2.4, 5.0)
    ]
    cards = []
    for k, (vd, vs, vg) in enumerate(biases):
        cards += [f"Vd{k} d{k} 0 {vd}", f"Vs{k} s{k} 0 {vs}"]
        cards.append(instance(k, cell, [f"d{k}", f"s{k}"], vg=vg))
    found = run_deck(netlist([cell], cards), library=library)
    got = np.array([-found[f"vd{k}#branch"][0] for k in range(len(biases))])
    want = np.array(
        [shichman_hodges(vd, vg + (vs if kind == "source" else 0), vs) for vd, vs, vg in biases]
    )
    # Junctions and gmin add some 1e-12 A per volt.
    np.testing.assert_allclose(got, want, rtol=1e-6, atol=2e-11)
    assert np.count_nonzero(np.abs(want) > 1e-6) > 30


# ---------------------------------------------------------------- clamps


def test_clamp_keeps_a_neuron_between_its_rails(library):
    """With the biases of the public code the node stays within about 0..1 V."""
    cell = CELLS["diode_rails"]
    currents = np.linspace(-1e-3, 1e-3, 21)
    cards = []
    for k, current in enumerate(currents):
        cards += [f"I{k} 0 p{k} {current}", instance(k, cell, [f"p{k}", "0"])]
    found = run_deck(netlist([cell], cards), library=library)
    node = np.array([found[f"p{k}"][0] for k in range(len(currents))])
    assert np.all(np.diff(node) > 0)
    assert node[0] > 0
    assert node[-1] < 1
    assert node[10] == pytest.approx(0.5, abs=1e-9)
    np.testing.assert_allclose(node + node[::-1], 1, atol=1e-9)  # the same in both directions
    outward = [found[f"v.x{k}.vhigh#branch"][0] for k in range(len(currents))]
    inward = [found[f"v.x{k}.vlow#branch"][0] for k in range(len(currents))]
    np.testing.assert_allclose(np.add(outward, inward), currents, atol=1e-11)  # Kirchhoff


def test_amplifier_weighs_the_layer_behind_it(library):
    """The power that enters is that which leaves over gain^2: the weight of the layer's energy."""
    cell = CELLS["bidirectional_amplifier"]
    cards = ["Vin a 0 0.7", "Rin a p 1k", "Vq q z 0", "Rl z 0 2k", "Il 0 z 0.3m"]
    for gain in (0.5, 4.0, 480.0):
        found = run_deck(
            netlist([cell], [instance("u", cell, ["p", "q"], gain=gain), *cards]), library=library
        )
        into = -found["vin#branch"][0]
        out = found["vq#branch"][0]
        assert found["q"][0] == pytest.approx(gain * found["p"][0], rel=1e-12)
        assert found["p"][0] * into == pytest.approx(found["q"][0] * out / gain**2, rel=1e-9)
