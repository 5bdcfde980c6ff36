"""The data set that a task names."""

from __future__ import annotations

from tellegen.diagnostics import Sink, did_you_mean, one_of
from tellegen.files import FileRefused
from tellegen.pipeline import Compilation
from tellegen.signature import Function, bind
from tellegen.sims import plugins
from tellegen.sims.datasets import Dataset
from tellegen.values import CallValue


def load_data(call: CallValue, compilation: Compilation, sink: Sink) -> Dataset | None:
    """The data set that a call names, or None after diagnostics."""
    package = "tellegen.sims.datasets"
    known = plugins.names(package)
    if call.name not in known:
        sink.error("unknown-name", f"unknown data set `{call.name}`", call.name_span,
                   help=did_you_mean(call.name, known) or f"known: {one_of(known)}")  # fmt: skip
        return None
    function = plugins.load(package, call.name)
    assert isinstance(function, Function)
    bound = bind(call, function.name, function.arguments, sink)
    if bound is None:
        return None
    try:
        data: Dataset = function.call(compilation.files, **bound)
    except FileRefused as error:
        sink.error(error.code, str(error), call.span, help=error.help)
        return None
    return data
