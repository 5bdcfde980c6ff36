"""A network of 100,000 edges: time and memory of elaboration, checks, emission and manifest.

A torus of random resistors, written as one line of source. Times are wall-clock of one process and are
listed, not judged, but for the order of magnitude that the word "seconds" promises; memory is the peak
resident size of the process, beside that of one that compiles a network of 100 edges.
Full run: about 10 seconds. `--quick`: 10,000 edges.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

from benchmarks.rows import Row, measured

SIDE, QUICK_SIDE, TINY_SIDE = 224, 71, 7

PROGRAM = """
import json, resource, sys, time
import tellegen, tellegen.pipeline
text = '''
import resistive
network Torus(n = %s) {
    node n_[n * n]
    input  a = n_[0]
    output b = n_[n + 1]
    mesh: connect n_ by torus(n, n) using resistor(g ~ uniform(1 uS, 10 uS))
    foot: resistor(n_[2 * n], gnd)
}
''' % sys.argv[1]
times = [time.perf_counter()]
compiled = tellegen.compile_text(text); times.append(time.perf_counter())
emitted = compiled.emit(); times.append(time.perf_counter())
manifest = emitted.manifest.to_json(); times.append(time.perf_counter())
print(json.dumps(dict(
    edges=len(compiled.circuit.top.groups["mesh"]),
    elaborate=times[1] - times[0], emit=times[2] - times[1], manifest=times[3] - times[2],
    netlist=len(emitted.netlist), memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)))
"""


def measure(side: int) -> dict[str, float]:
    """Compile a torus in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(side)], check=True, capture_output=True, text=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    rounds = [measure(QUICK_SIDE if quick else SIDE) for _ in range(3)]
    tiny = measure(TINY_SIDE)

    yield Row("edges", rounds[0]["edges"], None, "1", "", "", None)
    for name, what in (
        ("elaborate", "parse, elaborate, check"), ("emit", "emit the netlist"),
        ("manifest", "write the manifest"),
    ):  # fmt: skip
        value, spread = measured([r[name] for r in rounds])
        yield Row(what, value, spread, "s", "", "", None)
    total, spread = measured([r["elaborate"] + r["emit"] + r["manifest"] for r in rounds])
    yield Row("all of it", total, spread, "s", "seconds: <= 10", "", total <= 10)
    yield Row("netlist", rounds[0]["netlist"] / 1e6, None, "MB", "", "", None)
    value, (low, high) = measured([r["memory"] for r in rounds])
    per_edge = (value - tiny["memory"]) / (rounds[0]["edges"] - tiny["edges"])
    yield Row("peak memory", value / 1e6, (low / 1e6, high / 1e6), "MB", "", "", None)
    yield Row("memory an edge, beyond a tiny network's", per_edge, None, "B", "", "", None)
