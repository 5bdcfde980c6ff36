"""What couplers, heaters, few bits and few photons do to a network of two meshes, with and without training in place.

The network of `_light_network.py`, with five modes for the four features of Iris and a constant, learns on the ideal
model, in NumPy. Its phases are then written into a circuit of ngspice that has one defect, and it is tested there:
transfer. Then it learns on for five epochs on that circuit, by gradients measured in situ, and is tested again. The rule
knows nothing of the defect. Ten seeds, each with its own split of the data, first phases, couplers and noise.

- Splitting: the angle of every coupler, two in each interferometer, is 45 degrees and a normal error of the deviation
  given; light from behind meets the same couplers.
- Crosstalk: each phase of a mesh is warmed by all others of that mesh, by the share given of their phases at the
  distance of one interferometer and e times less for each more; columns and modes count as distances alike.
- Bits: phases are rounded to 2 pi / 2^bits where they are written; what the rule remembers is not.
- Photons: all fields are read by heterodyne detection at its quantum limit, in training and in the test: normal errors
  of the deviation (1 / (2 K))^0.5 in each quadrature, for K photons a milliwatt in the time of a reading. A flower sends
  in 13 mW on average. Light from behind is at most as strong as that from ahead. Currents of the activations' own
  detectors, which stay in the circuit, are without noise.

Rates and epochs were chosen on the NumPy network with seeds 100 to 103. Nothing is asked for. Full run: 4 minutes of
CPU. `--quick`: the worst point of each defect, two seeds.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from benchmarks._defects import Defect
from benchmarks._light_network import UNIT, Circuit, Twin, accuracy, train
from benchmarks.rows import Row
from tellegen.arrays import Indices, Values

N, CLASSES, CONSTANT = 5, 3, 3.0
IDEAL = {"epochs": 20, "batch": 15, "rate": 0.05}
IN_SITU = {"epochs": 5, "batch": 15, "rate": 0.1}
POINTS: dict[str, tuple[float, ...]] = {
    "splitting error (rad)": (0.02, 0.05, 0.1, 0.2),
    "crosstalk": (0.003, 0.01, 0.03, 0.1),
    "bits": (8, 6, 5, 4),
    "photons a milliwatt": (1000, 100, 10, 1),
}
WAYS = ("transfer", "in situ")
Labels = Indices


class Defective(Circuit):
    """The network in ngspice, with one defect."""

    def __init__(self, defect: str, size: float, seed: int) -> None:
        self._defect = Defect(defect, size, seed, N)
        super().__init__(N, CLASSES, self._defect.slips)

    def write(self, phases: Values) -> None:
        """Set the phases, as the defect lets them."""
        super().write(self._defect.bent(phases.reshape(len(phases), -1)).reshape(phases.shape))

    def read(self, name: str) -> Values:
        """A part of a field as a heterodyne detector sees it."""
        return self._defect.seen(super().read(name), UNIT / 2)


def data(seed: int) -> tuple[Values, Values, Labels, Labels]:
    """Fields of 90 flowers to learn and 60 to test, and their labels."""
    x, labels = load_iris(return_X_y=True)
    x, fresh, labels, true = train_test_split(x, labels, test_size=60, stratify=labels, random_state=seed)  # fmt: skip
    scaler = StandardScaler().fit(x)

    def fields(features: Values) -> Values:
        scaled = scaler.transform(features)
        return np.sqrt(UNIT) * np.hstack([scaled, np.full((len(scaled), 1), CONSTANT)])

    return fields(x), fields(fresh), labels, true


def ideal(seed: int) -> Values:
    """Phases that were learned on the ideal network."""
    x, _, labels, _ = data(seed)
    twin, random = Twin(N, CLASSES), np.random.default_rng(seed)
    start = random.uniform(0, 2 * np.pi, size=twin.shape)
    return train(twin, start, x, labels, random=random, **IDEAL)


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    seeds = range(2 if quick else 10)
    splits, phases = [data(seed) for seed in seeds], [ideal(seed) for seed in seeds]
    tests = [(fresh, true) for _, fresh, _, true in splits]
    twin = Twin(N, CLASSES)
    yield _row("no defect, NumPy", [accuracy(twin, phases[k], *tests[k]) for k in seeds])
    for defect, sizes in {"none": (0.0,), **POINTS}.items():
        for size in sizes[-1:] if quick else sizes:
            found: dict[str, list[float]] = {way: [] for way in WAYS}
            for seed in seeds:
                circuit = Defective(defect, size, seed)
                found["transfer"].append(accuracy(circuit, phases[seed], *tests[seed]))
                x, _, labels, _ = splits[seed]
                random = np.random.default_rng([seed, 2])
                learned = train(circuit, phases[seed], x, labels, random=random, **IN_SITU)
                found["in situ"].append(accuracy(circuit, learned, *tests[seed]))
                circuit.engine.close()
            for way, values in found.items():
                name = "no defect" if defect == "none" else f"{defect} {size:g}"
                yield _row(f"{name}, {way}", values)


def _row(name: str, values: list[float]) -> Row:
    spread = (min(values), max(values))
    return Row(f"{name}: test accuracy, {len(values)} seeds, mean", float(np.mean(values)), spread, "1", "", "", None)  # fmt: skip


def draw(rows: list[Row], folder: Path) -> None:
    """A curve for each defect: means, and the range of the seeds; dotted without a defect."""
    from matplotlib.figure import Figure

    found = {row.name.partition(":")[0]: row for row in rows}
    figure = Figure(figsize=(11, 3.4), layout="constrained")
    for axes, (defect, sizes) in zip(figure.subplots(1, len(POINTS), sharey=True), POINTS.items(), strict=True):  # fmt: skip
        for way, colour in zip(WAYS, ("C1", "C0"), strict=True):
            curve = [found[f"{defect} {size:g}, {way}"] for size in sizes]
            low, high = np.array([row.spread for row in curve]).T
            axes.plot(sizes, [row.value for row in curve], ".-", color=colour, label=way)
            axes.fill_between(sizes, low, high, color=colour, alpha=0.15)
            axes.axhline(found[f"no defect, {way}"].value, color=colour, linestyle=":")
        if defect != "bits":
            axes.set_xscale("log")
        axes.set_xticks(sizes, [f"{size:g}" for size in sizes])
        axes.set_xticks([], minor=True)
        if sizes[0] > sizes[-1]:
            axes.invert_xaxis()
        axes.set(xlabel=defect, ylim=(0, 1.02))
    figure.axes[0].set(ylabel="test accuracy")
    figure.axes[0].legend(loc="lower left")
    figure.savefig(folder / "disorder.png", dpi=110)
