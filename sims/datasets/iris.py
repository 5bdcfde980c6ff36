"""Fisher's iris: 150 flowers, 4 lengths, 3 species."""

from __future__ import annotations

from tellegen.files import Files
from tellegen.signature import function
from tellegen.sims.datasets import Dataset
from tellegen.sims.datasets._sklearn import shipped


@function()
def iris(_files: Files) -> Dataset:
    """Fisher's iris: 150 flowers, 4 lengths, 3 species."""
    return shipped("iris")
