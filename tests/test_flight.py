"""In-flight transients, held against closed forms of the loops that they close."""

import numpy as np
import pytest

from tellegen import Flight, compile_text
from tellegen.sims.inflight.exchange import Exchange
from tellegen.sims.inflight.external import External
from tellegen.sims.inflight.recorder import Recorder

RC = """
import resistive
network Rc {
    input  u
    output y
    r: resistor(u, y, g = 1 mS)
    c: capacitor(y, gnd, c = 1 uF)
}
"""
TAU = 1e-3


@pytest.fixture(scope="module")
def emitted():
    return compile_text(RC).emit()


def flight(emitted, **named):
    settings = {"record": ["y", "u"], "step": 5e-6, "stop": 0.01, "external": ["u"]} | named
    return Flight(emitted.netlist, emitted.manifest, **settings)


class Proportional:
    """u = gain (1 - y), held between two calls."""

    def __init__(self, gain):
        self.gain = gain
        self.log = []

    def __call__(self, exchange: Exchange):
        y = float(exchange.read("y"))
        self.log.append((exchange.time, y))
        exchange.drive("u", self.gain * (1 - y))


class Doubling:
    """Doubles the conductance at its third call, and ends the run at its fifth."""

    def __init__(self):
        self.times = []

    def __call__(self, exchange: Exchange):
        self.times.append(exchange.time)
        if len(self.times) == 3:
            exchange.write("r.g", 2e-3)
        if len(self.times) == 5:
            exchange.stop()


def failing(exchange: Exchange):
    raise RuntimeError("the controller gave up")


def test_steps_of_a_source_and_of_a_parameter(emitted):
    with flight(emitted) as f:
        assert f.advance(1e-3) == pytest.approx(1e-3, rel=1e-12)
        assert f.read("y") == pytest.approx(0.0, abs=1e-9)
        f.drive("u", 1.0)
        assert f.advance(2e-3) == pytest.approx(2e-3, rel=1e-12)
        assert f.read("y") == pytest.approx(1 - np.exp(-1), rel=1e-5)
        f.write("r.g", 2e-3)
        f.advance(2.5e-3)
        assert f.read("y") == pytest.approx(1 - np.exp(-2), rel=2e-5)
        waves = f.waveforms()
    assert (np.diff(waves.time) > 0).all()
    rising = waves.time <= 2e-3
    exact = np.where(waves.time > 1e-3, 1 - np.exp(-(waves.time - 1e-3) / TAU), 0)
    assert np.abs(waves.values["y"] - exact)[rising].max() < 2e-5


@pytest.mark.parametrize("every", [2e-4, 5e-5])
def test_a_sampled_loop_follows_its_difference_equation(emitted, every):
    with flight(emitted, stop=0.003, step=2e-6) as f:
        f.drive("u", 5.0)
        controller = f.control(Proportional(5.0), every=every)
        assert f.time == pytest.approx(0.003, rel=1e-12)
    times, found = np.array(controller.log).T
    assert times == pytest.approx(every * np.arange(1, len(times) + 1), rel=1e-12)
    decay, y, u, exact = np.exp(-every / TAU), 5.0, 5.0, []
    for _ in times:
        y = y * decay + u * (1 - decay)
        u = 5 * (1 - y)
        exact.append(y)
    assert found == pytest.approx(np.array(exact), abs=5e-6)


def test_a_parameter_written_by_a_controller(emitted):
    with flight(emitted) as f:
        f.drive("u", 1.0)
        controller = f.control(Doubling(), every=1e-4)
        assert f.time == pytest.approx(5e-4, rel=1e-6)
    assert controller.times == pytest.approx(1e-4 * np.arange(1, 6), rel=1e-9)


def test_an_error_of_a_controller_arrives(emitted):
    with flight(emitted) as f:
        with pytest.raises(RuntimeError, match="gave up"):
            f.control(failing, every=1e-4)
        f.advance(2e-4)  # and the transient can go on
        assert f.time == pytest.approx(2e-4, rel=1e-9)


def test_a_controller_is_called_at_spikes():
    text = RC.replace("r:", "s: resistor(y, gnd, g = 1 uS)\n    r:")
    emitted = compile_text(text).emit()
    with Flight(
        emitted.netlist, emitted.manifest, record=["y"], step=1e-5, stop=0.01, external=["u"],
        spikes=["y"],
    ) as f:  # fmt: skip
        f.advance(1e-3)
        f.drive("u", 1.8 * 10)
        controller = f.control(Doubling())
        (spikes,) = f.spikes("y")
    assert len(controller.times) == len(spikes) == 1
    # 18 V over 1 kohm into 1 uF beside 1 Mohm: the way to 0.9 V.
    tau = 1 / (1e-3 + 1e-6) * 1e-6
    final = 18 * 1e-3 / (1e-3 + 1e-6)
    assert spikes[0] == pytest.approx(1e-3 - tau * np.log(1 - 0.9 / final), rel=1e-5)


def test_points_go_to_a_file(emitted, tmp_path):
    with flight(emitted, file=tmp_path / "points.f64", stop=0.002) as f:
        f.drive("u", 1.0)
        f.advance(1e-3)
        waves = f.waveforms()
        assert waves.values["y"][-1] == pytest.approx(f.read("y"))
    assert (tmp_path / "points.f64").stat().st_size == waves.time.size * 3 * 8


def test_what_is_wrong_is_said(emitted):
    with pytest.raises(KeyError):
        flight(emitted, record=["nothing"])
    with flight(emitted) as f:
        with pytest.raises(ValueError, match="finite"):
            f.drive("u", np.nan)
        with pytest.raises(ValueError, match="every"):
            f.control(failing)


def test_an_external_source_follows_its_points():
    sources = External(["a", "b"])
    sources.follow(0, [1.0, 2.0, 4.0], [0.0, 1.0, -1.0])
    found = []
    for time in (0.5, 1.0, 1.5, 3.0, 5.0):
        sources.set_time(time)
        found.append(sources.held[b"a"])
    assert found == [0, 0, 0.5, 0, -1]
    assert [sources.corner(t) for t in (0.0, 1.0, 1.5, 2.0, 4.0)] == [1, 2, 2, 4, np.inf]
    sources.hold(1, 3.0)
    assert sources.jumped and sources.held[b"b"] == 3.0


def test_a_recorder_keeps_points_in_memory_and_in_a_file(tmp_path):
    for file in (None, tmp_path / "points"):
        recorder = Recorder(2, [1], file)
        for k in range(10_000):
            recorder.take([k * 1.0, k, 1.8 * (k % 100 == 50)])
        table = recorder.table()
        assert table.shape == (10_000, 3)
        assert (table[:, 1] == np.arange(10_000)).all()
        assert recorder.spikes(0) == pytest.approx([k - 0.5 for k in range(50, 10_000, 100)])
        assert recorder.spikes(0) == []
        recorder.close()


def test_the_recorded_power_of_light_is_what_is_read():
    guide = [
        "import photonic",
        "network G {",
        "input a[1]: optical",
        "output z[1]: optical",
        "g: connect a -> z by one_to_one using waveguide()",
        "}",
    ]
    emitted = compile_text("\n".join(guide)).emit()
    told = {"record": ["z", "z.power"], "step": 1e-9, "stop": 1e-8, "external": ["a"]}
    with Flight(emitted.netlist, emitted.manifest, **told) as flight:
        flight.drive("a", [2.0, 1.0])
        flight.advance(1e-8)
        assert flight.read("z.power") == pytest.approx(5.0)
        waves = flight.waveforms()
    z = waves.values["z"].reshape(len(waves.time), 2)
    power = waves.values["z.power"].reshape(-1)
    assert power == pytest.approx((z**2).sum(axis=1))
    assert power[-1] == pytest.approx(5.0)
