"""Edges from a CSV file: two columns of node numbers, and a column for each parameter that is given.

The first line may be a header such as `source,target,g [uS]`; without one the file has two columns.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from tellegen.arrays import Indices, Values
from tellegen.files import FileRefused, Files
from tellegen.quantity import UnknownUnit, unit
from tellegen.values import Text

_HELP = "a line an edge: the numbers of the two nodes, counted from 0, then its parameters"
_COLUMN = re.compile(r"\s*([A-Za-z_]\w*)\s*(?:\[([^\]]*)\])?\s*")


# Values in SI units, with their dimension.
Column = tuple[Values, tuple[tuple[str, float], ...]]


@dataclass(frozen=True, eq=False)
class EdgeList:
    """Node numbers (edges, 2) and parameter values by name, in SI units with their dimension."""

    pairs: Indices
    params: dict[str, Column]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Who is connected to whom, by their numbers, and what a file says of the parameters."""

    sources: Indices
    targets: Indices
    shape: tuple[int, ...]
    table: Mapping[str, Column] = field(default_factory=dict)
    file: Text | None = None


def read_edges(files: Files, name: str) -> EdgeList:
    """The edges of a CSV file.

    Raises:
        FileRefused: if the file cannot be read or is not such a table.
    """
    text = files.read_text(name)
    first = text.split("\n", 1)[0].strip().strip("#").strip()
    columns = [_COLUMN.fullmatch(part) for part in first.split(",")]
    header = all(columns) and len(columns) >= 2
    names = [(m.group(1), m.group(2) or "") for m in columns if m] if header else []
    rows = text.split("\n")[1 if header else 0 :]
    if not any(row.partition("#")[0].strip() for row in rows):
        raise FileRefused("bad-file", f"`{name}` holds no edges", _HELP)
    try:
        table = np.loadtxt(rows, delimiter=",", ndmin=2, dtype=float)
    except ValueError:
        raise FileRefused("bad-file", _odd_row(name, rows, 2 if header else 1), _HELP) from None
    if table.shape[1] < 2:
        raise FileRefused("bad-file", f"`{name}` has one column", _HELP)
    if header and table.shape[1] != len(names):
        raise FileRefused(
            "bad-file", f"`{name}` has {table.shape[1]} columns, but its header names {len(names)}"
        )
    if not header and table.shape[1] > 2:
        raise FileRefused("bad-file", f"`{name}` has more than two columns but no header",
                          "begin it with a line such as `source,target,g [uS]`")  # fmt: skip
    ends = table[:, :2]
    if not np.isfinite(table).all() or (ends != np.floor(ends)).any() or (ends < 0).any():
        raise FileRefused(
            "bad-file", f"`{name}`: the numbers of nodes are whole, from 0 on, and all are finite"
        )
    params = {}
    for column, (parameter, symbol) in enumerate(names[2:], start=2):
        try:
            scale = unit(symbol)
        except UnknownUnit as error:
            raise FileRefused("bad-file", f"unknown unit `{symbol}` in `{name}`") from error
        params[parameter] = (table[:, column] * scale.factor, scale.dimension)
    return EdgeList(ends.astype(np.int64), params)


def _odd_row(name: str, rows: list[str], first: int) -> str:
    """What is wrong with the first row that is not like the others; rows count from `first`."""
    width = 0
    for number, row in enumerate(rows, start=first):
        cells = [cell.strip() for cell in row.partition("#")[0].split(",")]
        if cells == [""]:
            continue
        for cell in cells:
            try:
                float(cell)
            except ValueError:
                return f"line {number} of `{name}`: `{cell[:40]}` is not a number"
        width = width or len(cells)
        if len(cells) != width:
            return f"line {number} of `{name}` has {len(cells)} columns, not {width}"
    return f"`{name}` is not a table of numbers"
