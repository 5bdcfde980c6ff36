"""Numbers with units: parsing, dimensions, and how both are said in messages.

The unit system is pint's, loaded with the short list in `units.txt`, so that `foot` is no unit, prefixes
are case-sensitive and start-up stays quick. Inside the compiler every number is a float in SI units.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import pint

# What a dimension is called, by the unit that stands for it.
_NOUNS = {
    "ohm": "a resistance",
    "S": "a conductance",
    "F": "a capacitance",
    "H": "an inductance",
    "V": "a voltage",
    "A": "a current",
    "s": "a time",
    "Hz": "a frequency",
    "W": "a power",
    "J": "an energy",
    "C": "a charge",
    "K": "a temperature",
    "m": "a length",
    "T": "a magnetic field",
    "rad": "an angle",
}


@cache
def _registry() -> pint.UnitRegistry[float]:
    import pint

    text = files("tellegen").joinpath("units.txt").read_text("utf-8")
    return pint.UnitRegistry([line for line in text.splitlines() if line and line[0] != "#"])


class UnknownUnit(ValueError):
    """A unit that `units.txt` does not define."""


@dataclass(frozen=True)
class Unit:
    """A unit: its factor to SI, and its dimension as a hashable tuple of (base dimension, power)."""

    text: str
    factor: float
    dimension: tuple[tuple[str, float], ...]

    @property
    def noun(self) -> str:
        """The dimension in words: `a resistance (ohm)`."""
        return describe(self.dimension)


PLAIN: tuple[tuple[str, float], ...] = ()


@cache
def unit(text: str) -> Unit:
    """The unit that `text` names, such as `kohm`, `uS/V^2` or `1` for none.

    Raises:
        UnknownUnit: for anything that is not made of known units.
    """
    if text in ("", "1"):
        return Unit("", 1.0, PLAIN)
    # The text may come from anybody; pint, which would calculate, only ever sees single symbols.
    if len(text) > 60 or not _UNIT.fullmatch(text):
        raise UnknownUnit(text)
    factor, dimension = 1.0, PLAIN
    for operator, symbol, power in _FACTOR.findall(text):
        own_factor, own_dimension = _symbol(symbol)
        sign = (-1 if operator == "/" else 1) * int(power or "1")
        factor *= own_factor**sign
        dimension = multiply(dimension, own_dimension, sign)
    return Unit(text, factor, dimension)


_WORD = r"[A-Za-zµμΩ%][A-Za-zµμΩ]*"
_UNIT = re.compile(rf"(1|{_WORD}(\^-?\d)?)([*/]{_WORD}(\^-?\d)?)*")
_FACTOR = re.compile(rf"([*/]?)({_WORD})(?:\^(-?\d))?")


@cache
def _symbol(symbol: str) -> tuple[float, tuple[tuple[str, float], ...]]:
    """Factor and dimension of a single unit, such as `kohm`."""
    import pint

    registry = _registry()
    try:
        found = registry.parse_units(symbol)
    except (pint.PintError, ValueError, TypeError, AttributeError, SyntaxError) as error:
        raise UnknownUnit(symbol) from error
    base = registry.Quantity(1.0, found).to_base_units()
    return float(base.magnitude), tuple(
        sorted((str(k), float(cast(float, v))) for k, v in found.dimensionality.items())
    )


def is_unit(text: str) -> bool:
    """Whether a text names a unit."""
    try:
        unit(text)
    except UnknownUnit:
        return False
    return True


_PREFIXES = {-15: "f", -12: "p", -9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T"}


def spelled(value: float, symbol: str) -> str:
    """A number in SI units as a person would write it: `100 uS`.

    Only a unit of one word without a prefix of its own gets one.
    """
    if symbol in ("", "1"):
        return f"{value:g}"
    power = 3 * math.floor(math.log10(abs(value)) / 3 + 1e-9) if value else 0
    if symbol in _NOUNS and symbol not in ("m", "rad") and power in _PREFIXES:
        return f"{value / 10.0**power:g} {_PREFIXES[power]}{symbol}"
    return f"{value / unit(symbol).factor:g} {symbol}"


def in_range(low: float, high: float, symbol: str = "") -> str:
    """A range in words: `from 1 pS to 1 kS`, `at least 0 s`, `more than 0`."""
    if low == -math.inf:
        return f"at most {spelled(high, symbol)}"
    # A tiny positive limit means that zero is not allowed.
    least = f"more than {spelled(0.0, symbol)}" if 0 < low <= 1e-300 else ""
    if high == math.inf:
        return least or f"at least {spelled(low, symbol)}"
    return f"from {spelled(low, symbol)} to {spelled(high, symbol)}"


def known_units() -> list[str]:
    """The unit symbols that the language knows, without prefixes."""
    return [*_NOUNS, "deg", "%", "N", "Wb", "Ha", "eV"]


def multiply(
    a: tuple[tuple[str, float], ...], b: tuple[tuple[str, float], ...], sign: int = 1
) -> tuple[tuple[str, float], ...]:
    """The dimension of a product, or with `sign = -1` of a quotient."""
    powers = dict(a)
    for name, power in b:
        powers[name] = powers.get(name, 0.0) + sign * power
    return tuple(sorted((n, p) for n, p in powers.items() if p))


@cache
def _symbols() -> dict[tuple[tuple[str, float], ...], str]:
    return {unit(symbol).dimension: symbol for symbol in _NOUNS}


def describe(dimension: tuple[tuple[str, float], ...]) -> str:
    """A dimension in words with its unit, for messages."""
    if dimension == PLAIN:
        return "a plain number"
    symbol = _symbols().get(dimension)
    if symbol:
        return f"{_NOUNS[symbol]} ({symbol})"
    return "a quantity in " + symbol_of(dimension)


def symbol_of(dimension: tuple[tuple[str, float], ...]) -> str:
    """A unit for a dimension: `ohm`, or products such as `S/V^2` spelled in base dimensions."""
    if dimension == PLAIN:
        return "1"
    if dimension in _symbols():
        return _symbols()[dimension]
    for top in ("1", *_NOUNS):
        for bottom in _NOUNS:
            for power in (1, 2):
                ratio = unit(top).dimension
                for _ in range(power):
                    ratio = multiply(ratio, unit(bottom).dimension, -1)
                if ratio == dimension:
                    return f"{top}/{bottom}" + (f"^{power}" if power > 1 else "")
    return " ".join(f"{name.strip('[]')}^{power:g}" for name, power in dimension)
