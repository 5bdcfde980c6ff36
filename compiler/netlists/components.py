"""Which component of a netlist is which photonic cell, and what its settings are there.

Names and settings are those of `sax.models`, whose formulas and defaults are followed (SAX 0.18: lengths and
wavelengths in um), and those of our own cells, whose parameters are settings in rad, dB and seconds. A new
component is a line of `COMPONENTS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import asin, pi

from tellegen.cells import Cell

Values = Mapping[str, float]

_TWO = {"in0": "a", "out0": "b"}
_FOUR = {"in0": "a", "in1": "b", "out0": "c", "out1": "d"}
# The ports of our cells, as SAX would call them.
OUR_NAMES = {
    "coupler": _FOUR, "mzi": _FOUR, "mzi_back": _FOUR, "waveguide": _TWO, "phase_shifter": _TWO,
    "splitter": {"in0": "a", "out0": "b", "out1": "c"}, "combiner": {"in0": "a", "in1": "b", "out0": "c"},
}  # fmt: skip
# What a cell is for light that comes from behind: the same, its outputs taken for inputs, or another.
_PAIRS = {"mzi": "mzi_back", "splitter": "combiner"}
TURNED = {cell: cell for cell in OUR_NAMES} | _PAIRS | {back: cell for cell, back in _PAIRS.items()}
_LIGHT = 299792458e6  # um/s
_SHORTEST = 1e-15  # s, of a delay


@dataclass(frozen=True)
class Component:
    """A component: its cell, and how the cell's parameters follow from its settings.

    Attributes:
        cell: the photonic cell.
        settings: what `read` knows, with its value where a netlist does not give it.
        read: parameters of the cell from all of `settings` (lengths in um); None where only the cell's own
            parameters are settings.
        own: whether the cell's own parameters are settings, too: instead of those that `read` knows.
        refused: settings that mean light but have no counterpart unless they are 0, and what to give instead.
    """

    cell: str
    settings: Values = field(default_factory=dict)
    read: Callable[[Values], dict[str, float]] | None = None
    own: bool = True
    refused: Mapping[str, str] = field(default_factory=dict)

    @property
    def ports(self) -> dict[str, str]:
        """Every name of a port, and the one that SAX gives it: `o1` is `in0`, `a` is `in0`."""
        ours = OUR_NAMES[self.cell]
        # gdsfactory numbers ports clockwise, from the lower left.
        round_ = [p for p in ours if p[0] == "i"] + [p for p in reversed(ours) if p[0] == "o"]
        numbered = {f"o{k}": name for k, name in enumerate(round_, 1)}
        return {name: name for name in ours} | numbered | {v: k for k, v in ours.items()}


# Where settings make sense, both ends included.
LIMITS = {
    "coupling": (0.0, 1.0), "length": (0.0, 1e9), "wl": (1e-3, 1e3), "wl0": (1e-3, 1e3),
}  # fmt: skip
# Parameters that a netlist gives even where they have the cell's default: SAX has other defaults.
ALWAYS = ("theta", "phi", "phase")


def canonical(cell: Cell, values: Values) -> dict[str, float]:
    """The parameters of an instance in the order of the header: those that differ from the default."""
    found = {}
    for name, param in cell.params.items():
        value = float(values.get(name, param.default or 0.0))
        if value != param.default or name in ALWAYS:
            found[name] = value
    return found


def setting_of(parameter: str) -> str:
    """The setting that is a parameter of a cell: a loss says its unit, as SAX uses several."""
    return "loss_dB" if parameter == "loss" else parameter


def _straight(s: Values) -> dict[str, float]:
    index = s["neff"] - (s["wl"] - s["wl0"]) * (s["ng"] - s["neff"]) / s["wl0"]
    delay = s["ng"] * s["length"] / _LIGHT
    found = {"loss": s["loss_dB_cm"] * s["length"] * 1e-4 + s["loss_dB"]}
    found["phase"] = 2 * pi * index * s["length"] / s["wl"]
    return found | ({"delay": delay} if delay >= _SHORTEST else {})


def _shifter(s: Values) -> dict[str, float]:
    return {"phase": 2 * pi * s["neff"] * s["length"] / s["wl"] + pi * s["voltage"]}


def _coupler(s: Values) -> dict[str, float]:
    # sin^2(pi/4 + error) = (1 + sin(2 error)) / 2 is the power that crosses.
    return {"error": asin(2 * s["coupling"] - 1) / 2, "loss": s["loss_dB"]}


_WAVELENGTH = {"wl": 1.55}
_GUIDE = {"wl0": 1.55, "neff": 2.34, "ng": 3.4, "length": 10.0, "loss_dB_cm": 0.0, "loss_dB": 0.0}
_COUPLING = "give `coupling`, the part of the power that crosses"
_LENGTHS = "an interferometer of lengths is a netlist of its couplers and arms; `mzi` here has `theta` and `phi` in rad"
_straights = Component(
    "waveguide", _WAVELENGTH | _GUIDE, _straight, own=False,
    refused={"loss": "give `loss_dB_cm`, or `loss_dB` for the whole length"},
)  # fmt: skip
_couplers = Component(
    "coupler", {"coupling": 0.5, "loss_dB": 0.0}, _coupler,
    refused=dict.fromkeys(("length", "gap", "coupling0", "dn", "dn1", "dn2", "dk1", "dk2"), _COUPLING),
)  # fmt: skip
_splitters = replace(_couplers, cell="splitter")
_interferometer = dict.fromkeys(
    ("delta_length", "length_x", "length_y", "splitter", "combiner"), _LENGTHS
)

COMPONENTS: dict[str, Component] = {
    "straight": _straights,
    "bend_euler": _straights,
    "bend_circular": _straights,
    "bend_s": _straights,
    "waveguide": Component("waveguide", _WAVELENGTH | _GUIDE, _straight),
    "attenuator": Component("waveguide", {"loss": 0.0}, lambda s: {"loss": s["loss"]}, own=False),
    "phase_shifter": Component(
        "phase_shifter",
        _WAVELENGTH | {"neff": 2.34, "length": 10.0, "voltage": 0.0},
        _shifter,
        refused={"loss": "put an `attenuator` behind it"},
    ),
    "coupler": _couplers,
    "coupler_ideal": _couplers,
    "mmi2x2": _couplers,
    "mmi2x2_ideal": _couplers,
    "splitter": _splitters,
    "splitter_ideal": _splitters,
    "mmi1x2": _splitters,
    "mmi1x2_ideal": _splitters,
    "combiner": replace(_splitters, cell="combiner"),
    "mzi": Component("mzi", refused=_interferometer),
    "mzi_back": Component("mzi_back", refused=_interferometer),
}
