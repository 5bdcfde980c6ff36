"""Results as xarray data sets: arrays that know their axes and units.

xarray is optional; `pip install 'tellegen[xarray]'` brings it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from tellegen.arrays import Values
from tellegen.diagnostics import TellegenError

if TYPE_CHECKING:
    import xarray

    from tellegen.sims.ngspice.waveform import Waveforms
    from tellegen.sims.simulate import SimulationResult
    from tellegen.sims.training import TrainResult


_METRIC_UNITS = {"error": "V^2", "accuracy": "1", "deviation": "V", "residual": "1"}


class XarrayMissing(TellegenError):
    """xarray is not installed; the text says how to install it."""


def training_dataset(result: TrainResult) -> xarray.Dataset:
    """A training's metrics over `epoch`, and its parameters over `epoch` and their own axes.

    A parameter `first.g` of shape (8, 10) has the dimensions `epoch`, `first.g_0` and `first.g_1`;
    units are in the attribute `units`.

    Raises:
        XarrayMissing: if there is no xarray.
    """
    xr = _xarray()
    plan = result.plan
    metrics = dict(result.metrics)
    epochs = metrics.pop("epoch")
    found: dict[str, Any] = {
        name: (("epoch",), values, {"units": _METRIC_UNITS[name.rpartition("_")[2]]})
        for name, values in metrics.items()
    }
    for name, values in result.parameters.items():
        units = {"units": plan.manifest.parameters[name].unit or "1"}
        found[name] = (("epoch", *_axes(name, values[0])), values, units)
    attributes = {
        "name": plan.name,
        "network": plan.network,
        "seed": plan.seed,
        "best_epoch": result.outcome.state.best_epoch,
    }
    made: xarray.Dataset = xr.Dataset(found, {"epoch": epochs.astype(int)}, attributes)
    return made


def simulation_dataset(result: SimulationResult) -> xarray.Dataset:
    """A simulation's signals, over `time` where it was a transient.

    Raises:
        XarrayMissing: if there is no xarray.
    """
    attributes = {
        "name": result.plan.name,
        "network": result.plan.network,
        "seed": result.plan.seed,
    }
    sweep = result.plan.sweep
    if sweep is None:
        return _signals(result.time, result.signals, result.units, attributes)
    values = np.array(sweep.values)
    return _signals(values, result.signals, result.units, attributes, (sweep.name, sweep.unit))


def waveform_dataset(
    waveforms: Waveforms, units: Mapping[str, str] | None = None
) -> xarray.Dataset:
    """The waveforms of a session's transient over `time`; `units` by signal, where they are known.

    Raises:
        XarrayMissing: if there is no xarray.
    """
    return _signals(waveforms.time, waveforms.values, units or {}, {})


def _signals(
    time: Values | None,
    signals: Mapping[str, Values],
    units: Mapping[str, str],
    attributes: Mapping[str, object],
    axis: tuple[str, str] = ("time", "s"),
) -> xarray.Dataset:
    xr = _xarray()
    first = () if time is None else (axis[0],)
    found = {
        name: (
            (*first, *_axes(name, values if time is None else values[0])),
            values,
            {"units": units[name]} if name in units else {},
        )
        for name, values in signals.items()
    }
    times = {} if time is None else {axis[0]: (axis[0], time, {"units": axis[1]})}
    made: xarray.Dataset = xr.Dataset(found, times, attributes)
    return made


def _axes(name: str, values: Values) -> tuple[str, ...]:
    return tuple(f"{name}_{k}" for k in range(np.ndim(values)))


def _xarray() -> ModuleType:
    try:
        import xarray
    except ImportError as error:
        raise XarrayMissing(
            "labelled results need xarray, which is not installed: pip install 'tellegen[xarray]'"
        ) from error
    return xarray
