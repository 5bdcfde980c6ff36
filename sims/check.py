"""What `tellegen check` and `compile` need of the experiments: binding without running."""

from __future__ import annotations

from tellegen.diagnostics import CompileError
from tellegen.emit.text import as_dot, as_json, as_text
from tellegen.pipeline import Compilation, Compiled
from tellegen.sims.simulation.binding import bind_simulation
from tellegen.sims.sorts import bind_train, check_any_task
from tellegen.sims.training import choose


def check_experiments(compilation: Compilation) -> None:
    """Bind every training and simulation, and every task that no training asks, without running.

    Each one is checked if its own blocks and its network are sound, whatever is wrong elsewhere.
    """
    try:
        for kind, name in compilation.to_check:
            if kind == "task":
                check_any_task(compilation, name)
                continue
            try:
                (bind_train if kind == "train" else bind_simulation)(compilation, name)
            except CompileError:
                continue
    except CompileError:
        pass
    compilation.sink.sort()


def staged(
    compilation: Compilation, stage: str, experiment: str | None, network: str | None
) -> str:
    """The text of a stage of a compilation; see `tellegen compile --help`.

    Raises:
        CompileError: with everything found wrong.
    """
    compiled, netlist, manifest = _emitted(compilation, experiment, network)
    match stage:
        case "netlist":
            return netlist
        case "manifest":
            return manifest
        case "circuit":
            return as_text(compiled.circuit)
        case "json":
            return as_json(compiled.circuit)
        case _:
            return as_dot(compiled.circuit, compiled.flat)


def _emitted(
    compilation: Compilation, experiment: str | None, network: str | None
) -> tuple[Compiled, str, str]:
    runnable = [(k, n) for k, n in compilation.experiments if k != "task"]
    compilation.sink.raise_errors()
    if network is None and (experiment is not None or runnable):
        kinds = [k for k, n in runnable if n == experiment] or [
            runnable[0][0] if runnable else "train"
        ]
        chosen = experiment or runnable[0][1]
        kind = kinds[0]
        choose(compilation, kind, chosen)
        if kind == "train":
            training = bind_train(compilation, chosen)
            return training.compiled, training.plan.netlist, training.plan.manifest.to_json()
        simulation = bind_simulation(compilation, chosen)
        return simulation.compiled, simulation.plan.netlist, simulation.plan.manifest.to_json()
    compiled = compilation.compile(compilation.network_name(network), seed=compilation.seed or 0)
    emitted = compiled.emit()
    return compiled, emitted.netlist, emitted.manifest.to_json()
