"""Finding what lives one to a file: rules, data sets, controllers.

A file in the package's folder, or an installed package with an entry point of the same group, is all
it takes to add one; there is no registry to edit. Nothing is ever imported by a path from a `.tgn` file.
"""

from __future__ import annotations

import importlib
from functools import cache
from importlib.metadata import entry_points
from importlib.resources import files
from typing import TypeVar

from tellegen.diagnostics import Sink, TellegenError
from tellegen.signature import lookup
from tellegen.values import CallValue

T = TypeVar("T")


class BrokenPlugin(TellegenError):
    """What an installed package offers cannot be used; the text says which and why."""


@cache
def names(package: str) -> tuple[str, ...]:
    """The names available in a package: its modules, and entry points in the group of its name."""
    own = [p.name[:-3] for p in files(package).iterdir() if p.name.endswith(".py")]
    other = [e.name for e in entry_points(group=package)]
    return tuple(sorted({n for n in own if not n.startswith("_")} | set(other)))


@cache
def load(package: str, name: str) -> object:
    """The object called `name` in the module of that name (or behind the entry point).

    Raises:
        BrokenPlugin: another package's entry point leads nowhere.
    """
    for entry in entry_points(group=package, name=name):
        try:
            return entry.load()
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
            raise BrokenPlugin(
                f"`{name}`, the entry point `{entry.value}`, cannot be loaded: {said}"
            ) from error
    return getattr(importlib.import_module(f"{package}.{name}"), name)


def called(call: CallValue, package: str, kind: type[T], what: str, sink: Sink) -> T | None:
    """The rule, data set or controller that a call names, or None after a diagnostic.

    Raises:
        BrokenPlugin: what another package offers by this name is none.
    """
    if lookup(call, dict.fromkeys(names(package), call.name), what, sink) is None:
        return None
    found = load(package, call.name)
    if not isinstance(found, kind):
        raise BrokenPlugin(
            f"`{call.name}` is no {what}: it lacks the decorator of {kind.__module__}"
        )
    return found
