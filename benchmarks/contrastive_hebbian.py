"""Contrastive Hebbian learning of a random mapping by meshes, beside a network without their constraints.

Six inputs (one constant), six hidden and three output neurons, all in one circuit of ngspice: light of the inputs
passes a mesh, homodyne detectors give the real parts of its fields, modulators turn light by their sine, a second
mesh leads to the outputs, and its mirror image leads their light back to the hidden detectors, where the currents
add. Free phase: the loop finds its own operating point. Clamped phase: light of the wanted outputs enters a second
mirror image instead. Each weight then changes by the difference of two local products, Movellan (1991), with the
weak feedback of Xie, Seung, Neural Computation 15, 441 (2003). After each epoch the weights go to the nearest that
the meshes can hold, two ways:
`unitary`, the nearest with orthogonal rows, where the meshes are real (this one in NumPy only); and `contraction`, the nearest of norm one or
less, which is the real part of a unitary matrix, so that the very same meshes hold it by complex phases.

El Srouji et al., arXiv 2208.13144, report that meshes learn a random mapping better than guessing but worse than the
ideal network; sizes, patterns and tests here are ours. Ten patterns of random signs, so 30 wanted signs a seed, and
accuracy is on those that were learned. Rate, scales and feedback were chosen on a NumPy model with seeds 100 to 109.
Tests are Wilcoxon's of signed ranks, paired by seed.

What limits is looked for in NumPy. Patterns of five random signs repeat, and some then want different outputs: `ceiling` is
the share of signs that any function of the inputs can have right. And learning goes on for ten times as long.

The modulators' sine falls again beyond its top, so that the loop may have several states; ngspice and the iteration in
NumPy (`folding`) need not find the same one in training, but do where they are compared. Stepping gmin is left out:
every node has a conductance of 1 S, beside which no gmin helps, and it took nine tenths of the time. Full run: 2 minutes.
`--quick`: two seeds, three epochs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import wilcoxon

from benchmarks.rows import Row
from tellegen import compile_text
from tellegen.arrays import Values
from tellegen.meshes import Mesh, clements
from tellegen.pipeline import Compiled
from tellegen.revalue import with_values
from tellegen.sims.ngspice.engine import Engine

N, OUT, PATTERNS = 6, 3, 10
SLOPE, BACK = (
    2.0,
    0.5,
)  # of a neuron at rest, 1/V; responsivity for light from behind over that from before
INPUT, TARGET = 0.4, 0.7  # root of a watt
RATE, EPOCHS, LONG = 0.3, 30, 300
ROUNDS = 300  # of the free phase in NumPy, at most
_VPI = np.pi / (2 * SLOPE)
TEXT = f"""
import photonic
network Loop {{
    input  x[{N}]: optical, t[{OUT}]: optical, carrier: optical, local: optical
    output h[{N}]: optical, y[{OUT}]: optical, clamped[{N}]: optical
    node   u[{N}]: optical, p[{N}]: optical, c[{N}]: optical, d[{N}]: optical, sum[{N}]
    node   v[{N}]: optical, q[{N}]: optical, e[{OUT}]: optical, f[{OUT}]: optical, drive[{OUT}]
    node   w[{N}]: optical, r[{N}]: optical, k[{N}]: optical, l[{N}]: optical
    node   wt[{N}]: optical, rt[{N}]: optical, kt[{N}]: optical, lt[{N}]: optical, sumt[{N}]

    one:     connect x -> u by clements using mzi(level = gains)
    turn:    phase_shifter[{N}](u, p, level = gains)
    mix:     coupler[{N}](p, local, c, d)
    see:     balanced_detector[{N}](c, d, sum, load = 1 ohm)
    see_t:   balanced_detector[{N}](c, d, sumt, load = 1 ohm)
    hidden:  amplitude_modulator[{N}](carrier, h, sum, vpi = {_VPI} V, bias = {-_VPI} V)

    two:     connect h -> v by clements using mzi(level = gains)
    turn2:   phase_shifter[{N}](v, q, level = gains)
    mix2:    coupler[{OUT}](q[:{OUT}], local, e, f)
    see2:    balanced_detector[{OUT}](e, f, drive, load = 0.5 ohm)
    out:     amplitude_modulator[{OUT}](carrier, y, drive, vpi = {_VPI} V, bias = {-_VPI} V)

    back:    phase_shifter[{OUT}](y, w[:{OUT}], level = gains)
    dark:    phase_shifter[{N - OUT}](gnd, w[{OUT}:], level = gains)
    rear:    connect w -> r by clements(back = true) using mzi_back(level = gains)
    mix3:    coupler[{N}](r, local, k, l)
    see3:    balanced_detector[{N}](k, l, sum, load = 1 ohm, responsivity = {BACK} A/W)

    back_t:  phase_shifter[{OUT}](t, wt[:{OUT}], level = gains)
    dark_t:  phase_shifter[{N - OUT}](gnd, wt[{OUT}:], level = gains)
    rear_t:  connect wt -> rt by clements(back = true) using mzi_back(level = gains)
    mix_t:   coupler[{N}](rt, local, kt, lt)
    see3_t:  balanced_detector[{N}](kt, lt, sumt, load = 1 ohm, responsivity = {BACK} A/W)
    held:    amplitude_modulator[{N}](carrier, clamped, sumt, vpi = {_VPI} V, bias = {-_VPI} V)
}}
"""
_MESHES = (("one",), ("two", "rear", "rear_t"))  # what is one mesh, ahead and from behind
Phases = Callable[[Values, Values, Values, Values], tuple[Values, Values, Values]]
Nearest = Callable[[Values], Values]


def bent(v: Values) -> Values:
    """A neuron: sine of its drive, which stays at its ends."""
    return np.sin(np.clip(SLOPE * v, -np.pi / 2, np.pi / 2))


def in_numpy(
    a: Values, b: Values, x: Values, t: Values, neuron: Callable[[Values], Values] = bent
) -> tuple[Values, Values, Values]:
    """Hidden and output activity of the free phase, and hidden activity of the clamped one.

    Args:
        a: (hidden, inputs) weights.
        b: (outputs, hidden) weights.
        x: (patterns, inputs).
        t: (patterns, outputs).
        neuron: from drive to activity.
    """
    y = np.zeros_like(t)
    for _ in range(ROUNDS):
        before, h = y, neuron(x @ a.T + BACK * y @ b)
        y = neuron(h @ b.T)
        if np.abs(y - before).max() < 1e-12:
            break
    return h, y, neuron(x @ a.T + BACK * t @ b)


def folding(a: Values, b: Values, x: Values, t: Values) -> tuple[Values, Values, Values]:
    """The same with the circuit's modulators, whose sine falls again beyond its top."""
    return in_numpy(a, b, x, t, lambda v: np.asarray(np.sin(SLOPE * v)))


class Circuit:
    """The same in ngspice; a neuron's sine does not stay at its ends there."""

    def __init__(self, slips: Mapping[str, Values] | None = None) -> None:
        """Compile and load it.

        Args:
            slips: splitting errors in rad, `first` and `second` of each mesh (2, interferometers): the same ahead and
                from behind.
        """
        compiled = compile_text(TEXT)
        values = {
            f"{name}.{which}": errors[k]
            for which, errors in (slips or {}).items()
            for k, names in enumerate(_MESHES)
            for name in names
        }
        emitted = Compiled(with_values(compiled.circuit, values), compiled.flat).emit()
        netlist = emitted.netlist.replace("\n.op\n", "\n.options gminsteps=0\n.op\n")
        self.engine = Engine(netlist, emitted.manifest)
        self.engine.drive("carrier", 1.0 + 0j)
        self.engine.drive("local", -1j)  # against it a homodyne detector sees the real part
        self.solves = 0

    def __call__(self, a: Values, b: Values, x: Values, t: Values) -> tuple[Values, Values, Values]:
        """See `in_numpy`."""
        one, two = (self.phases(clements(holding(w))) for w in (a, b))
        for names, mesh in zip(_MESHES, (one, two), strict=True):
            for name in names:
                self.engine.write(f"{name}.theta", mesh.theta)
                self.engine.write(f"{name}.phi", mesh.phi)
        self.engine.write("turn.phase", one.screen)
        self.engine.write("turn2.phase", two.screen)
        for name in ("back", "back_t"):
            self.engine.write(f"{name}.phase", two.screen[:OUT])
        found: list[list[Values]] = [[], [], []]
        for inputs, wanted in zip(x, t, strict=True):
            self.engine.drive("x", inputs.astype(complex))
            self.engine.drive("t", wanted.astype(complex))
            self.engine.solve()
            for kept, name in zip(found, ("h", "y", "clamped"), strict=True):
                kept.append(self.read(name))
        self.solves += len(x)
        return np.array(found[0]), np.array(found[1]), np.array(found[2])

    def phases(self, wanted: Mesh) -> Mesh:
        """A mesh as it is where another is wanted; here the same."""
        return wanted

    def read(self, name: str) -> Values:
        """The real parts of fields as they are measured; here as they are."""
        return self.engine.read(name)[..., 0]


def holding(w: Values) -> NDArray[Any]:
    """A unitary matrix whose first rows have the real part w, of norm one or less."""
    square = np.zeros((N, N))
    square[: len(w)] = w
    left, s, right = np.linalg.svd(square)
    return np.asarray(left * np.exp(1j * np.arccos(np.minimum(s, 1))) @ right)


def unitary(w: Values) -> Values:
    """The nearest matrix with orthogonal rows of length one."""
    left, _, right = np.linalg.svd(w, full_matrices=False)
    return np.asarray(left @ right)


def contraction(w: Values) -> Values:
    """The nearest matrix of norm one or less."""
    left, s, right = np.linalg.svd(w, full_matrices=False)
    return np.asarray(left * np.minimum(s, 1) @ right)


def free(w: Values) -> Values:
    """No constraint."""
    return w


def patterns(rng: np.random.Generator) -> tuple[Values, Values]:
    """Inputs (PATTERNS, N) and wanted outputs (PATTERNS, OUT), in the root of a watt."""
    x = INPUT * rng.choice([-1.0, 1.0], size=(PATTERNS, N))
    x[:, -1] = INPUT
    return x, TARGET * rng.choice([-1.0, 1.0], size=(PATTERNS, OUT))


def ceiling(seed: int) -> float:
    """The share of signs that a function of the inputs can have right: equal inputs have equal outputs."""
    x, t = patterns(np.random.default_rng(seed))
    same = (x[:, None] == x).all(axis=-1)
    # With as many wanting one sign as the other, either is right for half of them.
    return float((1 + np.abs(same @ np.sign(t)) / same.sum(axis=1, keepdims=True)).mean() / 2)


def train(
    phases: Phases, nearest: Nearest, seed: int, epochs: int
) -> tuple[list[float], list[float]]:
    """The share of signs that are right, and the mean square error, before learning and after each epoch."""
    rng = np.random.default_rng(seed)
    x, t = patterns(rng)
    a, b = unitary(rng.normal(size=(N, N))), unitary(rng.normal(size=(OUT, N)))
    right, errors = [], []
    for epoch in range(epochs + 1):
        h, y, held = phases(a, b, x, t)
        right.append(float((np.sign(y) == np.sign(t)).mean()))
        errors.append(float(((y - t) ** 2).mean()))
        if epoch < epochs:
            a = nearest(a + RATE * (held - h).T @ x / (BACK * PATTERNS))
            b = nearest(b + RATE * (t.T @ held - y.T @ h) / PATTERNS)
    return right, errors


# What learned -> right signs (seeds, epochs + 1).
_curves: dict[str, Values] = {}


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    seeds = range(2 if quick else 10)
    epochs = 3 if quick else EPOCHS
    circuit = Circuit()
    # The largest drives of these patterns are just beyond the top of the sine.
    rng = np.random.default_rng(0)
    a, b = 0.7 * unitary(rng.normal(size=(N, N))), 0.7 * unitary(rng.normal(size=(OUT, N)))
    x, t = 0.3 * rng.normal(size=(5, N)), 0.3 * rng.normal(size=(5, OUT))
    apart = max(
        float(np.abs(g - w).max()) for g, w in zip(circuit(a, b, x, t), folding(a, b, x, t), strict=True)
    )  # fmt: skip
    yield Row("free and clamped activity, ngspice and NumPy: largest difference", apart, None, "W^0.5",
              "<= 1e-3", "fixed point by iteration", apart <= 1e-3)  # fmt: skip
    ways: dict[str, tuple[Phases, Nearest]] = {
        "meshes, contraction": (circuit, contraction),
        "meshes, unitary, NumPy": (folding, unitary),
        "unconstrained, NumPy": (in_numpy, free),
    }
    _curves.clear()
    found = {}
    for way, how in ways.items():
        right, errors = (np.array(v) for v in zip(*(train(*how, k, epochs) for k in seeds), strict=True))  # fmt: skip
        found[way], _curves[way] = right[:, -1], right
        over = f"{len(seeds)} seeds, mean"
        yield _row(f"{way}: right signs, {over}", right[:, -1], "1")
        yield _row(f"{way}: the same before learning", right[:, 0], "1")
        yield _row(f"{way}: mean square error, {over}", errors[:, -1], "W")
    signs = [np.random.default_rng([7, seed]) for seed in seeds]
    guessed = np.array([(rng.random(PATTERNS * OUT) < 0.5).mean() for rng in signs])
    yield _row(f"random guess: right signs, {over}", guessed, "1")
    for way in list(found)[:2]:
        p = _p(found[way], guessed, "greater")
        yield Row(f"{way}, more right signs than random guess: p", p, None, "1", "<= 0.01",
                  "Wilcoxon, one-sided", None if quick else p <= 0.01)  # fmt: skip
        p = _p(found[way], found["unconstrained, NumPy"], "two-sided")
        yield Row(f"{way}, different from unconstrained: p", p, None, "1", "", "Wilcoxon, two-sided", None)  # fmt: skip
    p = _p(found["meshes, contraction"], found["meshes, unitary, NumPy"], "greater")
    yield Row("contraction, more right signs than unitary: p", p, None, "1", "", "Wilcoxon, one-sided", None)  # fmt: skip
    longer: dict[str, tuple[Phases, Nearest]] = {
        "contraction, NumPy": (folding, contraction),
        "unitary, NumPy": (folding, unitary),
        "unconstrained, NumPy": (in_numpy, free),
    }
    settled = {}
    longest = 2 * epochs if quick else LONG
    for way, how in longer.items():
        _curves[f"{way}, longer"] = np.array([train(*how, k, longest)[0] for k in seeds])
        # The last epochs still go up and down.
        settled[way] = _curves[f"{way}, longer"][:, -epochs:].mean(axis=1)
        yield _row(
            f"{way}, the last {epochs} of {longest} epochs: right signs, {over}", settled[way], "1"
        )
    p = _p(settled["contraction, NumPy"], settled["unconstrained, NumPy"], "two-sided")
    yield Row(f"contraction, different from unconstrained, the last {epochs} of {longest} epochs: p", p, None, "1", "",
              "Wilcoxon, two-sided", None)  # fmt: skip
    tops = np.array([ceiling(seed) for seed in seeds])
    yield _row(f"any function of the inputs: right signs, {over}", tops, "1")
    _curves["any function"], _curves["guess"] = tops, guessed
    yield Row("solves", float(circuit.solves), None, "1", "", "", None)


def _p(these: Values, those: Values, alternative: str) -> float:
    return float(wilcoxon(these, those, zero_method="zsplit", alternative=alternative).pvalue)


def _row(name: str, values: Values, unit: str) -> Row:
    return Row(name, float(values.mean()), (float(values.min()), float(values.max())), unit, "", "", None)  # fmt: skip


def draw(_rows: list[Row], folder: Path) -> None:
    """Right signs over epochs, means over the seeds, with the standard error of what is measured in ngspice."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.5, 4), layout="constrained")
    axes = figure.subplots()
    curve = _curves["meshes, contraction"]
    mean, error = curve.mean(axis=0), curve.std(axis=0, ddof=1) / np.sqrt(len(curve))
    epochs = np.arange(len(mean))
    axes.plot(epochs, mean, "C0", linewidth=3, label="meshes, contraction, ngspice")
    axes.fill_between(epochs, mean - error, mean + error, color="C0", alpha=0.2)
    for k, way in enumerate(("contraction, NumPy", "unitary, NumPy", "unconstrained, NumPy")):
        mean = _curves[f"{way}, longer"].mean(axis=0)
        axes.plot(np.arange(len(mean)), mean, f"C{k}", linewidth=1, label=way)
    axes.axhline(float(_curves["any function"].mean()), color="k", linestyle=":", label="any function of the inputs")  # fmt: skip
    axes.axhline(float(_curves["guess"].mean()), color="k", linestyle="--", label="guess")
    axes.set_xscale("symlog", linthresh=3)
    axes.set_xticks([0, 1, 3, 10, 30, 100, 300], ["0", "1", "3", "10", "30", "100", "300"])
    axes.set(xlabel="epoch", ylabel="right signs", xlim=(0, LONG), ylim=(0.4, 1.0))
    axes.legend(loc="lower right", fontsize="small")
    figure.savefig(folder / "contrastive_hebbian.png", dpi=110)
