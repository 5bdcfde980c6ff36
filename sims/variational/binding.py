"""Binding of a training that varies phases: which phases, by which optimiser, from where; to a plan, with diagnostics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tellegen.arrays import Values
from tellegen.bench import Bench
from tellegen.diagnostics import Label
from tellegen.elaborate.experiment import ExperimentValues
from tellegen.emit.spice import dc, emit
from tellegen.manifest import Manifest
from tellegen.pipeline import Compilation, Compiled
from tellegen.quantity import describe, unit
from tellegen.revalue import with_values
from tellegen.seeds import stream
from tellegen.signature import bind, lookup
from tellegen.sims.tasks.blocks import bound_as
from tellegen.sims.tasks.signals import learnable, plain
from tellegen.sims.variational.cost_binding import wrong
from tellegen.sims.variational.methods import METHODS
from tellegen.sims.variational.plan import VariationalPlan
from tellegen.sims.variational.task import CostTask, has_cost
from tellegen.source import Span
from tellegen.values import as_count


@dataclass(frozen=True, eq=False)
class BoundVariational:
    """A plan, and the circuit and bench that its netlist was emitted from."""

    plan: VariationalPlan
    compiled: Compiled
    bench: Bench

    def netlist(self, values: Mapping[str, Values]) -> str:
        """The netlist with other phases."""
        circuit = with_values(self.compiled.circuit, {n: v.ravel() for n, v in values.items()})
        note = "phases are those that the training found"
        return emit(circuit, replace(self.bench, notes=(self.bench.notes[0], note))).netlist


def bind_variational(compilation: Compilation, name: str) -> BoundVariational:
    """The training called `name`, which varies phases, ready to run.

    Raises:
        CompileError: with everything found wrong.
    """
    return bound_as(compilation, name, lambda *about: _Training(compilation, *about).bound())


@dataclass
class _Training(CostTask):
    train: ExperimentValues

    def bound(self) -> BoundVariational | None:
        for keyword in ("update", "epochs", "batch", "washout", "transient", "window"):
            if keyword in self.train.settings:
                wrong(
                    self.sink,
                    f"`{keyword}` is not for a training that varies phases",
                    self.train.settings[keyword].span,
                )
        for span in [s.span for s in self.train.learn] + [s.span for s in self.train.record]:
            wrong(self.sink, "a training varies phases or learns, not both", span)
        if not has_cost(self.task):
            assert self.train.vary is not None
            wrong(self.sink, f"task `{self.task.name}` has no cost to make small", self.train.vary.span,
                       "add `measure OUTPUT in MESH` and `cost pauli_sum(...)` to the task")  # fmt: skip
            return None
        asked = self.asked_cost()
        manifest = self.compiled.emit().manifest
        phases = self.phases(manifest)
        method = self.method("" if asked is None else asked.made.unit)
        shots, bits = self.number("shots", 1, 10**9), self.number("bits", 2, 32)
        starts = self.number("starts", 1, 10_000)
        if asked is None or method is None or self.sink.errors:
            return None
        if shots is not None and method[0] == "bfgs":
            assert self.train.vary is not None
            self.sink.warning("variational", "the line searches of `bfgs` do not bear the noise of photons",
                              self.train.vary.rule.span, help="write `by adam(steps = 200)`")  # fmt: skip
        bench = Bench(
            drives={asked.input: dc(np.ravel([asked.light.real, asked.light.imag], order="F"))}
            | asked.constants,
            analysis=".op",
            notes=(
                f"training {self.train.name}: one state stands at the input",
                "phases are those before training",
            ),
        )
        emitted = self.compiled.emit(bench)
        plan = VariationalPlan(
            name=self.train.name.text,
            network=self.task.subject.text,
            netlist=emitted.netlist,
            manifest=emitted.manifest,
            phases=phases,
            input=asked.input,
            powers=asked.powers,
            basis=asked.basis,
            cost=asked.made.cost,
            kind=asked.made.kind,
            unit=asked.made.unit,
            least=asked.made.least,
            least_is=asked.made.least_is,
            classes=asked.made.classes,
            method=method[0],
            settings=method[1],
            starts=self.starts(phases, starts, emitted.manifest),
            shots=shots,
            bits=bits,
            seed=self.seed,
            notes={"data": asked.source},
        )
        return BoundVariational(plan, self.compiled, bench)

    def phases(self, manifest: Manifest) -> tuple[str, ...]:
        """The parameters that are varied."""
        assert self.train.vary is not None
        basis = self.task.measure.basis if self.task.measure else None
        taken = {f"{plain(basis.text)}.{p}" for p in ("theta", "phi")} if basis else set()
        seen: dict[str, Span] = {}
        for path in self.train.vary.parameters:
            for name in learnable(path, self.compiled, manifest, self.sink):
                if name in seen:
                    self.sink.error("duplicate-name", f"`{name}` is varied twice", path.span,
                                    secondary=(Label(seen[name], "first here"),))  # fmt: skip
                seen[name] = path.span
                dimension = unit(manifest.parameters[name].unit).dimension
                if dimension != unit("rad").dimension:
                    wrong(
                        self.sink,
                        f"`{name}` is {describe(dimension)}, and the two-term rule is for phases",
                        path.span,
                    )
                elif name in taken:
                    wrong(
                        self.sink,
                        f"`{name}` is set for each basis, and cannot be varied",
                        path.span,
                    )
        return tuple(seen)

    def method(self, symbol: str) -> tuple[str, dict[str, Any]] | None:
        """The optimiser and its settings."""
        assert self.train.vary is not None
        call = self.train.vary.rule
        found = lookup(call, METHODS, "optimiser", self.sink)
        bound = found and bind(call, found.name, found.arguments, self.sink, subject=symbol)
        if found is None or bound is None:
            return None
        if bound.get("flat") is not None:
            bound["flat"] /= unit(symbol).factor
        return found.name, found.call(**bound)

    def number(self, keyword: str, low: int, high: int) -> int | None:
        said = self.train.settings.get(keyword)
        return as_count(said.values[0], f"`{keyword}`", self.sink, low, high) if said else None

    def starts(self, phases: tuple[str, ...], drawn: int | None, manifest: Manifest) -> Values:
        """Phases to begin from: those of the circuit, or drawn."""
        own = np.concatenate([manifest.parameters[name].values.ravel() for name in phases])
        if drawn is None:
            return own[None]
        rows = [stream(self.seed, self.train.name.text, "starts", k) for k in range(drawn)]
        return np.array([rng.uniform(0, 2 * np.pi, len(own)) for rng in rows])
