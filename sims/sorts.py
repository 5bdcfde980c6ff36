"""The sorts of trainings and tasks: which one a block is, told by what it says."""

from __future__ import annotations

from tellegen.pipeline import Compilation
from tellegen.sims.learning.binding import BoundTraining, bind_training
from tellegen.sims.reservoir.binding import (
    READOUT,
    BoundReservoir,
    bind_reservoir,
    check_series,
    is_series,
)
from tellegen.sims.tasks.task import check_task
from tellegen.sims.variational.binding import BoundVariational, bind_variational
from tellegen.sims.variational.task import check_cost, has_cost


def bind_train(
    compilation: Compilation, name: str
) -> BoundTraining | BoundReservoir | BoundVariational:
    """The training called `name`, of whichever sort, ready to run.

    Raises:
        CompileError: with everything found wrong.
    """
    train = compilation.experiments["train", name]
    if train.vary is not None:
        return bind_variational(compilation, name)
    if any(p.text == READOUT for said in train.learn for p in said.parameters):
        return bind_reservoir(compilation, name)
    return bind_training(compilation, name)


def check_any_task(compilation: Compilation, name: str) -> None:
    """Report what is wrong with the task called `name`, of whichever sort, which no training asks."""
    task = compilation.experiments["task", name]
    check = check_cost if has_cost(task) else check_series if is_series(task) else check_task
    check(compilation, name)
