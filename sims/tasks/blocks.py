"""The frame in which every block is bound: its network, a sink of its own, and what belongs to blocks of another sort."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from tellegen.diagnostics import Sink
from tellegen.elaborate.experiment import (
    ExperimentValues,
)
from tellegen.pipeline import Compilation

T = TypeVar("T")


def bound_as(compilation: Compilation, name: str, bind_it: Callable[..., T | None]) -> T:
    """What `bind_it` makes of the training called `name`.

    It is given the compiled network, the task, the seed, a sink and the training.

    Raises:
        CompileError: with everything found wrong.
    """
    train = compilation.experiments["train", name]
    network = compilation.built_for(train)
    bound = None
    if network is not None:
        build = compilation.build_of(train)
        task = compilation.experiments["task", train.subject.text]
        compiled = compilation.sound(network, build)
        if compiled is not None:
            with own_sink(compilation) as sink:
                bound = bind_it(compiled, task, build.seed, sink, train)
    compilation.sink.raise_errors()
    assert bound is not None
    return bound


def checked_as(compilation: Compilation, name: str, look: Callable[..., object]) -> None:
    """Let `look` report on the task called `name`: given the compiled network, the task, the seed and a sink."""
    task = compilation.experiments["task", name]
    network = compilation.built_for(task)
    if network is None:
        return
    build = compilation.build_of(task)
    compiled = compilation.sound(network, build)
    if compiled is not None:
        with own_sink(compilation) as sink:
            look(compiled, task, build.seed, sink)


@contextmanager
def own_sink(compilation: Compilation) -> Iterator[Sink]:
    """A sink for one experiment, so that mistakes in another one do not count; all are reported."""
    sink = Sink()
    try:
        yield sink
    finally:
        compilation.sink.extend(sink)


def only_varied(task: ExperimentValues, train: ExperimentValues, sink: Sink) -> None:
    """Report the statements that only a training that varies phases has, and its task."""
    said = [s.span for k, s in train.settings.items() if k in ("starts", "shots", "bits")]
    said += [s.span for k, s in task.settings.items() if k == "cost"]
    for span in said + ([task.measure.span] if task.measure else []):
        sink.error("variational", "this belongs to a training that varies phases", span,
                   help="such as `vary mesh.theta, mesh.phi by bfgs(flat = 1 mHa)`")  # fmt: skip
