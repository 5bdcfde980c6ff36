"""What drives the inputs: columns of data in the port's unit, light, and inputs that were forgotten."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from tellegen.arrays import Values
from tellegen.diagnostics import Label, Sink
from tellegen.elaborate.experiment import (
    AssignmentValue,
    ExperimentValues,
)
from tellegen.manifest import InputMap, Manifest, OutputMap
from tellegen.pipeline import Compiled
from tellegen.quantity import PLAIN, describe, symbol_of, unit
from tellegen.sims.tasks.encoders import Samples, encode
from tellegen.sims.tasks.signals import plain


def columns_for(
    said: AssignmentValue,
    samples: Samples,
    name: str,
    entry: InputMap | OutputMap,
    want: str,
    sink: Sink,
) -> Values | None:
    """The columns of an assignment, of the port's unit and size; one column serves every element."""
    with np.errstate(all="ignore"):
        columns = encode(said.value, samples)
    if columns is None:
        return None
    if not np.isfinite(columns.values).all():
        sink.error(
            "out-of-range", f"`{name}` would get values that are not finite", said.value.span
        )
        return None
    dimension = unit(want).dimension
    if columns.dimension != dimension:
        hint = "give plain data their unit: `times(..., 1 V)` or `scaled(..., 0 V .. 1 V)`"
        sink.error(
            "unit-mismatch",
            f"`{name}` takes {describe(dimension)}, but this is {describe(columns.dimension)}",
            said.value.span,
            f"expected {symbol_of(dimension)}",
            help=hint if columns.dimension == PLAIN else "",
        )
        return None
    size = len(entry.positive) // (2 if entry.kind == "optical" else 1)
    if columns.values.shape[1] not in (1, size):
        sink.error(
            "shape-mismatch",
            f"`{name}` has {size} element{'s' * (size != 1)}, but {columns.values.shape[1]} columns are given",
            said.value.span,
        )
        return None
    return np.ascontiguousarray(np.broadcast_to(columns.values, (samples.count, size)))


def undriven(
    compiled: Compiled, manifest: Manifest, block: ExperimentValues, sink: Sink,
    controlled: Iterable[str] = (),
) -> None:  # fmt: skip
    """Report the inputs that a block leaves without a drive and that nothing controls."""
    driven = {plain(d.port.text) for d in block.drives} | set(controlled)
    if not driven <= set(manifest.inputs):
        return  # the unknown one has been reported, and may be the one that is missed
    what = {"simulate": "simulation"}.get(block.kind, block.kind)
    for name in manifest.inputs:
        if name not in driven:
            port = compiled.circuit.top.inputs[name]
            sink.error(
                "undriven-input", f"input `{name}` is not driven in {what} `{block.name}`",
                block.name.span, secondary=(Label(port.span, "declared here"),),
                help=f"add `drive {name} = ...`",
            )  # fmt: skip


def unit_of(entry: InputMap) -> str:
    """The unit in which an input is driven."""
    return {"current": "A", "optical": "W"}.get(entry.kind, "V")


def fields(said: AssignmentValue, powers: Values, sink: Sink) -> Values:
    """The real and imaginary parts (samples, 2 elements) of light of a power and no phase."""
    if (powers < 0).any():
        sink.error("out-of-range", "light has no negative power", said.value.span)
        return np.zeros((len(powers), 2 * powers.shape[1]))
    parts = np.stack([np.sqrt(powers), np.zeros_like(powers)], axis=-1)
    return parts.reshape(len(powers), -1)
