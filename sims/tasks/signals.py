"""Signals by name: what `record`, `learn` and `drive` may point at in a manifest."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tellegen.diagnostics import Sink, did_you_mean, one_of
from tellegen.manifest import Manifest
from tellegen.pipeline import Compiled
from tellegen.values import PathValue


def plain(text: str) -> str:
    """A path as the manifest spells it: `h[1, 2]` whatever the author's blanks."""
    return re.sub(r"\s*,\s*", ", ", re.sub(r"\s+", "", text))


def without_indices(text: str) -> str:
    """A path without its subscripts: `unit[3].first.g` is one of `unit.first.g`."""
    return re.sub(r"\[[^\]]*\]", "", text)


def matching(path: PathValue, known: Iterable[str], what: str, sink: Sink) -> list[str]:
    """The known names that a path means: itself, or all that are it but for indices left out."""
    names = list(known)
    text = plain(path.text)
    if text in names:
        return [text]
    found = [n for n in names if without_indices(n) == text]
    if not found:
        shown = sorted({without_indices(n) for n in names})
        sink.error("unknown-name", f"unknown {what} `{path.text}`", path.span,
                   help=did_you_mean(text, shown) or (f"known: {one_of(shown)}" if shown else ""))  # fmt: skip
    return found


def recordable(manifest: Manifest) -> list[str]:
    """Every signal that can be recorded: ports, observables, nodes."""
    return [*manifest.inputs, *manifest.outputs, *manifest.observables, *manifest.paths]


def learnable(path: PathValue, compiled: Compiled, manifest: Manifest, sink: Sink) -> list[str]:
    """The programmable parameters that a path means; none, after diagnostics, where there are none."""
    text = plain(path.text)
    known = manifest.parameters
    if text not in known and text not in {without_indices(k) for k in known}:
        group, _, parameter = text.rpartition(".")
        for module in compiled.circuit.modules():
            made = module.groups.get(group.rpartition(".")[2])
            if made is not None and made.cell is not None and parameter in made.cell.params:
                programmable = list(made.cell.programmable)
                sink.error(
                    "not-learnable",
                    f"`{parameter}` of cell `{made.cell.library}.{made.cell.name}` is not programmable",
                    path.span,
                    help=f"programmable: {one_of(programmable)}" if programmable
                    else "nothing of this cell is",
                )  # fmt: skip
                return []
    return matching(path, known, "parameter", sink)
