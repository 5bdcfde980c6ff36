"""What an exchange with a running transient costs, beside PySpice's own callbacks.

A grid of 100 RC nodes, 10,000 steps, Python reads a probe and sets a source at each of them. Each way
runs in a process of its own, the ways in turn; what a transient without any exchange takes is
subtracted. CPU time, the median of the rounds. Every ngspice that the checkout has is measured.
Full run: 5 rounds, about a minute. `--quick`: 2 rounds of 2,000 steps.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.rows import Row, at_least, measured

NODES, STEPS, ROUNDS = 100, 10_000, 5
QUICK_STEPS, QUICK_ROUNDS = 2_000, 2
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
    steps, rounds = (QUICK_STEPS, QUICK_ROUNDS) if quick else (STEPS, ROUNDS)
    for build in builds():
        cost: dict[str, list[float]] = {way: [] for way in WAYS[1:]}
        for _ in range(rounds):
            took = {way: _one(way, steps, build) for way in WAYS}
            for way in cost:
                seconds, count = took[way]
                cost[way].append((seconds - took["free"][0]) / count * 1e6)
        name = f"ngspice {version(build)}"
        for way, found in cost.items():
            value, spread = measured(found)
            yield Row(f"{name}: {SAID[way]}", value, spread, "us", "", "CPU per exchange", None)
        ratios = [b / a for a, b in zip(cost["controller"], cost["pyspice"], strict=True)]
        yield at_least(f"{name}: controller over PySpice", ratios, TARGET, "same run")


def _one(way: str, steps: int, build: str) -> tuple[float, int]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks._exchange_ways", way, str(NODES), str(steps)],
        env=environment(build), capture_output=True, text=True, check=True,
        cwd=Path(__file__).parents[1],
    )  # fmt: skip
    found = json.loads(done.stdout.splitlines()[-1])
    return float(found["seconds"]), int(found["exchanges"])
