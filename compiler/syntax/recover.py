"""Where to go on after a syntax error: the blocks, brackets and statements around a place in a text.

This looks at brackets, line ends, strings and comments alone, so it works on any text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

# Words that begin a statement or a block, and so end what somebody forgot to close before them.
BLOCKS = ("import", "network", "task", "train", "simulate")
STATEMENTS = (
    *BLOCKS,
    *("input", "output", "node", "ground", "supply", "data", "drive", "target", "decode"),
    *("learn", "update", "epochs", "batch", "seed", "transient", "record", "sweep", "level"),
    *("control", "washout", "vary", "starts", "shots", "bits", "measure", "cost", "loss"),
    "window",
)

# A line end takes the blank and comment lines behind it along.
_MARKS = re.compile(r'#[^\n]*|"[^"\n]*"|[{}()\[\];]|\n(?:\s|#[^\n]*+\n)*+')
_JOINS = re.compile(r"[ \t]*(?:(?:by|using)\b|->|\{)")
_BEGINS = re.compile(rf"[ \t]*(?:[A-Za-z_]\w*[ \t]*:|\}}|(?:{'|'.join(STATEMENTS)})\b)")
_NEW_BLOCK = re.compile(rf"[ \t]*((?:{'|'.join(BLOCKS)})[ \t]+[A-Za-z_])")
_CODE = re.compile(r'(?:"[^"\n]*"|[^"#\n])*')
_OPEN_END = re.compile(r"(,|->|[=~+\-*/]|\bby|\busing)\s*$")


@dataclass
class Place:
    """What surrounds an offset.

    Attributes:
        block: start and opening brace of the enclosing block, or None outside of blocks.
        bracket: where the innermost open bracket stands, which may have been left open by the
            statement before, or None.
        start, end: the statement; outside of blocks, the block that begins there.
        previous: the statement before, in the same block.
    """

    block: tuple[int, int] | None = None
    bracket: int | None = None
    start: int = 0
    end: int = 0
    previous: tuple[int, int] | None = None


@dataclass
class _Reader:
    text: str
    blocks: list[tuple[int, int]] = field(default_factory=list)
    brackets: list[int] = field(default_factory=list)
    start: int = 0
    previous: tuple[int, int] | None = None
    left_open: int | None = None

    def begin(self, mark: re.Match[str], *, after_brace: bool = False) -> None:
        if after_brace:
            self.previous = None
        elif self.text[self.start : mark.start()].strip():
            self.previous = (self.start, mark.start())
        self.start = mark.end()
        self.left_open = self.bracket
        self.brackets.clear()

    @property
    def bracket(self) -> int | None:
        return self.brackets[-1] if self.brackets else None

    def ends(self, mark: re.Match[str]) -> bool:
        """Whether a line end or semicolon ends the statement before it."""
        if mark.group() == ";":
            return not self.brackets
        if self.brackets or _is_open(self.text, mark.start()):
            return _BEGINS.match(self.text, mark.end()) is not None
        return _JOINS.match(self.text, mark.end()) is None

    def read(self, mark: re.Match[str]) -> None:
        """Go over a mark before the offset."""
        match mark.group()[0]:
            case "{":
                self.blocks.append((self.start, mark.start()))
                self.begin(mark, after_brace=True)
            case "}":
                if self.blocks:
                    self.blocks.pop()
                self.begin(mark, after_brace=True)
            case "(" | "[":
                self.brackets.append(mark.start())
            case ")" | "]" if self.brackets:
                self.brackets.pop()
            case "\n" | ";" if self.ends(mark):
                self.begin(mark)

    def end(self, mark: re.Match[str], depth: int) -> int | None:
        """Where the statement ends if this mark, behind the offset, ends it; `depth` braces deep."""
        match mark.group()[0]:
            case "}" if depth == 0:
                return mark.start() if self.blocks else mark.end()
            case "}" if depth == 1 and not self.blocks:
                return mark.end()
            case "(" | "[":
                self.brackets.append(mark.start())
            case ")" | "]" if self.brackets:
                self.brackets.pop()
            case "\n" | ";" if depth == 0 and self.ends(mark):
                return mark.start()
        return None


def place(text: str, offset: int) -> Place:
    """The surroundings of an offset."""
    reader, found, depth = _Reader(text), Place(end=len(text)), 0
    behind = False
    for mark in _MARKS.finditer(text):
        if not behind and mark.start() >= offset:
            behind = True
            found.bracket = reader.bracket or reader.left_open
        if not behind:
            reader.read(mark)
            continue
        end = reader.end(mark, depth)
        if end is not None:
            found.end = end
            break
        depth += {"{": 1, "}": -1}.get(mark.group(), 0)
    if not behind:
        found.bracket = reader.bracket or reader.left_open
    found.block = reader.blocks[-1] if reader.blocks else None
    found.start, found.previous = reader.start, reader.previous
    return found


def without(text: str, offset: int) -> str:
    """The text with the statement around the offset made blank, all other places kept.

    Where there is no statement (a brace that comes too early) the one before it goes.
    """
    where = place(text, offset)
    regions = [(where.start, where.end), where.previous, (offset, offset + 1)]
    for region in regions:
        if region is not None and text[region[0] : region[1]].strip():
            return blank(text, *region)
    return text


def without_call(text: str, bracket: int) -> str:
    """The text without the statement whose bracket, at the offset, is never closed.

    It goes on over lines that end with a comma or an operator, and no further.
    """
    end = text.find("\n", bracket)
    while end >= 0 and _is_open(text, end):
        end = text.find("\n", end + 1)
    return blank(text, place(text, bracket).start, end if end >= 0 else len(text))


def blank(text: str, start: int, end: int) -> str:
    """The text with blanks instead of everything from `start` to `end` but the line ends."""
    return text[:start] + re.sub(r"[^\n]", " ", text[start:end]) + text[end:]


def line_start(text: str, offset: int) -> int:
    """Where the line of an offset begins."""
    return text.rfind("\n", 0, offset) + 1


def begins_statement(text: str, offset: int) -> bool:
    """Whether the line that begins at an offset looks like a new statement or the end of a block."""
    return _BEGINS.match(text, offset) is not None


def new_block(text: str, offset: int) -> int | None:
    """Where, on the line that begins at an offset, the keyword of a block stands first."""
    match = _NEW_BLOCK.match(text, offset)
    return match.start(1) if match else None


def open_end(text: str, offset: int) -> tuple[int, int] | None:
    """The comma, operator or keyword that ends the last line of code before the line at an offset."""
    while offset > 0:
        first = line_start(text, offset - 1)
        code = code_of_line(text, first, offset - 1)
        if code.strip():
            found = _OPEN_END.search(code)
            return None if found is None else (first + found.start(1), first + found.end(1))
        offset = first
    return None


def code_of_line(text: str, start: int, end: int) -> str:
    """A line, which begins at `start`, without its comment and no further than `end`."""
    code = _CODE.match(text, start, end)
    assert code is not None
    return code.group()


def _is_open(text: str, end: int) -> bool:
    """Whether the line that ends at an offset ends with a comma, an operator, or the like."""
    return _OPEN_END.search(code_of_line(text, line_start(text, end), end)) is not None
