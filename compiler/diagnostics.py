"""What Tellegen tells its users about their input.

A check never raises for a user's mistake: it appends a :class:`Diagnostic` to a :class:`Sink` and goes
on, so that one run reports everything. A stage that cannot go on raises :class:`CompileError` with the
whole sink. Each code has a page in `explain/`, shown by `tellegen explain CODE`.
"""

from __future__ import annotations

import difflib
import json
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html import escape

from tellegen.source import Span


class TellegenError(Exception):
    """Root of every error that Tellegen raises on purpose."""


@dataclass(frozen=True)
class Label:
    """A place in the source and, possibly, what is to be said about it."""

    span: Span
    text: str = ""


@dataclass(frozen=True)
class Diagnostic:
    """One finding: a code, a message that stands alone, the place, and what to do about it."""

    code: str
    message: str
    primary: Label
    secondary: tuple[Label, ...] = ()
    help: str = ""
    severity: str = "error"

    def __str__(self) -> str:
        return render(self)

    def as_json(self) -> dict[str, object]:
        """A plain dict with the fields that an editor or a CI job needs."""

        def place(label: Label) -> dict[str, object]:
            line, column = label.span.line, label.span.column
            end_line, end_column = label.span.source.position(label.span.end)
            return {
                "file": label.span.source.name,
                "line": line,
                "column": column,
                "end_line": end_line,
                "end_column": end_column,
                "text": label.text,
            }

        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "primary": place(self.primary),
            "secondary": [place(label) for label in self.secondary],
            "help": self.help,
        }


class CompileError(TellegenError):
    """The input cannot be compiled; `diagnostics` says why, all of it, in the order of the text."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(sorted(diagnostics, key=_reading_order))
        super().__init__("\n\n".join(render(d) for d in self.diagnostics))

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


# Nobody reads more at once, and a file of a million mistakes is to end soon.
MOST = 200


@dataclass
class Sink:
    """Collects diagnostics in the order in which they are found, without repeats."""

    found: list[Diagnostic] = field(default_factory=list)

    def add(self, diagnostic: Diagnostic) -> None:
        """Append a diagnostic unless the same one is already there.

        Raises:
            CompileError: if there are too many of them to go on.
        """
        if diagnostic in self.found:
            return
        if len(self.found) < MOST:
            self.found.append(diagnostic)
        elif diagnostic.severity == "error":
            raise CompileError(self.found)

    def extend(self, other: Sink) -> None:
        """Add everything that another sink has found."""
        for diagnostic in other.found:
            self.add(diagnostic)

    def error(
        self,
        code: str,
        message: str,
        span: Span,
        label: str = "",
        *,
        secondary: tuple[Label, ...] = (),
        help: str = "",
    ) -> None:
        """Report an error."""
        self.add(Diagnostic(code, message, Label(span, label), secondary, help))

    def warning(
        self,
        code: str,
        message: str,
        span: Span,
        label: str = "",
        *,
        secondary: tuple[Label, ...] = (),
        help: str = "",
    ) -> None:
        """Report something that compiles but is probably not meant."""
        self.add(Diagnostic(code, message, Label(span, label), secondary, help, "warning"))

    @property
    def errors(self) -> list[Diagnostic]:
        """The diagnostics that stop a compilation."""
        return [d for d in self.found if d.severity == "error"]

    @property
    def warnings(self) -> list[Diagnostic]:
        """The diagnostics that do not."""
        return [d for d in self.found if d.severity == "warning"]

    def sort(self) -> None:
        """Put the diagnostics in the order of the text."""
        self.found.sort(key=_reading_order)

    def raise_errors(self) -> None:
        """Raise :class:`CompileError` with everything found, if there is an error among it."""
        if self.errors:
            raise CompileError(self.found)


def _reading_order(diagnostic: Diagnostic) -> tuple[str, int]:
    return diagnostic.primary.span.source.name, diagnostic.primary.span.start


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A help text with the nearest known name, or the empty string."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"did you mean `{close[0]}`?" if close else ""


def one_of(known: Iterable[str], limit: int = 12) -> str:
    """The known names as prose for a help text."""
    names = sorted(known)
    shown = ", ".join(f"`{n}`" for n in names[:limit])
    return shown + (f" and {len(names) - limit} more" if len(names) > limit else "")


_TAB = "    "
_LONGEST = 600
_WIDEST = 120  # columns of a source line that are shown around the place


def _excerpt(label: Label, mark: str, width: int) -> Iterator[str]:
    span = label.span
    if not span.source.text:
        return  # a file that could not be read
    line, column = span.line, span.column - 1
    text = span.source.line(line)
    end = min(len(text), column + max(1, span.end - span.start))
    # Of a very long line only the surroundings are shown.
    first = 0 if len(text) <= _WIDEST else max(0, column - _WIDEST // 2)
    last = min(len(text), first + _WIDEST)
    head, tail = "..." * (first > 0), "..." * (last < len(text))
    before = head + _printable(text[first:column])
    inside = _printable(text[column : min(end, last)])
    after = _printable(text[min(end, last) : last]) + tail
    yield f"{' ' * width} |"
    yield f"{line:>{width}} | {before}{inside}{after}".rstrip()
    carets = mark * max(1, _columns(inside))
    yield f"{' ' * width} | {' ' * _columns(before)}{carets} {label.text}".rstrip()


def _printable(text: str) -> str:
    """The text with control characters shown as such, so that a file cannot drive a terminal."""
    text = text.replace("\t", _TAB)
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _clipped(text: str) -> str:
    """A message as it is shown: what it quotes from a hostile file may be a megabyte long."""
    return _printable(text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "...")


def _columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in text
    )


def render(diagnostic: Diagnostic) -> str:
    """The diagnostic as a terminal shows it (plain text)."""
    labels = [diagnostic.primary, *diagnostic.secondary]
    width = max(len(str(label.span.line)) for label in labels)
    out = [f"{diagnostic.severity}[{diagnostic.code}]: {_clipped(diagnostic.message)}"]
    others = len(diagnostic.secondary)
    arrows, marks = ["-->", *[":::"] * others], "^" + "-" * others
    for label, arrow, mark in zip(labels, arrows, marks, strict=True):
        out.append(f"{' ' * width}{arrow} {_printable(str(label.span))}")
        out.extend(_excerpt(label, mark, width))
    if diagnostic.help:
        out.append(f"{' ' * width} = help: {_clipped(diagnostic.help)}")
    return "\n".join(out)


def as_json(diagnostics: Iterable[Diagnostic]) -> str:
    """The diagnostics as a JSON array."""
    return json.dumps([d.as_json() for d in diagnostics], indent=2)
