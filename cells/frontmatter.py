"""TOML with places: the `*%` lines of a cell file, or a `library.toml`, read with diagnostics.

`tomllib` tells values but not where they stand, so :class:`Table` looks the places up in the text:
good enough to put a complaint on the right line, which is all they are for.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import inf, isfinite
from typing import Any

from tellegen.cells.expression import Expression, ExpressionError, compiled
from tellegen.diagnostics import Sink, did_you_mean, one_of
from tellegen.source import Source, Span

MARK = "*%"

Path = tuple[str | int, ...]

_HEADER = re.compile(r"\s*\[(\[)?\s*([\w.\-]+)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"\s*([\w.\-]+)\s*=\s*")
_LINE = re.compile(r"line (\d+)")


def header_text(text: str) -> str:
    """The `*%` lines of a cell file as TOML, everything else blanked: offsets stay as they are."""
    out = []
    for line in text.split("\n"):
        mark = line.find(MARK)
        own = mark >= 0 and not line[:mark].strip()
        out.append(line.replace(MARK, "  ", 1) if own else " " * len(line))
    return "\n".join(out)


def read_toml(source: Source, text: str, code: str, sink: Sink) -> Table | None:
    """The root table of a TOML text that has the offsets of `source`; None if it is not TOML."""
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        line = _LINE.search(str(error))
        span = _line_span(source, int(line[1])) if line else source.span(0, 0)
        reason = str(error).split(" (at ")[0] or "nested too deeply"
        sink.error(code, f"the header is not TOML: {reason[:1].lower()}{reason[1:]}", span)
        return None
    return Table(data, (), _Reading(source, dict(_places(source, text)), code, sink))


def _line_span(source: Source, number: int) -> Span:
    lines = source.text.split("\n")
    number = min(number, len(lines))
    line = lines[number - 1]
    start = sum(len(each) + 1 for each in lines[: number - 1])
    return source.span(start + len(line) - len(line.lstrip()), start + len(line.rstrip()))


def _places(source: Source, text: str) -> Iterator[tuple[Path, Span]]:
    table: Path = ()
    counts: dict[str, int] = {}
    start = 0
    for line in text.split("\n"):
        if header := _HEADER.match(line):
            name = header[2]
            table = tuple(name.split("."))
            if header[1]:
                table = (*table, counts.get(name, 0))
                counts[name] = counts.get(name, 0) + 1
            yield table, source.span(start + header.start(2), start + header.end(2))
        elif key := _KEY.match(line):
            end = len(line.rstrip())
            yield (*table, *key[1].split(".")), source.span(start + key.start(1), start + end)
        start += len(line) + 1


@dataclass(frozen=True)
class _Reading:
    source: Source
    places: Mapping[Path, Span]
    code: str
    sink: Sink


class Table:
    """A TOML table that is read key by key; wrong kinds become diagnostics and read as missing."""

    def __init__(self, data: Mapping[str, Any], path: Path, reading: _Reading) -> None:
        self.data = data
        self._path = path
        self._reading = reading

    @property
    def sink(self) -> Sink:
        """Where complaints go."""
        return self._reading.sink

    def telling(self, sink: Sink) -> Table:
        """The same table, its complaints going elsewhere."""
        return Table(self.data, self._path, replace(self._reading, sink=sink))

    def span(self, *keys: str | int) -> Span:
        """The place of a value below this table, or of what holds it."""
        path = (*self._path, *keys)
        while path and path not in self._reading.places:
            path = path[:-1]
        if path:
            return self._reading.places[path]
        return self._reading.source.span(0, 0)

    def error(self, message: str, *keys: str | int, help: str = "") -> None:
        """Report what is wrong with a value below this table."""
        self._reading.sink.error(self._reading.code, message, self.span(*keys), help=help)

    def only(self, *known: str) -> None:
        """Report every key that is not among the known ones."""
        for key in self.data:
            if key not in known:
                help = did_you_mean(key, known) or f"known: {one_of(known)}"
                self.error(f"the header does not know `{key}`", key, help=help)

    def _value(self, key: str, kinds: type | tuple[type, ...], what: str) -> Any:
        value = self.data.get(key)
        if value is None:
            return None
        if not isinstance(value, kinds) or isinstance(value, bool):
            self.error(f"`{key}` must be {what}", key)
            return None
        return value

    def text(self, key: str, default: str = "") -> str:
        """A string, its white space folded."""
        value = self._value(key, str, "a string")
        if value is None:
            return default
        folded = " ".join(value.split())
        if not folded.isprintable():
            self.error(f"`{key}` holds control characters", key)
            return default
        return folded

    def required_text(self, key: str, what: str) -> str:
        """A string that must be there."""
        value = self.text(key)
        if not value and not isinstance(self.data.get(key), int | float | list | dict):
            self.error(f"`{key}` is missing: {what}", key)
        return value

    def choice(self, key: str, known: Iterable[str], default: str) -> str:
        """One of some words."""
        value = self.text(key, default)
        if value not in known:
            self.error(
                f"`{key}` cannot be `{value}`",
                key,
                help=did_you_mean(value, known) or f"known: {one_of(k for k in known if k)}",
            )
            return default
        return value

    def number(self, key: str) -> float | None:
        """A finite number."""
        value = self._value(key, (int, float), "a number")
        if value is None:
            return None
        try:
            number = float(value)
        except OverflowError:
            number = inf
        if not isfinite(number):
            self.error(f"`{key}` must be finite; leave it out where there is no limit", key)
            return None
        return number

    def number_or_text(self, key: str) -> float | str | None:
        """A finite number, or a string."""
        if isinstance(self.data.get(key), str):
            return self.text(key)
        self._value(key, (int, float), "a number or an expression")
        return self.number(key) if isinstance(self.data.get(key), int | float) else None

    def flag(self, key: str) -> bool:
        """True or false; false where there is none."""
        value = self.data.get(key, False)
        if not isinstance(value, bool):
            self.error(f"`{key}` must be true or false", key)
        return value is True

    def table(self, key: str) -> Table:
        """A table; an empty one where there is none."""
        value = self._value(key, dict, "a table") or {}
        return Table(value, (*self._path, key), self._reading)

    def tables(self, key: str) -> Iterator[tuple[str, Table]]:
        """The tables in a table of tables, by name."""
        outer = self.table(key)
        for name in outer.data:
            if isinstance(outer.data[name], dict):
                yield name, outer.table(name)
            else:
                outer.error(f"`{key}.{name}` must be a table", name)

    def array(self, key: str) -> Iterator[Table]:
        """The tables in an array of tables."""
        for index, item in enumerate(self._value(key, list, "an array of tables") or ()):
            if isinstance(item, dict):
                yield Table(item, (*self._path, key, index), self._reading)
            else:
                self.error(f"`{key}` must hold tables", key)

    def texts(self, key: str) -> tuple[str, ...]:
        """An array of strings."""
        value = self._value(key, list, "an array of strings") or []
        if not all(isinstance(item, str) for item in value):
            self.error(f"`{key}` must be an array of strings", key)
            return ()
        return tuple(value)

    def numbers(self, key: str) -> tuple[float, ...] | None:
        """An array of finite numbers; None where there is none."""
        value = self._value(key, list, "an array of numbers")
        if value is None:
            return None
        if not all(type(item) in (int, float) and isfinite(item) for item in value):
            self.error(f"`{key}` must be an array of numbers", key)
            return None
        return tuple(float(item) for item in value)

    def pairs(self, key: str) -> tuple[tuple[str, str], ...]:
        """An array of pairs of strings."""
        value = self._value(key, list, "an array of pairs") or []
        pairs = [tuple(item) for item in value if isinstance(item, list)]
        if len(pairs) != len(value) or not all(
            len(pair) == 2 and all(isinstance(end, str) for end in pair) for pair in pairs
        ):
            self.error(f"`{key}` must be an array of pairs of names", key)
            return ()
        return tuple((a, b) for a, b in pairs)

    def expression(self, key: str, text: str, names: Collection[str]) -> Expression | None:
        """The expression of a text if it can be read and uses known names only."""
        try:
            expression = compiled(text)
        except ExpressionError as error:
            self.error(f"`{text}` cannot be read: {error.message}", key)
            return None
        for name in sorted(expression.names - set(names)):
            self.error(f"`{name}` has no meaning here", key, help=did_you_mean(name, names))
        return expression if expression.names <= set(names) else None
