"""The data sets that scikit-learn ships."""

from __future__ import annotations

import warnings

import numpy as np

from tellegen.sims.datasets import Dataset


def shipped(name: str) -> Dataset:
    """The data set that `sklearn.datasets.load_<name>` returns."""
    with warnings.catch_warnings():
        # joblib says at import where /dev/shm cannot be used; nothing here needs it.
        warnings.filterwarnings("ignore", "(?s).*joblib will operate in serial mode")
        from sklearn import datasets

    found = getattr(datasets, f"load_{name}")()
    return Dataset(
        features=np.asarray(found.data, dtype=float),
        classes=np.asarray(found.target, dtype=np.int64),
        class_names=tuple(str(n) for n in found.target_names),
        source=f"scikit-learn, load_{name}",
    )
