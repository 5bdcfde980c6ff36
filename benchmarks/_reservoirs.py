"""What the benchmarks of reservoirs share: the oscillators as circuits, and the controls beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from tellegen.arrays import Values
from tellegen.emit.spice import Emitted

RIDGE = (1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2)


@cache
def compiled(text: str) -> Emitted:
    """The netlist and manifest of a network."""
    import tellegen

    return tellegen.compile_text(text).emit()


def averaged_array(
    drive: Values,
    noise: Values,
    *,
    field: float,
    interval: float,
    nodes: int,
    temperature: float,
    varied: Mapping[str, str] | None = None,
) -> Values:
    """States (samples, nodes, oscillators) of orbit-averaged oscillators beside each other: their amplitudes in volt.

    Args:
        drive: currents in ampere (samples * nodes, oscillators), each value held for `interval` seconds.
        noise: standard normal numbers of the same shape, made the thermal field's white noise.
        field: the applied field in tesla.
        interval: as above.
        nodes: virtual nodes of a sample.
        temperature: of the thermal field, in kelvin; at 0 there is no noise.
        varied: for parameters of the cell the distributions that they are drawn from.
    """
    from tellegen.sims.reservoir import reservoir

    count = drive.shape[1]
    drawn = "".join(f", {name} ~ {law}" for name, law in (varied or {}).items())
    emitted = compiled(f"""
        import spintronic
        network Oscillators {{
            input  i[{count}]: current
            input  n[{count}]: spin
            output v[{count}]
            sto: sto_averaged[{count}](i, v, n, field = {field} T, temperature = {temperature} K{drawn})
        }}
    """)
    # A noise of 1 V^2 ns, held: its variance is 1 V^2 over the interval in nanoseconds.
    drives = {"i": drive, "n": noise / np.sqrt(interval * 1e9) * (temperature > 0)}
    states = reservoir.run(
        emitted.netlist, emitted.manifest, drives, ["v"], interval=interval, step=interval / 3, nodes=nodes
    )  # fmt: skip
    return states.reshape(-1, nodes, count)


def vortices(
    drive: Values,
    noise: Values,
    force: Values,
    *,
    interval: float,
    nodes: int,
    frame: float,
    temperature: float = 300.0,
    thickness: float = 6e-9,
) -> Values:
    """States (samples, nodes, 3, oscillators) of vortex oscillators beside each other: what their alternating voltages are.

    Amplitude, and both quadratures against the force, in volt.

    Args:
        drive: currents over the threshold's (samples * nodes, oscillators), each value held for `interval` seconds.
        noise: standard normal numbers (2, samples * nodes, oscillators), made the thermal noise of the components.
        force: what pushes each oscillator (oscillators,), in rad/ns: a microwave field, constant in the frame.
        interval: as above.
        nodes: virtual nodes of a sample.
        frame: frequency of the force in hertz; the quadratures are taken against it.
        temperature: of the noise, in kelvin.
        thickness: of the free layer in metre; its width is 375 nm.
    """
    from tellegen.sims.reservoir import reservoir

    count = drive.shape[1]
    emitted = compiled(f"""
        import spintronic
        network Vortices {{
            input  i[{count}]: current
            input  n[{count}]: spin, m[{count}]: spin, f[{count}]: spin
            output v[{count}], x[{count}]: spin, y[{count}]: spin
            sto: sto_vortex[{count}](i, x, y, f, noise_u = n, noise_v = m, out = v, start = 0.3,
                                     frame = {frame:.9g} Hz, temperature = {temperature:.9g} K,
                                     thickness = {thickness:.9g} m)
        }}
    """)
    held = noise / np.sqrt(interval * 1e9)
    drives = {
        "i": vortex(thickness).threshold * drive, "n": held[0], "m": held[1],
        "f": np.broadcast_to(force, drive.shape),
    }  # fmt: skip
    states = reservoir.run(
        emitted.netlist, emitted.manifest, drives, ["v", "x", "y"], interval=interval, step=0.45 * interval,
        nodes=nodes,
    )  # fmt: skip
    amplitude, u, v = np.moveaxis(states.reshape(-1, nodes, 3, count), 2, 0)
    # Current times position; the amplitude has the current in it already.
    turn = amplitude / np.maximum(np.hypot(u, v), 1e-12)
    return np.stack([amplitude, turn * u, turn * v], axis=2)


@dataclass(frozen=True)
class Vortex:
    """What Thiele's equation says of a vortex: frequency in hertz, rate in rad/ns, threshold in ampere."""

    frequency: float
    rate: float
    threshold: float


def vortex(thickness: float) -> Vortex:
    """Of an FeB layer 375 nm wide (the default device of the cell `sto_vortex`)."""
    ms, radius, core, alpha = 1.3e6, 187.5e-9, 10e-9, 0.01
    gyro = 2 * np.pi * ms * thickness / 1.764e11
    damped = alpha * (1 - 0.5 * np.log(core / radius))
    stiff = 10 / 9 * 1.25663706212e-6 * ms**2 * thickness**2 / radius
    torque = np.pi * 1.054571817e-34 * 0.7 * 0.5 / (2 * 1.602176634e-19)
    return Vortex(
        stiff / gyro / (2 * np.pi), 1e-9 * damped * stiff / gyro, damped * stiff * np.pi * radius**2 / torque,
    )  # fmt: skip


def echo_state(
    signal: Values, nodes: int, seed: int, *, radius: float, leak: float, scale: float
) -> Values:
    """States (samples, nodes) of an echo-state network (Jaeger, GMD report 148 (2001)).

    Args:
        signal: the input (samples,).
        nodes: its units.
        seed: of its weights.
        radius: spectral radius of the recurrent weights.
        leak: of the units, 1 for none.
        scale: of the input's weights, uniform in -scale .. scale, as are the biases.
    """
    rng = np.random.default_rng(seed)
    inner = rng.normal(size=(nodes, nodes))
    inner *= radius / np.abs(np.linalg.eigvals(inner)).max()
    into, bias = rng.uniform(-scale, scale, (2, nodes))
    x, states = np.zeros(nodes), np.empty((len(signal), nodes))
    for n, s in enumerate(signal):
        x = (1 - leak) * x + leak * np.tanh(inner @ x + into * s + bias)
        states[n] = x
    return states


def history(signal: Values, taps: int) -> Values:
    """The signal and what it was 1, .. taps - 1 samples before (samples, taps); 0 before the first."""
    found = np.zeros((len(signal), taps))
    for d in range(taps):
        found[d:, d] = signal[: len(signal) - d]
    return found
