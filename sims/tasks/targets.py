"""Targets and decoders: what the outputs are asked to be, and what class they say.

A new target or decoder is a new function here.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tellegen.arrays import Indices, Values
from tellegen.signature import Argument, function, functions_of, number
from tellegen.values import PathValue


@dataclass(frozen=True, eq=False)
class Target:
    """What one output is asked to be.

    Attributes:
        values: (samples, size) for targets given per sample, (classes, size) for targets given per
            class, None where they come from the network's own responses before training.
        per_class: which of the two.
        amplify: for class means, how far they are moved apart.
    """

    values: Values | None
    per_class: bool
    amplify: float = 0.0


_CLASS = Argument("path", doc="`class`, the class of the sample")


@function(of=_CLASS, low=number("V"), high=number("V"))
def onehot(classes: Sequence[str], size: int, of: PathValue, low: float, high: float) -> Target:
    """The output of the sample's class high, the others low."""
    if len(classes) != size:
        raise ValueError(
            f"`onehot` needs an output for each of the {len(classes)} classes, not {size}"
        )
    return Target(np.where(np.eye(size, dtype=bool), high, low), True)


@function(
    variadic=Argument("text", doc='a class and its bits, such as `"iris 0110"`'),
    low=number("V"),
    high=number("V"),
)
def code(classes: Sequence[str], size: int, items: list[str], low: float, high: float) -> Target:
    """The outputs of each class high or low as its bits say, one bit an output."""
    found: dict[str, str] = {}
    for text in items:
        name, _, bits = text.strip().rpartition(" ")
        name = name.strip()
        if name not in classes:
            raise ValueError(f"`code` is given `{text}`, but the classes are {', '.join(classes)}")
        if len(bits) != size or set(bits) - {"0", "1"}:
            raise ValueError(f"`code` needs {size} bits for `{name}`, 0 or 1, not `{bits}`")
        if name in found:
            raise ValueError(f"`code` is given two codes for `{name}`")
        if bits in found.values():
            raise ValueError(f"`code` gives `{name}` the code of another class")
        found[name] = bits
    if missing := [name for name in classes if name not in found]:
        raise ValueError(f"`code` needs a code for {', '.join(missing)}")
    ones = np.array([[bit == "1" for bit in found[name]] for name in classes])
    return Target(np.where(ones, high, low), True)


@function(amplify=number(low=0, default=2.0))
def class_mean(classes: Sequence[str], size: int, amplify: float) -> Target:
    """The mean response of each class before training, moved away from the overall mean.

    `target_c = mean + amplify * (mean_c - mean)`, over the training samples: the linear network of
    N. Stern's MNIST code, where it is computed once before training.
    """
    del classes, size
    return Target(None, True, amplify)


def class_means(responses: Values, classes: Indices, count: int, amplify: float) -> Values:
    """The class-mean targets (classes, size) of responses (samples, size)."""
    overall = responses.mean(axis=0)
    means = np.array([responses[classes == c].mean(axis=0) for c in range(count)])
    return overall + amplify * (means - overall)


@function()
def nearest(outputs: Values, targets: Values) -> Indices:
    """The class whose target is nearest: outputs (samples, size), targets (classes, size)."""
    distance = ((outputs[:, None, :] - targets[None, :, :]) ** 2).sum(axis=2)
    return np.asarray(distance.argmin(axis=1))


@function()
def argmax(outputs: Values, targets: Values) -> Indices:
    """The class of the largest output."""
    del targets
    return np.asarray(outputs.argmax(axis=1))


_ALL = functions_of(sys.modules[__name__])
DECODERS = {name: _ALL[name] for name in ("nearest", "argmax")}
TARGETS = {name: f for name, f in _ALL.items() if name not in DECODERS}


def confused(classes: Indices, predicted: Indices, count: int) -> list[list[int]]:
    """The confusion matrix of samples: how often a class (row) is said to be another (column)."""
    table = np.zeros((count, count), dtype=int)
    np.add.at(table, (classes, predicted), 1)
    found: list[list[int]] = table.tolist()
    return found
