"""Gradients of a network of several meshes with nonlinearities between them, measured in situ.

As in Hughes, Minkov, Shi, Fan, Optica 5, 864 (2018), light runs through every mesh a second time, from behind, and its
product with the light from ahead at each phase is the gradient. Between two meshes the gradient is electronics: what
comes out behind a mesh is detected, multiplied by the slope of the nonlinearity, and sent on from behind the mesh
before, as Pai et al., Science 380, 398 (2023) did.

Samples follow each other like light in a pipeline: while one goes ahead, the one before it comes from behind through
the last mesh, and so on. A batch takes as many solutions as it has samples, and one more for each mesh.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tellegen.arrays import Values
from tellegen.sims.learning.gradients import (
    Circuit,
    Fields,
    complex_of,
    field_at,
    phases_of,
)


@dataclass(frozen=True)
class Layer:
    """A mesh that stands in the circuit twice, as light meets it from ahead and from behind.

    Attributes:
        output: the field z behind it.
        behind: the input of the light from behind, an element for each of `output`.
        back: the field that comes out where light from ahead comes in.
        pairs: groups of phases from ahead, and the same from behind, as for `gradients.in_situ`.
        pull: from z, and g = dL/dy of the field y that the nonlinearity behind makes of it, to dL/dz, all complex (n,):
            g dy/dz + (g dy/dz*)*. None for the last layer.
    """

    output: str
    behind: str
    back: str
    pairs: Mapping[str, str]
    pull: Callable[[Fields, Fields], Fields] | None = None


def back_propagate(
    circuit: Circuit,
    light: str,
    fields: ArrayLike,
    layers: Sequence[Layer],
    adjoint: Callable[[Fields, int], Fields],
) -> tuple[Fields, dict[str, Values]]:
    """The outputs for a batch of inputs, and the derivative of a cost by every phase.

    Args:
        circuit: with all its phases written, those from behind too.
        light: the input of the samples.
        fields: the samples, (samples, n), in the root of a watt.
        layers: the meshes in the order of the light.
        adjoint: from the last field z (n,) and the number of the sample to dL/dz* of the real cost L(z, z*), as for
            `gradients.in_situ`.

    Returns:
        The last fields, complex (samples, n), and dL/dp for each parameter `GROUP.p`, in its shape, per rad, summed over
        the samples.

    Raises:
        ValueError: a layer but the last has no `pull`.
        SimulationError: ngspice finds no operating point.
    """
    if any(layer.pull is None for layer in layers[:-1]):
        raise ValueError("every layer but the last needs a `pull` through its nonlinearity")
    samples = np.asarray(fields, dtype=complex)
    count, depth = len(samples), len(layers)
    phases = [
        (k, f"{ahead}.{phase}", f"{back}.{phase}")
        for k, layer in enumerate(layers)
        for ahead, back in layer.pairs.items()
        for phase in phases_of(circuit, ahead)
    ]
    found: dict[str, Values] = {}
    outputs: list[Fields] = []
    # What was seen of samples that are still on their way back, and what goes in from behind each layer next.
    seen: dict[int, tuple[list[Fields], list[Fields]]] = {}
    sent: list[Fields | None] = [None] * depth
    for now in range(count + depth):
        if now < count:
            circuit.drive(light, samples[now])
        for layer, field in zip(layers, sent, strict=True):
            if field is not None:
                circuit.drive(layer.behind, field)
        circuit.solve()
        coming: list[Fields | None] = [None] * depth
        for k in range(depth):
            sample = now - (depth - k)
            if not 0 <= sample < count:
                continue
            before, ahead = seen[sample]
            for (where, name, back), field in zip(phases, ahead, strict=True):
                if where == k:
                    gradient = -2 * np.imag(field * field_at(circuit, f"{back}_in"))
                    found[name] = found.get(name, 0.0) + gradient
            pull = layers[k - 1].pull
            if k and pull is not None:
                coming[k - 1] = pull(before[k - 1], complex_of(circuit.read(layers[k].back)))
            else:
                del seen[sample]
        if now < count:
            passed = [complex_of(circuit.read(layer.output)) for layer in layers]
            seen[now] = (passed, [field_at(circuit, f"{name}_out") for _, name, _ in phases])
            outputs.append(passed[-1])
            coming[-1] = np.conj(adjoint(passed[-1], now))
        sent = coming
    return np.array(outputs), found
