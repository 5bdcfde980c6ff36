"""What an exchange with a running transient costs, beside PySpice's own callbacks.

A grid of 100 RC nodes, 10,000 steps, Python reads a probe and sets a source at each of them. Each way
runs in a process of its own, which goes on for a slice of the steps at a time; the ways take turns slice by
slice, so that a busy machine slows all alike. CPU time, the median of a block of slices, less what a transient
without any exchange takes; values and spreads are of five such blocks. Every ngspice that the checkout has
is measured. Full run: 40 slices of 250 steps, half a minute to two. `--quick`: 10 slices.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from benchmarks.rows import Row, at_least, measured

NODES, STEPS, SLICES, QUICK_SLICES, BLOCKS = 100, 250, 40, 10, 5
TARGET = 5.0
WAYS = ("free", "controller", "advance", "pyspice")
SAID = {
    "controller": "a controller in flight",
    "advance": "advance, read, drive",
    "pyspice": "PySpice's callbacks",
}


def builds() -> list[str]:
    """The ngspice builds to measure: the one in use, and the checkout's stable one if it is another."""
    other = (Path(__file__).parents[1] / ".tellegen" / "ngspice-stable").exists()
    return ["", "stable"] if other and not os.environ.get("TELLEGEN_NGSPICE") else [""]


def environment(build: str) -> dict[str, str]:
    """The environment in which a process uses a build."""
    return {**os.environ, **({"TELLEGEN_NGSPICE": build} if build else {})}


def version(build: str) -> str:
    """The version of a build."""
    ask = (
        "from tellegen.sims.provenance import provenance; print(provenance()['ngspice']['version'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", ask], env=environment(build), capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    return done.stdout.strip()


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    for build in builds():
        taken: dict[str, list[float]] = {way: [] for way in WAYS}
        with ExitStack() as stack:
            running = {way: stack.enter_context(_running(way, build)) for way in WAYS}
            for k in range(1 + (QUICK_SLICES if quick else SLICES)):
                for way, process in running.items():
                    seconds, count = _slice(process)
                    if k:  # the first slice warms up
                        taken[way].append(seconds / count * 1e6)
        blocks = {way: np.median(np.reshape(t, (BLOCKS, -1)), axis=1) for way, t in taken.items()}
        alone = blocks.pop("free")
        cost = {way: (found - alone).tolist() for way, found in blocks.items()}
        name = f"ngspice {version(build)}"
        for way, found in cost.items():
            value, spread = measured(found)
            yield Row(f"{name}: {SAID[way]}", value, spread, "us", "", "CPU per exchange", None)
        ratios = [b / a for a, b in zip(cost["controller"], cost["pyspice"], strict=True)]
        yield at_least(f"{name}: controller over PySpice", ratios, TARGET, "same run")


def _running(way: str, build: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks._exchange_ways", way, str(NODES), str(STEPS)],
        env=environment(build), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        stderr=subprocess.DEVNULL, cwd=Path(__file__).parents[1],
    )  # fmt: skip


def _slice(process: subprocess.Popen[str]) -> tuple[float, int]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    while not (line := process.stdout.readline()).startswith("{"):  # PySpice prints
        if not line:
            raise RuntimeError("a way of the exchange has ended")
    found = json.loads(line)
    return float(found["seconds"]), int(found["exchanges"])
