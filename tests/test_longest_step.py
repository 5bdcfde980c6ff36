"""A cell's longest step bounds every transient of it, however it is begun."""

import numpy as np
import pytest

import tellegen
from tellegen.manifest import Manifest
from tellegen.sims.reservoir import reservoir

CELL = """*% summary = "Resistor that asks for short steps"
*% reference = "none"
*% max_step = "tau/10"
*% [ports]
*% p = {}
*% n = {}
*% [dc]
*% paths = [["p", "n"]]
*% [params.tau]
*% unit = "s"
*% default = 1e-4
*% [[selftest]]
*% name = "Ohm's law"
*% bench = ["V1 p 0 1", "V2 n 0 0"]
*% expect = [{ expr = "i(v2)", value = 1e-3, source = "1 kohm" }]
.subckt shy p n tau=1e-4
R1 p n 1k
.ends shy
"""
TEXT = """
import resistive
import mine

network Rc {
    input  u
    output y
    r: shy(u, y, tau = 200 us)
    c: capacitor(y, gnd, c = 1 uF)
}
"""
BORNE, STOP = 2e-5, 2e-3


@pytest.fixture(scope="module")
def emitted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cells") / "mine"
    folder.mkdir()
    (folder / "library.toml").write_text('title = "Mine"\ndescription = "Mine"\n')
    (folder / "shy.cir").write_text(CELL)
    file = folder.parent / "rc.tgn"
    file.write_text(TEXT)
    return tellegen.compile_file(file, cells=(folder,)).emit()


def longest(time):
    return np.diff(time).max()


def test_the_manifest_says_it(emitted):
    manifest = emitted.manifest
    assert manifest.max_step == pytest.approx(BORNE)
    assert Manifest.from_json(manifest.to_json()).max_step == manifest.max_step
    assert manifest.longest_step(1.0) == manifest.max_step
    assert manifest.longest_step(1e-6) == 1e-6
    plain = tellegen.compile_text(TEXT.replace("import mine", "").replace("shy(u, y, tau = 200 us)", "resistor(u, y, g = 1 mS)"))  # fmt: skip
    assert plain.emit().manifest.longest_step(1.0) == 1.0


@pytest.mark.parametrize("asked", [None, 1e-3])
def test_a_flight_keeps_to_it(emitted, asked):
    with tellegen.Flight(
        emitted.netlist, emitted.manifest, record=["y"], step=1e-3, stop=STOP, max_step=asked, external=["u"]
    ) as flight:  # fmt: skip
        flight.drive("u", 1.0)
        flight.advance(STOP)
        waves = flight.waveforms()
    assert longest(waves.time) <= BORNE * (1 + 1e-9)


def test_a_shorter_one_that_is_asked_for_counts(emitted):
    with tellegen.Flight(
        emitted.netlist, emitted.manifest, record=["y"], step=1e-3, stop=STOP / 10, max_step=5e-6
    ) as flight:
        flight.advance(STOP / 10)
        assert longest(flight.waveforms().time) <= 5e-6 * (1 + 1e-9)


@pytest.mark.parametrize("asked", [None, 1e-3])
def test_a_session_keeps_to_it(emitted, asked):
    with tellegen.Session(emitted.netlist, emitted.manifest) as session:
        waves = session.transient(1e-3, STOP, ["y"], max_step=asked)
    assert longest(waves.time) <= BORNE * (1 + 1e-9)


def test_a_reservoir_keeps_to_it(emitted):
    """With steps of 0.4 ms in a time constant of 1 ms the charge would be off by percents."""
    values = np.array([[1.0], [0.0], [0.5]])[:, 0]
    states = reservoir.run(
        emitted.netlist, emitted.manifest, {"u": values}, ["y"], interval=1e-3, step=4e-4
    )
    exact, y = [], values[0]  # it begins at the operating point
    for u in values:
        y = u + (y - u) * np.exp(-1.0)
        exact.append(y)
    assert states.ravel() == pytest.approx(exact, abs=1e-4)
