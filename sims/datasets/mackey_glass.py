"""The Mackey-Glass series, to be foretold."""

from __future__ import annotations

import numpy as np

from tellegen.files import Files
from tellegen.signature import count, function, number
from tellegen.sims.datasets import Dataset

_FINE = 10  # Runge-Kutta steps in a unit of time
_BEFORE = 300  # units of time that are left out


@function(
    samples=count(2000, low=20, doc="how many samples, a unit of time apart"),
    ahead=count(1, low=1, doc="how many samples ahead `next` is"),
    tau=count(17, low=1, doc="the delay, in units of time"),
    start=number(default=1.2, low=0, doc="the value before time 0"),
)
def mackey_glass(_files: Files, samples: int, ahead: int, tau: int, start: float) -> Dataset:
    """`dx/dt = 0.2 x(t-tau)/(1 + x(t-tau)^10) - 0.1 x` (Mackey and Glass 1977): `signal`, and `next` of it."""
    lag, total = tau * _FINE, (_BEFORE + samples + ahead) * _FINE
    x = np.full(lag + total + 1, start)
    h = 1.0 / _FINE

    def slope(value: float, old: float) -> float:
        return 0.2 * old / (1.0 + old**10) - 0.1 * value

    for n in range(lag, lag + total):
        old, new = x[n - lag], x[n - lag + 1]
        half = (old + new) / 2
        a = slope(x[n], old)
        b = slope(x[n] + h / 2 * a, half)
        c = slope(x[n] + h / 2 * b, half)
        d = slope(x[n] + h * c, new)
        x[n + 1] = x[n] + h / 6 * (a + 2 * b + 2 * c + d)
    series = x[lag + _BEFORE * _FINE :: _FINE]
    signal, later = series[:samples], series[ahead : ahead + samples]
    return Dataset(
        signal[:, None], columns={"signal": signal, "next": later},
        source=f"Mackey-Glass equation, tau {tau}, Runge-Kutta with {_FINE} steps a unit of time",
    )  # fmt: skip
