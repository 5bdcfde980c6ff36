"""The SPICE half of a cell file: what it may say, and what the header must agree with.

A cell file is data from a stranger, and ngspice runs commands and reads files that a netlist names.
So nothing passes but a list of element letters and directives, in a small set of characters; all
else is a diagnostic. This list is the security rule of `docs/cells.md`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tellegen.cells.definitions import Definition, needed
from tellegen.cells.expression import FUNCTIONS
from tellegen.cells.frontmatter import MARK
from tellegen.diagnostics import Sink, did_you_mean
from tellegen.source import Source, Span

UNSAFE = "unsafe-cell"
BAD = "bad-cell"

ELEMENTS = frozenset("rclvidqmjegfhbswktx")
_DIRECTIVES = frozenset({".subckt", ".ends", ".model", ".param", ".func", ".ic", ".nodeset"})
_FUNCTION = re.compile(r"\.func\s+([a-z_]\w*)\s*\(", re.IGNORECASE)
_MODELS = frozenset(
    {"r", "c", "l", "d", "npn", "pnp", "nmos", "pmos", "njf", "pjf", "nmf", "pmf"}
    | {"vdmos", "vdmosn", "vdmosp", "sw", "csw", "ltra", "urc"}
)
_FORBIDDEN = re.compile(r"[^A-Za-z0-9_ \t.,(){}+\-*/^=<>:?!&|%~]")
_RANDOM = re.compile(r"\b(agauss|aunif|gauss|unif|limit)\s*\(", re.IGNORECASE)
_WORD = re.compile(r"(?:\{[^{}]*\}|[^\s{}])+")
_BRACES = re.compile(r"\{([^{}]*)\}")
_NAME_IN_BRACES = re.compile(r"(?<![\w.])[a-z_]\w*(?!\s*\()(?!\w)", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.])[\d.][\w.]*")
_PROBE_OR_KEY = re.compile(r"\b[vi]\s*\([^()]*\)|\w+\s*=", re.IGNORECASE)
_WITH_MODEL = frozenset("dqmjsw")


@dataclass(frozen=True)
class Card:
    """One statement with its continuation lines joined."""

    text: str
    span: Span

    @property
    def words(self) -> list[str]:
        """The words in lower case; `key = {value}` is one word."""
        return _WORD.findall(re.sub(r"\s*=\s*", "=", self.text.lower()))

    @property
    def braces(self) -> list[str]:
        """What stands between braces."""
        return [group.strip() for group in _BRACES.findall(self.text)]


@dataclass
class Subcircuit:
    """A `.subckt` with its ports, the texts of its parameters' defaults, and the cards inside."""

    card: Card
    name: str
    ports: list[str]
    defaults: dict[str, str]
    cards: list[Card] = field(default_factory=list)

    def element(self, name: str) -> Card | None:
        """The element card of that name."""
        return next((card for card in self.cards if card.words[0] == name.lower()), None)


@dataclass(frozen=True)
class Body:
    """The SPICE half of a cell at one level: its own subcircuit, and every definition it needs."""

    main: Subcircuit
    definitions: tuple[Definition, ...]


def read_bodies(
    cell: str, levels: Sequence[str], source: Source, shared: Sequence[Definition], sink: Sink
) -> dict[str, Body] | None:
    """The bodies of a cell file by level; None where there is no usable `.subckt`.

    The first level is the subcircuit that is named as the file; another level `l` is `NAME_l`.
    Where there are no `levels` there is one body, called "".
    """
    read = _read(source, sink)
    if read is None:
        return None
    names = {
        level: cell if k == 0 else f"{cell}_{level}" for k, level in enumerate(levels or ("",))
    }
    outside = frozenset(name for d in shared for name in d.names)
    structure = _structure(read.cards, tuple(names.values()), f"{cell}_", sink)
    for name in names.values():
        if name not in structure.subcircuits:
            place = next((c.card.span for c in structure.subcircuits.values()), source.span(0, 0))
            which = (
                "named as the file is" if name == cell else "for the level that the header names"
            )
            sink.error(BAD, f"the file must define `.subckt {name}`, {which}", place)
            return None
    for subcircuit in structure.subcircuits.values():
        _check_inside(subcircuit, structure, outside, sink)
    own = structure.definitions
    if len(names) == 1:
        # One level: the file as it stands, with its comments.
        (level,) = names
        every = tuple(name for d in own for name in d.names)
        whole = Definition(every, "\n".join(read.lines) + "\n", source.name)
        main = structure.subcircuits[cell]
        return {level: Body(main, (*needed([whole.text], shared), whole))}
    found = {}
    for level, name in names.items():
        mine = needed([name], own)
        below = needed([d.text for d in mine], shared)
        found[level] = Body(structure.subcircuits[name], (*below, *mine))
    return found


def read_shared(
    library: str, source: Source, earlier: Sequence[Definition], sink: Sink
) -> list[Definition]:
    """The definitions of a file that a library's cells share; none, with reasons, if it is wrong."""
    before = len(sink.errors)
    read = _read(source, sink)
    if read is None:
        return []
    structure = _structure(read.cards, (), f"{library}_", sink, library)
    outside = frozenset(name for d in earlier for name in d.names)
    for name in sorted(outside & {n for d in structure.definitions for n in d.names}):
        sink.error(BAD, f"`{name}` is defined in another file of the library", source.span(0, 0))
    for subcircuit in structure.subcircuits.values():
        _check_inside(subcircuit, structure, outside, sink)
    return structure.definitions if len(sink.errors) == before else []


@dataclass(frozen=True)
class _Text:
    cards: list[Card]
    lines: list[str]


def _read(source: Source, sink: Sink) -> _Text | None:
    """The cards of a file if every one of them may be shown to ngspice."""
    lines: list[str] = []
    cards = list(_cards(source, lines, sink))
    safe = [card for card in cards if is_safe(card, sink)]
    return _Text(cards, lines) if len(safe) == len(cards) else None


def _cards(source: Source, kept: list[str], sink: Sink) -> Iterator[Card]:
    """The statements; `kept` gets the lines that a netlist shows."""
    text, span = "", source.span(0, 0)
    start = 0
    for line in source.text.split("\n"):
        content, at = line.strip(), start + len(line) - len(line.lstrip())
        here = source.span(at, at + len(content))
        start += len(line) + 1
        if content.startswith(MARK) or not content:
            continue
        if not line.replace("\t", " ").isprintable():
            sink.error(UNSAFE, "a cell file holds text, no control characters", here)
        elif content.startswith(("*#", "*ng_script")):
            sink.error(UNSAFE, "ngspice would run this comment as a command", here)
        elif content.startswith("*"):
            kept.append(line.rstrip())
        elif content.startswith("+"):
            kept.append(line.rstrip())
            if not text:
                sink.error(BAD, "this line continues nothing", here)
            text, span = f"{text} {content[1:]}", span.to(here)
        else:
            if text:
                yield Card(text, span)
            kept.append(line.rstrip())
            text, span = content, here
    if text:
        yield Card(text, span)


def is_safe(card: Card, sink: Sink) -> bool:
    """Whether a statement may be shown to ngspice; reports why not."""
    bad = _FORBIDDEN.search(card.text)
    word = card.text.split()[0].lower()
    if word.startswith(".") and word not in _DIRECTIVES:
        known = "only " + ", ".join(f"`{d}`" for d in sorted(_DIRECTIVES)) + " may stand in a cell"
        sink.error(UNSAFE, f"`{word}` has no place in a cell", card.span, help=known)
    elif not word.startswith(".") and word[0] not in ELEMENTS:
        letters = " ".join(sorted(ELEMENTS)).upper()
        sink.error(
            UNSAFE,
            f"`{word[:40]}` is no element that a cell may use",
            card.span,
            help=f"element names begin with one of {letters}",
        )
    elif bad:
        sink.error(UNSAFE, f"`{bad[0]}` may not stand in a cell's SPICE text", card.span)
    elif word[0] in "vi" and "external" in card.words:
        sink.error(UNSAFE, "only the session may add external sources", card.span)
    elif found := _RANDOM.search(card.text):
        sink.error(
            BAD,
            f"`{found[1]}` draws a random number that no seed repeats",
            card.span,
            help="to clamp, write `min(max(x, low), high)`; to vary a parameter, draw it in the "
            "`.tgn` file with `~`",
        )
    elif set("{}") & set(_BRACES.sub("", card.text)):
        sink.error(BAD, "the braces do not pair up", card.span)
    else:
        return True
    return False


@dataclass
class _Structure:
    """What a file defines: subcircuits and models by name, and all as pieces of text in order."""

    subcircuits: dict[str, Subcircuit] = field(default_factory=dict)
    models: list[str] = field(default_factory=list)
    definitions: list[Definition] = field(default_factory=list)


def _structure(
    cards: list[Card], own: tuple[str, ...], prefix: str, sink: Sink, library: str = ""
) -> _Structure:
    """The definitions among the cards; `own` are names that need not begin with the prefix."""
    found = _Structure()
    inside: Subcircuit | None = None

    inner: list[str] = []  # models in the subcircuit that is being read

    def define(names: list[str], first: Card, last: Card) -> None:
        text = first.span.to(last.span).text.rstrip() + "\n"
        found.definitions.append(Definition(tuple(names), text, first.span.source.name, library))

    def name_it(name: str, card: Card, what: str) -> None:
        if name not in own:
            _check_prefix(prefix, name, card, sink)
        if any(name in d.names for d in found.definitions) or name in inner:
            sink.error(BAD, f"there are two {what} `{name}`", card.span)

    for card in cards:
        word = card.words[0]
        if word == ".subckt":
            if inside is not None:
                sink.error(BAD, "a helper stands beside the cell's `.subckt`, not in it", card.span)
                continue
            inside = _subcircuit(card, sink)
            name_it(inside.name, card, "subcircuits")
            found.subcircuits.setdefault(inside.name, inside)
        elif word == ".ends":
            if inside is None:
                sink.error(BAD, "this `.ends` ends nothing", card.span)
            elif card.words[1:] not in ([], [inside.name]):
                sink.error(BAD, f"this should be `.ends {inside.name}`", card.span)
            if inside is not None:
                define([inside.name, *inner], inside.card, card)
            inside, inner = None, []
        elif word == ".model":
            name = _model(card, sink)
            found.models.append(name)
            name_it(name, card, "models")
            if inside is not None:
                inner.append(name)
                inside.cards.append(card)
            else:
                define([name], card, card)
        elif inside is None and (function := _FUNCTION.match(card.text)):
            name_it(function[1].lower(), card, "functions")
            define([function[1].lower()], card, card)
        elif inside is None:
            sink.error(BAD, "this stands outside of the cell's `.subckt`", card.span)
        else:
            inside.cards.append(card)
    if inside is not None:
        sink.error(BAD, f"`.ends {inside.name}` is missing", inside.card.span)
    return found


def _subcircuit(card: Card, sink: Sink) -> Subcircuit:
    words = [word for word in card.words[1:] if word != "params:"]
    ports = [word for word in words[1:] if "=" not in word]
    defaults: dict[str, str] = {}
    for word in words[1:]:
        name, equals, value = word.partition("=")
        if equals:
            if name in defaults:
                sink.error(BAD, f"parameter `{name}` is declared twice", card.span)
            defaults[name] = value.strip("{}")
    if len(set(ports)) < len(ports):
        sink.error(BAD, "two ports have the same name", card.span)
    return Subcircuit(card, words[0] if words else "", ports, defaults)


def _model(card: Card, sink: Sink) -> str:
    words = re.split(r"[\s(),]+", card.text.lower())
    name, kind = (*words[1:], "", "")[:2]
    if kind not in _MODELS:
        sink.error(UNSAFE, f"a cell may not use a model of the kind `{kind}`", card.span)
    return name


def _check_prefix(prefix: str, name: str, card: Card, sink: Sink) -> None:
    if not name.startswith(prefix):
        sink.error(
            BAD,
            f"`{name}` could collide with a name of another file",
            card.span,
            help=f"begin the names of models and helpers with `{prefix}`, as in `{prefix}{name}`",
        )


def _check_inside(
    subcircuit: Subcircuit, structure: _Structure, shared: frozenset[str], sink: Sink
) -> None:
    """Elements are unique, refer to what the file or its library defines, and use known parameters."""
    seen: set[str] = set()
    names = list(structure.subcircuits)
    earlier = {*names[: names.index(subcircuit.name)], *shared}
    models = {*structure.models, *shared}
    scope = set(subcircuit.defaults) | {
        assignment.partition("=")[0]
        for card in subcircuit.cards
        if card.words[0] == ".param"
        for assignment in card.words[1:]
    }
    for card in subcircuit.cards:
        words = card.words
        if words[0] == ".param":
            for assignment in words[1:]:
                if assignment.partition("=")[0] in subcircuit.defaults:
                    sink.error(BAD, "this hides a parameter of the subcircuit", card.span)
        if words[0] in seen and not words[0].startswith("."):
            sink.error(BAD, f"there are two elements `{words[0]}`", card.span)
        seen.add(words[0])
        if words[0][0] == "x":
            used = [word for word in words[1:] if "=" not in word and word != "params:"][-1:]
            if not used or used[0] not in earlier:
                sink.error(
                    BAD,
                    f"`{words[0]}` uses no helper subcircuit that the file defines above it",
                    card.span,
                    help=did_you_mean(used[0], earlier) if used else "",
                )
        if words[0][0] in _WITH_MODEL and not set(words[3:]) & models:
            sink.error(BAD, f"`{words[0]}` uses no model that the file defines", card.span)
        if words[0] != ".func":
            _check_names(card, scope, sink)


def _check_names(card: Card, scope: set[str], sink: Sink) -> None:
    for group in card.braces:
        for name in _NAME_IN_BRACES.findall(_NUMBER.sub("0", group)):
            if name.lower() not in scope and name.lower() != "temper":
                known = {*scope, *FUNCTIONS}
                sink.error(
                    BAD,
                    f"ngspice knows no `{name}` between these braces",
                    card.span,
                    help=did_you_mean(name.lower(), known),
                )


def occurrences(subcircuit: Subcircuit, param: str) -> int:
    """How many expressions of a subcircuit a parameter occurs in."""
    word = re.compile(rf"(?<![\w.]){re.escape(param)}(?!\w)", re.IGNORECASE)
    count = 0
    for card in subcircuit.cards:
        bare = _BRACES.sub(" ", card.text)
        if not bare.startswith("."):
            bare = bare.partition("=")[2]  # nodes come first, then values and `key=value`
        count += sum(bool(word.search(group)) for group in card.braces)
        count += bool(word.search(_PROBE_OR_KEY.sub(" ", bare)))
    return count
