"""Reservoirs: states from ngspice against a closed form, read-outs, capacities of known systems, data sets."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import tellegen
from tellegen.files import Files
from tellegen.sims.datasets.mackey_glass import mackey_glass
from tellegen.sims.datasets.narma10 import narma10
from tellegen.sims.datasets.random_bits import delayed, parities, random_bits
from tellegen.sims.datasets.sine_square import sine_square
from tellegen.sims.reservoir import reservoir
from tellegen.sims.reservoir.capacity import capacity, squared_correlation
from tellegen.sims.reservoir.readout import fit, in_time, nrmse

LOW_PASS = """
import resistive
network LowPass {
    input  u
    output y
    r: resistor(u, y, g = 1 mS)
    c: capacitor(y, gnd, c = 1 uF)
}
"""


def emitted():
    return tellegen.compile_text(LOW_PASS).emit()


def test_states_of_an_rc_follow_the_closed_form():
    made = emitted()
    values = np.random.default_rng(0).uniform(-1, 1, 60)
    interval, tau = 0.5e-3, 1e-3
    states = reservoir.run(
        made.netlist, made.manifest, {"u": values}, ["y"], interval=interval, step=2e-5, nodes=3
    )
    exact, v = [], values[0]  # it begins at the operating point of the first value
    for u in values:
        v = u + (v - u) * np.exp(-interval / tau)
        exact.append(v)
    assert states.shape == (20, 3)
    assert states.ravel() == pytest.approx(exact, abs=2e-4)


def test_samples_go_on_over_the_chunks(monkeypatch):
    made = emitted()
    values = np.random.default_rng(1).uniform(-1, 1, 50)
    settings = {"interval": 0.5e-3, "step": 5e-5}
    whole = reservoir.run(made.netlist, made.manifest, {"u": values}, ["y"], **settings)
    seen = []
    monkeypatch.setattr(reservoir, "_CHUNK", 7)
    parts = reservoir.run(
        made.netlist, made.manifest, {"u": values}, ["y"], **settings,
        progress=lambda done, of: seen.append((done, of)),
    )  # fmt: skip
    assert seen[0] == (7, 50) and seen[-1] == (50, 50)
    assert parts == pytest.approx(whole, abs=1e-3)


@pytest.mark.parametrize(
    ("values", "nodes", "step", "says"),
    [(np.zeros(7), 2, 1e-5, "multiple"), (np.zeros(8), 2, 1e-3, "resolve")],
)
def test_what_cannot_be_run_is_refused(values, nodes, step, says):
    made = emitted()
    with pytest.raises(ValueError, match=says):
        reservoir.run(
            made.netlist, made.manifest, {"u": values}, ["y"], interval=1e-3, step=step, nodes=nodes
        )


def test_a_shift_register_remembers_its_length_and_knows_no_parity():
    bits = np.random.default_rng(2).integers(0, 2, 6000)
    states = delayed(bits, 5)
    parts = in_time(len(bits), 0.5, 0.0, washout=20)
    memory = capacity(states, delayed(bits, 12), parts, (1e-9,))
    assert memory.by_delay[:5] == pytest.approx(1.0)
    assert memory.total == pytest.approx(5.0, abs=0.05)
    assert capacity(states, parities(bits, 12), parts, (1e-9,)).total < 0.05


def test_products_of_delayed_bits_give_parity():
    bits = np.random.default_rng(3).integers(0, 2, 4000)
    signs = 1 - 2 * np.column_stack([bits, delayed(bits, 2)])
    states = np.column_stack([signs[:, 0] * signs[:, 1], signs.prod(axis=1)])
    parts = in_time(len(bits), 0.5, 0.0, washout=20)
    found = capacity(states, parities(bits, 6), parts, (1e-9,))
    assert found.by_delay[:2] == pytest.approx(1.0)
    assert found.total == pytest.approx(2.0, abs=0.05)


def test_memory_of_a_linear_echo_state_network_is_below_its_size():
    # Jaeger, GMD report 152 (2001): at most as many as there are nodes, and near to it for a good one.
    rng = np.random.default_rng(4)
    size = 6
    ring = 0.8 * np.roll(np.eye(size), 1, axis=0)
    bits = rng.integers(0, 2, 6000)
    x, states = np.zeros(size), []
    inlet = rng.normal(size=size)
    for bit in bits:
        x = ring @ x + inlet * (bit - 0.5)
        states.append(x)
    states = np.array(states)
    parts = in_time(len(bits), 0.5, 0.0, washout=100)
    total = capacity(states, delayed(bits, 25), parts, (1e-9,)).total
    assert (
        size - 1.5 < total <= size + 0.05
    )  # the present bit, which does not count, is one of them


def test_ridge_is_its_own_normal_equation():
    rng = np.random.default_rng(5)
    states, targets = rng.normal(size=(80, 4)), rng.normal(size=(80, 2))
    parts = in_time(80, 0.5, 0.25)
    found = fit(states, targets, parts, (0.1,))
    x, y = states[:40], targets[:40]
    z = (x - x.mean(0)) / x.std(0)
    weights = np.linalg.solve(z.T @ z + 0.1 * 40 * np.eye(4), z.T @ (y - y.mean(0)))
    assert found.weights == pytest.approx(weights)


def test_alpha_is_chosen_on_the_validation_part():
    rng = np.random.default_rng(5)
    states, targets = rng.normal(size=(80, 35)), rng.normal(size=(80, 1))  # nothing to learn
    chosen = fit(states, targets, in_time(80, 0.5, 0.25), (1e-6, 1e-2, 1e3))
    assert chosen.alpha == 1e3
    assert chosen.validation[1e3] < chosen.validation[1e-6]


def test_a_dead_node_and_a_missing_validation_part():
    states = np.column_stack([np.arange(10.0), np.full(10, 0.3)])
    parts = in_time(10, 0.8, 0.0)
    found = fit(states, states[:, :1], parts, (1e-12,))
    assert nrmse(found.predict(states), states[:, :1]) < 1e-6
    with pytest.raises(ValueError, match="validation"):
        fit(states, states[:, :1], parts, (1e-3, 1.0))
    with pytest.raises(ValueError, match="washout"):
        in_time(10, 0.5, 0.0, washout=10)


def test_narma10_obeys_its_recursion():
    data = narma10.call(Files(), samples=200, seed=1)
    s, y = data.columns["signal"], data.columns["next"]
    n = 150
    past = y[n - 10 : n]  # y[n-9] .. y[n], since `next` is one ahead
    expected = 0.3 * past[-1] + 0.05 * past[-1] * past.sum() + 1.5 * s[n] * s[n - 9] + 0.1
    assert y[n] == pytest.approx(expected)


def test_delayed_inputs_alone_leave_the_known_error_of_narma10():
    # Appeltant's thesis (section 3.3.1): 0.4, the least of a shift register and of any linear reservoir.
    errors = []
    for seed in range(6):
        data = narma10.call(Files(), samples=4000, seed=seed)
        s, y = data.columns["signal"], data.columns["next"][:, None]
        before = np.column_stack([np.roll(s, k) for k in range(20)])
        parts = in_time(len(s), 0.5, 0.0, washout=100)
        outputs = fit(before, y, parts, (1e-9,)).predict(before)
        errors.append(nrmse(outputs[parts.test], y[parts.test]))
    assert np.mean(errors) == pytest.approx(0.4, abs=0.02)


def test_mackey_glass_without_delay_falls_as_its_equation():
    # A short delay has a fixed point, x = 1; around it SciPy solves the series in pieces of one delay.
    data = mackey_glass.call(Files(), samples=30, ahead=3, tau=17, start=1.2)
    assert data.columns["next"][:-3] == pytest.approx(data.columns["signal"][3:])
    first = mackey_glass.call(Files(), samples=400, ahead=1, tau=1, start=1.2)
    assert first.columns["signal"][-1] == pytest.approx(1.0, abs=1e-6)


def test_mackey_glass_agrees_with_scipy_piece_by_piece(monkeypatch):
    monkeypatch.setattr("tellegen.sims.datasets.mackey_glass._BEFORE", 0)
    tau = 17
    series = mackey_glass.call(Files(), samples=60, ahead=1, tau=tau, start=1.2)
    old, start, found = (lambda t: 1.2 + 0 * t), 1.2, []
    for _ in range(3):
        piece = solve_ivp(
            lambda t, x, old=old: 0.2 * old(t) / (1 + old(t) ** 10) - 0.1 * x, (0, tau), [start],
            dense_output=True, rtol=1e-9, atol=1e-12,
        )  # fmt: skip
        found += list(piece.sol(np.arange(tau))[0])
        old, start = (lambda t, sol=piece.sol: sol(t)[0]), piece.y[0, -1]
    assert series.columns["signal"][: len(found)] == pytest.approx(found, abs=1e-4)


def test_bits_and_waves():
    bits = random_bits.call(Files(), samples=30, delays=3, seed=1)
    s = bits.columns["signal"]
    assert bits.columns["memory"][10, 2] == s[7]
    assert bits.columns["parity"][10, 2] == s[7:11].sum() % 2
    waves = sine_square.call(Files(), periods=20, points=8, seed=0)
    assert set(np.unique(waves.classes)) == {0, 1} and len(waves) == 160
    square = waves.features.reshape(20, 8)[waves.classes[::8] == 1]
    assert (square == [1, 1, 1, 1, -1, -1, -1, -1]).all()


def test_each_delay_has_the_read_out_that_a_fit_of_its_own_gives():
    rng = np.random.default_rng(3)
    bits = rng.integers(0, 2, 300)
    states = rng.normal(size=(300, 8)) + np.outer(np.roll(bits, 1), rng.normal(size=8))
    parts, alphas, wanted = in_time(300, 0.5, 0.2, 10), (1e-6, 1e-1, 10.0), delayed(bits, 4)
    fits = [fit(states, w[:, None], parts, alphas) for w in wanted.T]
    assert len({f.alpha for f in fits}) > 1
    alone = [
        squared_correlation(f.predict(states[parts.test])[:, 0], w[parts.test])
        for f, w in zip(fits, wanted.T, strict=True)
    ]
    assert capacity(states, wanted, parts, alphas).by_delay == pytest.approx(alone, abs=1e-9)
    with pytest.raises(ValueError, match="validation part"):
        capacity(states, wanted, in_time(300, 0.7, 0.0), alphas)
