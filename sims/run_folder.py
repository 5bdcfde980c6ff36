"""Run folders: everything about one run, in formats that outlive the program.

    source.tgn       what was asked for, as it was
    netlist.cir      the SPICE netlist before training; `trained.cir` after it, with the best parameters
    manifest.json    what the netlist's names mean
    run.json         settings, seed, versions, status, results
    metrics.csv      a line an epoch
    parameters.npy   learned parameters, a row an epoch (nan where there is none yet), in the order of
                     run.json's `learned`
    checkpoint.npz   the state to go on from
    waves.npz        a simulation's signals; over a sweep `waves-000.npz`, ... hold each transient
    points.f64       a single transient's points as they come: rows of float64, time first
    spikes.csv       a simulation's spikes: signal, element, time; over a sweep `spikes-000.csv`, ...
    *.png, report.html

Files are replaced whole (written beside, then renamed), so that a run that dies leaves the last good ones.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from tellegen.diagnostics import TellegenError
from tellegen.manifest import Manifest
from tellegen.sims.learning.loop import EpochRow, State

if TYPE_CHECKING:
    from tellegen.pipeline import Compilation

RUN, METRICS, CHECKPOINT, PARAMETERS = "run.json", "metrics.csv", "checkpoint.npz", "parameters.npy"
SPIKES, POINTS, REPLAY = "spikes.csv", "points.f64", "replay.f64"
SOURCE, NETLIST, TRAINED, MANIFEST, WAVES = (
    "source.tgn", "netlist.cir", "trained.cir", "manifest.json", "waves.npz"
)  # fmt: skip


class RunFolderError(TellegenError):
    """A folder is not a run folder, or not one that this can be done with."""


def new_folder(parent: Path, name: str) -> Path:
    """A new, empty folder `parent/name-001` with the next free number."""
    parent.mkdir(parents=True, exist_ok=True)
    stem = re.sub(r"[^A-Za-z0-9_-]", "_", name)
    taken = [re.fullmatch(re.escape(stem) + r"-(\d+)", p.name) for p in parent.iterdir()]
    number = 1 + max((int(m.group(1)) for m in taken if m), default=0)
    while True:
        folder = parent / f"{stem}-{number:03d}"
        try:
            folder.mkdir()
        except FileExistsError:
            number += 1
        else:
            return folder


class Plan(Protocol):
    """What every plan says of itself."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def network(self) -> str: ...  # noqa: D102
    @property
    def netlist(self) -> str: ...  # noqa: D102
    @property
    def manifest(self) -> Manifest: ...  # noqa: D102
    @property
    def seed(self) -> int: ...  # noqa: D102


def begin(
    folder: Path, kind: str, plan: Plan, compilation: Compilation, facts: Mapping[str, Any],
    settings: Mapping[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """Write what a run begins with: source, netlist, manifest, and its record, which is returned."""
    write_text(folder, SOURCE, compilation.source.text)
    write_text(folder, NETLIST, plan.netlist)
    write_text(folder, MANIFEST, plan.manifest.to_json())
    record = {
        "kind": kind,
        "name": plan.name,
        "network": plan.network,
        "status": "running",
        "file": compilation.source.name,
        "roots": [str(p.resolve()) for p in compilation.files.roots],
        "cells": [str(p.resolve()) for p in compilation.cells],
        "overrides": list(compilation.overrides),
        "seed": plan.seed,
        **settings,
        "provenance": facts,
    }
    write_json(folder, RUN, record)
    return record


def note(folder: Path, **changes: Any) -> None:
    """Change entries of a run's record."""
    write_json(folder, RUN, read_json(folder) | changes)


def write_text(folder: Path, name: str, text: str) -> None:
    """Replace a text file whole."""
    write_bytes(folder, name, text.encode())


def write_bytes(folder: Path, name: str, content: bytes) -> None:
    """Replace a file whole."""
    beside = folder / f".{name}.new"
    beside.unlink(missing_ok=True)  # a link planted there must not be followed
    try:
        with beside.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(folder / name)
    except OSError:  # a full disk is not made fuller
        beside.unlink(missing_ok=True)
        raise


def write_arrays(folder: Path, name: str, arrays: Mapping[str, np.ndarray]) -> None:
    """Replace an `.npz` file whole."""
    buffer = io.BytesIO()
    np.savez(buffer, **dict(arrays))  # type: ignore[arg-type]
    write_bytes(folder, name, buffer.getvalue())


def write_json(folder: Path, name: str, content: Mapping[str, Any]) -> None:
    """Replace a JSON file whole; what is not a number becomes null."""
    write_text(folder, name, json.dumps(_clean(content), indent=2) + "\n")


def _clean(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _clean(v) for k, v in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_clean(v) for v in value]
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    if isinstance(value, np.integer):
        return int(value)
    return value


def read_json(folder: Path, name: str = RUN) -> dict[str, Any]:
    """A JSON file of a run folder.

    Raises:
        RunFolderError: if the folder has no such file.
    """
    try:
        found = json.loads((folder / name).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise RunFolderError(f"`{folder}` is not a run folder: {name} cannot be read") from error
    if not isinstance(found, dict):
        raise RunFolderError(f"`{folder}` is not a run folder: {name} is damaged")
    return found


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a run."""
    try:
        return Manifest.from_json((folder / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunFolderError(f"`{folder}` has no readable manifest") from error


def write_state(folder: Path, state: State) -> None:
    """Write checkpoint and metrics."""
    arrays: dict[str, np.ndarray] = {
        "epoch": np.array(state.epoch),
        "best_epoch": np.array(state.best_epoch),
        "best_score": np.array(state.best_score),
        "rows": np.array([list(asdict(r).values()) for r in state.rows], dtype=float),
    }
    for prefix, group in (
        ("parameter", state.parameters),
        ("best", state.best),
        ("target", state.targets),
    ):
        arrays |= {f"{prefix}:{name}": values for name, values in group.items()}
    write_arrays(folder, CHECKPOINT, arrays)
    write_metrics(folder, state.rows)


def write_spikes(folder: Path, spikes: Mapping[str, list[np.ndarray]], name: str = SPIKES) -> None:
    """Write `spikes.csv`: signal, element, time in seconds."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["signal", "element", "time"])
    for signal, elements in spikes.items():
        for k, times in enumerate(elements):
            writer.writerows([signal, k, f"{t:.12g}"] for t in times)
    write_text(folder, name, text.getvalue())


def read_spikes(folder: Path, name: str = SPIKES) -> dict[str, list[np.ndarray]]:
    """The spikes of `spikes.csv`; none where there is no such file.

    Raises:
        ValueError: it is damaged.
    """
    path = folder / name
    found: dict[str, list[list[float]]] = {}
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                elements = found.setdefault(row["signal"], [])
                index = int(row["element"])
                if not 0 <= index < 1_000_000:
                    raise ValueError(f"element {index}")
                elements += [[] for _ in range(index + 1 - len(elements))]
                elements[index].append(float(row["time"]))
    return {name: [np.array(t) for t in elements] for name, elements in found.items()}


def write_metrics(folder: Path, rows: list[EpochRow]) -> None:
    """Write `metrics.csv`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([f.name for f in fields(EpochRow)])
    for row in rows:
        writer.writerow([repr(v) for v in asdict(row).values()])
    write_text(folder, METRICS, text.getvalue())


def begin_parameters(folder: Path, rows: int, columns: int) -> None:
    """Make room for a row of parameters for each epoch, keeping what is there."""
    path = folder / PARAMETERS
    old = np.load(path) if path.exists() else np.zeros((0, columns))
    if len(old) >= rows:
        return
    beside = folder / f".{PARAMETERS}.new"
    table = np.lib.format.open_memmap(beside, "w+", dtype=float, shape=(rows, columns))
    table[: len(old)] = old
    table[len(old) :] = np.nan
    table.flush()
    beside.replace(path)


def write_parameters(folder: Path, states: list[State]) -> None:
    """Write the rows of some epochs."""
    table = np.lib.format.open_memmap(folder / PARAMETERS, "r+")
    for state in states:
        table[state.epoch] = np.concatenate([v.ravel() for v in state.parameters.values()])
    table.flush()


def read_parameters(folder: Path) -> np.ndarray:
    """The parameters of the epochs that were run: (epochs + 1, columns)."""
    table = np.load(folder / PARAMETERS, mmap_mode="r")
    state = read_state(folder)
    return np.array(table[: state.epoch + 1 if state else 0])


def read_state(folder: Path) -> State | None:
    """The checkpoint of a run, or None where it has none yet."""
    path = folder / CHECKPOINT
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as found:
            groups: dict[str, dict[str, np.ndarray]] = {"parameter": {}, "best": {}, "target": {}}
            for key in found.files:
                prefix, _, name = key.partition(":")
                if name:
                    groups[prefix][name] = found[key]
            rows = [EpochRow(int(r[0]), *(float(v) for v in r[1:])) for r in found["rows"]]
            score = tuple(float(v) for v in found["best_score"])
            return State(
                int(found["epoch"]), groups["parameter"], groups["target"], int(found["best_epoch"]),
                groups["best"], (score[0], score[1]), rows,
            )  # fmt: skip
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise RunFolderError(f"the checkpoint in `{folder}` is damaged: {error}") from error


def read_metrics(folder: Path) -> dict[str, np.ndarray]:
    """The columns of `metrics.csv`."""
    path = folder / METRICS
    if not path.exists():
        return {f.name: np.zeros(0) for f in fields(EpochRow)}
    table = np.genfromtxt(path, delimiter=",", names=True, ndmin=1)
    return {name: np.asarray(table[name], dtype=float) for name in table.dtype.names or ()}
