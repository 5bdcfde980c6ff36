"""Arithmetic as SPICE writes it between braces, over floats and numpy arrays.

The values that a session writes into elements come from the same `{1/g}` that ngspice evaluates
when it loads the netlist, so both must read it alike. They agree on everything accepted here; what
SPICE dialects read differently is refused with a request for parentheses. Measured on ngspice 39.3
and 46:

- `x^y` and `x**y` are `|x|` to the power of y, `pow(x, y)` keeps the sign of x for whole y;
- powers chain from the left (`2^3^2` is 64; Python says 512), so a chain is refused here;
- `-a^2` is `-(a^2)`, but a sign after an operator (`a*-b`) is an error;
- `log` is the natural logarithm, and there is no `pi` between braces (the loader refuses it there).

Nothing is ever evaluated by Python: the text becomes a tree of closures over a white list.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from math import isfinite, pi
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tellegen.arrays import Values

_Node = Callable[[Mapping[str, Values]], Any]  # numpy scalars and arrays alike

LONGEST = 1000


class ExpressionError(ValueError):
    """An expression that cannot be read; `position` is the character offset of the trouble."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message} (at character {position + 1})")
        self.message = message
        self.position = position


@dataclass(frozen=True)
class Expression:
    """A compiled expression: a function of the names that occur in it."""

    text: str
    names: frozenset[str]
    _evaluate: _Node = field(repr=False, compare=False)

    def __call__(self, names: Mapping[str, ArrayLike]) -> Values:
        """The value over scalars and arrays, which broadcast as in numpy; extra names are ignored.

        Raises:
            ValueError: a name is missing, or the value is not a number (division by zero, root of a
                negative number, overflow).
        """
        missing = self.names - names.keys()
        if missing:
            raise ValueError(f"`{self.text}` needs a value for `{min(missing)}`")
        values = {name: np.asarray(names[name], dtype=np.float64) for name in self.names}
        try:
            with np.errstate(divide="raise", over="raise", invalid="raise"):
                return np.asarray(self._evaluate(values), dtype=np.float64)
        except FloatingPointError as error:
            raise ValueError(f"`{self.text}` has no value here: {error}") from None


def evaluate(expression: str | float, names: Mapping[str, ArrayLike]) -> Values:
    """The value of an expression, or of a plain number, for the given names.

    >>> float(evaluate("full*code/levels", {"full": 100e3, "code": 64, "levels": 128}))
    50000.0

    Raises:
        ExpressionError: the text is not an expression.
        ValueError: as `Expression.__call__` does.
    """
    if isinstance(expression, str):
        return compiled(expression)(names)
    return np.asarray(expression, dtype=np.float64)


@lru_cache(maxsize=1024)
def compiled(text: str) -> Expression:
    """The expression of a text, read once.

    Raises:
        ExpressionError: the text is not an expression.
    """
    if len(text) > LONGEST:
        raise ExpressionError(f"the expression is longer than {LONGEST} characters", LONGEST)
    python, origin = _translated(text)
    try:
        tree = ast.parse(python, mode="eval").body
        builder = _Builder(python, origin)
        node = builder.build(tree)
    except SyntaxError as error:
        raise ExpressionError("this is not an expression", _place(origin, error.offset)) from None
    except (RecursionError, MemoryError):
        raise ExpressionError("the expression is nested too deeply", 0) from None
    return Expression(text, frozenset(builder.names), node)


def _place(origin: list[int], offset: int | None) -> int:
    return origin[min(offset - 1, len(origin) - 1)] if offset else origin[-1]


# ---------------------------------------------------------------- from SPICE's spelling to Python's

_TOKEN = re.compile(
    r"""[ \t]*(?:
      (?P<number>(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(?P<suffix>[a-z_]*)
    | (?P<name>[a-z_][a-z0-9_]*)
    | (?P<operator>\*\*|[-+*/^(),])
    )""",
    re.VERBOSE,
)

_SUFFIXES = {
    "": "", "t": "e12", "g": "e9", "meg": "e6", "k": "e3", "m": "e-3",
    "u": "e-6", "n": "e-9", "p": "e-12", "f": "e-15",
}  # fmt: skip


def _translated(text: str) -> tuple[str, list[int]]:
    """Python source of the text, and for each of its characters the offset where it came from."""
    source = text.lower().rstrip()
    pieces: list[str] = []
    origin: list[int] = []
    at = 0
    while at < len(source):
        match = _TOKEN.match(source, at)
        if not match:
            bad = at + len(source[at:]) - len(source[at:].lstrip(" \t"))
            raise ExpressionError(f"`{source[bad]}` does not belong in an expression", bad)
        start = match.start(match.lastgroup or 0)
        if match["number"]:
            start = match.start("number")
            piece = _number(match["number"], match["suffix"], match.start("suffix"))
        elif match["name"]:
            piece = "_" + match["name"]  # names may be words of Python, such as `is`
        else:
            piece = "**" if match["operator"] == "^" else match["operator"]
        pieces.append(piece)
        origin.extend([start] * len(piece))
        pieces.append(" ")
        origin.append(start)
        at = match.end()
    if not pieces:
        raise ExpressionError("the expression is empty", 0)
    origin.append(len(source))
    return "".join(pieces), origin


def _number(digits: str, suffix: str, at: int) -> str:
    if suffix not in _SUFFIXES or (suffix and "e" in digits):
        raise ExpressionError(
            f"`{suffix}` is no scale factor of SPICE ({' '.join(s for s in _SUFFIXES if s)})", at
        )
    value = float(digits + _SUFFIXES[suffix])
    if not isfinite(value):
        raise ExpressionError("this number is too large", at - len(digits))
    return repr(value)


# ---------------------------------------------------------------- from Python's tree to closures

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: lambda x, y: np.power(np.abs(x), y),
}

FUNCTIONS: Mapping[str, tuple[int, Callable[..., Any]]] = {
    "abs": (1, np.abs),
    "sqrt": (1, np.sqrt),
    "exp": (1, np.exp),
    "log": (1, np.log),
    "log10": (1, np.log10),
    "floor": (1, np.floor),
    "sin": (1, np.sin),
    "cos": (1, np.cos),
    "min": (2, np.minimum),
    "max": (2, np.maximum),
    "pow": (2, np.power),
}

CONSTANTS: Mapping[str, float] = {"pi": pi}


_SIGN = "write parentheses around a sign that follows an operator"


class _Builder:
    """Turns a syntax tree into closures and collects the names in it."""

    def __init__(self, python: str, origin: list[int]) -> None:
        self._python = python
        self._origin = origin
        self.names: set[str] = set()

    def build(self, node: ast.expr) -> _Node:
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            value = np.float64(node.value)
            return lambda names: value
        if isinstance(node, ast.Name):
            return self._name(node.id[1:])
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            if isinstance(node.operand, ast.UnaryOp) and not self._parenthesised(node.operand):
                raise self._error(node.operand, _SIGN)
            operand = self.build(node.operand)
            return lambda names: np.negative(operand(names))
        if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
            return self._binary(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return self._call(node, node.func.id[1:])
        raise self._error(node, "this has no place in an expression")

    def _error(self, node: ast.expr, message: str) -> ExpressionError:
        return ExpressionError(message, self._origin[node.col_offset])

    def _name(self, name: str) -> _Node:
        if name in CONSTANTS:
            value = np.float64(CONSTANTS[name])
            return lambda names: value
        self.names.add(name)
        return lambda names: names[name]

    def _binary(self, node: ast.BinOp) -> _Node:
        if isinstance(node.right, ast.UnaryOp) and not self._parenthesised(node.right):
            raise self._error(node.right, _SIGN)
        for side in (node.left, node.right):
            chained = isinstance(side, ast.BinOp) and isinstance(side.op, ast.Pow)
            if isinstance(node.op, ast.Pow) and chained and not self._parenthesised(side):
                raise self._error(side, "write parentheses: a chain of powers is ambiguous")
        operator, left, right = (
            _BINARY[type(node.op)],
            self.build(node.left),
            self.build(node.right),
        )
        return lambda names: operator(left(names), right(names))

    def _parenthesised(self, node: ast.expr) -> bool:
        before = self._python[: node.col_offset].rstrip()
        after = self._python[node.end_col_offset :].lstrip()
        return before.endswith("(") and after.startswith(")")

    def _call(self, node: ast.Call, name: str) -> _Node:
        if name not in FUNCTIONS:
            known = ", ".join(FUNCTIONS)
            raise self._error(node, f"there is no function `{name}` (there are {known})")
        count, function = FUNCTIONS[name]
        if len(node.args) != count or node.keywords:
            raise self._error(node, f"`{name}` takes {count} argument{'s' if count > 1 else ''}")
        arguments = [self.build(argument) for argument in node.args]
        return lambda names: function(*(argument(names) for argument in arguments))
