"""What couplers, heaters, few bits and few photons do to contrastive Hebbian learning by meshes.

The circuit and the rule of `contrastive_hebbian.py`: ten patterns a seed, weights that go to the nearest contraction
after each epoch. Each of the circuits has one defect from the first epoch on, of which the rule knows nothing: it goes
on as if the meshes had the weights that it wants. Ten seeds, each with its own mapping, first weights, couplers and
noise. `learned` is the share of right signs with the defect always there; `transfer` that of the weights that were learned without
a defect, on the circuit with it. Both are means over the last five of twenty epochs, as these still go up and down,
and signs are those of the outputs in ngspice.

- Splitting: the angle of every coupler of a mesh, two in each interferometer, is 45 degrees and a normal error of the
  deviation given; light from behind meets the same couplers. Those of the detectors are exact.
- Crosstalk: each phase of a mesh, those of its screen too, is warmed by all others of that mesh, by the share given of
  their phases at the distance of one interferometer and e times less for each more.
- Bits: phases are rounded to 2 pi / 2^bits where they are written; the weights that the rule remembers are not.
- Photons: the activities are read by homodyne detection at its quantum limit, in learning and for the signs: normal errors of the
  deviation (1 / (4 K))^0.5, for K photons in the carrier, the most that a neuron lets pass, in the time of a reading.
  The homodyne detectors before the neurons, which stay in the circuit, are without noise.

Tests are Wilcoxon's of signed ranks, paired by seed: one-sided that learning with the defect beats a guess, and
two-sided that it differs from learning without. Rate and scales are those of `contrastive_hebbian.py`. Nothing is asked
for. Full run: 16 minutes on busy cores, in two processes. `--quick`: the worst point of each defect, two seeds, three epochs.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from scipy.stats import wilcoxon

from benchmarks._defects import Defect
from benchmarks.contrastive_hebbian import OUT, PATTERNS, Circuit, N, contraction, patterns, train
from benchmarks.rows import Row
from tellegen.arrays import Values
from tellegen.meshes import Mesh

EPOCHS, LAST = 20, 5
POINTS: dict[str, tuple[float, ...]] = {
    "splitting error (rad)": (0.05, 0.1, 0.2),
    "crosstalk": (0.003, 0.01, 0.03),
    "bits": (8, 6, 4),
    "photons": (100, 10, 1),
}
Weights = list[tuple[Values, Values]]


class Defective(Circuit):
    """The circuit with one defect; `none` is one too."""

    def __init__(self, defect: str, size: float, seed: int) -> None:
        self._defect = Defect(defect, size, seed, N, screen=True)
        super().__init__(self._defect.slips)

    def phases(self, wanted: Mesh) -> Mesh:
        """The mesh with its phases as the defect lets them."""
        every = self._defect.bent(np.concatenate([wanted.theta, wanted.phi, wanted.screen]))
        count = len(wanted.theta)
        theta, phi, screen = np.split(every, [count, 2 * count])
        return replace(wanted, theta=theta, phi=phi, screen=screen)

    def read(self, name: str) -> Values:
        """The real parts of fields as a homodyne detector sees them."""
        return self._defect.seen(super().read(name), 1 / 4)


def learn(
    defect: str, size: float, seed: int, epochs: int, others: Weights
) -> tuple[list[float], Weights, list[float]]:
    """Learn with a defect.

    Args:
        defect: of `POINTS`, or `none`.
        size: of the defect.
        seed: of mapping, first weights, couplers and noise.
        epochs: how many.
        others: weights that are tried with the same defect.

    Returns:
        The share of right signs before learning and after each epoch, the weights of each, and the shares of the others.
    """
    circuit, weights = Defective(defect, size, seed), Weights()

    def phases(a: Values, b: Values, x: Values, t: Values) -> tuple[Values, Values, Values]:
        weights.append((a, b))
        return circuit(a, b, x, t)

    right, _ = train(phases, contraction, seed, epochs)
    x, t = patterns(np.random.default_rng(seed))
    tried = [float((np.sign(circuit(a, b, x, t)[1]) == np.sign(t)).mean()) for a, b in others]
    circuit.engine.close()
    return right, weights, tried


# What learned -> right signs (seeds, epochs + 1).
_curves: dict[str, Values] = {}


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    seeds = range(2 if quick else 10)
    epochs = 3 if quick else EPOCHS
    last = 1 if quick else LAST
    signs = [np.random.default_rng([7, seed]) for seed in seeds]
    guessed = np.array([(rng.random(PATTERNS * OUT) < 0.5).mean() for rng in signs])
    yield _row("random guess", guessed)
    _curves.clear()
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(learn, "none", 0.0, seed, epochs, Weights()) for seed in seeds]
        _curves["no defect"] = np.array([job.result()[0] for job in jobs])
        ideal = [job.result()[1][-last:] for job in jobs]
        undisturbed = _curves["no defect"][:, -last:].mean(axis=1)
        yield _row("no defect, before learning", _curves["no defect"][:, 0])
        yield _row("no defect, learned", undisturbed)
        yield _beats("no defect", undisturbed, guessed)
        for defect, sizes in POINTS.items():
            for size in sizes[-1:] if quick else sizes:
                jobs = [pool.submit(learn, defect, size, seed, epochs, ideal[seed]) for seed in seeds]  # fmt: skip
                name = f"{defect} {size:g}"
                _curves[name] = np.array([job.result()[0] for job in jobs])
                learned = _curves[name][:, -last:].mean(axis=1)
                yield _row(f"{name}, transfer", np.array([np.mean(job.result()[2]) for job in jobs]))  # fmt: skip
                yield _row(f"{name}, learned", learned)
                yield _beats(name, learned, guessed)
                p = _p(learned, undisturbed, "two-sided")
                yield Row(f"{name}, learned, different from no defect: p", p, None, "1", "", "Wilcoxon, two-sided", None)  # fmt: skip


def _p(these: Values, those: Values, alternative: str) -> float:
    return float(wilcoxon(these, those, zero_method="zsplit", alternative=alternative).pvalue)


def _beats(name: str, values: Values, guessed: Values) -> Row:
    p = _p(values, guessed, "greater")
    return Row(f"{name}, learned, more right signs than random guess: p", p, None, "1", "", "Wilcoxon, one-sided", None)  # fmt: skip


def _row(name: str, values: Values) -> Row:
    spread = (float(values.min()), float(values.max()))
    return Row(f"{name}: right signs, {len(values)} seeds, mean", float(values.mean()), spread, "1", "", "", None)  # fmt: skip


def draw(rows: list[Row], folder: Path) -> None:
    """Right signs over epochs for each defect, means over the seeds; dashed, what was learned without the defect."""
    from matplotlib.figure import Figure

    found = {row.name.partition(":")[0]: row.value for row in rows}
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    for axes, (defect, sizes) in zip(figure.subplots(1, len(POINTS), sharey=True), POINTS.items(), strict=True):  # fmt: skip
        for name, colour in [("no defect", "k"), *((f"{defect} {s:g}", f"C{k}") for k, s in enumerate(sizes))]:  # fmt: skip
            curve = _curves[name]
            mean, error = curve.mean(axis=0), curve.std(axis=0, ddof=1) / np.sqrt(len(curve))
            epochs = np.arange(len(mean))
            axes.plot(epochs, mean, colour, label=name.removeprefix(f"{defect} "))  # fmt: skip
            axes.fill_between(epochs, mean - error, mean + error, color=colour, alpha=0.15)
            if name != "no defect":
                axes.plot([EPOCHS - LAST + 1, EPOCHS], 2 * [found[f"{name}, transfer"]], f"{colour}--")  # fmt: skip
        axes.axhline(found["random guess"], color="grey", linestyle=":")
        axes.set(xlabel="epoch", title=defect, xlim=(0, EPOCHS), ylim=(0.4, 0.95))
        axes.legend(loc="upper left", fontsize="small")
    figure.axes[0].set(ylabel="right signs")
    figure.savefig(folder / "disorder.png", dpi=110)
