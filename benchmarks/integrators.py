"""The integrators of `cmos` against their equations, at both levels.

Each row is the worst relative error of a cell's self-tests at one level, whose expected values are closed
forms (the cell's header says which). The target is 5 % whatever tolerance a self-test has, so that a cell
that passes its tests can miss here. Values that should be zero are left to the self-tests. Full run: 10 seconds;
`--quick` does the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.rows import Row

CELLS = (
    "ota",
    "follower_integrator",
    "log_domain",
    "dpi_inhibitory",
    "dpi_depressing",
    "pulse_extender",
)


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    from tellegen.cells import find_library
    from tellegen.sims.ngspice.verify import verify

    library = find_library("cmos")
    assert library is not None
    errors: dict[str, list[float]] = {}
    for outcome in verify([library.cells[name] for name in CELLS]):
        if outcome.expected != 0:
            error = float("inf") if outcome.error is None else outcome.error
            errors.setdefault(outcome.cell, []).append(error)
    for cell, found in errors.items():
        worst = max(found)
        yield Row(f"{cell}, worst of {len(found)}", worst, (min(found), worst), "1", "within 5 %",
                  "closed forms in the cell's self-tests", worst <= 0.05)  # fmt: skip
