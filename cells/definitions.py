"""Definitions: the pieces of SPICE text that a netlist needs for a cell, each pasted once.

A cell brings its own definitions and those of its library that it uses. The latter stand in the
library's files whose names begin with `_`; every name in them begins with the library's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

_WORD = re.compile(r"[a-z_]\w*", re.IGNORECASE)


@dataclass(frozen=True)
class Definition:
    """A piece of SPICE text and the names that it gives at the netlist's top level.

    Attributes:
        names: of its subcircuits, models and functions, in lower case.
        text: the cards, ending with a line end.
        origin: the file that it stands in.
        library: the library that shares it, "" for a cell's own.
    """

    names: tuple[str, ...]
    text: str
    origin: str
    library: str = ""


def needed(texts: Iterable[str], known: Sequence[Definition]) -> tuple[Definition, ...]:
    """The definitions that some texts use, directly or through each other, in their order."""
    by_name: Mapping[str, Definition] = {name: d for d in known for name in d.names}
    found: set[Definition] = set()
    waiting = list(texts)
    while waiting:
        for word in set(_WORD.findall(waiting.pop().lower())):
            definition = by_name.get(word)
            if definition is not None and definition not in found:
                found.add(definition)
                waiting.append(definition.text)
    return tuple(d for d in known if d in found)
