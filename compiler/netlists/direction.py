"""Which way light goes through a netlist.

A netlist joins ports of elements that light passes both ways; our cells have inputs and outputs. An element whose
light comes from behind is turned. Elements that are joined decide each other's direction, so each connected part
has two ways, one the reverse of the other; of these it is the one in which ports called `in...` are inputs and
`out...` outputs, or else the one with fewer elements turned, or else that of the first port as an input.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from tellegen.source import Span


@dataclass(frozen=True)
class Place:
    """A port of an instance, as a netlist names it; `is_output` for light that does not come from behind."""

    instance: str
    port: str
    is_output: bool
    span: Span

    def __str__(self) -> str:
        return f"{self.instance},{self.port}"


class NoDirection(Exception):
    """Two ports are both outputs, or both inputs, whatever is turned; the place is that of the second."""

    def __init__(self, one: Place, other: Place, why: str) -> None:
        super().__init__(why)
        self.one, self.other = one, other


def turned(
    instances: Sequence[str],
    fixed: Collection[str],
    links: Sequence[tuple[Place, Place]],
    ports: Mapping[str, Place],
) -> set[str]:
    """The instances whose light comes from behind; those in `fixed` cannot be turned.

    Raises:
        NoDirection: there is no way for the light.
    """
    near: dict[str, list[tuple[str, bool, Place, Place]]] = defaultdict(list)
    for one, other in links:
        differ = one.is_output == other.is_output  # then just one of them is to be turned
        if one.instance == other.instance and differ:
            raise NoDirection(one, other, "are joined, and light enters or leaves at both")
        near[one.instance].append((other.instance, differ, one, other))
        near[other.instance].append((one.instance, differ, other, one))
    at: dict[str, list[tuple[str, Place]]] = defaultdict(list)
    for name, place in ports.items():
        at[place.instance].append((name, place))
    found: set[str] = set()
    seen: dict[str, bool] = {}
    for start in instances:
        if start in seen:
            continue
        seen[start] = False
        part, waiting = [start], deque([start])
        while waiting:
            here = waiting.popleft()
            for there, differ, one, other in near[here]:
                want = seen[here] != differ
                if there not in seen:
                    seen[there] = want
                    part.append(there)
                    waiting.append(there)
                elif seen[there] != want:
                    raise NoDirection(one, other, "would need light in both directions")
        found |= _chosen(part, seen, fixed, at, links)
    return found


def _chosen(
    part: Sequence[str], seen: Mapping[str, bool], fixed: Collection[str],
    at: Mapping[str, list[tuple[str, Place]]], links: Sequence[tuple[Place, Place]],
) -> set[str]:  # fmt: skip
    """Of the two ways through a part the one to take: the instances that are turned."""
    ways = [{i for i in part if seen[i]}, {i for i in part if not seen[i]}]
    bearable = [way for way in ways if not way & set(fixed)]
    if not bearable:
        a, b = (next(i for i in fixed if i in way) for way in ways)
        one = next(p for link in links for p in link if p.instance == a)
        other = next(p for link in links for p in link if p.instance == b)
        raise NoDirection(
            one, other, "are netlists of their own that light would pass the other way"
        )
    named = [(name, place) for i in part for name, place in at.get(i, ())]

    def cost(way: set[str]) -> tuple[int, int, int]:
        wrong, first = 0, 0
        for k, (name, place) in enumerate(named):
            is_output = place.is_output != (place.instance in way)
            wrong += name.startswith("in") and is_output
            wrong += name.startswith("out") and not is_output
            first = first or int(k == 0 and is_output)
        return wrong, len(way), first

    return min(bearable, key=cost)
