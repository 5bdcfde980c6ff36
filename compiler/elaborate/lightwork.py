"""Meshes of interferometers: which nets of light they join, and the phases that a matrix gives them.

A rule gets the number of modes and, where a file gives the unitary matrix of the mesh, that matrix. A new kind
of mesh is a new function here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tellegen import meshes
from tellegen.arrays import Complex, Indices
from tellegen.circuit import Nodes
from tellegen.files import FileRefused, Files
from tellegen.meshes import Mesh
from tellegen.signature import Argument, function, functions_of

_BACK = Argument(
    "flag", default=False, doc="whether light comes from behind, to the last interferometer first"
)
_MATRIX = Argument("any", default=None, doc="a file with the unitary matrix that it is to be")
_HELP = "a row of numbers for each output; of complex ones the real and the imaginary part, side by side"


@function(matrix=_MATRIX, back=_BACK)
def clements(modes: int, matrix: Complex | None) -> Mesh:
    """The rectangle of Clements et al. 2016: as deep as it has modes."""
    return meshes.clements(np.eye(modes) if matrix is None else matrix)


@function(matrix=_MATRIX, back=_BACK)
def reck(modes: int, matrix: Complex | None) -> Mesh:
    """The triangle of Reck et al. 1994."""
    return meshes.reck(np.eye(modes) if matrix is None else matrix)


RULES = functions_of(sys.modules[__name__])


def read_matrix(files: Files, name: str, modes: int) -> Complex:
    """The square matrix of a CSV file, (modes, modes).

    Raises:
        FileRefused: if the file cannot be read or holds no such matrix.
    """
    text = files.read_text(name)
    try:
        table = np.loadtxt(text.split("\n"), delimiter=",", ndmin=2, dtype=float)
    except ValueError:
        raise FileRefused("bad-file", f"`{name}` is not a table of numbers", _HELP) from None
    if table.shape == (modes, 2 * modes):
        return np.asarray(table[:, ::2] + 1j * table[:, 1::2])
    if table.shape != (modes, modes):
        rows, columns = table.shape
        raise FileRefused(
            "bad-file",
            f"`{name}` has {rows} rows of {columns} numbers: no matrix of {modes} modes", _HELP,
        )  # fmt: skip
    return table.astype(complex)


@dataclass(frozen=True, eq=False)
class Wiring:
    """The nets of each interferometer of a mesh, and how many nets there are inside.

    Attributes:
        incoming: (interferometers, 2).
        outgoing: (interferometers, 2).
        inside: the nets that are neither sources nor targets.
    """

    incoming: Nodes
    outgoing: Nodes
    inside: Nodes


def wired(
    top: Indices, source: Nodes, target: Nodes, new: Callable[[int], Nodes], *, back: bool
) -> Wiring:
    """The nets of a mesh from the sources to the targets, `new` making those between.

    From behind, the interferometers keep their numbers.
    """
    if back:
        found = wired(top[::-1], source, target, new, back=False)
        return Wiring(found.incoming[::-1], found.outgoing[::-1], found.inside)
    last = {int(k): i for i, top_k in enumerate(top) for k in (top_k, top_k + 1)}
    inside = new(2 * len(top) - len(source))
    fresh = iter(inside)
    now = source.copy()
    incoming, outgoing = (np.empty((len(top), 2), dtype=np.int32) for _ in range(2))
    for i, k in enumerate(top):
        incoming[i] = now[k : k + 2]
        for mode in (k, k + 1):
            now[mode] = target[mode] if last[int(mode)] == i else next(fresh)
        outgoing[i] = now[k : k + 2]
    return Wiring(incoming, outgoing, inside)
