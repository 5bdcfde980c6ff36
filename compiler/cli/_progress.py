"""What a person sees while a run goes on, and at its end."""

from __future__ import annotations

import math
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

if TYPE_CHECKING:
    from tellegen.sims.learning.loop import State
    from tellegen.sims.learning.plan import TrainPlan
    from tellegen.sims.reservoir.training import ReservoirResult
    from tellegen.sims.simulate import SimulationResult
    from tellegen.sims.training import TrainResult
    from tellegen.sims.variational.loop import Step
    from tellegen.sims.variational.plan import VariationalPlan
    from tellegen.sims.variational.training import VariationalResult


class _Bars:
    """A bar that goes when its block ends."""

    bars: Progress

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Take the bar away."""
        self.bars.stop()


class EpochBars(_Bars):
    """A progress bar over epochs; where there is no terminal, a line now and then."""

    def __init__(self) -> None:
        self.console = Console(stderr=True)
        self.bars = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
            TextColumn("{task.fields[says]}"), TimeRemainingColumn(),
            console=self.console, transient=True, disable=not self.console.is_terminal,
        )  # fmt: skip
        self.task: int | None = None

    def update(self, state: State, plan: TrainPlan) -> None:
        """Show an epoch."""
        row = state.rows[-1]
        said = f"error {row.train_error:.3g} V²"
        if not math.isnan(row.validation_accuracy):
            said += f", validation {row.validation_accuracy:.1%}"
        elif not math.isnan(row.train_accuracy):
            said += f", training {row.train_accuracy:.1%}"
        if self.task is None:
            self.bars.start()
            self.task = self.bars.add_task(plan.name, total=plan.epochs, says=said)
        self.bars.update(self.task, completed=state.epoch, says=said)  # type: ignore[arg-type]
        if not self.console.is_terminal and (
            state.epoch == plan.epochs or state.epoch % max(1, plan.epochs // 10) == 0
        ):
            click.echo(f"epoch {state.epoch} of {plan.epochs}: {said}", err=True)


def _places(folder: Path, page: Path) -> None:
    """Print where figures, report and run folder are."""
    for figure in sorted(folder.glob("*.png")):
        click.echo(f"  figure  {figure}")
    click.echo(f"  report  {page}")
    click.echo(f"  run     {folder}")


def summary(result: TrainResult) -> None:
    """Print the results and where everything is; writes the figures and the report."""
    from tellegen.sims.report import write_report

    page = write_report(result.folder)
    state, plan = result.outcome.state, result.plan
    table = Table(title=f"{plan.name}: best of {state.epoch} epochs (epoch {state.best_epoch})")
    for head in ("", "samples", "accuracy", "error (V²)"):
        table.add_column(head, justify="left" if not head else "right")
    sizes = {"train": len(plan.train), "validation": len(plan.validation), "test": len(plan.test)}
    for part, e in result.outcome.evaluations.items():
        accuracy = "" if math.isnan(e.accuracy) else f"{e.accuracy:.1%}"
        table.add_row(part, str(sizes[part]), accuracy, f"{e.error:.4g}")
    Console().print(table)
    _places(result.folder, page)
    if not result.finished:
        click.echo(
            f"stopped after epoch {state.epoch}; go on with: tellegen resume {result.folder}"
        )


def read_summary(result: ReservoirResult) -> None:
    """Print what a read-out came to and where everything is; writes the figures and the report."""
    from tellegen.sims.report import write_report

    page = write_report(result.folder)
    plan = result.plan
    table = Table(title=f"{plan.name}: read-out of {result.states.shape[1]} states")
    shown = [name for name in ("accuracy", "capacity") if name in result.results["train"]]
    for head in ("", "samples", *shown, "NRMSE"):
        table.add_column(head, justify="left" if not head else "right")
    for part, said in result.results.items():
        further = [
            f"{said[n]:.1%}" if n == "accuracy" else f"{said[n]:.3f}" for n in shown if n in said
        ]
        further += [""] * (len(shown) - len(further))
        count = len(getattr(plan.parts, part))
        table.add_row(part, str(count), *further, f"{said['nrmse']:.4g}")
    Console().print(table)
    _places(result.folder, page)


class VaryBar(_Bars):
    """How far phases are varied: the start, and the least cost so far. Without a terminal a line for each start."""

    def __init__(self) -> None:
        self.console = Console(stderr=True)
        self.bars = Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[says]}"),
            console=self.console, transient=True, disable=not self.console.is_terminal,
        )  # fmt: skip
        self.task: int | None = None
        self.start, self.made = -1, 0
        self.least = math.inf

    def update(self, step: Step, plan: VariationalPlan) -> None:
        """Show an evaluation."""
        if self.task is None:
            self.bars.start()
            self.task = self.bars.add_task(plan.name, total=len(plan.starts), says="")
        if step.start != self.start:
            self.start, self.made = step.start, 0
            if not self.console.is_terminal:
                click.echo(f"start {step.start + 1} of {len(plan.starts)}", err=True)
        self.made += 1
        self.least = min(self.least, step.made.value)
        says = f"{step.made.solves:,} solves, least cost {self.least:.7g} {plan.unit}".rstrip()
        share = min(self.made / plan.settings["steps"], 1.0)
        self.bars.update(self.task, completed=step.start + share, says=says)  # type: ignore[arg-type]


def vary_summary(result: VariationalResult) -> None:
    """Print what phases came to and where everything is; writes the figures and the report."""
    from tellegen.sims.report import write_report

    page = write_report(result.folder)
    plan, varied = result.plan, result.varied
    table = Table(
        title=f"{plan.name}: start {varied.best + 1} of {len(plan.starts)}, {varied.solves:,} solves"
    )
    for head in ("", f"{plan.kind} ({plan.unit})" if plan.unit else plan.kind):
        table.add_column(head, justify="left" if not head else "right")
    rows = [("as measured", result.value)]
    if plan.shots is not None:
        rows.append(("without the noise of photons", varied.noiseless))
    if plan.least is not None:
        rows += [(plan.least_is, plan.least), ("above it", varied.noiseless - plan.least)]
    for said, value in rows:
        table.add_row(said, f"{value:.3g}" if said == "above it" else f"{value:.9g}")
    for part, judged in varied.judged.items():
        table.add_row(f"{part}: probability of error", f"{judged.error:.4g}")
        table.add_row(f"{part}: accuracy", f"{judged.accuracy:.1%}")
    Console().print(table)
    click.echo(f"  {result.reason}")
    _places(result.folder, page)
    if not result.finished:
        click.echo(f"stopped; go on with: tellegen resume {result.folder}")


class FlightBar(_Bars):
    """What a person sees while a simulation runs: simulated time and its rate where it is known."""

    def __init__(self, says: str = "simulating", *, wait: bool = False) -> None:
        """A bar that is shown at once, or (`wait`) when there is something to show."""
        self.console = Console(stderr=True)
        self.bars = Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[says]}"),
            TimeRemainingColumn(), console=self.console, transient=True,
            disable=not self.console.is_terminal,
        )  # fmt: skip
        self.task = self.bars.add_task(says, total=None, says="")
        self.begun: tuple[float, float] | None = None
        self.wait = wait

    def __enter__(self) -> Self:
        if not self.wait:
            self.bars.start()
        return self

    def held(self, done: int, of: int) -> None:
        """Show how many values of a series have been held."""
        self.bars.start()
        self.bars.update(self.task, total=of, completed=done, says=f"{done:,} of {of:,} values")

    def swept(self, done: int, of: int) -> None:
        """Show how many values of a sweep are done."""
        if of > 1:
            self.begun = None
            says = f"{done} of {of} values of the sweep"
            self.bars.update(self.task, total=of, completed=done, says=says)

    def update(self, time: float, stop: float) -> None:
        """Show a simulated time, and how much of it goes by in a second."""
        now = monotonic()
        if self.begun is None:
            self.begun = now, time
        since, first = self.begun
        rate = (time - first) / (now - since) if now > since else 0.0
        says = f"{in_prefixes(time, 's')} of {in_prefixes(stop, 's')}"
        if rate:
            says += f", {in_prefixes(rate, 's')}/s"
        self.bars.update(self.task, total=stop, completed=time, says=says)


def in_prefixes(value: float, unit: str) -> str:
    """A number with a prefix: `12.5 ms`."""
    power = min(max(math.floor(math.log10(abs(value)) / 3), -5), 0) if value else 0
    return f"{value / 1000.0**power:.4g} {('', 'm', 'u', 'n', 'p', 'f')[-power]}{unit}"


def simulated(result: SimulationResult) -> None:
    """Print a simulation's values and where everything is; writes the figures and the report."""
    from tellegen.sims.report import write_report

    page = write_report(result.folder)
    table = Table(title=f"{result.plan.name} ({result.plan.network})")
    heads = (
        ("signal", "unit", "value")
        if result.time is None
        else ("signal", "unit", "least", "most", "last")
    )
    for head in heads:
        table.add_column(head)
    for signal, values in result.signals.items():
        unit = result.units[signal]
        if result.time is None:
            said = " ".join(f"{v:.6g}" for v in np.ravel(values)[:8])
            table.add_row(signal, unit, said + (" ..." if np.size(values) > 8 else ""))
        else:
            if signal in result.spikes:
                counts = [len(times) for times in result.spikes[signal]]
                last = (
                    "spikes: "
                    + " ".join(map(str, counts[:8]))
                    + (" ..." if len(counts) > 8 else "")
                )
            else:
                last = " ".join(f"{v:.6g}" for v in np.ravel(values[-1])[:4])
            table.add_row(signal, unit, f"{values.min():.6g}", f"{values.max():.6g}", last)
    Console().print(table)
    _places(result.folder, page)
    if not result.finished and result.time is not None:
        click.echo(
            f"stopped at {in_prefixes(float(result.time[-1]), 's')}; go on with: tellegen resume {result.folder}"
        )
