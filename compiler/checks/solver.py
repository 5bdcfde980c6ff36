"""The simulator's tolerances: what the cells of a circuit need, and whether their biases bear them.

A circuit of nanoamperes run with ngspice's own tolerances gives no spikes and no warning, so the
tolerances belong to the library of cells, and a bias that comes near them is reported.
"""

from __future__ import annotations

import numpy as np

from tellegen.cells import Cell
from tellegen.cells.expression import evaluate
from tellegen.circuit import Circuit
from tellegen.diagnostics import Sink
from tellegen.quantity import spelled

MARGIN = 100.0
# What a bias may stand across, for the current that ngspice's gmin leaks.
_SUPPLY = 1.8
_DEFAULTS = {"abstol": 1e-12, "gmin": 1e-12}


def check_solver(circuit: Circuit, sink: Sink) -> None:
    """Report cells that need different methods of integration, and biases too near the tolerances."""
    first: dict[str, Cell] = {}
    for cell in circuit.cells():
        if cell.solver.method:
            first.setdefault(cell.solver.method, cell)
    if len(first) > 1:
        one, other = list(first.values())[:2]
        spans = [g.span for m in circuit.modules() for g in m.groups.values() if g.cell is other]
        sink.error(
            "solver-conflict",
            f"`{one.library}.{one.name}` needs the method {one.solver.method}, "
            f"`{other.library}.{other.name}` {other.solver.method}",
            spans[0],
            help="simulate the two parts in networks of their own",
        )
    options = _DEFAULTS | dict(circuit.solver().options)
    floors = {"abstol": options["abstol"], "gmin": options["gmin"] * _SUPPLY}
    name, floor = max(floors.items(), key=lambda item: item[1])
    for module in circuit.modules():
        for group in module.groups.values():
            for bias, expression in group.cell.biases.items() if group.cell else ():
                found = np.atleast_1d(evaluate(expression, group.params))
                least = np.min(found[found > 0], initial=np.inf)
                if least < MARGIN * floor:
                    sink.warning(
                        "small-bias",
                        f"the bias `{bias}` of `{group.label}` is {spelled(float(least), 'A')}, less "
                        f"than {MARGIN:g} times what `{name}` lets pass ({spelled(floor, 'A')})",
                        group.span,
                        help="its current would be a matter of tolerances: take a larger bias and "
                        "capacitor, or a library with a tighter `[solver]`",
                    )
