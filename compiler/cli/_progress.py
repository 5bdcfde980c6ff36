"""What a person sees while a run goes on, and at its end."""

from __future__ import annotations

import math
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

if TYPE_CHECKING:
    from tellegen.sims.loop import State
    from tellegen.sims.plan import TrainPlan
    from tellegen.sims.training import TrainResult


class EpochBars:
    """A progress bar over epochs; where there is no terminal, a line now and then."""

    def __init__(self) -> None:
        self.console = Console(stderr=True)
        self.bars = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
            TextColumn("{task.fields[says]}"), TimeRemainingColumn(),
            console=self.console, transient=True, disable=not self.console.is_terminal,
        )  # fmt: skip
        self.task: int | None = None

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
    for figure in sorted(result.folder.glob("*.png")):
        click.echo(f"  figure  {figure}")
    click.echo(f"  report  {page}")
    click.echo(f"  run     {result.folder}")
    if not result.finished:
        click.echo(
            f"stopped after epoch {state.epoch}; go on with: tellegen resume {result.folder}"
        )
