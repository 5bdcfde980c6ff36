"""What a rule that is taught edge by edge needs of task and circuit: an output and a detector for each edge."""

from __future__ import annotations

from collections.abc import Sequence

from tellegen.diagnostics import Sink
from tellegen.elaborate.experiment import LearnValue
from tellegen.manifest import Manifest
from tellegen.sims.learning.phases import place
from tellegen.sims.learning.plan import Learned
from tellegen.sims.rules import OWN, Rule, elsewhere


def detectors(manifest: Manifest) -> dict[str, str]:
    """The groups of cells that show something, by their paths."""
    return {group: group for name in manifest.observables if (group := name.rpartition(".")[0])}


def each_has_its_own(
    said: LearnValue, rule: Rule, learned: Learned, targets: Sequence[str], manifest: Manifest, sink: Sink
) -> bool:  # fmt: skip
    """Whether each edge has an output and a detector of its own; reports what does not fit."""
    (first, *others) = learned.parameters
    entry = manifest.parameters[first]
    for read in rule.reads:
        if elsewhere(read) != "detector":
            continue
        seen = manifest.observables[place(read, learned, manifest, first)]
        if others or seen.shape != entry.shape:
            group = learned.settings["detector"]
            sink.error("shape-mismatch", f"`{group}` is not a detector for each `{first}`", said.rule.span,
                       help="as many detectors as learned values, in the same order, and a `learn` line for each group")  # fmt: skip
            return False
    known = [name for name in targets if name in manifest.outputs]
    if not known or len(known) < len(targets):
        return True  # it is reported where the task is looked at
    outputs = sum(len(manifest.outputs[name].positive) for name in known)
    if set(rule.told) & set(OWN) and (others or outputs != entry.values.size):
        sink.error("shape-mismatch", f"`{rule.name}` tells each learned value what is wanted of its own output: "
                   f"there are {outputs} outputs with a target, and {entry.values.size} `{first}`",
                   said.rule.span, help="a `learn` line for one group, an output for each of its values, in the same order")  # fmt: skip
        return False
    return True
