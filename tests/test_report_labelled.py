"""Results as xarray: axes and units."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from tellegen.sims.labelled import (
    XarrayMissing,
    simulation_dataset,
    training_dataset,
    waveform_dataset,
)
from tellegen.sims.ngspice.waveform import Waveforms


def trained():
    """What `training_dataset` reads of a training's result, three epochs long."""
    parameters = {"first.g": np.arange(24.0).reshape(4, 2, 3), "gain": np.arange(4.0)}
    entries = {"first.g": SimpleNamespace(unit="S"), "gain": SimpleNamespace(unit="")}
    return SimpleNamespace(
        metrics={
            "epoch": np.arange(4.0),
            "train_error": np.array([4.0, 3.0, 2.0, 1.0]),
            "train_accuracy": np.full(4, np.nan),
            "deviation": np.zeros(4),
            "residual": np.zeros(4),
        },
        parameters=parameters,
        plan=SimpleNamespace(
            name="Flowers", network="Iris", seed=7, manifest=SimpleNamespace(parameters=entries)
        ),
        outcome=SimpleNamespace(state=SimpleNamespace(best_epoch=3)),
    )


def test_a_training_has_metrics_and_parameters_over_epochs():
    found = training_dataset(trained())
    assert found["first.g"].dims == ("epoch", "first.g_0", "first.g_1")
    assert found["first.g"].sel(epoch=2).values.tolist() == [[12, 13, 14], [15, 16, 17]]
    assert found["gain"].dims == ("epoch",)
    assert found["train_error"].sel(epoch=3) == 1
    units = {name: found[name].attrs["units"] for name in found}
    assert units == {
        "train_error": "V^2", "train_accuracy": "1", "deviation": "V", "residual": "1",
        "first.g": "S", "gain": "1",
    }  # fmt: skip
    assert found.attrs == {"name": "Flowers", "network": "Iris", "seed": 7, "best_epoch": 3}
    assert found["epoch"].dtype == int


def test_waveforms_are_over_time():
    waves = Waveforms(np.array([0.0, 1e-6]), {"y": np.ones((2, 3)), "m": np.zeros(2)})
    found = waveform_dataset(waves, {"y": "V"})
    assert found["y"].dims == ("time", "y_0") and found["m"].dims == ("time",)
    assert found["y"].attrs == {"units": "V"} and found["time"].attrs == {"units": "s"}
    assert found["m"].attrs == {}


@pytest.mark.parametrize("time", [None, np.array([0.0, 1.0])])
def test_a_simulation(time):
    shape = () if time is None else (2,)
    result = SimpleNamespace(
        plan=SimpleNamespace(name="Step", network="Rc", seed=0, sweep=None),
        time=time,
        signals={"y": np.ones((*shape, 3)), "x": np.ones(shape)},
        units={"y": "V", "x": "A"},
    )
    found = simulation_dataset(result)
    assert found["y"].dims == (*(() if time is None else ("time",)), "y_0")
    assert found["x"].attrs["units"] == "A" and found.attrs["network"] == "Rc"


def test_a_missing_xarray_comes_with_the_line_that_brings_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(XarrayMissing, match=r"pip install 'tellegen\[xarray\]'"):
        training_dataset(trained())
