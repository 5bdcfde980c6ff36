"""What couplers, heaters, few bits and few photons do to a network of two meshes, with and without training in place.

The opto-electronic network of `random_feedback.py` learns Iris on the ideal model, in NumPy. Its weights are then
written into a circuit of ngspice that has one defect, and tested there: transfer. Then they learn on for five epochs on
the circuit itself, by the same rule from what it shows, and are tested again: in situ. The rule knows nothing of the
defect. Ten seeds, each with its own split of the data, first weights, feedback, couplers and noise.

- Splitting: the angle of every coupler, two in each interferometer, is 45 degrees and a normal error of the deviation given.
- Crosstalk: each phase of a mesh is warmed by the others of the same mesh, by the share given at the distance of one
  interferometer and e times less for each more; columns and modes count as distances alike.
- Bits: phases are rounded to 2 pi / 2^bits when they are written; what the rule remembers is not.
- Photons: fields are read by heterodyne detection at the quantum limit: for K photons a watt, normal errors of the
  deviation (1 / (2 K))^0.5 in each quadrature. An average digit of the read-out has some 5 W in five modes. Currents of the
  hidden detectors, which stay in the circuit, are without noise.

Nothing is asked for. Full run: 3 minutes of CPU. `--quick`: the worst point of each defect, two seeds.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import random_feedback as network
from benchmarks.rows import Row
from tellegen.meshes import Mesh

EPOCHS, IN_SITU = 30, 5
POINTS: dict[str, tuple[float, ...]] = {
    "splitting error (rad)": (0.02, 0.05, 0.1, 0.2),
    "crosstalk": (0.003, 0.01, 0.03, 0.1),
    "bits": (8, 6, 5, 4),
    "photons a watt": (1000, 100, 10, 1),
}
WAYS = ("transfer", "in situ")
Values = NDArray[np.float64]
# (defect, way) -> for each point of the curve its accuracies over the seeds.
_curves: dict[tuple[str, str], list[tuple[float, list[float]]]] = {}


class Defective(network.Circuit):
    """The circuit with one defect."""

    def __init__(self, defect: str, size: float, seed: int) -> None:
        error = f"~ normal(0 rad, {size} rad)" if defect.startswith("splitting") else "= 0 rad"
        cell = f"mzi(level = gains, first {error}, second {error})"
        super().__init__(network.TEXT.replace("mzi(level = gains)", cell), seed)
        self.shared = size if defect == "crosstalk" else 0.0
        self.step = 2 * np.pi / 2**size if defect == "bits" else 0.0
        self.noise = (2 * size) ** -0.5 if defect.startswith("photons") else 0.0
        self.random = np.random.default_rng([seed, 1])

    def write(self, mesh: str, screen: str, found: Mesh) -> None:
        """Set the phases of a mesh and of the screen behind it, as the defect lets them."""
        phases = np.concatenate([found.phi, found.theta, found.screen])
        if self.step:
            phases = np.round(phases / self.step) * self.step
        if self.shared:
            phases = phases + self.shared * neighbours(found) @ phases
        phi, theta, last = np.split(phases, np.cumsum([len(found.phi), len(found.theta)]))
        super().write(mesh, screen, Mesh(found.modes, found.top, theta, phi, last))

    def __call__(
        self, x: NDArray[Any], one: NDArray[Any], two: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """See `random_feedback.in_numpy`."""
        first, second = super().__call__(x, one, two)
        return self._seen(first), self._seen(second)

    def _seen(self, fields: NDArray[Any]) -> NDArray[Any]:
        if not self.noise:
            return fields
        errors = self.random.normal(size=(2, *fields.shape))
        return np.asarray(fields + self.noise * (errors[0] + 1j * errors[1]))


def neighbours(mesh: Mesh) -> Values:
    """How much the phases phi, theta and screen of a mesh warm each other, for a share of 1 at the distance 1."""
    met = np.zeros(mesh.modes)
    places = []
    for k in mesh.top:
        column = met[k : k + 2].max()
        met[k : k + 2] = column + 1
        places.append((column, k))
    inner = np.array(places) + [0.5, 0]
    screen = np.stack([np.full(mesh.modes, met.max()), np.arange(mesh.modes)], axis=1)
    at = np.concatenate([np.array(places), inner, screen])
    away = np.linalg.norm(at[:, None] - at, axis=-1)
    return np.asarray(np.where(away > 0, np.exp(1 - away), 0.0))


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    _curves.clear()
    seeds = range(2 if quick else 10)
    ideal = [network.learn(network.in_numpy, seed, EPOCHS) for seed in seeds]
    best = [network.accuracy(network.in_numpy, w, k) for k, w in enumerate(ideal)]
    yield _row("no defect, NumPy", best)
    for defect, sizes in {"none": (0.0,), **POINTS}.items():
        for size in sizes[-1:] if quick else sizes:
            found: dict[str, list[float]] = {way: [] for way in WAYS}
            for seed in seeds:
                circuit = Defective(defect, size, seed)
                found["transfer"].append(network.accuracy(circuit, ideal[seed], seed))
                learned = network.learn(circuit, seed, IN_SITU, start=ideal[seed])
                found["in situ"].append(network.accuracy(circuit, learned, seed))
                circuit.engine.close()
            for way, values in found.items():
                _curves.setdefault((defect, way), []).append((size, values))
                name = "no defect" if defect == "none" else f"{defect} {size:g}"
                yield _row(f"{name}, {way}", values)


def _row(name: str, values: list[float]) -> Row:
    spread = (min(values), max(values))
    return Row(f"{name}: test accuracy, {len(values)} seeds, mean", float(np.mean(values)), spread, "1", "", "", None)  # fmt: skip


def draw(_rows: list[Row], folder: Path) -> None:
    """A curve for each defect: means, and the middle eight of ten seeds."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.4), layout="constrained")
    for axes, defect in zip(figure.subplots(1, len(POINTS), sharey=True), POINTS, strict=True):
        for way, colour in zip(WAYS, ("C1", "C0"), strict=True):
            curve = _curves[defect, way]
            values = np.array([v for _, v in curve])
            sizes = np.array([size for size, _ in curve])
            low, high = np.quantile(values, [0.1, 0.9], axis=1)
            axes.plot(sizes, values.mean(axis=1), ".-", color=colour, label=way)
            axes.fill_between(sizes, low, high, color=colour, alpha=0.15)
            ((_, ideal),) = _curves["none", way]
            axes.axhline(float(np.mean(ideal)), color=colour, linestyle=":")
        if defect == "bits":
            axes.set_xticks(sizes)
        else:
            axes.set_xscale("log")
        if defect in ("bits", "photons a watt"):
            axes.invert_xaxis()
        axes.set(xlabel=defect, ylim=(0, 1.02))
    figure.axes[0].set(ylabel="test accuracy")
    figure.axes[0].legend(loc="lower left")
    figure.savefig(folder / "disorder.png", dpi=110)
