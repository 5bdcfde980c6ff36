"""Variational tasks besides energies: unitary compiling, state classification, and how gradients fade with size.

All are costs of detector powers of one mesh in ngspice, with the parameter-shift rule (Cerezo et al., Nature Reviews
Physics 3, 625 (2021)). The gradients' variance is that of a phase between two meshes that are set to unitaries
from Haar's measure, beside its closed form; and, as a training would begin, between two whose phases are drawn
uniformly, which spread light less (Russell et al., New J. Phys. 19, 033007 (2017)). Full run: 3 minutes on quiet
cores. `--quick`: one target, four modes at most.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import unitary_group

import tellegen
from benchmarks.ground_states import ansatz, circuit, start
from benchmarks.rows import Row, measured
from tellegen import meshes
from tellegen.sims import variational
from tellegen.sims.learning.parameter_shift import jacobian
from tellegen.sims.ngspice.engine import Engine

BETWEEN = """
import photonic
network Between {
    input  a[N]: optical
    output y[N]
    node   u[N]: optical, v[N]: optical, w[N]: optical
    before: connect a -> u by clements using mzi(level = gains)
    middle: phase_shifter[N](u, v, level = gains)
    after:  connect v -> w by clements using mzi(level = gains)
    seen:   photodetector[N](w, y, dark = 0 A, load = 1 ohm)
}
"""
DRAWS = {1: 1000, 2: 1000, 3: 1000, 4: 400, 5: 150}  # by qubits
_variances: dict[str, list[tuple[int, float, float, float]]] = {}  # modes, found, error, theory
_descents: dict[str, list[tuple[list[int], list[float]]]] = {}  # solves and distances, by task


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    _variances.clear()
    _descents.clear()
    yield from _compiling(1 if quick else 5)
    yield from _classifying(1 if quick else 5)
    for drawn in ("Haar", "uniform"):
        for qubits in (1, 2) if quick else DRAWS:
            yield from _fading(qubits, 50 if quick else DRAWS[qubits], drawn)
        yield from _per_qubit(drawn)


def _compiling(targets: int) -> Iterator[Row]:
    engine = circuit()
    off, solves = [], []
    for seed in range(targets):
        u = unitary_group.rvs(4, random_state=seed)
        bench = ansatz(engine)
        found = variational.minimise(
            bench, variational.compiling(u), start(seed), flat=1e-5, steps=200
        )
        top, p = meshes.clements(u).top, found.phases
        v = meshes.Mesh(4, top, p[:6], p[6:12], p[12:]).matrix()
        off.append(1 - abs(np.trace(u.conj().T @ v) / 4) ** 2)
        solves.append(bench.solves)
        _descents.setdefault("compiling", []).append((found.solves, found.values))
    value, spread = measured(off)
    yield Row(f"compiling {targets} random unitaries of two qubits: infidelity of the process", value, spread,
              "1", "<= 1e-6", "1 - |tr(U^H V) / 4|^2 of the found phases' matrix", max(off) <= 1e-6)  # fmt: skip
    value, spread = measured(solves)
    yield Row("compiling: solves", value, spread, "1", "", "", None)


def _states(rng: np.random.Generator, count: int, centres: np.ndarray) -> tuple[Any, Any]:
    """States around two centres, and their classes."""
    labels = np.arange(count) % 2
    noise = rng.normal(size=(2, count, 4))
    states = centres[labels] + 0.35 * (noise[0] + 1j * noise[1])
    return states / np.linalg.norm(states, axis=1)[:, None], labels


def _classifying(tasks: int) -> Iterator[Row]:
    engine = circuit()
    beyond, errors, best = [], [], []
    for seed in range(tasks):
        rng = np.random.default_rng(seed)
        centres = unitary_group.rvs(4, random_state=seed)[:2]
        states, labels = _states(rng, 12, centres)
        phases = ("mesh.theta", "mesh.phi")
        bench = variational.Ansatz(engine, phases, input="a", powers="y", basis="basis")
        detectors = [0, 0, 1, 1]
        cost = variational.classifying(states, labels, detectors)
        found = variational.minimise(bench, cost, start(seed)[:12], flat=1e-4, steps=60)
        rho = [np.einsum("si,sj->ij", s, s.conj()) / len(s) for s in (states[::2], states[1::2])]
        levels, vectors = np.linalg.eigh(rho[0] - rho[1])
        least = 0.5 * (1 - levels[-2:].sum())
        beyond.append(found.value - least)
        above = [value - least for value in found.values]
        _descents.setdefault("two classes", []).append((found.solves, above))
        fresh, classes = _states(rng, 40, centres)
        errors.append(
            float(
                bench.cost(variational.classifying(fresh, classes, detectors), found.phases[None])[
                    0
                ]
            )
        )
        share = (abs(fresh @ vectors[:, -2:].conj()) ** 2).sum(1)
        best.append(float(np.where(classes == 0, 1 - share, share).mean()))
    value, spread = measured(beyond)
    yield Row(f"two classes of states, {tasks} tasks: probability of error beyond the least possible", value,
              spread, "1", "<= 1e-4", "Helstrom 1969, of the training states", max(beyond) <= 1e-4)  # fmt: skip
    value, spread = measured(errors)
    yield Row("two classes: probability of error on 40 new states", value, spread, "1", "",
              f"the best measurement of the training states: {np.median(best):.4f}", None)  # fmt: skip


def _fading(qubits: int, draws: int, drawn: str) -> Iterator[Row]:
    """The variance of a derivative, by one detector (global) and by the first qubit (local)."""
    n = 2**qubits
    emitted = tellegen.compile_text(BETWEEN.replace("[N]", f"[{n}]")).emit()
    engine = Engine(emitted.netlist, emitted.manifest)
    engine.drive("a", np.eye(n, dtype=complex)[0])
    rng = np.random.default_rng(qubits)
    slopes = []
    for _ in range(draws):
        screen = rng.uniform(0, 2 * np.pi, n)
        for name in ("before", "after"):
            if drawn == "Haar":
                mesh = meshes.clements(unitary_group.rvs(n, random_state=rng))
                theta, phi = mesh.theta, mesh.phi
                screen = mesh.screen if name == "before" else screen
            else:
                theta, phi = rng.uniform(0, 2 * np.pi, (2, n * (n - 1) // 2))
            engine.write(f"{name}.theta", theta)
            engine.write(f"{name}.phi", phi)
        rest = np.tile(screen, (2, 1))

        def measure(points: np.ndarray, rest: np.ndarray = rest) -> np.ndarray:
            phases = rest.copy()
            phases[:, 0] = points[:, 0]
            return engine.scan({"middle.phase": phases}, "y")

        slopes.append(jacobian(measure, screen[:1])[0])
    seen = np.array(slopes)
    halves = np.repeat([1, -1], n // 2)
    for name, values, trace, square in (
        ("one detector", seen[:, 0], 1, 1),
        ("first qubit", seen @ halves, 0, n),
    ):
        # i [G, O] for G a projector on one mode, averaged over Haar's measure on both sides.
        theory = 2 * (square / n - (trace**2 + square) / (n * (n + 1))) / (n * (n + 1))
        variance = float((values**2).mean())
        error = float((values**2).std() / np.sqrt(draws))
        what = f"{name}, {drawn}"
        spread = (variance - error, variance + error)
        _variances.setdefault(what, []).append((n, variance, error, theory))
        haar = drawn == "Haar"
        yield Row(f"variance of a derivative, {qubits} qubits, {what}, {draws} draws", variance, spread, "1",
                  f"{theory:.4g} within 4 standard errors" if haar else "",
                  "second moments of Haar's measure" if haar else "",
                  abs(variance - theory) <= 4 * error if haar else None)  # fmt: skip


def _per_qubit(drawn: str) -> Iterator[Row]:
    """By what factor the variance falls from each qubit to the next, fitted over all but the first."""
    for what, found in _variances.items():
        if what.endswith(drawn) and len(found) > 2:
            n, variance, _, theory = np.array(found)[1:].T
            fall, closed = (
                float(2 ** -np.polyfit(np.log2(n), np.log2(v), 1)[0]) for v in (variance, theory)
            )
            yield Row(f"variance of a derivative, {what}: falls with each qubit by", fall, None, "1", "",
                      f"{closed:.3g} by the closed form of Haar's measure over the same", None)  # fmt: skip


def draw(_rows: list[Row], folder: Path) -> None:
    """How the tasks come to their ends, and variances of gradients against the number of modes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.4), layout="constrained")
    *tasks, ax = figure.subplots(1, 3)
    for panel, (name, runs) in zip(tasks, _descents.items(), strict=True):
        for solves, above in runs:
            panel.plot(solves, np.maximum(above, 1e-12), lw=1)
        panel.set(yscale="log", xlabel="operating points", title=name)
    tasks[0].set_ylabel("cost")
    tasks[1].set_ylabel("probability of error, beyond the least")
    for k, (name, found) in enumerate(_variances.items()):
        n, variance, error, theory = np.array(found).T
        style = "o" if name.endswith("Haar") else "s:"
        colour = f"C{k % 2}"
        if name.endswith("Haar"):
            ax.plot(np.log2(n), theory, "-", color=colour, lw=1)
        ax.errorbar(np.log2(n), variance, error, fmt=style, color=colour, ms=4, lw=1, label=name)
    ax.set(yscale="log", xlabel="qubits", ylabel="variance of a derivative", xticks=[1, 2, 3, 4, 5])
    ax.legend(frameon=False, fontsize=8)
    figure.savefig(folder / "variational_tasks.png", dpi=130)
