"""Gradients of every phase of a mesh, by parameter shift and in situ, against finite differences in ngspice.

The cost is a weighted sum of detected powers of a Clements mesh with loss and couplers that split unequally. The
reference is a difference of the fourth order of the same circuit's operating points, so that nothing is known of
the mesh but what it shows. In situ the same phases stand in a second mesh, through which light runs from behind.
Errors are relative to the largest derivative. Full run: 20 seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
from scipy.stats import unitary_group

from benchmarks.rows import Row
from tellegen import compile_text
from tellegen.arrays import Values
from tellegen.meshes import clements
from tellegen.sims.learning.gradients import in_situ
from tellegen.sims.learning.parameter_shift import jacobian
from tellegen.sims.ngspice.engine import Engine

LIMIT = 1e-6
STEP = 2e-2
PAIRS = {"mesh": "rear", "screen": "rear_screen"}
_TEXT = """
import photonic
network Both(n = {n}) {{
    input  a[n]: optical, z[n]: optical
    output y[n]: optical, power[n], back[n]: optical
    node   u[n]: optical, w[n]: optical
    mesh:        connect a -> u by clements using mzi(level = {level}, loss = 0.2, first = 0.05 rad)
    screen:      phase_shifter[n](u, y, level = {level})
    rear_screen: phase_shifter[n](z, w, level = {level})
    rear:        connect w -> back by clements(back = true) using
                     mzi_back(level = {level}, loss = 0.2, first = 0.05 rad)
    seen:        photodetector[n](y, power, dark = 0 A, load = 1 ohm)
}}
"""


class Circuit:
    """An engine with a mesh and its rear, which are written together."""

    def __init__(self, n: int, level: str, seed: int) -> None:
        emitted = compile_text(_TEXT.format(n=n, level=level)).emit()
        self.engine = Engine(emitted.netlist, emitted.manifest)
        self.manifest, self.drive, self.read = emitted.manifest, self.engine.drive, self.engine.read
        self.solves = 0
        rng = np.random.default_rng(seed)
        self.weights = rng.normal(size=n)
        mesh = clements(unitary_group.rvs(n, random_state=seed))
        self.at = {"mesh.theta": mesh.theta, "mesh.phi": mesh.phi, "screen.phase": mesh.screen}
        self.drive("a", rng.normal(size=n) + 1j * rng.normal(size=n))
        for name, values in self.at.items():
            self.write(name, values)

    def write(self, name: str, values: Values) -> None:
        """Set the phases of the mesh and of its rear."""
        group, phase = name.split(".")
        self.engine.write(name, values)
        self.engine.write(f"{PAIRS[group]}.{phase}", values)

    def solve(self) -> None:
        """Find an operating point, and count it."""
        self.engine.solve()
        self.solves += 1

    def powers(self, points: dict[str, Values]) -> Values:
        """What the detectors see at phases (points, *shape)."""
        self.solves += len(next(iter(points.values())))
        return self.engine.scan(points, "y.power")

    def differences(self) -> dict[str, Values]:
        """The derivatives of the cost by differences of the fourth order."""

        def cost(name: str, values: Values) -> float:
            self.write(name, values)
            self.solve()
            return float(self.weights @ self.read("power"))

        found = {}
        for name, values in self.at.items():
            rows = []
            for k in range(len(values)):
                one = STEP * np.eye(len(values))[k]
                near = cost(name, values + one) - cost(name, values - one)
                far = cost(name, values + 2 * one) - cost(name, values - 2 * one)
                rows.append((8 * near - far) / (12 * STEP))
            self.write(name, values)
            found[name] = np.array(rows)
        return found

    def shifted(self) -> dict[str, Values]:
        """The derivatives by parameter shift."""
        found = jacobian(self.powers, self.at)
        for name, values in self.at.items():
            self.write(name, values)
        return {name: slopes @ self.weights for name, slopes in found.items()}

    def situ(self) -> dict[str, Values]:
        """The derivatives in situ."""
        return in_situ(self, "y", "z", lambda field: self.weights * field, PAIRS)


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    for n in (4,) if quick else (4, 8):
        for level in ("phases", "gains"):
            circuit = Circuit(n, level, seed=n)
            want, _, _ = _timed(circuit, circuit.differences)
            scale = max(float(np.abs(d).max()) for d in want.values())
            for what, route in (("parameter shift", circuit.shifted), ("in situ", circuit.situ)):
                found, solves, seconds = _timed(circuit, route)
                error = max(float(np.abs(found[k] - want[k]).max()) for k in want) / scale
                name = f"{n} modes, {level}, {what}"
                yield Row(f"{name}: worst of {n * n} phases", error, None, "1", f"<= {LIMIT:g}",
                          "differences of the fourth order in ngspice", error <= LIMIT)  # fmt: skip
                yield Row(f"{name}: solutions", solves, None, "1", "", "", None)
                yield Row(f"{name}: CPU time", seconds, None, "s", "", "", None)
            circuit.engine.close()


def _timed(
    circuit: Circuit, route: Callable[[], dict[str, Values]]
) -> tuple[dict[str, Values], int, float]:
    circuit.solves, start = 0, time.process_time()
    found = route()
    return found, circuit.solves, time.process_time() - start
