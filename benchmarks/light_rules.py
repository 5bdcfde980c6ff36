"""The examples in which phases of light learn: in situ, by parameter shift, by contrastive Hebbian learning.

`examples/photonic_iris.tgn`: one mesh of eight modes learns Iris in situ, with another seed (split, phases, order) for
each run, beside least squares on one-hot classes and softmax regression of scikit-learn on the same splits; the
parameters judged are those of the epoch that was best on the training part. What `in_situ` and `parameter_shift` ask
for is compared on some samples. Rate and scale were chosen on a NumPy model with its own splits; seeds 0 and 1
were tried once in ngspice.

`examples/photonic_hebbian.tgn`: signs of two outputs for all patterns of three inputs, 16 signs a seed; each seed draws
other phases. Before learning is the guess; the test is Wilcoxon's of signed ranks.

Full run: some six minutes of CPU time. `--quick`: one seed, two epochs.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import wilcoxon
from sklearn.datasets import load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.preprocessing import StandardScaler

from benchmarks.rows import Row
from tellegen import train
from tellegen.pipeline import open_file
from tellegen.sims import plugins
from tellegen.sims.learning.binding import bind_training
from tellegen.sims.learning.phases import Phases

EXAMPLES = Path(__file__).parents[1] / "examples"
IRIS, SIGNS = EXAMPLES / "photonic_iris.tgn", EXAMPLES / "photonic_hebbian.tgn"


def flowers(seed: int, overrides: tuple[str, ...]) -> dict[str, float]:
    """Accuracies of a training in situ and of the references on its split."""
    with tempfile.TemporaryDirectory() as folder:
        result = train(IRIS, "Flowers", seed=seed, overrides=overrides, out=folder)
    plan = result.plan
    features, classes = load_iris(return_X_y=True)
    scaled = StandardScaler().fit(features[plan.train]).transform(features)
    learn, test = (scaled[plan.train], classes[plan.train]), (scaled[plan.test], classes[plan.test])
    squares = LinearRegression().fit(learn[0], np.eye(3)[learn[1]])
    return {
        "one mesh in situ, test": result.accuracy["test"],
        "one mesh in situ, training": result.accuracy["train"],
        "least squares, test": float((squares.predict(test[0]).argmax(1) == test[1]).mean()),
        "softmax regression, test": float(
            LogisticRegression(max_iter=2000).fit(*learn).score(*test)
        ),
    }


def steps(name: str, samples: int) -> NDArray[Any]:
    """What a training of the example adds to the phases for each of some samples."""
    plan = bind_training(open_file(IRIS, seed=1), name).plan
    (learned,) = plan.learned
    rule: Any = plugins.load("tellegen.sims.rules", learned.rule)
    phases = Phases(plan, [rule], lambda _, values: values)
    phases.write({n: plan.manifest.parameters[n].values for n in learned.parameters})
    targets = plan.targets["y"].values
    assert targets is not None and plan.classes is not None
    found = []
    for sample in plan.train[:samples]:
        target = targets[plan.classes[sample]]
        _, seen = phases.seen(int(sample), target, np.random.default_rng(0))
        found.append([rule.update(seen[n], learned.settings) for n in learned.parameters])
    phases.engine.close()
    return np.array(found)


def signs(seed: int, overrides: tuple[str, ...]) -> tuple[float, float, float]:
    """The share of right signs after learning and before, and the mean square error after."""
    right, error = [], 0.0
    for more in (overrides, ("train.epochs=1", "train.learn.rate=0 rad/W")):
        with tempfile.TemporaryDirectory() as folder:
            result = train(SIGNS, seed=seed, overrides=more, out=folder)
        wanted = result.plan.targets["y"].values
        assert wanted is not None
        outputs = result.outcome.evaluations["train"].outputs["y"]
        right.append(float((np.sign(outputs) == np.sign(wanted[result.plan.train])).mean()))
        error = error or result.error["train"]
    return right[0], right[1], error


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    seeds = range(1 if quick else 10)
    overrides = ("train.epochs=2",) if quick else ()
    situ, shift = (steps(name, 1 if quick else 5) for name in ("Flowers", "Shift"))
    apart = float(np.abs(situ - shift).max() / np.abs(shift).max())
    yield Row("slope in situ and by parameter shift: largest difference, relative", apart, None, "1", "<= 1e-6",
              "each other", bool(apart <= 1e-6))  # fmt: skip

    learned = np.array([signs(seed, overrides) for seed in seeds])
    after, before, error = learned.T
    over = f"{len(seeds)} seeds, mean"
    p = float(wilcoxon(after, before, zero_method="zsplit", alternative="greater").pvalue)
    yield _row(f"contrastive Hebbian, right signs: {over}", after, "1")
    yield _row("the same before learning", before, "1")
    yield _row("the same, mean square error after learning", error, "V^2")
    yield Row("more right signs than before: p", p, None, "1", "<= 0.01", "Wilcoxon, one-sided",
              None if quick else p <= 0.01)  # fmt: skip

    found = [flowers(seed, overrides) for seed in seeds]
    values = {name: np.array([f[name] for f in found]) for name in found[0]}
    bounds = {n: v.mean() for n, v in values.items() if "mesh" not in n}
    for name, seen in values.items():
        if name != "one mesh in situ, test":
            yield _row(f"{name}: accuracy over {over}", seen, "1")
            continue
        for reference, bound in bounds.items():
            yield Row(f"{name}: accuracy over {over}", float(seen.mean()), (float(seen.min()), float(seen.max())),
                      "1", f">= {bound:.4f}", reference, None if quick else bool(seen.mean() >= bound))  # fmt: skip


def _row(name: str, values: NDArray[Any], unit: str) -> Row:
    ends = (float(values.min()), float(values.max()))
    return Row(name, float(values.mean()), ends, unit, "", "", None)
