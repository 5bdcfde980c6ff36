"""What the in-flight engine does to ngspice's steps must not cost what the circuit itself does."""

import numpy as np
import pytest

from tellegen.manifest import InputMap, Manifest, OutputMap
from tellegen.sims.errors import SimulationError
from tellegen.sims.inflight.external import External
from tellegen.sims.inflight.transient import InFlight
from tellegen.sims.ngspice.locate import find_library

DRIVEN = "vu u 0 dc 0\nru u 0 1k\n"


def begin(cards, nodes, **named):
    """A transient of some cards; `u` is its external input."""
    zero, ground = np.array([0]), np.array([-1])
    outputs = {n: OutputMap((), np.array([k]), ground) for k, n in enumerate(nodes)}
    inputs = {"u": InputMap((), "voltage", zero, ground, ["vu"])}
    manifest = Manifest("t", nodes, nodes, inputs, outputs, {}, {}, {}, [])
    settings = {"record": nodes[1:] or nodes, "external": ["u"]} | named
    return InFlight(f"* t\n{cards}.end", manifest, library=find_library(), **settings)


class Toggle:
    """Lets the input jump at every call."""

    def __init__(self):
        self.times = []

    def __call__(self, exchange):
        self.times.append(exchange.time)
        exchange.drive("u", float(len(self.times) % 2))


def test_jumps_do_not_lead_over_pulses_of_the_circuit():
    pulse = "vp p 0 pulse(0 1 101.1u 10n 10n 0.2u 50u)\nrp p q 1k\ncq q 0 1n\n"
    flight = begin(DRIVEN + pulse, ["u", "p", "q"], step=5e-6, stop=1e-3)
    flight.control(Toggle(), every=5e-5)
    waves = flight.waveforms()
    high = waves.values["p"].ravel() > 0.5
    assert np.count_nonzero(~high[:-1] & high[1:]) == 18
    # 10 ns up, 0.2 us at 1 V, 10 ns down: one time constant of 1 us sees this much of it.
    tau, flat = 1e-6, 0.2e-6
    rise = 1e-8 / tau
    top = 1 - (1 - (1 - (1 - np.exp(-rise)) / rise)) * np.exp(-flat / tau)
    assert waves.values["q"].max() == pytest.approx(top, rel=0.05)
    flight.close()


def test_sources_are_on_their_lines_also_after_a_rejected_step():
    diode = "vu u 0 dc 0\nru u q 1k\ncq q 0 1n\nd1 q 0 dm\n.model dm d is=1e-12\n"
    flight = begin(diode, ["u", "q"], step=5e-5, stop=2e-3, record=["u", "q"])
    times = np.arange(1, 150) * 1.37e-5
    values = 1.8 * (np.arange(1, 150) % 2)
    flight.follow("u", 0, times.tolist(), values.tolist())
    flight.advance(2e-3)
    waves = flight.waveforms()
    exact = np.interp(waves.time, times, values)
    assert np.abs(waves.values["u"].ravel() - exact).max() < 1e-9
    flight.close()


def test_a_controller_is_called_at_multiples_only():
    flight = begin(DRIVEN, ["u"], step=1e-5, stop=1e-2)
    controller = Toggle()
    for until in (2.5e-3, 4e-3, 5e-3):
        assert flight.control(controller, every=1e-3, until=until) == pytest.approx(until, rel=1e-9)
    assert controller.times == pytest.approx([1e-3, 2e-3, 3e-3, 4e-3, 5e-3], rel=1e-9)
    flight.close()


def test_a_run_of_few_steps_ends():
    flight = begin(DRIVEN, ["u"], step=1e-3, stop=5e-3)
    assert flight.advance(5e-3) == pytest.approx(5e-3, rel=1e-9)
    flight.close()


@pytest.mark.parametrize("left", [1e-10, 1e-8, 3e-7, 1e-5])
def test_a_run_ends_however_short_its_last_step_is(left):
    # ngspice asks for a step that is short of the end by 1.1 of its shortest ones, here by 5.5e-16 s.
    flight = begin(DRIVEN + "rq u q 1k\ncq q 0 1u\n", ["u", "q"], step=5e-5, stop=25e-3)
    flight.advance(25e-3 - left)
    assert flight.advance(25e-3) == pytest.approx(25e-3, rel=1e-11)
    flight.close()


def test_the_reason_of_a_failure_on_the_way_is_kept():
    # From 1 ms on the source says the opposite of itself.
    cards = (
        "vt t 0 pwl(0 0 10m 10)\nrt t 0 1k\n"
        "bx x 0 v=(v(t)>1)*((v(y)>0)?(-1):1)+0.5*(v(t)<=1)\nrx x y 1\nry y 0 1k\n"
    )
    flight = begin(DRIVEN + cards, ["u", "t", "x", "y"], step=1e-4, stop=1e-2)
    with pytest.raises(SimulationError, match="Timestep too small"):
        flight.advance(1e-2)
    assert flight.time == pytest.approx(1e-3, rel=1e-3)
    flight.close()


def test_only_voltages_against_ground_are_watched():
    ground = np.array([-1])
    manifest = Manifest(
        "t", ["u", "q"], ["u", "q"],
        {"u": InputMap((), "voltage", np.array([0]), ground, ["vu"])},
        {"d": OutputMap((), np.array([1]), np.array([0]))}, {}, {}, {}, [],
    )  # fmt: skip
    with pytest.raises(ValueError, match="cannot be watched"):
        InFlight(
            f"* t\n{DRIVEN}rq u q 1k\ncq q 0 1n\n.end", manifest, library=find_library(),
            record=["d"], spikes=["d"], step=1e-5, stop=1e-3,
        )  # fmt: skip


def test_a_source_whose_points_are_past_keeps_the_last():
    sources = External(["a"])
    sources.follow(0, [1.0, 2.0], [0.0, 3.0])
    sources.set_time(2.0)
    assert sources.corner(2.0) == np.inf
    assert not sources.moving
    assert sources.held[b"a"] == 3.0


def test_a_pulse_just_before_an_exchange_is_seen():
    # It lies within the last thousandth of the step that leads to the exchange at 100 us.
    pulse = "vp p 0 pulse(0 1 99.9962u 0.5n 0.5n 1n 1)\nrp p q 1k\ncq q 0 1p\n"
    flight = begin(DRIVEN + pulse, ["u", "p", "q"], step=5e-6, stop=2e-4)
    toggle = Toggle()
    flight.control(toggle, every=5e-5)
    waves = flight.waveforms()
    assert waves.values["p"].max() == pytest.approx(1)
    assert toggle.times == pytest.approx([5e-5, 1e-4, 1.5e-4, 2e-4], rel=1e-12)
    flight.close()


def test_an_interrupt_within_a_controller_leaves_the_transient_whole():
    class Interrupted:
        def __call__(self, exchange):
            exchange.drive("u", 1.0)
            if exchange.time > 2.5e-5:
                raise KeyboardInterrupt

    flight = begin(DRIVEN + "ra u q 1k\nca q 0 10n\n", ["u", "q"], step=1e-6, stop=1e-3)
    with pytest.raises(KeyboardInterrupt):
        flight.control(Interrupted(), every=1e-5)
    flight.advance(1e-4)
    assert flight.read("q") == pytest.approx(1 - np.exp(-9), rel=1e-5)  # driven from 10 us on
    flight.close()


def test_two_inputs_one_on_its_lines_one_driven():
    cards = DRIVEN + "vb b 0 dc 0\nrb b c 1k\ncb c 0 10n\n"
    zero, ground, nodes = np.array([0]), np.array([-1]), ["u", "b", "c"]
    inputs = {
        "u": InputMap((), "voltage", zero, ground, ["vu"]),
        "b": InputMap((), "voltage", zero + 1, ground, ["vb"]),
    }
    outputs = {n: OutputMap((), np.array([k]), ground) for k, n in enumerate(nodes)}
    manifest = Manifest("t", nodes, nodes, inputs, outputs, {}, {}, {}, [])
    flight = InFlight(
        f"* t\n{cards}.end", manifest, library=find_library(), record=nodes, external=["u", "b"],
        step=1e-5, stop=5e-4,
    )  # fmt: skip
    times, values = [1e-4, 2e-4, 2.0001e-4, 9e-4], [0.0, 1.0, 3.0, 3.5]
    flight.follow("b", 0, times, values)
    flight.control(lambda e: e.drive("u", e.time * 1e3), every=3.3e-5)
    waves = flight.waveforms()
    assert np.abs(waves.values["b"] - np.interp(waves.time, times, values)).max() < 1e-12
    held = np.floor(waves.time / 3.3e-5 * (1 - 1e-9)) * 3.3e-2
    assert np.abs(waves.values["u"] - held).max() < 1e-12
    flight.close()


@pytest.mark.parametrize("others", ["", "rx x 0 1\nry y 0 1\nrz z 0 1\n"])
def test_ngspice_keeps_no_points_of_its_own(others):
    # With others beside it a node is saved by name; without, ngspice hands over all.
    cards = "vp p 0 sin(0 1 1k)\nrp p q 1k\ncq q 0 1u\n" + others
    nodes = ["u", "p", "q", *("xyz" if others else "")]
    record = ["q"] if others else ["p", "q"]
    flight = begin(cards + DRIVEN, nodes, record=record, external=[], step=1e-6, stop=1e-3)
    for until in (1e-4, 2e-4, 5e-4):
        flight.advance(until)
        assert len(flight._ng.vector("time")) == 1
        names = set(flight._ng.vector_names())
        assert ("u" in names) != bool(others) and {"q", "time"} <= names
    assert flight.recorder.count >= 500
    flight.close()
