"""Memory of one spin-torque oscillator: short-term memory and parity check, free and locked to a force.

Random bits set the current; the capacity is the sum over delays from 1 on of the squared correlation of a read-out with
what it is asked (`sims/capacity.py`). The literature's single oscillators, as the notes on this field collect them:
short-term memory 1 .. 3, parity 1 .. 2; a ring of spin waves has 4.77 and 1.47 (Watt et al., arXiv:2005.12557).
A capacity of nothing is not 0: each delay adds about one over the samples of the test.

The orbit-averaged oscillator: 1.74 thresholds, swing 0.72 of that, a binary mask of 20 values of 0.32 ns.

Locking (Tsunegi et al., Appl. Phys. Lett. 114, 164101 (2019): capacity about doubled): the auto-oscillator with a
linewidth of 0.1 MHz by noise, no mask, 20 looks at each bit of 22 ns; a force near its own frequency makes its phase a
second state that returns. Read are the amplitude alone, and the amplitude with both quadratures against the
force, which is what a recorded waveform holds. The same device, drive and noise without the force stand beside.

The points were looked for in NumPy on other bits, some 60 for the first and 230 for locking, by the largest
capacity and gain. The quadratures were added after no point had doubled the capacity by the amplitude alone.

Controls: ridge regression on the bits delayed by up to 2 and by up to 10, and an echo-state network with 20 units
(spectral radius 0.9, inputs 1). Each row is over seeds of bits, mask and noise. Full run: 10 minutes on two busy cores.
`--quick`: one seed, 100 bits.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks._reservoirs import RIDGE, averaged, compiled, echo_state, history
from benchmarks.rows import Row, measured

NODES, DELAYS, WASHOUT = 20, 10, 30
LOCKED = "Tsunegi 2019: about doubled by locking"
COLLECTED = "single oscillators of the literature: {} (collected, partly from memory)"
Values = NDArray[np.float64]
# Short-term memory and parity by delay of each reservoir, seed by seed, for the figure.
_found: dict[str, list[tuple[Values, Values]]] = {}


def locked(bits: Values, force: float, noise: Values) -> Values:
    """States (samples, nodes * 3) of the auto-oscillator: quadratures and amplitude, in 0.1 MHz of linewidth."""
    from tellegen.sims import reservoir

    emitted = compiled("""
        import spintronic
        network Oscillator {
            input  i: current
            input  fu: spin, fv: spin
            output u: spin, v: spin, amplitude
            sto: sto_auto(i, u, v, fu, fv, amplitude, detuning = 19.5 MHz, shift = -47.8 MHz, start = 0.6)
        }
    """)
    interval = 1.1e-9
    current = 3.30e-3 * (1 + 0.41 * (2 * np.repeat(bits, NODES) - 1))
    # White noise of 1.47e-5 (rad/ns)^2 ns, held.
    held = np.sqrt(1.47e-5 / (interval * 1e9)) * noise
    drives = {"i": current, "fu": force + held[0], "fv": held[1]}
    return reservoir.run(
        emitted.netlist, emitted.manifest, drives, ["u", "v", "amplitude"], interval=interval, step=interval / 3,
        nodes=NODES,
    )  # fmt: skip


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    from tellegen.sims.capacity import capacity, delayed, parities
    from tellegen.sims.readout import in_time
    from tellegen.sims.reservoir import binary_mask, masked

    _found.clear()
    count = 100 if quick else 500
    for seed in range(1 if quick else 3):
        rng = np.random.default_rng(seed)
        bits = rng.integers(0, 2, count)
        parts = in_time(count, 0.5, 0.1, WASHOUT)
        signal = 2.0 * bits - 1
        drive = 2.706e-3 + 1.948e-3 * masked(signal, binary_mask(NODES, rng))
        noise = rng.normal(size=(2, len(drive)))
        point = {"field": 0.2, "interval": 0.32e-9, "nodes": NODES}
        free, held = (locked(bits.astype(float), force, noise) for force in (0.0, 0.0164))
        for name, states in {
            "oscillator, no thermal field": averaged(drive, **point),
            "oscillator, 300 K": averaged(drive, **point, noise=noise[0], temperature=300.0),
            "amplitude, free": free[:, 2::3],
            "amplitude, locked": held[:, 2::3],
            "waveform, free": free,
            "waveform, locked": held,
            "bits delayed by up to 2": history(signal, 3),
            "bits delayed by up to 10": history(signal, 11),
            f"echo-state network, {NODES} units": echo_state(signal, NODES, seed, radius=0.9, leak=1.0, scale=1.0),
        }.items():  # fmt: skip
            memory, parity = (
                capacity(states, targets(bits, DELAYS), parts, RIDGE).by_delay
                for targets in (delayed, parities)
            )
            _found.setdefault(name, []).append((memory, parity))
    for name, pairs in _found.items():
        asked = name == "oscillator, no thermal field" and not quick
        for k, (what, wanted) in enumerate((("short-term memory", "1 .. 3"), ("parity", "1 .. 2"))):
            value, spread = measured([float(pair[k].sum()) for pair in pairs])
            yield Row(f"{what}: {name}", value, spread, "1", ">= 1" if asked else "",
                      COLLECTED.format(wanted) if asked else "", value >= 1 if asked else None)  # fmt: skip
    for what in ("amplitude", "waveform"):
        ratios = [
            float(held[0].sum() / free[0].sum())
            for held, free in zip(_found[f"{what}, locked"], _found[f"{what}, free"], strict=True)
        ]
        value, spread = measured(ratios)
        yield Row(f"short-term memory, locked / free, {what}", value, spread, "1", "" if quick else ">= 2",
                  LOCKED, None if quick else value >= 2)  # fmt: skip


def draw(_rows: list[Row], folder: Path) -> None:
    """Squared correlation over the delay."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4), layout="constrained")
    for k, (axes, what) in enumerate(
        zip(figure.subplots(1, 2, sharey=True), ("memory", "parity"), strict=True)
    ):
        for name, pairs in _found.items():
            if not name.startswith("bits"):
                axes.plot(
                    range(1, DELAYS + 1), np.median([p[k] for p in pairs], axis=0), ".-", label=name
                )
        axes.set(title=f"short-term {what}" if k == 0 else what, xlabel="delay (samples)")
    figure.axes[0].set(ylabel="squared correlation")
    figure.axes[1].legend(fontsize="small")
    figure.savefig(folder / "memory.png", dpi=110)
