"""Behaviours of the opto-electronic spiking neuron, counted from the times at which light leaves it in ngspice.

Two circuits: `photonic.spiking_neuron`, behavioural, where four biases and the light that comes in are all that
differs, and `photonic.spiking_neuron_mos`, of transistors, where two voltages and the light do. El Srouji et
al., arXiv 2208.13144, show a neuron with behaviours beyond leaky integrate-and-fire; names and biases of the
behaviours are those of Izhikevich, IEEE Trans. Neural Netw. 15, 1063 (2004), or near them, and the tests of each are
ours. Beside each of the first circuit stands the count of his equations, integrated by SciPy with a reset that takes no time; the circuit's
takes a quarter of a nanosecond. Full run: 40 seconds. `--quick`: five behaviours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.integrate import solve_ivp

from benchmarks.rows import Row
from tellegen.arrays import Values

BIASES = {
    "spiking_neuron": ("recovery", "coupling", "reset", "kick"),
    "spiking_neuron_mos": ("reset", "kick"),
}
CARRIER = 1.0  # root of a watt at the modulator; a spike is where half of the field passes


@dataclass(frozen=True)
class Behaviour:
    """What is asked of the neuron.

    Attributes:
        biases: of the cell, in the order of `BIASES`.
        light: (ns, mW) from when on which power comes in; negative at the detector that inhibits.
        stop: end in ns.
        shown: whether spikes at these times (ns) show it.
        says: the same in words.
    """

    biases: tuple[float, ...]
    light: tuple[tuple[float, float], ...]
    stop: float
    shown: Callable[[Values], bool]
    says: str
    cell: str = "spiking_neuron"


def _step(power: float) -> tuple[tuple[float, float], ...]:
    return ((20.0, power),)


def _pulses(
    power: float, width: float, *starts: float, ground: float = 0.0
) -> tuple[tuple[float, float], ...]:
    return tuple(edge for t in starts for edge in ((t, ground + power), (t + width, ground)))


def bursts(spikes: Values, gap: float = 10) -> list[int]:
    """Spikes of each group that is set apart by gaps of more than that, in ns."""
    return [len(part) for part in np.split(spikes, np.flatnonzero(np.diff(spikes) > gap) + 1)]


def _regular(spikes: Values, shortest: float, longest: float) -> bool:
    late = np.diff(spikes)[-3:]
    return bool(
        len(late) == 3 and np.ptp(late) < 0.02 * late.mean() and shortest < late.mean() < longest
    )


BEHAVIOURS = {
    "tonic spiking": Behaviour(
        (0.02, 0.2, -0.65, 0.06), _step(0.14), 195, lambda s: _regular(s, 15, 60),
        "goes on at equal intervals of 15 to 60 ns",
    ),
    "tonic bursting": Behaviour(
        (0.02, 0.2, -0.5, 0.02), _step(0.15), 220,
        lambda s: len(bursts(s)) >= 3 and min(bursts(s)[:-1]) >= 3,
        "at least three groups of three spikes or more",
    ),
    "phasic spiking": Behaviour(
        (0.02, 0.25, -0.65, 0.06), _step(0.005), 200, lambda s: len(s) == 1,
        "one spike though the light stays on",
    ),
    "spike latency": Behaviour(
        (0.02, 0.2, -0.65, 0.06), _pulses(0.0704, 3, 20), 100,
        lambda s: len(s) == 1 and s[0] > 25, "one spike, 2 ns or more after a pulse has ended",
    ),
    "integration": Behaviour(
        (0.02, -0.1, -0.55, 0.06), ((5.0, 0.2), *_pulses(0.12, 2, 20, 60, 100, 105, ground=0.2)), 140,
        lambda s: len(s) == 1 and s[0] > 105, "of pulses on standing light, only the two that are 5 ns apart elicit a spike",
    ),
    "adaptation": Behaviour(
        (0.01, 0.2, -0.65, 0.08), _step(0.3), 100,
        lambda s: len(s) >= 5 and np.diff(s)[-1] > 5 * np.diff(s)[0],
        "the interval grows more than fivefold",
    ),
    "fast spiking": Behaviour(
        (0.1, 0.2, -0.65, 0.02), _step(0.1), 115, lambda s: _regular(s, 2, 10),
        "goes on at equal intervals of 2 to 10 ns",
    ),
    "phasic bursting": Behaviour(
        (0.02, 0.25, -0.55, 0.0005), _step(0.006), 250,
        lambda s: len(bursts(s)) == 1 and len(s) >= 3, "one group of spikes though the light stays on",
    ),
    "mixed mode": Behaviour(
        (0.02, 0.2, -0.55, 0.045), _step(0.1), 200,
        lambda s: bursts(s)[0] >= 2 and set(bursts(s)[1:]) == {1} and len(bursts(s)) >= 4,
        "a group, then single spikes",
    ),
    "resonance": Behaviour(
        (0.1, 0.26, -0.6, -0.01), _pulses(0.0065, 4, 40, 60, 160, 200), 300,
        lambda s: len(s) == 1 and s[0] > 200, "of two pairs of pulses, only those 40 ns apart elicit a spike",
    ),
    "rebound spike": Behaviour(
        (0.03, 0.25, -0.6, 0.04), _pulses(-0.15, 5, 20), 200, lambda s: len(s) == 1,
        "one spike after light that inhibits",
    ),
    "rebound burst": Behaviour(
        (0.03, 0.25, -0.52, 0.005), _pulses(-0.15, 5, 20), 200,
        lambda s: len(bursts(s)) == 1 and len(s) >= 3, "one group of spikes after light that inhibits",
    ),
}  # fmt: skip
TRANSISTORS = {
    "tonic spiking": Behaviour(
        (0.4, 0.8), _step(0.008), 700, lambda s: _regular(s, 20, 200),
        "goes on at equal intervals of 20 to 200 ns", "spiking_neuron_mos",
    ),
    "tonic bursting": Behaviour(
        (1.0, 1.8), _step(0.004), 1000,
        lambda s: len(bursts(s, 100)) >= 3 and min(bursts(s, 100)[:-1]) >= 2,
        "at least three groups of two spikes or more, 100 ns apart or more", "spiking_neuron_mos",
    ),
    "fast spiking": Behaviour(
        (0.1, 3.3), _step(0.03), 300, lambda s: _regular(s, 2, 20),
        "goes on at equal intervals of 2 to 20 ns", "spiking_neuron_mos",
    ),
    "adaptation": Behaviour(
        (0.4, 0.8), _step(0.004), 600,
        lambda s: len(s) >= 5 and np.diff(s)[-1] > 5 * np.diff(s)[0],
        "the interval grows more than fivefold", "spiking_neuron_mos",
    ),
    "spike latency": Behaviour(
        (0.7, 0.2), _pulses(0.013, 10, 20), 300, lambda s: len(s) == 1 and s[0] > 40,
        "one spike, 10 ns or more after a pulse has ended", "spiking_neuron_mos",
    ),
    "integration": Behaviour(
        (0.7, 0.2), _pulses(0.007, 10, 20, 620, 1220, 1250), 1500,
        lambda s: len(s) == 1 and s[0] > 1250,
        "of pulses, only the two that are 30 ns apart elicit a spike", "spiking_neuron_mos",
    ),
}  # fmt: skip
_traces: dict[str, tuple[Behaviour, Values, Values, Values]] = {}


def circuit(case: Behaviour) -> tuple[Values, Values, Values]:
    """Times of the spikes in ns, and times and membrane of the trace, in ngspice."""
    from tellegen.cells import find_library
    from tellegen.emit.spice import options
    from tellegen.sims.ngspice.deck import run_deck
    from tellegen.sims.ngspice.events import crossings

    library = find_library("photonic")
    assert library is not None
    cell = library.cells[case.cell]

    def field(sign: int) -> str:
        points, last = ["0 0"], 0.0
        for start, power in case.light:
            now = float(np.sqrt(max(sign * power, 0) * 1e-3))
            points.append(f"{start - 0.005}n {last} {start + 0.005}n {now}")
            last = now
        return f"pwl({' '.join(points)})"

    biases = " ".join(f"{n}={v}" for n, v in zip(BIASES[case.cell], case.biases, strict=True))
    supply = " vdd" if "vdd" in cell.ports else ""
    found = run_deck("\n".join([
        "* neuron", cell.text, f"V1 a_re 0 {field(1)}", "V2 a_im 0 0", f"V3 b_re 0 {field(-1)}",
        "V4 b_im 0 0", f"V5 light_re 0 {CARRIER}", "V6 light_im 0 0", "V7 vdd 0 3.3", "R7 vdd 0 1k",
        f"Xc a_re a_im b_re b_im light_re light_im y_re y_im{supply} {cell.subcircuit} {biases}",
        *options(cell.solver), ".save v(y_re) v(xc.v)",
        f".tran 0.1n {case.stop}n 0 {'1n' if supply else '0.05n'}", ".end",
    ]))  # fmt: skip
    time = found["time"] * 1e9
    return crossings(time, found["y_re"], CARRIER / 2), time, found["xc.v"]


def equations(case: Behaviour) -> Values:
    """Times of the spikes in ns, of the published equations in volts and nanoseconds."""
    recovery, coupling, reset, kick = case.biases
    rest = (coupling - 5 - np.sqrt((coupling - 5) ** 2 - 22.4)) / 8
    state, spikes = [rest, coupling * rest], []

    def threshold(_t: float, y: Values, _light: float) -> float:
        return float(y[0] - 0.3)

    def slope(_t: float, y: Values, light: float) -> list[float]:
        return [
            4 * y[0] ** 2 + 5 * y[0] + 1.4 - y[1] + light,
            recovery * (coupling * y[0] - y[1]),
        ]

    threshold.terminal = True  # type: ignore[attr-defined]
    edges = [0.0, *(t for t, _ in case.light), case.stop]
    for begin, end, light in zip(edges, edges[1:], [0.0, *(p for _, p in case.light)], strict=False):  # fmt: skip
        time = begin
        while time < end:
            part = solve_ivp(
                slope, (time, end), state, args=(light,), events=threshold, rtol=1e-8, atol=1e-10
            )
            time, state = float(part.t[-1]), list(part.y[:, -1])
            if len(part.t_events[0]):
                spikes.append(time)
                state = [reset, state[1] + kick]
    return np.array(spikes)


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    _traces.clear()
    apart = []
    for title, cases in (("", BEHAVIOURS), (", transistors", TRANSISTORS)):
        names, shown = list(cases)[: 5 if quick else None], 0
        for name in names:
            case = cases[name]
            spikes = (_traces.setdefault(name + title, (case, *circuit(case))))[1]
            met = bool(len(spikes) and case.shown(spikes))
            shown += met
            light = ", ".join(f"{1000 * p:g} uW from {start:g} ns" for start, p in case.light)
            values = zip(BIASES[case.cell], case.biases, strict=True)
            said = f"{light}; {', '.join(f'{n} {v:g}' for n, v in values)}"
            if not title:
                want = equations(case)
                said += f"; equations: {len(want)}"
                if len(spikes) and len(want):
                    apart.append(abs(spikes[0] - want[0]))
            yield Row(f"{name}{title}: spikes", len(spikes), None, "1", case.says, said, met)
        yield Row(f"behaviours of {len(names)} that one circuit shows{title}", shown, None, "1", ">= 5",
                  "issue: at least five by bias change", shown >= 5)  # fmt: skip
    yield Row("first spike, circuit against equations: worst", float(max(apart)), None, "ns", "<= 0.2",
              "Izhikevich's equations by SciPy", bool(max(apart) <= 0.2))  # fmt: skip


def draw(_rows: list[Row], folder: Path) -> None:
    """The membrane of each behaviour, its spikes of light and the light that elicits it."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 13), layout="constrained")
    for axes, (name, (case, spikes, time, membrane)) in zip(
        figure.subplots(6, 3).flat, _traces.items(), strict=False
    ):
        axes.plot(time, membrane, lw=0.7)
        low, high = float(membrane.min()), float(membrane.max())
        axes.plot(spikes, np.full(len(spikes), high + 0.15 * (high - low)), "|", color="C3")
        edges = [0.0, *(t for t, _ in case.light), case.stop]
        powers = [0.0, *(p for _, p in case.light), case.light[-1][1]]
        largest = max(abs(p) for p in powers)
        axes.step(
            edges,
            low + (high - low) * (0.15 * np.array(powers) / largest - 0.3),
            where="post",
            color="k",
            lw=0.8,
        )
        axes.set_title(f"{name} ({1000 * largest:g} uW)", fontsize=8)
    figure.supxlabel("ns")
    figure.supylabel("membrane (V); red: light out; black: light in")
    figure.savefig(folder / "photonic_neuron.png", dpi=90)
