"""The data set that a task names."""

from __future__ import annotations

from tellegen.diagnostics import Sink
from tellegen.files import FileRefused
from tellegen.pipeline import Compilation
from tellegen.signature import Function, bind
from tellegen.sims import plugins
from tellegen.sims.datasets import Dataset
from tellegen.values import CallValue


def load_data(call: CallValue, compilation: Compilation, sink: Sink) -> Dataset | None:
    """The data set that a call names, or None after diagnostics."""
    function = plugins.called(call, "tellegen.sims.datasets", Function, "data set", sink)
    if function is None:
        return None
    bound = bind(call, function.name, function.arguments, sink)
    if bound is None:
        return None
    try:
        data: Dataset = function.call(compilation.files, **bound)
    except FileRefused as error:
        sink.error(error.code, str(error), call.span, help=error.help)
        return None
    return data
