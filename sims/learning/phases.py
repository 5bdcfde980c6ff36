"""Phases: how the circuit stands while rules look at it, and what they see there.

The loop asks for the free outputs of a sample, or for all that the rules of a plan see of it. Rules that ask for
the same phase share its solution.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tellegen.arrays import Values
from tellegen.diagnostics import TellegenError
from tellegen.manifest import Manifest
from tellegen.seeds import stream
from tellegen.sims.learning.gradients import complex_of
from tellegen.sims.learning.losses import LOSSES
from tellegen.sims.learning.plan import Learned, TrainPlan
from tellegen.sims.ngspice.engine import Engine
from tellegen.sims.rules import Rule, attribute, elsewhere
from tellegen.sims.tasks.window import mean

Seen = dict[str, dict[str, dict[str, Values]]]  # parameter -> phase -> name -> array
Writable = Callable[[str, Values], Values]

QUARTER = np.pi / 2
# What a detector or a phase is held to before its rule is believed, relative to what is seen.
EXACT = 1e-6


class PhaseError(TellegenError):
    """A rule's assumption about the circuit does not hold."""


def found_in(manifest: Manifest, name: str) -> tuple[str, ...]:
    """The observables that an observable or field `name` is read by: one, two of a field, or none."""
    known = manifest.observables
    both = (f"{name}_re", f"{name}_im")
    return (name,) if name in known else both if all(n in known for n in both) else ()


def place(read: str, learned: Learned, manifest: Manifest, parameter: str) -> str:
    """The observable or field that a rule reads for a parameter: `mirror.@_in` may be `rear.theta_in`."""
    own = manifest.parameters[parameter].instances
    symbol = manifest.parameters[parameter].symbol
    there = elsewhere(read)
    group = learned.settings[there] if there else own
    return f"{group}.{read.removeprefix(f'{there}.').replace('@', symbol)}"


class Phases:
    """One circuit, brought into one phase after the other."""

    def __init__(self, plan: TrainPlan, rules: Sequence[Rule], writable: Writable) -> None:
        self.plan, self.writable = plan, writable
        self.parts = [(x, r) for x, r in zip(plan.learned, rules, strict=True)]
        self.loss = LOSSES[plan.loss].call
        self.places = {
            name: {
                attribute(read): place(read, learned, plan.manifest, name) for read in rule.reads
            }
            for learned, rule in self.parts
            for name in learned.parameters
        }
        self.sizes = [len(plan.manifest.outputs[n].positive) for n in plan.targets]
        self.engine = Engine(plan.netlist, plan.manifest)
        self.written: dict[str, Values] = {}
        self.checked = False
        # For each input from behind, from where its light is taken and what it is multiplied by.
        self.feedback: dict[str, tuple[str, Values]] = {}
        for learned, rule in self.parts:
            if rule.feedback:
                at, behind = learned.settings["at"], learned.settings["behind"]
                self.feedback[behind] = at, self.matrix(learned, rule)
        if self.feedback:
            self.engine.restart()

    # ------------------------------------------------------------ the circuit

    def begin(self, parameters: Mapping[str, Values]) -> None:
        """Load the circuit anew, at some values of what is learned; what follows depends on them alone."""
        self.engine.restart()
        self.write(parameters)
        self.checked = False

    def write(self, parameters: Mapping[str, Values]) -> None:
        """Write learned parameters, and those of their mirrors."""
        for name, values in parameters.items():
            self.written[name] = values
            self.put(name, values)

    def put(self, name: str, values: Values) -> None:
        """Write a parameter and its mirror for a while."""
        self.engine.write(name, values)
        for learned in self.plan.learned:
            if name in learned.tied:
                self.engine.write(learned.tied[name], values)

    def solve(self) -> None:
        """Find the operating point, or the end of the transient, or its means over the window."""
        transient = self.plan.transient
        if transient is None:
            self.engine.solve()
            return
        names = [*self.plan.targets]
        names += [x.settings["at"] for x, rule in self.parts if rule.feedback]
        for places in self.places.values():
            names += [n for p in places.values() for n in found_in(self.plan.manifest, p)]
        waves = self.engine.transient(
            transient.step, transient.stop, list(dict.fromkeys(names)), max_step=transient.max_step
        )
        self.last = {
            name: mean(waves.time, values, transient.window) if transient.window else values[-1]
            for name, values in waves.values.items()
        }

    def read(self, name: str) -> Values:
        """A port or an observable, or a field from its two parts."""
        if name not in self.plan.manifest.outputs:
            parts = found_in(self.plan.manifest, name)
            if len(parts) == 2:
                return self.read(parts[0]) + 1j * self.read(parts[1])
        return self.engine.read(name) if self.plan.transient is None else self.last[name]

    def outputs(self) -> Values:
        """The outputs side by side, (outputs,)."""
        return np.concatenate([self.read(name).ravel() for name in self.plan.targets])

    def split(self, outputs: Values) -> dict[str, Values]:
        """Outputs (outputs,) by name."""
        parts = np.split(outputs, np.cumsum(self.sizes)[:-1])
        return dict(zip(self.plan.targets, parts, strict=True))

    # ------------------------------------------------------------ phases

    def free(self, sample: int) -> Values:
        """The free outputs (outputs,) of a sample."""
        for name, values in self.plan.drives.items():
            self.engine.drive(name, values[sample])
        self.engine.phase("free")
        self.solve()
        return self.outputs()

    def seen(self, sample: int, target: Values, rng: np.random.Generator) -> tuple[Values, Seen]:
        """The free outputs of a sample (outputs,) whose target is (outputs,), and what each rule sees."""
        outputs = self.free(sample)
        error = self.judged(outputs, target)["error"]
        seen: Seen = {name: {} for name in self.places}
        self.look("free", seen, target)
        for nudge in dict.fromkeys(x.settings["nudge"] for x, _ in self.having("clamped")):
            self.clamp(outputs - nudge * error)
            self.look("clamped", seen, target, nudge)
        if self.feedback:
            self.send(error)
            self.look("feedback", seen, target)
        moving = [p for p in self.parts if p[1].moves]
        if moving and (self.having("clamped") or self.feedback):
            self.free(sample)
        for learned, rule in moving:
            if rule.moves == "together":
                self.together(learned, rule, target, rng, seen)
            else:
                self.quarter(learned, rule, target, outputs, seen)
        self.checked = True
        return outputs, seen

    def having(self, phase: str) -> list[tuple[Learned, Rule]]:
        """What is learned by rules that need a phase."""
        return [part for part in self.parts if phase in part[1].phases]

    def look(self, phase: str, seen: Seen, target: Values, nudge: float | None = None) -> None:
        """Note what the rules that have a phase (with this nudge) see of the last solution."""
        outputs = self.outputs()
        for learned, rule in self.having(phase):
            if nudge in (None, learned.settings.get("nudge")):
                for name in learned.parameters:
                    own = {n: self.read(p).ravel() for n, p in self.places[name].items()}
                    seen[name][phase] = own | self.told(rule, outputs, target)

    def told(self, rule: Rule, outputs: Values, target: Values) -> dict[str, Values]:
        """What a rule is told of outputs (..., outputs)."""
        judged = self.judged(outputs, target) if rule.told else {}
        return {name: judged[name] for name in rule.told}

    def judged(self, outputs: Values, target: Values) -> dict[str, Values]:
        """Outputs (..., outputs) with their loss, its derivative, and what was wanted."""
        wanted = np.broadcast_to(target, outputs.shape)
        loss, error = self.loss(outputs, wanted, **self.plan.loss_settings)
        return {"outputs": outputs, "loss": loss, "error": error, "wanted": target}

    def clamp(self, held: Values) -> None:
        """Hold the outputs (outputs,) at voltages."""
        self.engine.phase("clamped", self.split(held))
        self.solve()

    # ------------------------------------------------------------ feedback

    def send(self, error: Values) -> None:
        """Send light from behind: the conjugate of what comes out, element by element times its error."""
        self.engine.phase("free")
        for behind, (at, matrix) in self.feedback.items():
            field = complex_of(self.read(at))
            self.engine.drive(behind, np.conj((matrix @ error).reshape(field.shape) * field))
        self.solve()

    def matrix(self, learned: Learned, rule: Rule) -> Values:
        """From errors (outputs,) to the derivative of the loss by each power of `at`."""
        at = learned.settings["at"]
        if rule.feedback == "random":
            modes = len(self.plan.manifest.outputs[at].positive) // 2
            rng = stream(self.plan.seed, self.plan.name, "feedback", at)
            return learned.settings["strength"] * rng.normal(size=(modes, sum(self.sizes)))
        return self.response(learned)

    def response(self, learned: Learned) -> Values:
        """How outputs answer the powers of `at`, (modes, outputs): measured at random phases.

        Raises:
            PhaseError: the outputs are not linear in these powers.
        """
        plan, at = self.plan, learned.settings["at"]
        rng = stream(plan.seed, plan.name, "response", at)
        powers, outputs = [], []
        for _ in range(4 + 2 * len(plan.manifest.outputs[at].positive)):
            for name in learned.parameters:
                shape = plan.manifest.parameters[name].values.shape
                self.put(name, rng.uniform(0, 2 * np.pi, shape))
            outputs.append(self.free(int(rng.choice(plan.train))))
            powers.append([*(np.abs(complex_of(self.read(at))) ** 2).ravel(), 1.0])
        for name in learned.parameters:
            self.put(name, plan.manifest.parameters[name].values)
        scale = np.abs(powers).max(axis=0)
        found, *_ = np.linalg.lstsq(powers / scale, np.array(outputs), rcond=1e-10)
        apart = np.abs(powers / scale @ found - outputs).max()
        if apart > EXACT * np.abs(outputs).max():
            raise PhaseError(
                f"the targets are not what detectors make of the light in `{at}` (they differ by "
                f"{apart:.2g} V): an error can be sent back from right before the detectors only"
            )
        return np.asarray((found / scale[:, None])[:-1])

    # ------------------------------------------------------------ plus and minus

    def together(
        self, learned: Learned, rule: Rule, target: Values, rng: np.random.Generator, seen: Seen
    ) -> None:
        """Move all parameters of a rule at once, each to a random side, and then to the other."""
        size = learned.settings["size"]
        sides = {n: rng.choice([-size, size], len(self.written[n])) for n in learned.parameters}
        for phase, sign in (("plus", 1), ("minus", -1)):
            for name, side in sides.items():
                moved = self.writable(name, self.written[name] + sign * side)
                seen[name][phase] = {"move": moved - self.written[name]}
                self.put(name, moved)
            self.solve()
            told = self.told(rule, self.outputs(), target)
            for name in sides:
                own = {n: self.read(p).ravel() for n, p in self.places[name].items()}
                seen[name][phase] |= own | told
        for name in sides:
            self.put(name, self.written[name])

    def quarter(
        self, learned: Learned, rule: Rule, target: Values, outputs: Values, seen: Seen
    ) -> None:
        """Move one phase after the other by a quarter turn, and back by one.

        Raises:
            PhaseError: what is seen is no sine of a phase, found out once an epoch.
        """
        for name in learned.parameters:
            at = self.written[name]
            found: dict[float, list[Values]] = {QUARTER: [], -QUARTER: []}
            for k in range(len(at)):
                for turn, rows in found.items():
                    rows.append(self.turned(name, k, turn))
                if not self.checked:
                    predicted = found[QUARTER][k] + found[-QUARTER][k] - outputs
                    apart = np.abs(self.turned(name, k, 2 * QUARTER) - predicted).max()
                    if apart > EXACT * max(np.abs(outputs).max(), np.abs(predicted).max()):
                        raise PhaseError(
                            f"the targets are no sine of the phases `{name}` (off by {apart:.2g} V half a "
                            f"turn away), so that rule `{rule.name}` would not be exact: is there a "
                            "nonlinear part behind them?"
                        )
            self.put(name, at)
            for phase, turn in (("plus", QUARTER), ("minus", -QUARTER)):
                seen[name][phase] = {"move": np.full(len(at), turn)} | self.told(
                    rule, np.array(found[turn]), target
                )

    def turned(self, name: str, k: int, turn: float) -> Values:
        """The outputs with one phase turned."""
        values = self.written[name].copy()
        values[k] += turn
        self.put(name, values)
        self.solve()
        return self.outputs()
