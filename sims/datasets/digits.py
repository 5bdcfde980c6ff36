"""Handwritten digits: 1797 images of 8 x 8 pixels, 10 classes."""

from __future__ import annotations

from tellegen.files import Files
from tellegen.signature import function
from tellegen.sims.datasets import Dataset
from tellegen.sims.datasets._sklearn import shipped


@function()
def digits(_files: Files) -> Dataset:
    """Handwritten digits: 1797 images of 8 x 8 pixels, 10 classes."""
    return shipped("digits")
