"""What can be measured in a circuit: the voltage of a node, between two, or a source's current."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_NAME = r"[a-z_0-9][a-z0-9_.]*"
_PROBE = re.compile(
    rf"(?<![a-z0-9_.])(?P<kind>[vi])\(\s*(?P<first>{_NAME})\s*(?:,\s*(?P<second>{_NAME})\s*)?\)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Probe:
    """`v(a)`, `v(a,b)` or `i(V1)`: kind "v" or "i" and one or two lower-case SPICE names."""

    kind: str
    names: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Probe:
        """The probe that a text spells.

        Raises:
            ValueError: it is not `v(a)`, `v(a,b)` or `i(V1)`.
        """
        match = _PROBE.fullmatch(text.strip())
        if match is None or not _plausible(match):
            raise ValueError(f"`{text}` is not `v(node)`, `v(node,node)` or `i(source)`")
        return _probe(match)


def replaced(text: str, name_of: Callable[[Probe], str]) -> str:
    """The text with each probe in it replaced by a name of the caller's."""
    return _PROBE.sub(lambda m: name_of(_probe(m)) if _plausible(m) else m[0], text)


def _plausible(match: re.Match[str]) -> bool:
    return match["kind"].lower() == "v" or (match["second"] is None and match["first"][0] in "vV")


def _probe(match: re.Match[str]) -> Probe:
    names = [name.lower() for name in (match["first"], match["second"]) if name]
    return Probe(match["kind"].lower(), tuple(names))
