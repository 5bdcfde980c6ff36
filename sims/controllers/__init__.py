"""Controllers, a file each; the file's name is the controller's name in the language.

A controller takes part in a transient while it runs. It declares which of its arguments are signals
that it reads, which are inputs that it drives, and its settings; a call in a `simulate` block binds them, and
the factory returns what is called with an :class:`~tellegen.sims.inflight.exchange.Exchange` at every exchange.
Its state lives in that object; the same calls must give the same drives, for a stopped run is gone
through again when it is resumed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tellegen.signature import Argument

if TYPE_CHECKING:
    from tellegen.sims.inflight.exchange import Exchange

Called = Callable[["Exchange"], None]


@dataclass(frozen=True)
class Controller:
    """A controller and what it declares of itself.

    Attributes:
        name: its name in the language.
        reads: its arguments that are signals: ports, observables, nodes.
        drives: its arguments that are inputs; these need no `drive`.
        arguments: all arguments; `@` in a unit is that of the first driven input.
        make: called with the names of the signals and the settings in SI units.
    """

    name: str
    reads: tuple[str, ...]
    drives: tuple[str, ...]
    arguments: Mapping[str, Argument]
    make: Callable[..., Called] = field(compare=False)

    @property
    def doc(self) -> str:
        """The first line of its documentation."""
        return (self.make.__doc__ or "").strip().split("\n")[0]


def controller(
    *, reads: tuple[str, ...], drives: tuple[str, ...], **settings: Argument
) -> Callable[[Callable[..., Called]], Controller]:
    """Declare a factory, a function or a class, as a controller."""
    signals: dict[str, Any] = {name: Argument("path") for name in (*reads, *drives)}

    def declare(make: Callable[..., Called]) -> Controller:
        return Controller(make.__name__.rstrip("_"), reads, drives, signals | settings, make)

    return declare
