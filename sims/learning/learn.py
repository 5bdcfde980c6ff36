"""The `learn` lines of a training: which parameters, by which rule, and whether the cells offer what it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tellegen.diagnostics import Label, Sink, one_of
from tellegen.elaborate.experiment import (
    ExperimentValues,
    LearnValue,
)
from tellegen.manifest import Manifest
from tellegen.pipeline import Compiled
from tellegen.signature import Argument, bind, convert
from tellegen.sims import plugins
from tellegen.sims.learning.phases import found_in, place
from tellegen.sims.learning.plan import Learned
from tellegen.sims.learning.taught import detectors, each_has_its_own
from tellegen.sims.rules import Rule, elsewhere
from tellegen.sims.tasks.signals import learnable, matching, plain
from tellegen.source import Span
from tellegen.values import IntervalValue, PathValue, Unknown


@dataclass
class LearnLines:
    """All `learn` lines of a training."""

    compiled: Compiled
    task: ExperimentValues
    train: ExperimentValues
    sink: Sink

    def learned(self, manifest: Manifest) -> list[tuple[Learned, Rule]]:
        """What each line trains, and its rule; lines with mistakes are left out."""
        if not self.train.learn:
            self.sink.error("no-target", f"training `{self.train.name}` learns nothing",
                            self.train.name.span, help="add `learn GROUP.PARAMETER by coupled(...)`")  # fmt: skip
        found = [self._learn(said, manifest) for said in self.train.learn]
        seen: dict[str, Span] = {}
        for said, made in zip(self.train.learn, found, strict=True):
            for name in (*made[0].parameters, *made[0].tied.values()) if made else ():
                if name in seen:
                    self.sink.error("duplicate-name", f"`{name}` is learned twice", said.span,
                                    secondary=(Label(seen[name], "first here"),))  # fmt: skip
                seen[name] = said.span
        lit: dict[str, tuple[str, str, Span]] = {}
        for said, made in zip(self.train.learn, found, strict=True):
            if made and made[1].feedback:
                at, behind = made[0].settings["at"], made[0].settings["behind"]
                before = lit.setdefault(behind, (at, made[1].name, said.span))
                if before[:2] != (at, made[1].name):
                    self.sink.error("duplicate-name", f"two lights are sent into `{behind}`", said.rule.span,
                                    secondary=(Label(before[2], "first here"),))  # fmt: skip
        return [f for f in found if f is not None]

    def _learn(self, said: LearnValue, manifest: Manifest) -> tuple[Learned, Rule] | None:
        names: list[str] = []
        for path in said.parameters:
            names += learnable(path, self.compiled, manifest, self.sink)
        rule = plugins.called(said.rule, "tellegen.sims.rules", Rule, "learning rule", self.sink)
        if rule is None or not names:
            return None
        units = {manifest.parameters[n].unit for n in names}
        if len(units) > 1:
            self.sink.error("unit-mismatch", "parameters of different units need `learn` lines of their own",
                            said.span)  # fmt: skip
            return None
        subject = units.pop()
        settings = bind(said.rule, rule.name, rule.arguments, self.sink, subject=subject)
        limits = self._limits(said, subject)
        resolved = None if settings is None else self._resolved(said, rule, settings, manifest)
        mirror = resolved.get("mirror") if resolved else None
        tied = {}
        if mirror:
            tied = {n: f"{mirror}.{manifest.parameters[n].symbol}" for n in names}
        learned = Learned(tuple(names), rule.name, resolved or {}, limits, tied)
        if not self._fits(said, rule, learned, manifest) or resolved is None:
            return None
        if not each_has_its_own(
            said,
            rule,
            learned,
            [plain(t.port.text) for t in self.task.targets],
            manifest,
            self.sink,
        ):
            return None
        return learned, rule

    def _fits(self, said: LearnValue, rule: Rule, learned: Learned, manifest: Manifest) -> bool:
        """Whether the cells offer what the rule needs; reports what they lack."""
        for name in learned.parameters:
            entry = manifest.parameters[name]
            for read in rule.reads:
                there = elsewhere(read)
                if there and there not in learned.settings:
                    continue  # it has been reported
                group = learned.settings[there] if there else entry.instances
                if not found_in(manifest, place(read, learned, manifest, name)):
                    what = read.removeprefix(f"{there}.").replace("@", entry.symbol)
                    self.sink.error(
                        "locality", f"rule `{rule.name}` reads `{what}`, which the cell of "
                        f"`{group}` does not offer", said.rule.span,
                        help=f"the rule reads, at each edge, {one_of(r.replace('@', entry.symbol) for r in rule.reads)} and nothing else",
                    )  # fmt: skip
                    return False
            if name in learned.tied and not self._mirrors(said, name, learned.tied[name], manifest):
                return False
            if rule.changes == "conductance" and entry.sense == 0:
                self.sink.error(
                    "not-learnable", f"the cell of `{name}` does not say whether its conductance grows "
                    "with it", said.span, help="add `sense` to the cell's header",
                )  # fmt: skip
                return False
            if rule.moves == "quarter" and not entry.phase:
                self.sink.error(
                    "not-learnable", f"`{name}` is no phase of light, so two measurements a quarter turn "
                    "away do not give a derivative by it", said.span,
                    help="a cell's header says `phase = true` of one; `spsa` needs none",
                )  # fmt: skip
                return False
            size = learned.settings.get("size", np.inf)
            if rule.moves == "together" and (
                size == 0 or (entry.step is not None and size < entry.step.max())
            ):
                self.sink.error("out-of-range", f"`size` of `{rule.name}` is less than what `{name}` can be moved by",
                                said.rule.span)  # fmt: skip
                return False
        return True

    def _mirrors(self, said: LearnValue, name: str, other: str, manifest: Manifest) -> bool:
        """Whether a parameter of the mirror can take the values of the learned one."""
        found = manifest.parameters.get(other)
        if found is not None and found.shape == manifest.parameters[name].shape:
            return True
        what = "has another shape than" if found else "has no programmable"
        self.sink.error("shape-mismatch", f"mirror `{other.rpartition('.')[0]}` {what} `{name}`",
                        said.rule.span, help="it is the same mesh from behind: "
                        "`connect w -> back by clements(back = true) using mzi_back()`")  # fmt: skip
        return False

    def _resolved(
        self, said: LearnValue, rule: Rule, settings: dict[str, Any], manifest: Manifest
    ) -> dict[str, Any] | None:
        """The settings with names of the manifest for paths, or None after diagnostics."""
        known: dict[str, tuple[Mapping[str, Any], str]] = {
            "at": ({n: o for n, o in manifest.outputs.items() if o.kind == "optical"}, "output of light"),
            "behind": ({n: i for n, i in manifest.inputs.items() if i.kind == "optical"}, "input of light"),
            "mirror": ({p.instances: p for p in manifest.parameters.values()}, "group of cells"),
            "detector": (detectors(manifest), "group of cells"),
        }  # fmt: skip
        found = dict(settings)
        for key, value in settings.items():
            if not isinstance(value, PathValue):
                continue
            names, what = known[key]
            matched = matching(value, names, what, self.sink)
            if not matched:
                return None
            if len(matched) > 1:
                self.sink.error("shape-mismatch", f"`{value.text}` means {len(matched)} groups of cells; name one",
                                value.span)  # fmt: skip
                return None
            found[key] = matched[0]
        if rule.feedback:
            at, behind = manifest.outputs[found["at"]], manifest.inputs[found["behind"]]
            if at.shape != behind.shape:
                self.sink.error(
                    "shape-mismatch", f"`{found['at']}` has {len(at.positive) // 2} elements, and "
                    f"`{found['behind']}` {len(behind.positive) // 2}", said.rule.span,
                    help="light goes back where it came out: an element for each",
                )  # fmt: skip
                return None
        return found

    def _limits(self, said: LearnValue, subject: str) -> tuple[float, float] | None:
        if said.limits is None:
            return None
        found = convert(
            said.limits, Argument("interval", subject), "the range after `in`", self.sink
        )
        if isinstance(found, Unknown):
            return None
        if found[0] >= found[1]:
            assert isinstance(said.limits, IntervalValue)
            self.sink.error(
                "out-of-range", "the range after `in` goes from low to high", said.limits.span
            )
            return None
        return float(found[0]), float(found[1])
