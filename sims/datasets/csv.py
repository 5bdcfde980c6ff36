"""Any table in a CSV file."""

from __future__ import annotations

import csv as reader
import io

import numpy as np

from tellegen.arrays import Indices
from tellegen.diagnostics import one_of
from tellegen.files import FileRefused, Files
from tellegen.signature import Argument, function
from tellegen.sims.datasets import Dataset


@function(
    file=Argument("text", doc="the file's name, in quotes"),
    label=Argument("text", default="", doc="the column that holds the class, in quotes"),
)
def csv(files: Files, file: str, label: str) -> Dataset:
    """A CSV file with a header: every column of numbers is a feature, `label` names the classes."""
    rows = list(reader.reader(io.StringIO(files.read_text(file))))
    rows = [r for r in rows if any(cell.strip() for cell in r)]
    if len(rows) < 2:
        raise FileRefused(
            "bad-file", f"`{file}` has no rows", "a header line, then one line a sample"
        )
    header = [name.strip() for name in rows[0]]
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            raise FileRefused(
                "bad-file",
                f"line {number} of `{file}` has {len(row)} of the header's {len(header)} columns",
            )
    if label and label not in header:
        raise FileRefused("bad-file", f"`{file}` has no column `{label}`",
                          f"its columns: {one_of(header)}")  # fmt: skip
    columns: dict[str, np.ndarray] = {}
    classes: Indices | None = None
    class_names: tuple[str, ...] = ()
    for k, name in enumerate(header):
        cells = [row[k].strip() for row in rows[1:]]
        if name == label:
            class_names = tuple(sorted(set(cells), key=_numbers_first))
            where = {n: i for i, n in enumerate(class_names)}
            classes = np.array([where[c] for c in cells], dtype=np.int64)
            continue
        try:
            values = np.array([float(c) for c in cells])
        except ValueError:
            odd = next(c for c in cells if not _is_number(c))
            raise FileRefused(
                "bad-file", f"column `{name}` of `{file}` holds `{odd[:40]}`, which is not a number",
                f'if it names the class: `csv("{file}", label = "{name}")`',
            ) from None  # fmt: skip
        if not np.isfinite(values).all():
            raise FileRefused(
                "bad-file", f"column `{name}` of `{file}` has a number that is not finite"
            )
        columns[name] = values
    if not columns:
        raise FileRefused("bad-file", f"`{file}` has no column of numbers")
    features = np.column_stack(list(columns.values()))
    return Dataset(features, classes, class_names, columns, file)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _numbers_first(text: str) -> tuple[int, float, str]:
    try:
        return 0, float(text), text
    except ValueError:
        return 1, 0.0, text
