"""Netlist text on its way into ngspice.

ngspice runs commands that stand in a netlist, and reads files that it names; cells and decks may
come from strangers. :func:`checked_netlist` lets through nothing but circuits and analyses, and
:func:`checked_name` nothing but plain names into commands.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tellegen.sims.errors import Cause, SimulationError

LONGEST_COMMAND = 1000  # ngspice cuts a command silently after 1023 characters
_NAME = re.compile(r"[a-z][a-z0-9_.]{0,199}")
_CARDS = re.compile(
    r"\.(subckt|ends|model|param|func|global|ic|nodeset|options?|temp|title"
    r"|save|op|tran|dc|ac|noise|tf|end)"
)
_PRINT = re.compile(r"\.print tran( v\([a-z0-9_.]+(,[a-z0-9_.]+)?\))+")
# The letters of the elements that a netlist may use.
ELEMENTS = frozenset("rclvidqmjegfhbswktx")


def checked_name(name: str) -> str:
    """The SPICE name in lower case.

    Raises:
        ValueError: it is not a plain name and must not become part of a command.
    """
    lower = name.lower()
    if not _NAME.fullmatch(lower):
        raise ValueError(f"{name!r} is not a SPICE name")
    return lower


def checked_netlist(text: str) -> list[str]:
    """The lines of a netlist that holds nothing but a circuit and its analyses.

    Raises:
        SimulationError: a line could run a command or read a file (`.control`, `*#`, ...).
    """
    lines = [line.rstrip() for line in text.splitlines()]
    for number, line in enumerate(lines, 1):
        word = line.split(maxsplit=1)[0].lower() if line.strip() else "*"
        harmless = (
            (word[0] in "*+" and not word.startswith("*#"))
            or _CARDS.fullmatch(word)
            or _PRINT.fullmatch(line.lower())
            or word[0] in ELEMENTS
            or (number == 1 and word[0] not in ".*")
        )
        if not harmless or any(ord(c) < 32 and c != "\t" for c in line):
            raise SimulationError(Cause.BAD_NETLIST, f"line {number} is not allowed: {line[:80]!r}")
    return [line for line in lines if line.strip()]


def saves(vectors: Sequence[str]) -> list[str]:
    """`.save` cards for vectors given as `node` or `source#branch`."""
    cards = []
    for name in vectors:
        source = name.removesuffix("#branch")
        kind = "i" if source != name else "v"
        cards.append(f".save {kind}({checked_name(source)})")
    return cards


def with_cards(netlist: str, cards: Sequence[str]) -> str:
    """The netlist with more cards before its `.end`."""
    lines = netlist.splitlines()
    ends = [k for k, line in enumerate(lines) if line.strip().lower() == ".end"]
    last = ends[-1] if ends else len(lines)
    return "\n".join([*lines[:last], *cards, ".end"])
