"""The plan of a training: arrays and settings, with nothing left to look up.

A plan is what crosses to the worker process, and what a run folder keeps; two equal plans give equal
numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tellegen.arrays import Indices, Values
from tellegen.manifest import Manifest
from tellegen.sims.tasks.targets import Target
from tellegen.sims.tasks.transient import Transient


@dataclass(frozen=True, eq=False)
class Learned:
    """Parameters that one rule trains.

    `limits` narrows the cell's range, in the parameter's unit. Names in the settings are those of the manifest.
    `tied` says which parameters of a mirror have the values of the learned ones.
    """

    parameters: tuple[str, ...]
    rule: str
    settings: dict[str, Any]
    limits: tuple[float, float] | None
    tied: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class TrainPlan:
    """A training.

    Attributes:
        name: the training's name; `network` the network's.
        netlist: the SPICE text; `manifest` what the arrays mean.
        drives: for each input (samples, size), in volt or ampere.
        targets: for each clamped output.
        classes: (samples,) class numbers, or None; `class_names` their names.
        train, validation, test: sample numbers.
        learned: what is trained by which rule.
        update, update_settings: the update scheme.
        decode: the decoder's name, or "" for regression.
        loss, loss_settings: what learning makes small.
        batch, epochs, seed: as said in the file.
        transient: None where solves are operating points.
        notes: what a reader of the results should know, such as the data's source.
    """

    name: str
    network: str
    netlist: str
    manifest: Manifest
    drives: dict[str, Values]
    targets: dict[str, Target]
    classes: Indices | None
    class_names: tuple[str, ...]
    train: Indices
    validation: Indices
    test: Indices
    learned: tuple[Learned, ...]
    update: str
    update_settings: dict[str, Any]
    decode: str
    batch: int
    epochs: int
    seed: int
    transient: Transient | None
    loss: str = "square"
    loss_settings: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
