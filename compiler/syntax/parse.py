"""The parser: source text in, syntax tree out, and every syntax error in one run.

After an error the broken statement is blanked out (its characters become spaces, so that all places
stay true) and the text is read again. That needs no knowledge of the parser's inside, and an error in
one line never hides one in another.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Any

from lark import Lark, Token, UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from tellegen.diagnostics import Label, Sink, did_you_mean
from tellegen.quantity import is_unit
from tellegen.source import Source
from tellegen.syntax import recover
from tellegen.syntax.build import Builder
from tellegen.syntax.tree import Unit

MOST_ERRORS = 20
# Reading anew after an error takes as long as it takes to come to the next one: so much in all.
MOST_READ = 2_000_000
# An expression may be so many operators deep, where a bracket counts for four. No circuit needs more,
# and it keeps the recursive stages far from Python's own limit.
DEEPEST = 120

_CONTINUES = {"COMMA", "ARROW", "EQUALS", "TILDE", "PLUS", "MINUS", "STAR", "SLASH", "BY", "USING"}
_OPENS, _CLOSES = {"LPAR", "LSQB"}, {"RPAR", "RSQB"}
_OPERATORS = {"PLUS", "MINUS", "STAR", "SLASH"}

_WORDS = {
    "_END": "the end of the line",
    "$END": "the end of the file",
    "NAME": "a name",
    "QUANTITY": "a number",
    "STRING": "a quoted text",
    "PORT_KIND": "`input`, `output`, `node` or `ground`",
}


_LONGER = {f"`{sign}`" for sign in ("+", "-", "*", "/", ".", "..", "(", "[", "->")}


class TooDeep(Exception):
    """The text is nested too deeply to be read; `token` is where that shows."""

    def __init__(self, token: Token) -> None:
        super().__init__(token)
        self.token = token


class _LineEnds:
    """Drops the line ends that do not end a statement, and stops at what is nested too deeply."""

    always_accept = ("_END",)

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        depth = [0]  # of operators, in each open bracket
        previous = ""
        for token in stream:
            kind = token.type
            if kind == "_END":
                if len(depth) > 1 or previous in _CONTINUES or previous == "_END":
                    continue
                depth = [0]
            elif kind in _OPENS:
                depth.append(4)
            elif kind in _CLOSES:
                depth = depth[:-1] or [0]
            elif kind in ("LBRACE", "RBRACE"):
                depth = [0]
            elif kind in ("COMMA", "ARROW"):
                depth[-1] = 4 if len(depth) > 1 else 0
            elif kind in _OPERATORS:
                depth[-1] += 1
            if sum(depth) > DEEPEST:
                raise TooDeep(token)
            previous = kind
            yield token


@cache
def parser() -> Lark:
    """The lark parser of the language."""
    return Lark.open_from_package(
        "tellegen.grammar",
        "tellegen.lark",
        [""],
        start=["start", "setting"],
        parser="lalr",
        propagate_positions=True,
        maybe_placeholders=True,
        postlex=_LineEnds(),
    )


def parse(source: Source, sink: Sink) -> Unit | None:
    """The syntax tree of a source, or None where nothing could be read.

    Syntax errors go to the sink; what stands beside them is in the tree.
    """
    text, read = source.text, 0
    for _ in range(MOST_ERRORS):
        if read > MOST_READ:
            break
        try:
            parsed = parser().parse(text, start="start")
        except TooDeep as deep:
            start = int(deep.token.start_pos or 0)
            read += start
            span = source.span(start, start + len(deep.token))
            sink.error("syntax", "this expression is too long, or nested too deeply", span,
                       help="split it: name its parts as parameters of the network")  # fmt: skip
            text = recover.without(text, start)
        except UnexpectedInput as error:
            report = _Report(error, source, text, sink)
            read += report.offset
            text = report.made()
        else:
            unit = Builder(source).transform(parsed)
            assert isinstance(unit, Unit)
            return unit
    return None


class _Report:
    """One syntax error: what is said about it, and the text without what is wrong."""

    def __init__(self, error: UnexpectedInput, source: Source, text: str, sink: Sink) -> None:
        self.source, self.text, self.sink = source, text, sink
        self.token: Token | None = None
        self.expected: set[str] = set()
        self.offset = 0
        if isinstance(error, UnexpectedToken):
            self.token = error.token
            self.expected = set(error.accepts or error.expected)
            self.offset = min(int(self.token.start_pos or 0), len(text))
        elif isinstance(error, UnexpectedCharacters):
            self.expected = set(error.allowed or ())
            self.offset = error.pos_in_stream or 0
        at_end = self.token is not None and self.token.type == "$END"
        if at_end or (self.token is not None and self.token.type == "_END"):
            # The place to look at is behind the last word, not behind comments and blank lines.
            end = len(text) if at_end else self.offset
            self.offset = _last_code(text, end)
        self.at_end = at_end
        self.line = recover.line_start(text, self.offset)

    def made(self) -> str:
        """Report the error; the text with the broken part blank."""
        return self.open_block() or self.open_bracket() or self.open_line() or self.misplaced()

    def error(self, message: str, start: int, end: int, **more: Any) -> None:
        self.sink.error("syntax", message, self.source.span(start, max(end, start + 1)), **more)

    def open_block(self) -> str | None:
        """A block that is not closed: the file ends, or another block begins in it."""
        block = recover.place(self.text, self.offset).block
        if block is None:
            return None
        start, brace = block
        if self.at_end:
            self.error("`{` is not closed", brace, brace + 1, help="end the block with `}`")
            return recover.blank(self.text, start, len(self.text))
        keyword = recover.new_block(self.text, self.line)
        if keyword is None or keyword <= brace:
            return None
        label = Label(self.source.span(keyword), "another block begins here")
        self.error("`{` is not closed", brace, brace + 1, secondary=(label,),
                   help="end the block with `}`")  # fmt: skip
        return recover.blank(self.text, start, keyword)

    def open_bracket(self) -> str | None:
        """A bracket that is still open where the next statement begins."""
        bracket = recover.place(self.text, self.offset).bracket
        if bracket is None or not (
            self.at_end
            or self.text[self.offset : self.offset + 1] == "}"
            or (bracket < self.line and self.begins_line())
        ):
            return None
        mark = self.text[bracket]
        closing = ")" if mark == "(" else "]"
        self.error(
            f"`{mark}` is not closed", bracket, bracket + 1, help=f"close it with `{closing}`"
        )
        return recover.without_call(self.text, bracket)

    def open_line(self) -> str | None:
        """A line that ends with a comma or an operator, but nothing that belongs to it follows."""
        if not (
            self.at_end or self.text[self.offset : self.offset + 1] == "}" or self.begins_line()
        ):
            return None
        last = recover.open_end(self.text, len(self.text) if self.at_end else self.line)
        if last is None or (not recover.begins_statement(self.text, self.line) and not self.at_end):
            return None
        start, end = last
        self.error(f"nothing follows `{self.text[start:end]}`", start, end)
        return recover.without(self.text, start)

    def begins_line(self) -> bool:
        """Whether the place is the first on its line, or the line looks like a new statement."""
        return not self.text[self.line : self.offset].strip() or recover.begins_statement(
            self.text, self.line
        )

    def misplaced(self) -> str:
        """Something that cannot stand where it stands."""
        start, end, found = self.found()
        words, keywords = _expected(self.expected)
        message, help = f"{found} is not expected here", ""
        if self.expected == {"COLON"} and (first := _word_before(self.text, start)):
            # `outptu y` reads as a label until the colon is missing.
            start, end = first.span()
            message = f"`{first.group()}` begins no statement"
            help = did_you_mean(first.group(), recover.STATEMENTS) or (
                "an instance or a connection begins with its label: `LABEL: CELL(...)`"
            )
        elif self.token is None:
            message, end, help = _odd_character(self.text, start, end, found)
        elif self.token.type == "RBRACE" and recover.place(self.text, start).block is None:
            message, words = "`}` closes nothing", []
        elif self.token.type == "NAME":
            help = did_you_mean(str(self.token), keywords) or _split_unit(self.text, self.token)
        if not help and words:
            help = "expected " + _or(words)
        self.error(message, start, end, help=help)
        return recover.without(self.text, self.offset)

    def found(self) -> tuple[int, int, str]:
        """Where the unexpected thing stands, and what it is."""
        offset = self.offset
        if self.at_end:
            return offset, offset + 1, "the end of the file"
        if self.token is None:
            word = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|\d+(\.\d+)?").match(self.text, offset)
            text = word.group() if word else self.text[offset]
            return offset, offset + len(text), f"`{_short(text)}`"
        if self.token.type == "_END":
            found = "`;`" if ";" in self.token else "the end of the line"
            return offset, offset + 1, found
        return offset, offset + len(self.token), f"`{_short(self.token)}`"


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."


def _or(words: list[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]


def _last_code(text: str, end: int) -> int:
    """Behind the last character before `end` that is neither blank nor in a comment."""
    while end > 0:
        start = recover.line_start(text, end)
        code = recover.code_of_line(text, start, end)
        if code.strip():
            return start + len(code.rstrip())
        end = start - 1
    return 0


def _word_before(text: str, offset: int) -> re.Match[str] | None:
    """The last word that stands before an offset on its line."""
    words = list(
        re.compile(r"[A-Za-z_]\w*").finditer(text, recover.line_start(text, offset), offset)
    )
    return words[-1] if words else None


# What word processors and other keyboards put in the place of a sign.
_MEANT = {
    "\u2212": "-", "\u2013": "-", "\u2014": "-", "\u2010": "-", "\u2011": "-", "\u00d7": "*",
    "\u00b7": "*", "\u22c5": "*", "\u00f7": "/", "\u2044": "/", "\u2192": "->", "\u2026": "..",
    "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u00ab": '"', "\u00bb": '"', "\u2018": '"',
    "\u2019": '"', "'": '"', "\u223c": "~", "\u02dc": "~",
}  # fmt: skip


def _odd_character(text: str, start: int, end: int, found: str) -> tuple[str, int, str]:
    """What to say about a character that no word of the language has: message, end, help."""
    character = text[start]
    if character == '"':
        line_end = text.find("\n", start)
        line_end = len(text) if line_end < 0 else line_end
        closing = text.find('"', start + 1, line_end)
        if closing < 0:
            return "the quoted text does not end on its line", start + 1, 'close it with `"`'
        return "a quoted text cannot hold a backslash", closing + 1, "folders are separated by `/`"
    help = ""
    meant = _MEANT.get(character) or unicodedata.normalize("NFKC", character)
    if character in _MEANT or (meant != character and meant.isascii() and meant.isprintable()):
        help = f"write `{meant}`" if meant.strip() else ""
    elif not character.isascii():
        help = "names are made of the letters a to z, digits and underscores"
    if not character.isprintable():
        found = f"the character U+{ord(character):04X}"
    return f"{found} is not expected here", end, help


def _split_unit(text: str, token: Token) -> str:
    """A help for `1 k S`: a unit is one word."""
    before = re.search(r"\d[ \t]*([A-Za-zµμΩ%]+)[ \t]+$", text[: token.start_pos][-40:])
    whole = f"{before.group(1)}{token}" if before else ""
    return f"a unit is one word: `{whole}`" if whole and is_unit(whole) else ""


def _expected(terminals: set[str]) -> tuple[list[str], list[str]]:
    """The expected terminals in words, and the keywords among them.

    Signs that only make an expression longer are not said where there is anything else to say.
    """
    words, keywords = [], []
    patterns: dict[str, Any] = {d.name: d.pattern for d in parser().terminals}
    for name in sorted(terminals):
        if name in _WORDS:
            words.append(_WORDS[name])
        elif name in patterns and patterns[name].type == "str":
            literal = patterns[name].value
            words.append(f"`{literal}`")
            if literal.isalpha():
                keywords.append(literal)
    if "PORT_KIND" in terminals:
        keywords += ["input", "output", "node", "ground"]
    words = [w for w in words if w not in _LONGER] or words
    return words if len(words) <= 6 else [], keywords
