"""The SPICE half of a cell file: what it may say, and what the header must agree with.

A cell file is data from a stranger, and ngspice runs commands and reads files that a netlist names.
So nothing passes but a list of element letters and directives, in a small set of characters; all
else is a diagnostic. This list is the security rule of `docs/cells.md`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tellegen.cells.expression import FUNCTIONS
from tellegen.cells.frontmatter import MARK
from tellegen.diagnostics import Sink, did_you_mean
from tellegen.source import Source, Span

UNSAFE = "unsafe-cell"
BAD = "bad-cell"

ELEMENTS = frozenset("rclvidqmjegfhbswktx")
_DIRECTIVES = frozenset({".subckt", ".ends", ".model", ".param", ".func", ".ic", ".nodeset"})
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
    """The SPICE half of a cell: its own subcircuit, every name that it defines, and its text."""

    main: Subcircuit
    defines: tuple[str, ...]
    text: str


def read_body(cell: str, source: Source, sink: Sink) -> Body | None:
    """The body of a cell file; None where there is no usable `.subckt`."""
    lines: list[str] = []
    cards = list(_cards(source, lines, sink))
    safe = [card for card in cards if is_safe(card, sink)]
    if len(safe) < len(cards):
        return None
    subcircuits, models = _structure(cell, safe, source, sink)
    main = subcircuits.get(cell)
    if main is None:
        return None
    for subcircuit in subcircuits.values():
        _check_inside(subcircuit, subcircuits, models, sink)
    return Body(main, (*subcircuits, *models), "\n".join(lines) + "\n")


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


def _structure(
    cell: str, cards: list[Card], source: Source, sink: Sink
) -> tuple[dict[str, Subcircuit], list[str]]:
    """The subcircuits by name, and the names of the models."""
    subcircuits: dict[str, Subcircuit] = {}
    models: list[str] = []
    inside: Subcircuit | None = None
    for card in cards:
        word = card.words[0]
        if word == ".subckt":
            if inside is not None:
                sink.error(BAD, "a helper stands beside the cell's `.subckt`, not in it", card.span)
                continue
            inside = _subcircuit(card, sink)
            if inside.name in subcircuits:
                sink.error(BAD, f"there are two subcircuits `{inside.name}`", card.span)
            elif inside.name != cell:
                _check_prefix(cell, inside.name, card, sink)
            subcircuits.setdefault(inside.name, inside)
        elif word == ".ends":
            if inside is None:
                sink.error(BAD, "this `.ends` ends nothing", card.span)
            elif card.words[1:] not in ([], [inside.name]):
                sink.error(BAD, f"this should be `.ends {inside.name}`", card.span)
            inside = None
        elif word == ".model":
            name = _model(cell, card, sink)
            if name in models:
                sink.error(BAD, f"there are two models `{name}`", card.span)
            models.append(name)
            if inside is not None:
                inside.cards.append(card)
        elif inside is None:
            sink.error(BAD, "this stands outside of the cell's `.subckt`", card.span)
        else:
            inside.cards.append(card)
    if inside is not None:
        sink.error(BAD, f"`.ends {inside.name}` is missing", inside.card.span)
    if cell not in subcircuits:
        place = next(iter(subcircuits.values())).card.span if subcircuits else source.span(0, 0)
        sink.error(BAD, f"the file must define `.subckt {cell}`, named as the file is", place)
    return subcircuits, models


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


def _model(cell: str, card: Card, sink: Sink) -> str:
    words = re.split(r"[\s(),]+", card.text.lower())
    name, kind = (*words[1:], "", "")[:2]
    _check_prefix(cell, name, card, sink)
    if kind not in _MODELS:
        sink.error(UNSAFE, f"a cell may not use a model of the kind `{kind}`", card.span)
    return name


def _check_prefix(cell: str, name: str, card: Card, sink: Sink) -> None:
    if not name.startswith(f"{cell}_"):
        sink.error(
            BAD,
            f"`{name}` could collide with a name of another cell",
            card.span,
            help=f"begin the names of models and helpers with `{cell}_`, as in `{cell}_{name}`",
        )


def _check_inside(
    subcircuit: Subcircuit, subcircuits: Mapping[str, Subcircuit], models: list[str], sink: Sink
) -> None:
    """Elements are unique, refer to what the file defines, and use known parameters."""
    seen: set[str] = set()
    earlier = list(subcircuits)[: list(subcircuits).index(subcircuit.name)]
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
        if words[0][0] in _WITH_MODEL and not set(words[3:]) & set(models):
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
