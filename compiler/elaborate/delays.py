"""Transmission delays: lines before the inputs of spikes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tellegen.cells.cell import DELAY
from tellegen.circuit import Group, NodeArray
from tellegen.elaborate.scope import Scope


def delayed(scope: Scope, group: Group) -> Group:
    """The group with its `delay` made of lines before its first spike input.

    There is one for each source and delay, all of the cell that the library names for it.
    """
    delays = group.params.pop(DELAY.name, None) if group.cell and group.cell.delayed else None
    if delays is None or not (delays > 0).any():
        return group
    assert group.cell is not None and group.cell.delayed is not None
    library = scope.context.libraries[group.cell.library]
    if not library.delay:
        scope.sink.error(
            "unknown-argument", f"library `{library.name}` has no cell that delays spikes",
            group.span,
        )  # fmt: skip
        return group
    line = library.cells[library.delay]
    column = group.ports.index(group.cell.delayed)
    late = np.flatnonzero(delays > 0)
    lines, of_edge = np.unique(
        np.stack([group.terminals[late, column].astype(float), delays[late]]), axis=1,
        return_inverse=True,
    )  # fmt: skip
    label, count = f"{group.label}.delay", lines.shape[1]
    ends = scope.new_nodes((count,))
    scope.module.arrays[label] = NodeArray(label, "port", "spike", ends, group.span)
    params = {name: np.full(count, float(p.default or 0.0)) for name, p in line.params.items()} | {
        DELAY.name: lines[1]
    }
    scope.module.groups[label] = Group(
        label, (count,), line, (), np.zeros(count, dtype=np.int32), tuple(line.ports),
        np.stack([lines[0].astype(np.int32), ends], axis=1), params, group.span,
    )  # fmt: skip
    terminals = group.terminals.copy()
    terminals[late, column] = ends[of_edge.ravel()]
    return replace(group, terminals=terminals)
