"""What can go wrong in a simulation, said on the user's own lines.

ngspice names a failure by SPICE nodes and elements; :func:`located` leads these names back
through the manifest to the `.tgn` places they were compiled from, so that
:class:`SimulationError` shows both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from tellegen.diagnostics import TellegenError, did_you_mean, one_of
from tellegen.manifest import Manifest


class Cause(Enum):
    """Why a simulation failed, each with what can be done about it."""

    CRASHED = (
        "the simulator process died. The run can go on from its last checkpoint; "
        "if it dies again at the same place, report the netlist to the ngspice project"
    )
    HUNG = (
        "the simulator gave no sign of life in time and was ended. Allow it more time (`timeout`), "
        "or ask for a coarser or shorter analysis"
    )
    NOT_CONVERGED = (
        "ngspice found no solution of the circuit's equations. Check the device parameters and the "
        "sizes of the drives; smaller changes of the parameters per step help as well"
    )
    SINGULAR = (
        "the circuit's equations are singular. Look for a node without a path for direct current "
        "to ground, or for voltage sources that form a loop"
    )
    BAD_NETLIST = (
        "ngspice did not accept the netlist. If it was compiled from a `.tgn` file, this is a bug"
    )

    @property
    def sentence(self) -> str:
        """The cause and its remedy as prose."""
        return str(self.value)


@dataclass(frozen=True)
class Located:
    """A SPICE name in ngspice's words and the place in the user's source that it came from."""

    name: str
    path: str
    file: str
    line: int

    def __str__(self) -> str:
        return f"`{self.path}` ({self.file}:{self.line})"


class SimulationError(TellegenError):
    """A simulation failed; `cause` says why, `words` is what ngspice said last, `places` where."""

    def __init__(self, cause: Cause, words: str = "", places: Iterable[Located] = ()) -> None:
        self.cause = cause
        self.words = words
        self.places = tuple(places)
        parts = [cause.sentence]
        if self.places:
            parts.append("at " + ", ".join(map(str, self.places)))
        if words:
            parts.append("\n  ".join(["ngspice said:", *_abridged(words.splitlines())]))
        super().__init__("\n".join(parts))

    def __reduce__(self) -> tuple[type[SimulationError], tuple[Cause, str, tuple[Located, ...]]]:
        return type(self), (self.cause, self.words, self.places)


class SimulatorBusy(TellegenError):
    """A second circuit was to be loaded into an ngspice that holds one."""


def _abridged(lines: list[str], first: int = 5, last: int = 7) -> list[str]:
    """What fits a message: ngspice names the trouble first, then what it tried, then the end."""
    if len(lines) <= first + last:
        return lines
    return [*lines[:first], "...", *lines[-last:]]


# A name, and what tells it from a word of ngspice's prose: "node" before it, "#branch" behind it, or
# a character in it that words have not.
_NAME = re.compile(r"(\bnode +)?\b([a-z]\w*(?:\.\w+)*)(#branch)?", re.IGNORECASE)
_SHOWN = 3


def located(words: str, manifest: Manifest) -> tuple[Located, ...]:
    """The first few source places of the nodes and elements named in ngspice's words."""
    paths = dict(zip((name.lower() for name in manifest.nodes), manifest.paths, strict=True))
    found: dict[str, Located] = {}
    for node, match, branch in _NAME.findall(words):
        name = match.lower()
        named = node or branch or "_" in name or "." in name
        origin = manifest.origin(name) if named else None
        if origin is not None and name not in found:
            path = paths.get(name, origin.path)
            found[name] = Located(name, path, origin.file, origin.line)
    return tuple(found.values())[:_SHOWN]


def cause_of(words: str) -> Cause:
    """The cause that ngspice's words point to, for an analysis that gave no result."""
    if re.search(r"singular matrix", words, re.IGNORECASE):
        return Cause.SINGULAR
    return Cause.NOT_CONVERGED


def placed(
    what: Callable[..., Any], manifest: Manifest | None, *arguments: Any, **named: Any
) -> Any:
    """Call something; a failure that came without source lines (of a process that died) gets them."""
    try:
        return what(*arguments, **named)
    except SimulationError as error:
        if error.places or manifest is None:
            raise
        places = located(error.words, manifest)
        raise SimulationError(error.cause, error.words, places) from None


class ControllerLeft(TellegenError):
    """A controller ended the process that it runs in, and with it the transient."""


class UnknownSignal(TellegenError, KeyError):
    """There is no such signal, input or parameter; the text says which there are."""

    __str__ = Exception.__str__


_T = TypeVar("_T")


def known_by_name(found: Mapping[str, _T], name: str, what: str) -> _T:
    """What is called so, or an error that says what there is."""
    try:
        return found[name]
    except KeyError:
        help_ = did_you_mean(name, list(found)) or f"known: {one_of(found) or 'none'}"
        raise UnknownSignal(f"there is no {what} `{name}`; {help_}") from None
