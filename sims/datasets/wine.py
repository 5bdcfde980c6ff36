"""Wine recognition: 178 samples, 13 measurements, 3 cultivars."""

from __future__ import annotations

from tellegen.files import Files
from tellegen.signature import function
from tellegen.sims.datasets import Dataset
from tellegen.sims.datasets._sklearn import shipped


@function()
def wine(_files: Files) -> Dataset:
    """Wine recognition: 178 samples, 13 measurements, 3 cultivars."""
    return shipped("wine")
