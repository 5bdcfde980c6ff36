"""Breast cancer, Wisconsin: 569 samples, 30 measurements, 2 classes."""

from __future__ import annotations

from tellegen.files import Files
from tellegen.signature import function
from tellegen.sims.datasets import Dataset
from tellegen.sims.datasets._sklearn import shipped


@function()
def breast_cancer(_files: Files) -> Dataset:
    """Breast cancer, Wisconsin: 569 samples, 30 measurements, 2 classes."""
    return shipped("breast_cancer")
