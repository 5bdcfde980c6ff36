"""Data sets, a file each; the file's name is the data set's name in the language.

A data set is a declared function (:mod:`tellegen.signature`) that returns a :class:`Dataset`. Its first
argument is the read access that the `.tgn` file has.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tellegen.arrays import Indices, Values


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples.

    Attributes:
        features: (samples, features).
        classes: (samples,) class numbers from 0 on, or None for regression.
        class_names: the name of each class.
        columns: further named columns, each (samples,) or (samples, k).
        source: where the data come from.
    """

    features: Values
    classes: Indices | None = None
    class_names: tuple[str, ...] = ()
    columns: dict[str, Values] = field(default_factory=dict)
    source: str = ""

    def __len__(self) -> int:
        return len(self.features)
