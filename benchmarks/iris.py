"""Iris by coupled learning in ngspice, beside least squares and LDA on the same splits.

`examples/iris.tgn` as it is, with another seed for each run: the seed draws the split (60 % training,
20 % validation, 20 % test, classes in equal shares), the initial conductances, the order of samples and
the edges that move. The parameters judged on the test part are those of the epoch that was best on the
validation part; nothing is chosen by the test part. Every solve is ngspice's.

References on the same splits: linear least squares on one-hot targets (argmax) and on the class codes
that the network was asked for (nearest), and linear discriminant analysis, all of scikit-learn.
Full run: 20 seeds, about 2 minutes. `--quick`: 2 seeds of 10 epochs.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from sklearn.datasets import load_iris
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LinearRegression

from benchmarks.rows import Row

EXAMPLE = Path(__file__).parents[1] / "examples" / "iris.tgn"
SEEDS, QUICK_SEEDS, QUICK_EPOCHS = 20, 2, 10
TARGET = 0.93
REFERENCE = "Anisetti, Scellier, Schwarz, PRR 5, 023024 (2023): 93 %, chemical signalling on Iris"


def one(seed: int, overrides: tuple[str, ...]) -> dict[str, float]:
    """Accuracies of a training and of the references on its split."""
    from tellegen import train

    with tempfile.TemporaryDirectory() as folder:
        result = train(EXAMPLE, seed=seed, overrides=overrides, out=folder)
        metrics = result.metrics
    plan, state = result.plan, result.outcome.state
    features, classes = load_iris(return_X_y=True)
    assert plan.classes is not None and (classes == plan.classes).all()
    learn, test = (
        (features[plan.train], classes[plan.train]),
        (features[plan.test], classes[plan.test]),
    )
    codes = state.targets["y"]

    def nearest(outputs: np.ndarray) -> np.ndarray:
        return ((outputs[:, None] - codes[None]) ** 2).sum(axis=2).argmin(axis=1)

    onehot = LinearRegression().fit(learn[0], np.eye(3)[learn[1]])
    coded = LinearRegression().fit(learn[0], codes[learn[1]])
    lda = LinearDiscriminantAnalysis().fit(*learn)
    return {
        "ngspice test": result.accuracy["test"],
        "ngspice validation": result.accuracy["validation"],
        "ngspice train": result.accuracy["train"],
        "least squares, one-hot, argmax": float(
            (onehot.predict(test[0]).argmax(axis=1) == test[1]).mean()
        ),
        "least squares, same codes, nearest": float(
            (nearest(coded.predict(test[0])) == test[1]).mean()
        ),
        "LDA": float(lda.score(*test)),
        "deviation": float(np.nanmax(metrics["deviation"])),
        "residual": float(np.nanmax(metrics["residual"])),
    }


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    seeds = range(QUICK_SEEDS if quick else SEEDS)
    overrides = (f"train.epochs={QUICK_EPOCHS}",) if quick else ()
    found = Parallel(n_jobs=2)(delayed(one)(seed, overrides) for seed in seeds)
    for name in found[0]:
        values = np.array([f[name] for f in found])
        if name in ("deviation", "residual"):
            limit = 1e-9
            yield Row(f"solver check: worst {name}", values.max(), None, "V" if name == "deviation" else "1",
                      f"<= {limit:g}", "cold operating point" if name == "deviation" else "Tellegen's theorem",
                      bool(values.max() <= limit))  # fmt: skip
            continue
        target = name == "ngspice test"
        yield Row(
            f"accuracy, {name}", values.mean(), (values.min(), values.max()), "1",
            f">= {TARGET}" if target else "", REFERENCE if target else "scikit-learn, same splits"
            if "ngspice" not in name else "", bool(values.mean() >= TARGET) if target else None,
        )  # fmt: skip
        if target:
            yield Row(
                "  its standard deviation over seeds", values.std(ddof=1), None, "1", "", "", None
            )
