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


# How many of an element's words behind its name are nodes; of `x` all but the last one.
_TERMINALS = dict.fromkeys("rclvidbwfh", 2) | dict.fromkeys("qj", 3) | dict.fromkeys("mgest", 4)


def count_nodes(netlist: str) -> int:
    """The number of nodes of a netlist seen through its subcircuits, without ground."""
    lines: list[str] = []
    for line in netlist.lower().splitlines()[1:]:
        if line.startswith("+") and lines:
            lines[-1] += " " + line[1:]
        else:
            lines.append(line)
    inside: dict[str, set[str]] = {"": set()}  # the nodes of each subcircuit, and of the circuit
    ports: dict[str, set[str]] = {"": {"0", "gnd"}}
    made: dict[str, list[str]] = {"": []}
    stack = [""]
    for line in lines:
        # Arithmetic and parameters are no nodes.
        words = re.split(r"[={(']|params:", line, maxsplit=1)[0].split()
        if not words:
            continue
        if words[0] == ".subckt":
            given = words[1:] if "=" not in line else words[1:-1]
            stack.append(given[0])
            inside[given[0]], made[given[0]] = set(), []
            ports[given[0]] = {"0", "gnd", *given[1:]}
        elif words[0] == ".ends" and len(stack) > 1:
            stack.pop()
        elif words[0][0] == "x":
            nodes = words[1:] if "=" not in line else words[1:-1]
            made[stack[-1]].append(nodes[-1] if nodes else "")
            inside[stack[-1]].update(nodes[:-1])
        else:
            inside[stack[-1]].update(words[1 : 1 + _TERMINALS.get(words[0][0], 0)])
    counts: dict[str, int] = {}

    def count(name: str) -> int:
        if name not in counts:
            counts[name] = 0  # a circuit that holds itself is refused by ngspice
            counts[name] = len(inside[name] - ports[name]) + sum(
                count(inner) for inner in made[name] if inner in inside
            )
        return counts[name]

    return count("")


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
