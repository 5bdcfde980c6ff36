"""The plan of a variational training, with nothing left to look up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tellegen.arrays import Complex, Indices, Values
from tellegen.manifest import Manifest
from tellegen.sims.ngspice.engine import Engine
from tellegen.sims.variational.ansatz import Ansatz
from tellegen.sims.variational.costs import Cost


@dataclass(frozen=True, eq=False)
class Classes:
    """What a cost of classes is about.

    Attributes:
        fields: states (samples, n) in the root of a watt; `classes` (samples,) their class numbers.
        names: of the classes; `detectors` (n,) the class that each detector stands for.
        train, validation, test: sample numbers.
    """

    fields: Complex
    classes: Indices
    names: tuple[str, ...]
    detectors: Indices
    train: Indices
    validation: Indices
    test: Indices

    @property
    def parts(self) -> dict[str, Indices]:
        """The samples of each part that has any."""
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: samples for name, samples in parts.items() if len(samples)}


@dataclass(frozen=True, eq=False)
class VariationalPlan:
    """A variational training, with nothing left to look up.

    Attributes:
        name: the training's name; `network` the network's.
        netlist: the SPICE text; `manifest` what its names mean.
        phases: the parameters that are varied.
        input: the input of light; `powers` what reads the powers; `basis` the mesh that turns to a setting's.
        cost: what to make small; `kind` its name in the language, `unit` its unit ("" or "Ha").
        least: the least value that there can be, or None where that is not known; `least_is` what it is.
        classes: for a cost of classes, what it is about.
        method: the optimiser's name; `settings` its settings (`flat` per rad, in the cost's unit).
        starts: phases to begin from, (starts, size) in rad.
        shots, bits: of the measurements and of the phases, or None.
        seed: as said in the file.
        notes: what a reader of the results should know.
    """

    name: str
    network: str
    netlist: str
    manifest: Manifest
    phases: tuple[str, ...]
    input: str
    powers: str
    basis: str | None
    cost: Cost
    kind: str
    unit: str
    least: float | None
    least_is: str
    classes: Classes | None
    method: str
    settings: Mapping[str, Any]
    starts: Values
    shots: int | None
    bits: int | None
    seed: int
    notes: Mapping[str, str] = field(default_factory=dict)

    def ansatz(self, engine: Engine, shots: int | None) -> Ansatz:
        """The circuit as it is measured with so many photons (None: without noise)."""
        return Ansatz(
            engine, self.phases, input=self.input, powers=self.powers, basis=self.basis,
            bits=self.bits, shots=shots, seed=self.seed,
        )  # fmt: skip
