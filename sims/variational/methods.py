"""The optimisers that a `vary` line names."""

from __future__ import annotations

from typing import Any

from tellegen.signature import Function, count, function, number


@function(flat=number("@", low=0, default=None, doc="stop where no phase changes the cost by more per rad"),
          steps=count(500, low=1, doc="stop after as many steps"))  # fmt: skip
def bfgs(flat: float | None, steps: int) -> dict[str, Any]:
    """Quasi-Newton steps with line searches (SciPy's L-BFGS-B), for costs without noise."""
    return {"flat": 1e-4 if flat is None else flat, "steps": steps}


@function(rate=number("rad", low=1e-9, default=0.3, doc="the first steps' length"),
          steps=count(200, low=1, doc="how many steps are made"))  # fmt: skip
def adam(rate: float, steps: int) -> dict[str, Any]:
    """Steps that bear noise (Kingma and Ba 2014), shorter and shorter."""
    return {"flat": 0.0, "steps": steps, "rate": rate}


METHODS: dict[str, Function] = {"bfgs": bfgs, "adam": adam}
