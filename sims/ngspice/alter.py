"""Values of circuit elements as arrays, sent to ngspice as few and short `alter` commands.

Writes cost nothing until they are sent; then only the values that differ from what ngspice holds
go out, many to a command line. ngspice silently cuts a line after 1023 characters, so lines are
built to stay below :data:`tellegen.sims.ngspice.netlist.LONGEST_COMMAND`.

An `alter` costs about 34,000 instructions (3 to 5 us) in ngspice 39 and 46, whatever its spelling:
half in the command itself (two thirds of that in looking up the variable `scale`), a quarter each
in the lexer and in finding the command. It is most of a learning step, so none is sent needlessly,
and they are spelled with the fewest characters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tellegen.arrays import Values
from tellegen.cells.expression import evaluate
from tellegen.manifest import ParameterMap
from tellegen.sims.ngspice.netlist import LONGEST_COMMAND, checked_name

# Fourteen digits: one more would cost Python twice the time, and 1e-14 is beyond ngspice's solver.
_NUMBER = "%.14g"
_LONGEST_NUMBER = len("-1.2345678901234e-123")
_KEPT_TEMPLATES = 16
# Of a small group, or where nearly all has changed, all is written: that needs no new command lines.
_SMALL = 8
_NEARLY_ALL = 0.9


def carried(entry: ParameterMap, values: Values) -> Values:
    """The values of the elements that carry a parameter, in the order of `entry.elements`."""
    names = {**entry.arguments, entry.symbol: values}
    # Several elements may carry the same expression: the sine and cosine of a phase, each twice.
    found = {
        e: np.broadcast_to(evaluate(e, names), values.shape)
        for e in dict.fromkeys(entry.expressions)
    }
    parts = [found[e] for e in entry.expressions]
    return np.concatenate(parts) if len(parts) > 1 else np.array(parts[0])


class Group:
    """Elements that are written together.

    Attributes:
        heads: for each element the `alter` command but for the number.
        wanted: the values that they should have; None leaves them as the netlist has them. Give it
            another array to change it, do not write into it.
    """

    def __init__(self, names: Sequence[str], attribute: str = "") -> None:
        """`names` are SPICE element names; an empty attribute means the principal value.

        Raises:
            ValueError: a name or the attribute is not plain.
        """
        place = f"[{checked_name(attribute)}]" if attribute else ""
        self.heads = [f"alter {'@' * bool(place)}{checked_name(n)}{place}=" for n in names]
        self.wanted: Values | None = None
        self._sent: Values | None = None
        self._sent_bits = b""

    def forget(self) -> None:
        """Take it that ngspice holds none of the values."""
        self._sent, self._sent_bits = None, b""

    def pending(self) -> tuple[Values, list[int] | None] | None:
        """The wanted values and which of them are to be sent (None for all); they must be sent."""
        wanted = self.wanted
        if wanted is None:
            return None
        bits = wanted.tobytes()
        if bits == self._sent_bits:
            return None
        sent, self._sent, self._sent_bits = self._sent, wanted, bits
        if sent is None or len(wanted) < _SMALL:
            return wanted, None
        differs = wanted.view(np.int64) != sent.view(np.int64)
        if np.count_nonzero(differs) >= _NEARLY_ALL * len(wanted):
            return wanted, None
        return wanted, np.flatnonzero(differs).tolist()


class Commands:
    """Makes command lines of what is pending in some groups."""

    def __init__(self, groups: Sequence[Group]) -> None:
        self._groups = [group for group in groups if group.heads]
        # For groups that are sent whole, by their numbers: a learning loop sends the same few sets of
        # groups over and over.
        self._templates: dict[tuple[int, ...], list[_Template]] = {}

    def forget(self) -> None:
        """Take it that ngspice holds none of the values: the next lines write all set ones."""
        for group in self._groups:
            group.forget()

    def pending(self) -> list[str]:
        """The lines that bring ngspice up to date; they must be sent."""
        whole: list[int] = []
        values: list[float] = []
        some: list[str] = []
        for k, group in enumerate(self._groups):
            pending = group.pending()
            if pending is None:
                continue
            wanted, chosen = pending
            if chosen is None:
                whole.append(k)
                values += wanted.tolist()
            else:
                numbers = wanted[chosen].tolist()
                some += [group.heads[i] + _NUMBER % x for i, x in zip(chosen, numbers, strict=True)]
        return [*self._whole(tuple(whole), values), *_joined(some)]

    def everything(self) -> list[str]:
        """The lines that write every value that is set, for another ngspice."""
        every: list[str] = []
        for group in self._groups:
            if group.wanted is not None:
                numbers = group.wanted.tolist()
                every += [h + _NUMBER % x for h, x in zip(group.heads, numbers, strict=True)]
        return _joined(every)

    def _whole(self, numbers: tuple[int, ...], values: list[float]) -> list[str]:
        templates = self._templates.get(numbers)
        if templates is None:
            if len(self._templates) == _KEPT_TEMPLATES:
                self._templates.clear()
            heads = [head for k in numbers for head in self._groups[k].heads]
            templates = self._templates[numbers] = list(_split(heads))
        return [template % tuple(values[first:last]) for template, first, last in templates]


_Template = tuple[str, int, int]  # a line's format, and its range of the values


def _split(heads: list[str]) -> Iterator[_Template]:
    """Formats of lines that are short enough whatever the numbers."""
    first, length = 0, 0
    for k, head in enumerate(heads):
        width = len(head) + _LONGEST_NUMBER + 1
        if length + width > LONGEST_COMMAND:
            yield ";".join([h + _NUMBER for h in heads[first:k]]), first, k
            first, length = k, 0
        length += width
    if heads:
        yield ";".join([h + _NUMBER for h in heads[first:]]), first, len(heads)


def _joined(commands: list[str]) -> list[str]:
    """The commands on lines that are short enough."""
    lines: list[str] = []
    first, length = 0, 0
    for k, command in enumerate(commands):
        if length + len(command) >= LONGEST_COMMAND:
            lines.append(";".join(commands[first:k]))
            first, length = k, 0
        length += len(command) + 1
    if commands:
        lines.append(";".join(commands[first:]))
    return lines
