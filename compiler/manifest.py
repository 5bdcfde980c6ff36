"""The contract between compiler and simulator.

A manifest says, for each port, parameter and observable of a compiled network, which SPICE element or
node carries it, in the order of flat arrays. The learning loop sees arrays; only the session sees
names. It also leads back: from a SPICE name to the `.tgn` name and line it came from.

Arrays are flat and in row-major order of `shape`. A node is an index into `Manifest.nodes`; ground is -1.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, fields, is_dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellegen.arrays import Values

FORMAT = 2
GROUND = -1

Index = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class InputMap:
    """A driven port: one source per element, an ideal voltage or current source of the test bench."""

    shape: tuple[int, ...]
    kind: str  # "voltage", "current", or "optical": the real and the imaginary part of a field
    positive: Index
    negative: Index
    sources: list[str]


@dataclass(frozen=True, eq=False)
class OutputMap:
    """An observed port; with clamps, a switch resistor in series with a voltage source per element."""

    shape: tuple[int, ...]
    positive: Index
    negative: Index
    switches: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    kind: str = "voltage"  # or "optical"


@dataclass(frozen=True, eq=False)
class ParameterMap:
    """A programmable parameter, the element values that carry it, and what the cell says of it.

    The k-th element of each instance has the value of `expressions[k]` (SPICE arithmetic) of the
    parameter itself, known by `symbol`, and of the cell's other parameters in `arguments`; `elements` has
    the first of all instances, then the second of all.
    """

    shape: tuple[int, ...]
    unit: str
    symbol: str
    elements: list[str]
    attribute: str  # "" is the element's principal value
    expressions: list[str]
    arguments: dict[str, Values]
    values: Values
    low: Values
    high: Values
    step: Values | None  # distance of two writable values, None for a continuous parameter
    write_noise: float  # standard deviation, in the parameter's unit
    sense: int  # +1 where the conductance grows with the parameter, -1 where it falls, 0 undeclared
    instances: str  # path of the instance group that it belongs to: `first` for `first.g`
    phase: bool = False  # light passes it once: two measurements give a power's derivative


@dataclass(frozen=True, eq=False)
class ObservableMap:
    """A measured quantity: a voltage between two nodes (`v`), a current through a source (`i`), a power.

    The power of light (`power`) is the sum of the squares of two nodes.
    """

    shape: tuple[int, ...]
    kind: str
    unit: str
    positive: Index
    negative: Index
    sources: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class LineMap:
    """Where SPICE names come from.

    `prefix` is the SPICE path without array indices (`xunit.xfirst`), `path` the author's names
    in the same order, joined by `/` (`unit/first`).
    """

    prefix: str
    path: str
    file: str
    line: int


@dataclass(frozen=True, eq=False)
class Manifest:
    """Everything that a session needs to know of a netlist."""

    network: str
    nodes: list[str]  # SPICE names
    paths: list[str]  # the same nodes as the author calls them
    inputs: dict[str, InputMap]
    outputs: dict[str, OutputMap]
    parameters: dict[str, ParameterMap]
    observables: dict[str, ObservableMap]
    phases: dict[str, dict[str, float]]  # phase -> {"switch": ohm}
    lines: list[LineMap]
    max_step: float | None = None  # the longest step of a transient that its cells bear, in seconds
    format: int = FORMAT

    def longest_step(self, asked: float) -> float:
        """The longest step of a transient in seconds: what is asked for, as far as the cells bear it."""
        return asked if self.max_step is None else min(asked, self.max_step)

    def origin(self, spice_name: str) -> LineMap | None:
        """The `.tgn` place of a SPICE node or element name, or None where there is none.

        `r.xunit_3.xfirst_0_1.r1` is found as `xunit.xfirst` and comes back with the path
        `unit[3].first[0, 1]`.
        """
        known = {entry.prefix: entry for entry in self.lines}
        parts = spice_name.lower().split("#")[0].split(".")
        for used in range(len(parts), 0, -1):
            for skipped in (0, 1):
                found = _match(parts[skipped:used], known)
                if found is not None:
                    return found
        return None

    def to_json(self) -> str:
        """The manifest as JSON text."""
        return json.dumps(_plain(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """The manifest that `to_json` wrote."""
        raw = json.loads(text)
        if raw.get("format") != FORMAT:
            raise ValueError(f"manifest format {raw.get('format')!r} is not {FORMAT}")
        for key, kind in _PARTS.items():
            raw[key] = {name: _build(kind, value) for name, value in raw[key].items()}
        raw["lines"] = [LineMap(**entry) for entry in raw["lines"]]
        return cls(**raw)


_DIGITS = re.compile(r"^(.*?)((?:_\d+)+)$")


def _match(parts: list[str], known: dict[str, LineMap]) -> LineMap | None:
    """The entry whose prefix the parts are, some of them with array indices at their end."""
    choices: list[list[tuple[str, str]]] = []
    for part in parts:
        indexed = _DIGITS.match(part)
        own = [(part, "")]
        if indexed:
            own.append((indexed.group(1), "[" + indexed.group(2)[1:].replace("_", ", ") + "]"))
        choices.append(own)
    for chosen in product(*choices):
        entry = known.get(".".join(name for name, _ in chosen))
        if entry is not None and parts:
            names = entry.path.split("/")
            path = ".".join(n + i for n, (_, i) in zip(names, chosen, strict=True))
            return LineMap(entry.prefix, path, entry.file, entry.line)
    return None


_PARTS: dict[str, type] = {
    "inputs": InputMap,
    "outputs": OutputMap,
    "parameters": ParameterMap,
    "observables": ObservableMap,
}


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value


def _build(kind: type, raw: dict[str, Any]) -> Any:
    raw = dict(raw, shape=tuple(raw["shape"]))
    for name in ("positive", "negative"):
        if name in raw:
            raw[name] = np.asarray(raw[name], dtype=np.int32)
    for name in ("values", "low", "high", "step"):
        if raw.get(name) is not None:
            raw[name] = np.asarray(raw[name], dtype=float)
    if "arguments" in raw:
        raw["arguments"] = {k: np.asarray(v, dtype=float) for k, v in raw["arguments"].items()}
    return kind(**raw)
