"""What tolerances are worth in spike times, and what they cost.

The three neurons of :mod:`benchmarks.partition` in one netlist, at the library's tolerances and at tighter ones: how far
the spike furthest off is from the same circuit at a tenth of `reltol` and a tenth of `trtol`, and the CPU time over that
at the library's. `reltol` counts for Newton's iterations as well, `trtol` for the lengths of steps alone. Full run: 5
minutes on a quiet machine. `--quick`: the library's tolerances and `trtol = 0.1`, for 12 ms.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.partition import RELTOL, TRTOL, furthest, spikes
from benchmarks.rows import Row

FINE = (RELTOL / 10, TRTOL / 10)
OTHERS = [(RELTOL, 0.3), (RELTOL, 0.1), (1e-4, TRTOL), (RELTOL / 10, TRTOL)]


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    stop = 12.0 if quick else 60.0
    finest, _ = spikes("whole", 3, 8.0, stop, *FINE)
    usual: float | None = None
    for reltol, trtol in [(RELTOL, TRTOL), *(OTHERS[1:2] if quick else OTHERS)]:
        found, took = spikes("whole", 3, 8.0, stop, reltol, trtol)
        usual = usual or took
        name = f"three neurons, reltol {reltol:g}, trtol {trtol:g}"
        fine = f"reltol {FINE[0]:g}, trtol {FINE[1]:g}"
        yield Row(
            f"{name}: spike furthest off", furthest(found, finest, stop), None, "1", "", fine, None
        )
        yield Row(
            f"{name}: CPU time", took / usual, None, "1", "", "at the library's tolerances", None
        )
