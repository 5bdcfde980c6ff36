"""What an exchange with a running transient costs, beside PySpice's own callbacks.

A grid of 100 RC nodes, 10,000 steps, Python reads a probe and sets a source at each of them. Each way
runs in a process of its own, which goes on for a slice of the steps at a time; the ways take turns slice by
slice, so that a busy machine slows all alike. CPU time; what a transient without any exchange takes is
subtracted slice by slice. Value and spread are of the slices. Every ngspice that the checkout has is
measured. Full run: 20 slices of 500 steps, about half a minute. `--quick`: 5 slices.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from benchmarks.rows import Row, at_least, measured

NODES, STEPS, SLICES, QUICK_SLICES = 100, 500, 20, 5
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
        cost: dict[str, list[float]] = {way: [] for way in WAYS[1:]}
        with ExitStack() as stack:
            running = {way: stack.enter_context(_running(way, build)) for way in WAYS}
            for _ in range(1 + (QUICK_SLICES if quick else SLICES)):
                took = {way: _slice(process) for way, process in running.items()}
                for way in cost:
                    seconds, count = took[way]
                    cost[way].append(seconds / count * 1e6 - took["free"][0] / STEPS * 1e6)
        name = f"ngspice {version(build)}"
        found = {way: taken[1:] for way, taken in cost.items()}  # the first slice warms up
        for way, taken in found.items():
            value, spread = measured(taken)
            yield Row(f"{name}: {SAID[way]}", value, spread, "us", "", "CPU per exchange", None)
        ratios = [b / a for a, b in zip(found["controller"], found["pyspice"], strict=True)]
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
