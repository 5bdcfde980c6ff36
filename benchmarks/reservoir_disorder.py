"""What noise, mismatch and coupling do to the capacity of spin-torque oscillators as reservoirs.

Noise: one orbit-averaged oscillator at the point of `memory.py`, at temperatures from 0 to 300 K; each seed has its own
bits, mask and thermal field. Mismatch: a read-out is trained on one oscillator and used on ten others, whose radius varies by a
standard deviation, as a share of itself, and whose perpendicular field, of 41.6 mT, by the same share; bits and masks are the same for all. A read-out of its own, as in all other
rows, is held against it. Coupling: pairs of auto-oscillators whose frequencies differ by some 1 MHz, without a mask: each pushes
the other by its amplitude times the coupling, and both are read 10 times a bit of 22 ns.

Ten seeds run beside each other in one netlist, so each curve is over 10 seeds; the capacity is the sum over five delays
(`sims/reservoir/capacity.py`), less what chance makes of it: 120 bits leave 43 for the test, of which chance alone makes a capacity of
5 / 42 = 0.12. Nothing is asked for: the review of the field names these as open. Full run: 90 seconds of CPU. `--quick`: two points
of each curve, three seeds, 80 bits.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks._reservoirs import RIDGE, averaged_array, compiled
from benchmarks.rows import Row, measured
from tellegen.arrays import Indices, Values

NODES, DELAYS, WASHOUT = 20, 5, 15
INTERVAL = 0.32e-9
MEAN, SWING = 2.706e-3, 1.948e-3
TEMPERATURES = (0.0, 30.0, 300.0)
SPREADS = (0.0, 0.001, 0.01)
STRENGTHS = (0.0, 1.0, 3.0, 10.0)
LOOKS = 10
Bits = Indices
# (kind, what is measured) -> for each point of the curve its values over the seeds.
_curves: dict[tuple[str, str], list[tuple[float, list[float]]]] = {}


def averaged(drive: Values, noise: Values, temperature: float, spread: float) -> Values:
    """States (samples, nodes, seeds) of oscillators whose radius and perpendicular field vary by a share of themselves."""
    varied = {
        "radius": f"normal(60 nm, {60 * spread:.9g} nm)",
        "anisotropy": f"normal(1.8616 T, {0.0416 * spread:.9g} T)",
    }
    return averaged_array(
        drive, noise, field=0.2, interval=INTERVAL, nodes=NODES, temperature=temperature,
        varied=varied if spread else {},
    )  # fmt: skip


def coupled(bits: Bits, strength: float) -> Values:
    """States (samples, nodes * 2, seeds) of pairs of auto-oscillators driven by bits (samples, seeds)."""
    from tellegen.sims.reservoir import reservoir

    seeds = bits.shape[1]
    couplings = "\n".join(
        f"c{a}_{b}: couple_amplitude(sto[{a}].u, sto[{a}].v, sto[{b}].fu, sto[{b}].fv, strength = {strength} MHz)"
        for k in range(seeds)
        for a, b in ((2 * k, 2 * k + 1), (2 * k + 1, 2 * k))
    )
    emitted = compiled(f"""
        import spintronic
        network Pairs {{
            input i[{2 * seeds}]: current
            sto: sto_auto[{2 * seeds}](i, detuning ~ normal(17.3 MHz, 1 MHz), shift = -47.8 MHz, start = 0.6)
            {couplings}
        }}
    """)
    current = 3.30e-3 * (
        1 + 0.41 * (2 * np.repeat(np.repeat(bits, LOOKS, axis=0), 2, axis=1) - 1.0)
    )
    states = reservoir.run(
        emitted.netlist, emitted.manifest, {"i": current}, ["sto.amplitude"], interval=2.2e-9, step=0.7e-9,
        nodes=LOOKS,
    )  # fmt: skip
    return states.reshape(-1, LOOKS, seeds, 2).transpose(0, 1, 3, 2).reshape(-1, 2 * LOOKS, seeds)


def capacities(states: Values, bits: Bits, trained: Values | None = None) -> tuple[float, float]:
    """Short-term memory and parity of states (samples, nodes), by a read-out of themselves or of others."""
    from tellegen.sims.datasets.random_bits import delayed, parities
    from tellegen.sims.reservoir.capacity import squared_correlation, without_chance
    from tellegen.sims.reservoir.readout import fit, in_time

    parts = in_time(len(bits), 0.5, 0.1, WASHOUT)
    on = states if trained is None else trained
    found = []
    for targets in (delayed(bits, DELAYS), parities(bits, DELAYS)):
        total = 0.0
        for target in targets.T:
            read = fit(on, target[:, None], parts, RIDGE[::2]).predict(states[parts.test])[:, 0]
            squared = squared_correlation(read, target[parts.test])
            total += float(without_chance(np.array(squared), len(read)))
        found.append(total)
    return found[0], found[1]


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    from tellegen.sims.reservoir.reservoir import binary_mask, masked

    _curves.clear()
    rng = np.random.default_rng(0)
    seeds, count = (3, 80) if quick else (10, 120)
    bits = rng.integers(0, 2, (count, seeds))
    drive = np.stack(
        [MEAN + SWING * masked(2.0 * b - 1, binary_mask(NODES, rng)) for b in bits.T], axis=1
    )
    noise = rng.normal(size=drive.shape)

    def keep(kind: str, at: float, pairs: list[tuple[float, float]]) -> None:
        for k, what in enumerate(("memory", "parity")):
            _curves.setdefault((kind, what), []).append((at, [p[k] for p in pairs]))

    for temperature in _few(TEMPERATURES, quick):
        states = averaged(drive, noise if temperature else 0 * noise, temperature, 0.0)
        keep(
            "temperature (K)",
            temperature,
            [capacities(states[..., k], bits[:, k]) for k in range(seeds)],
        )
    same = np.repeat(drive[:, :1], seeds, axis=1)
    nominal = averaged(same[:, :1], 0 * noise[:, :1], 0.0, 0.0)[..., 0]
    for spread in _few(SPREADS, quick)[1:]:
        states = averaged(same, 0 * noise, 0.0, spread)
        keep("mismatch", spread, [capacities(states[..., k], bits[:, 0]) for k in range(seeds)])
        keep("mismatch, read-out of another", spread,
             [capacities(states[..., k], bits[:, 0], nominal) for k in range(seeds)])  # fmt: skip
    for strength in _few(STRENGTHS, quick):
        states = coupled(bits, strength)
        keep(
            "coupling (MHz)",
            strength,
            [capacities(states[..., k], bits[:, k]) for k in range(seeds)],
        )
    for (kind, what), curve in _curves.items():
        for at, values in curve:
            value, spread_ = measured(values)
            yield Row(f"{what}, {kind} {at:g}", value, spread_, "1", "", "", None)


def _few(points: tuple[float, ...], quick: bool) -> tuple[float, ...]:
    return (points[0], points[-1]) if quick else points


def draw(_rows: list[Row], folder: Path) -> None:
    """The curves, median and range over seeds."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    kinds = ("temperature (K)", "mismatch", "coupling (MHz)")
    for axes, kind in zip(figure.subplots(1, 3, sharey=True), kinds, strict=True):
        for (name, what), curve in _curves.items():
            if not name.startswith(kind):
                continue
            x = np.array([at for at, _ in curve])
            y = np.array([values for _, values in curve])
            style = "--" if "another" in name else "-"
            (line,) = axes.plot(x, np.median(y, axis=1), f".{style}", label=f"{what}{', read-out of another' if style == '--' else ''}")  # fmt: skip
            axes.fill_between(x, y.min(axis=1), y.max(axis=1), color=line.get_color(), alpha=0.15)
        axes.set_xscale(
            "symlog", linthresh={"mismatch": 1e-3, "coupling (MHz)": 0.3}.get(kind, 3.0)
        )
        axes.set(xlabel=kind)
        axes.legend(fontsize="small")
    figure.axes[0].set(ylabel="capacity", ylim=(0, None))
    figure.savefig(folder / "disorder.png", dpi=110)
