"""Ground states of H2 and HeH+ on a mesh of four modes, phases found by the parameter-shift rule alone.

Two qubits are four modes of light: a mesh and a screen of 16 phases prepare the state, a second mesh sets the basis
of the measurement, four detectors read. Every energy and every derivative is of detector powers of ngspice's
operating points; SciPy's L-BFGS-B takes them, or Adam where photons scatter. Coefficients: `molecules.json`.
How errors grow with photons, bits and losses is shown for H2 at 0.75 angstrom. 40 steps of Adam end some 10 mHa
high whatever the photons, and without noise too: they linger at the Hartree-Fock determinant, a saddle of the energy.
200 steps of at most 0.3 rad were chosen by the same circuit in NumPy, on 16 other starts, none of which stayed there.
Full run: 6 minutes. `--quick`: two bond lengths of each, no errors.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np

import tellegen
from benchmarks.rows import Row, measured
from tellegen.sims import variational
from tellegen.sims.ngspice.engine import Engine

DATA = json.loads(Path(__file__).with_name("molecules.json").read_text())
TEXT = """
import photonic
network Variational(made = 0, turned = 0) {
    input  a[4]: optical
    output y[4]
    node   u[4]: optical, v[4]: optical, w[4]: optical
    mesh:   connect a -> u by clements using mzi(level = gains, loss = made)
    screen: phase_shifter[4](u, v, level = gains)
    basis:  connect v -> w by clements using mzi(level = gains, loss = turned)
    seen:   photodetector[4](w, y, dark = 0 A, load = 1 ohm)
}
"""
TARGET = 1e-4  # hartree
CHEMICAL = 1.6e-3
_PAULI = {
    "I": np.eye(2), "X": np.array([[0, 1], [1, 0]]),
    "Y": np.array([[0, -1j], [1j, 0]]), "Z": np.diag([1, -1]),
}  # fmt: skip
_curves: dict[str, list[tuple[float, float]]] = {}  # length and energy, by molecule
_errors: dict[str, dict[float, list[float]]] = {}  # errors by what was varied


def exact(terms: dict[str, float]) -> float:
    """The lowest eigenvalue of a Pauli sum."""
    matrix = sum(f * reduce(np.kron, [_PAULI[c] for c in s]) for s, f in terms.items())
    return float(np.linalg.eigvalsh(np.asarray(matrix))[0])


def circuit(made: float = 0.0, turned: float = 0.0) -> Engine:
    """The circuit, with a loss in dB of each interferometer that makes the state and that turns its basis."""
    text = TEXT.replace("made = 0, turned = 0", f"made = {made}, turned = {turned}")
    emitted = tellegen.compile_text(text).emit()
    return Engine(emitted.netlist, emitted.manifest)


def ansatz(engine: Engine, **how: Any) -> variational.Ansatz:
    """All 16 phases of the first mesh and its screen."""
    phases = ("mesh.theta", "mesh.phi", "screen.phase")
    return variational.Ansatz(engine, phases, input="a", powers="y", basis="basis", **how)


def start(seed: int) -> np.ndarray:
    """Phases to begin from."""
    return np.random.default_rng(seed).uniform(0, 2 * np.pi, 16)


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    _curves.clear()
    _errors.clear()
    engine = circuit()
    for molecule, points in DATA["computed"].items():
        chosen = points[2:4] if quick else points
        yield from _ground(molecule, "PySCF's coefficients", engine, chosen)
        rows = DATA["published"][molecule]["rows"]
        name = "O'Malley 2016" if molecule == "H2" else "Peruzzo 2014"
        yield from _ground(molecule, f"{name}'s coefficients", engine, rows[1:2] if quick else rows)
    if not quick:
        yield from _disturbed(engine)


def _ground(
    molecule: str, whose: str, engine: Engine, points: list[dict[str, Any]]
) -> Iterator[Row]:
    off, solves, seconds, reached = [], [], [], []
    for k, point in enumerate(points):
        terms = point["terms"]
        lowest = exact(terms)
        began = time.process_time()
        bench = ansatz(engine)
        found = variational.minimise(
            bench, variational.pauli_sum(terms), start(k), flat=1e-5, steps=200
        )
        seconds.append(time.process_time() - began)
        off.append(abs(found.value - lowest) * 1e3)
        solves.append(bench.solves)
        good = np.flatnonzero(np.array(found.values) - lowest < CHEMICAL)
        reached.append(found.solves[good[0]] if len(good) else np.inf)
        if "PySCF" in whose:
            _curves.setdefault(molecule, []).append((point["length"], found.value))
    count = f"{len(points)} bond lengths"
    worst = max(off)
    name = f"{molecule}, {whose}, {count}"
    yield Row(f"{name}: largest distance from the lowest eigenvalue", worst, (min(off), worst), "mHa",
              "<= 0.1", "exact diagonalisation", bool(worst <= TARGET * 1e3))  # fmt: skip
    for what, values, unit in (
        ("solves", solves, "1"),
        ("solves to chemical accuracy", reached, "1"),
        ("CPU time", seconds, "s"),
    ):
        value, spread = measured(values)
        yield Row(f"{name}: {what}", value, spread, unit, "", "", None)


def _disturbed(engine: Engine) -> Iterator[Row]:
    """Errors of the energy of H2 at 0.75 angstrom by shots, loss and bits."""
    terms = next(p["terms"] for p in DATA["computed"]["H2"] if p["length"] == 0.75)
    cost, lowest = variational.pauli_sum(terms), exact(terms)
    seeds = range(3)

    def truth(phases: np.ndarray) -> float:
        return float(ansatz(engine).cost(cost, phases[None])[0] - lowest)

    best = [
        variational.minimise(ansatz(engine), cost, start(s), flat=1e-4, steps=200).phases
        for s in seeds
    ]
    for bits in (3, 4, 5, 6, 7, 8, 10, 12):
        bench = ansatz(engine, bits=bits)
        off = [float(bench.cost(cost, p[None])[0] - lowest) for p in best]
        yield _error("phases of so many bits, rounded afterwards", bits, off)
    # The diagonal's least entry is the Hartree-Fock determinant: a saddle where steps linger.
    diagonal = variational.operator(cost).diagonal().real
    yield Row("H2 at 0.75 angstrom, Hartree-Fock determinant: above the lowest eigenvalue",
              float(diagonal.min() - lowest) * 1e3, None, "mHa", "", "exact diagonalisation", None)  # fmt: skip
    for steps in (40, 200):
        for shots in (100, 1000, 10_000, 100_000, None):
            if shots is None and steps == 200:
                continue
            off = []
            for seed in seeds:
                noisy = ansatz(engine, shots=shots, seed=seed)
                found = variational.minimise(
                    noisy, cost, start(seed), method=variational.adam, steps=steps, rate=0.3
                )
                off.append(truth(found.phases))
            if shots is None:
                yield _error("steps without noise", steps, off)
            else:
                yield _error(f"photons a measurement, trained with, {steps} steps", shots, off)
    engine.close()
    yield from _lossy(cost, lowest, best)


def _lossy(cost: variational.Cost, lowest: float, best: list[np.ndarray]) -> Iterator[Row]:
    """The same by losses: of the mesh that makes the state, and of the one that turns its basis too."""
    for loss in (0.03, 0.1, 0.3, 1.0, 3.0):
        for where, turned in (("of the ansatz", 0.0), ("anywhere", loss)):
            lossy = circuit(loss, turned)
            what = f"dB of loss an interferometer {where}"
            again = [
                variational.minimise(ansatz(lossy), cost, start(s), flat=1e-4, steps=200).value
                for s in range(len(best))
            ]
            yield _error(f"{what}, trained with", loss, [e - lowest for e in again])
            off = [float(ansatz(lossy).cost(cost, p[None])[0] - lowest) for p in best]
            yield _error(f"{what}, trained without", loss, off)
            lossy.close()


def _error(what: str, at: float, off: list[float]) -> Row:
    values = [abs(e) * 1e3 for e in off]
    _errors.setdefault(what, {})[at] = values
    value, spread = measured(values)
    return Row(f"H2 at 0.75 angstrom, {at:g} {what}: error", value, spread, "mHa", "", "exact diagonalisation",
               None)  # fmt: skip


def draw(_rows: list[Row], folder: Path) -> None:
    """Energies against bond lengths, and errors against what disturbs."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.7, 6), layout="constrained")
    for ax, (molecule, found) in zip(figure.subplots(2), _curves.items(), strict=True):
        lengths, energies = np.array(found).T
        points = DATA["computed"][molecule]
        ax.plot(lengths, [exact(p["terms"]) for p in points], color="0.7", lw=2, label="exact")
        ax.plot(lengths, energies, "o", ms=4, label="ngspice")
        ax.set(xlabel="bond length (angstrom)", ylabel=f"energy of {molecule} (Ha)")
        ax.legend(frameon=False)
    figure.savefig(folder / "energies.png", dpi=110)
    draw_errors(folder)


def draw_errors(folder: Path) -> None:
    """A panel for each thing that disturbs: every start a dot, and their medians."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 6), layout="constrained")
    words = ("bits", "photons", "ansatz", "anywhere")
    for word, ax in zip(words, figure.subplots(2, 2).ravel(), strict=True):
        curves = {what: found for what, found in _errors.items() if word in what}
        for k, (what, found) in enumerate(curves.items()):
            for x, values in found.items():
                shown = np.maximum(values, 1e-7)
                ax.plot([x] * len(values), shown, ".", color=f"C{k}", ms=3, alpha=0.5)
            middle = [max(float(np.median(v)), 1e-7) for v in found.values()]
            ax.plot(list(found), middle, "o-", color=f"C{k}", ms=4, label=what.rpartition(", ")[2])
        ax.axhline(CHEMICAL * 1e3, color="0.4", lw=0.8, ls="--")
        ax.set(yscale="log", xscale="linear" if word == "bits" else "log", ylabel="error (mHa)")
        ax.set_xlabel(next(iter(curves)).partition(",")[0])
        ax.legend(frameon=False, fontsize=8)
    figure.savefig(folder / "errors.png", dpi=110)
