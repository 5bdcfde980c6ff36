"""The authors' sets DP and cortical slices: pairings at 1 Hz over distances of -60 to 60 ms.

20 pairings, 5 of them with transistors.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.graupner_brunel import SETS, circuit, reference
from benchmarks.plasticity._common import within
from benchmarks.rows import Row


def run(quick: bool) -> Iterator[Row]:
    """The rows of the rule."""
    for level, bound in (("behavioural", 0.05), ("transistor", 0.15)):
        for name in ("DP",) if quick else ("DP", "cortical slices"):
            distances = (
                [-0.02, 0.02] if quick else [-0.06, -0.03, -0.02, -0.01, 0.005, 0.01, 0.02, 0.04]
            )
            pairings = (1 if quick else 5) if level == "transistor" else (5 if quick else 20)
            found = circuit(SETS[name], distances, pairings, level)
            wanted = [reference(SETS[name], d, pairings) for d in distances]
            yield within(f"{level}, {name}", found, wanted, bound, "Graupner, Brunel 2012")
