"""Controllers named in a `simulate` block: their binding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tellegen.diagnostics import Sink, did_you_mean, one_of
from tellegen.elaborate.experiment import ControlValue
from tellegen.manifest import Manifest
from tellegen.signature import bind, convert, number
from tellegen.sims import plugins
from tellegen.sims.controllers import Controller
from tellegen.sims.ngspice.quantities import quantity
from tellegen.sims.tasks.drives import unit_of
from tellegen.sims.tasks.signals import matching, plain, recordable, without_indices
from tellegen.sims.tasks.transient import Transient
from tellegen.values import PathValue, Unknown

PACKAGE = "tellegen.sims.controllers"


@dataclass(frozen=True)
class ControlPlan:
    """A controller with its arguments bound.

    Attributes:
        name: the controller's.
        arguments: signals by name, settings in SI units.
        reads: the signals that it reads.
        drives: the inputs that it drives.
        every: seconds between two exchanges; 0 for an exchange at every spike of what it reads.
        spikes: those of the signals that it reads that carry spikes.
    """

    name: str
    arguments: Mapping[str, Any]
    reads: tuple[str, ...]
    drives: tuple[str, ...]
    every: float
    spikes: tuple[str, ...] = ()


def bind_control(
    said: ControlValue, manifest: Manifest, transient: Transient | None, sink: Sink
) -> ControlPlan | None:
    """The plan of a `control` statement, or None after diagnostics."""
    call = said.controller
    found = plugins.called(call, PACKAGE, Controller, "controller", sink)
    if found is None:
        return None
    if transient is None:
        sink.error("wrong-kind", "a controller takes part in a transient, and the block has none", said.span,
                   help="add `transient STOP step STEP`")  # fmt: skip
        return None
    bound = bind(call, call.name, found.arguments, sink, subject=_unit(said, found, manifest))
    every = 0.0
    if said.every is not None:
        value = convert(said.every, number("s", low=1e-18, high=transient.stop), "`every`", sink)
        if isinstance(value, Unknown):
            return None
        every = float(value)
    if bound is None:
        return None
    before = len(sink.errors)
    drives = [_input(bound[name], manifest, sink) for name in found.drives]
    reads = [_signal(bound[name], manifest, sink) for name in found.reads]
    if len(sink.errors) > before:
        return None
    bound |= dict(zip(found.drives, drives, strict=True)) | dict(
        zip(found.reads, reads, strict=True)
    )
    return ControlPlan(call.name, bound, tuple(reads), tuple(drives), every)


def _unit(said: ControlValue, found: Controller, manifest: Manifest) -> str:
    """The unit of the first driven input, volt if it cannot be told."""
    order = list(found.arguments)
    for k, given in enumerate(said.controller.arguments):
        name = given.name or (order[k] if k < len(order) else "")
        if found.drives and name == found.drives[0] and isinstance(given.value, PathValue):
            entry = manifest.inputs.get(plain(given.value.text))
            return "V" if entry is None else unit_of(entry)
    return "V"


def _input(path: PathValue, manifest: Manifest, sink: Sink) -> str:
    found = matching(path, manifest.inputs, "input", sink)
    if found and manifest.inputs[found[0]].shape:
        _array(path, sink)
    return found[0] if found else ""


def _signal(path: PathValue, manifest: Manifest, sink: Sink) -> str:
    """A port, an observable or a node; a part of a port is none of these."""
    text = plain(path.text)
    names = recordable(manifest)
    if text not in names:
        known = sorted({without_indices(n) for n in names})
        sink.error("unknown-name", f"there is no signal `{path.text}` to read", path.span,
                   help=did_you_mean(text, known) or f"known: {one_of(known)}")  # fmt: skip
    elif quantity(manifest, text).shape:
        _array(path, sink)
    return text


def _array(path: PathValue, sink: Sink) -> None:
    sink.error("shape-mismatch", f"`{path.text}` is an array: a controller has single signals", path.span,
               help="give the element a name of its own, `output y = h[0]`")  # fmt: skip
