"""Ground states of H2 and HeH+ by a mesh of interferometers: a variational eigensolver in ngspice.

Light in four modes is a state of two qubits: the mesh prepares it, a second mesh turns it into the basis of a
measurement, detectors give the probabilities. Since one photon and a beam interfere alike, the circuit is exact. The
energy is a sum of Pauli products (`molecules.csv`), the optimiser L-BFGS-B of SciPy, and every gradient comes by
parameter shift from the circuit. A single random start for each bond length; the reference is full configuration
interaction by PySCF, whose energies stand in the table beside the coefficients. Counts of operating points include all
settings. Last come errors of the energy where the powers are counted photons. Full run: 2 minutes of CPU time.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator
from functools import reduce
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from benchmarks.rows import Row, measured
from tellegen import compile_text
from tellegen.meshes import clements
from tellegen.sims.engine import Engine
from tellegen.sims.gradients import parameter_shift

TABLE = Path(__file__).with_name("molecules.csv")
LIMIT = 1e-4  # hartree; chemical accuracy is 1.6e-3
Values = NDArray[np.float64]
_TEXT = """
import photonic
network Eigensolver {
    input  a[4]: optical
    output seen[4]
    node   u[4]: optical, w[4]: optical
    ansatz: connect a -> u by clements using mzi()
    basis:  connect u -> w by clements using mzi(level = gains)
    eye:    photodetector[4](w, seen, load = 1 ohm, dark = 0 A)
}
"""
_TURN = {"Z": np.eye(2), "X": np.array([[1, 1], [1, -1]]) / np.sqrt(2)}


def molecules() -> dict[str, dict[float, dict[str, float]]]:
    """The coefficients of each molecule at each bond length, by Pauli products such as `XI`."""
    lines = [line for line in TABLE.read_text().splitlines() if not line.startswith("#")]
    found: dict[str, dict[float, dict[str, float]]] = {}
    for row in csv.DictReader(lines):
        name, length = row.pop("molecule"), float(row.pop("angstrom"))
        found.setdefault(name, {})[length] = {k: float(v) for k, v in row.items()}
    return found


class Eigensolver:
    """The circuit, asked for energies and gradients."""

    def __init__(self) -> None:
        emitted = compile_text(_TEXT).emit()
        self.engine = Engine(emitted.netlist, emitted.manifest)
        self.manifest, self.write = emitted.manifest, self.engine.write
        self.drive, self.read = self.engine.drive, self.engine.read
        self.drive("a", np.array([1, 0, 0, 0]) + 0j)
        self.solves = 0

    def solve(self) -> None:
        """Find an operating point, and count it."""
        self.engine.solve()
        self.solves += 1

    def settings(self, terms: dict[str, float]) -> Iterator[tuple[str, Values]]:
        """The bases that the terms need, each with the energies of its four outcomes."""
        weights: dict[str, Values] = {}
        for product, coefficient in terms.items():
            if not coefficient:
                continue
            # A basis that has the product's letters measures it: ZZ serves ZI, IZ and II too.
            basis = product.replace("I", "Z")
            signs = [np.array([1, -1]) if p != "I" else np.ones(2) for p in product]
            weights[basis] = weights.get(basis, 0) + coefficient * reduce(np.kron, signs)
        yield from weights.items()

    def turn(self, basis: str) -> None:
        """Set the second mesh to the basis of a measurement."""
        mesh = clements(np.kron(_TURN[basis[0]], _TURN[basis[1]]))
        self.write("basis.theta", mesh.theta)
        self.write("basis.phi", mesh.phi)

    def energy(self, phases: Values, terms: dict[str, float]) -> tuple[float, Values]:
        """The energy in hartree, and its gradient by the phases (12,)."""
        at = {"ansatz.theta": phases[:6], "ansatz.phi": phases[6:]}
        value, gradient = 0.0, np.zeros(12)
        for basis, weights in self.settings(terms):
            self.turn(basis)
            shifted = parameter_shift(self, at, "seen")
            gradient += np.concatenate([shifted[name] @ weights for name in at])
            self.solve()
            value += float(self.read("seen") @ weights)
        return value, gradient

    def minimum(self, terms: dict[str, float], rng: np.random.Generator) -> tuple[float, Values]:
        """The energy that is found, and the phases."""
        start = rng.uniform(0.5, np.pi - 0.5, 12)
        options = {"ftol": 1e-13, "gtol": 1e-6}
        found = minimize(self.energy, start, (terms,), jac=True, method="L-BFGS-B", options=options)
        return float(found.fun), found.x

    def counted(
        self, phases: Values, terms: dict[str, float], photons: int, rng: np.random.Generator
    ) -> float:
        """The energy by so many photons for each setting."""
        self.write("ansatz.theta", phases[:6])
        self.write("ansatz.phi", phases[6:])
        value = 0.0
        for basis, weights in self.settings(terms):
            self.turn(basis)
            self.solve()
            power = np.clip(self.read("seen"), 0, None)
            value += float(rng.multinomial(photons, power / power.sum()) / photons @ weights)
        return value


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    solver = Eigensolver()
    rng = np.random.default_rng(1)
    for molecule, lengths in molecules().items():
        errors, solves, seconds = [], [], []
        phases, terms, exact = np.zeros(12), {}, 0.0
        for length in list(lengths)[:2] if quick else lengths:
            terms = dict(lengths[length])
            exact = terms.pop("full_ci")
            solver.solves, start = 0, time.process_time()
            energy, phases = solver.minimum(terms, rng)
            seconds.append(time.process_time() - start)
            solves.append(float(solver.solves))
            errors.append(energy - exact)
            yield Row(f"{molecule}, {length:g} angstrom: above the ground state", errors[-1], None,
                      "Ha", f"<= {LIMIT:g}", "full CI by PySCF", abs(errors[-1]) <= LIMIT)  # fmt: skip
        for what, values, unit in (("operating points", solves, "1"), ("CPU time", seconds, "s")):
            value, spread = measured(values)
            yield Row(f"{molecule}: {what} for a bond length", value, spread, unit, "", "", None)
        for photons in (1_000, 1_000_000):
            found = [abs(solver.counted(phases, terms, photons, rng) - exact) for _ in range(20)]
            value, spread = measured(found)
            yield Row(f"{molecule}: error by {photons} photons a setting, last length", value, spread,
                      "Ha", "", "full CI by PySCF", None)  # fmt: skip
