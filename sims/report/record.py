"""What a run folder says, read with care.

The folder may be a stranger's, half written, or damaged. Whatever is not of the expected kind reads as
missing, so that the rest can still be shown; only a folder without `run.json` is refused.
"""

from __future__ import annotations

import math
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tellegen.arrays import Values
from tellegen.manifest import GROUND, InputMap, Manifest, ObservableMap, OutputMap
from tellegen.sims import run_folder as rf

PARTS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class Record:
    """A run.

    Attributes:
        folder: where it lies.
        run: `run.json`.
        metrics: columns of `metrics.csv`, each (epochs + 1,); empty arrays where there are none.
        history: learned parameters over time, each (epochs + 1, elements); empty where unknown.
        manifest: None where it cannot be read.
        time: (times,), or None for an operating point or a training; for a sweep its values.
        axis: name and unit of `time`.
        signals: a simulation's recorded values.
        spikes: the times of its spikes, by signal and element.
        source, netlist: the texts, empty where missing.
        missing: what could not be read, in words.
    """

    folder: Path
    run: dict[str, Any]
    metrics: dict[str, Values]
    history: dict[str, Values]
    manifest: Manifest | None
    time: Values | None
    axis: tuple[str, str]
    signals: dict[str, Values]
    spikes: dict[str, list[Values]]
    source: str
    netlist: str
    missing: tuple[str, ...]

    @property
    def kind(self) -> str:
        """`train` or `simulate`."""
        return text(self.run.get("kind"))

    @property
    def name(self) -> str:
        """The experiment's name."""
        return text(self.run.get("name")) or self.folder.name

    @property
    def best_epoch(self) -> int | None:
        """The epoch whose parameters were kept, where the run came to say so."""
        found = number(self.run.get("best_epoch"))
        return int(found) if math.isfinite(found) else None

    def values(self, epoch: int | None) -> dict[str, Values]:
        """The learned parameters after an epoch (None: the last that was written)."""
        rows = {name: table for name, table in self.history.items() if len(table)}
        return {
            name: table[-1 if epoch is None else min(max(epoch, 0), len(table) - 1)]
            for name, table in rows.items()
        }


def read(folder: Path) -> Record:
    """Read a run folder.

    Raises:
        RunFolderError: if it is none, or holds links: a run makes none, and a stranger's could lead
            reading and writing out of the folder.
    """
    run = rf.read_json(folder)
    links = sorted(path.name for path in folder.iterdir() if path.is_symlink())
    if links:
        raise rf.RunFolderError(f"`{folder}` holds links, which a run never makes: {links[0]}")
    missing: list[str] = []
    manifest = _manifest(folder, missing)
    swept = mapping(run.get("sweep"))
    axis = (text(swept.get("name")), text(swept.get("unit"))) if swept else ("time", "s")
    time, signals = _waves(folder, axis[0], missing)
    return Record(
        folder=folder,
        run=run,
        metrics=_metrics(folder, missing),
        history=_history(folder, run, manifest, missing),
        manifest=manifest,
        time=time,
        axis=axis,
        signals=signals,
        spikes=_spikes(folder, missing),
        source=_text(folder, rf.SOURCE, missing),
        netlist=_text(folder, rf.NETLIST, missing),
        missing=tuple(missing),
    )


def text(value: object) -> str:
    """A value as text; empty for what is no plain value."""
    return str(value) if isinstance(value, str | int | float) else ""


def number(value: object) -> float:
    """A value as a number; nan for anything else."""
    try:
        return float(value) if isinstance(value, int | float) else math.nan
    except OverflowError:  # JSON's integers have no bounds
        return math.nan


def mapping(value: object) -> dict[str, Any]:
    """A JSON object; an empty one for anything else."""
    return dict(value) if isinstance(value, Mapping) else {}


def items(value: object) -> list[Any]:
    """A JSON list; an empty one for anything else."""
    return list(value) if isinstance(value, list | tuple) else []


def _text(folder: Path, name: str, missing: list[str]) -> str:
    try:
        return (folder / name).read_text("utf-8", errors="replace")
    except OSError:
        missing.append(f"{name} is not there")
        return ""


def _metrics(folder: Path, missing: list[str]) -> dict[str, Values]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # NumPy warns of what it cannot make sense of
            found = rf.read_metrics(folder)
        if "epoch" in found and np.isfinite(found["epoch"]).all():
            return found
    except (ValueError, OSError, TypeError, IndexError, UserWarning):
        pass
    missing.append(f"{rf.METRICS} cannot be read")
    return {}


def _manifest(folder: Path, missing: list[str]) -> Manifest | None:
    try:
        found = rf.read_manifest(folder)
        if _sound(found):
            return found
    except (rf.RunFolderError, AttributeError, TypeError, ValueError, OverflowError):
        pass  # what JSON spells may be of any kind at any place
    missing.append(f"{rf.MANIFEST} cannot be read")
    return None


def _sound(manifest: Manifest) -> bool:
    """Whether names are texts, arrays as long as their shapes say, and nodes numbers of nodes."""
    count = len(manifest.paths)
    entries: list[InputMap | OutputMap | ObservableMap] = [
        *manifest.inputs.values(),
        *manifest.outputs.values(),
        *(o for o in manifest.observables.values() if o.kind == "v"),
    ]
    for entry in entries:
        for ends in (entry.positive, entry.negative):
            if ends.shape != (math.prod(entry.shape),) or ((ends < GROUND) | (ends >= count)).any():
                return False
    parameters = manifest.parameters.values()
    names = [*manifest.paths, *(t for p in parameters for t in (p.unit, p.symbol, p.instances))]
    return all(isinstance(n, str) for n in names) and all(
        p.values.shape == (math.prod(p.shape),) and p.sense in (-1, 0, 1) for p in parameters
    )


def _history(
    folder: Path, run: Mapping[str, Any], manifest: Manifest | None, missing: list[str]
) -> dict[str, Values]:
    path = folder / rf.PARAMETERS
    if manifest is None or not path.exists():
        return {}
    names = [
        n
        for learned in items(run.get("learned"))
        for n in items(mapping(learned).get("parameters"))
    ]
    try:
        stored = np.load(path, allow_pickle=False, mmap_mode="r")
        sizes = [len(manifest.parameters[name].values) for name in names]
        if stored.ndim != 2 or stored.shape[1] != sum(sizes):
            raise ValueError(stored.shape)
        # Rows of epochs that were not run are nan.
        run_rows = np.flatnonzero(np.isfinite(stored[:, :1]).any(axis=1))
        table = np.array(stored[: run_rows.max(initial=-1) + 1], dtype=float)
    except (OSError, ValueError, KeyError, TypeError):
        missing.append(f"{rf.PARAMETERS} cannot be read")
        return {}
    stops = np.cumsum(sizes)
    return {n: table[:, b - s : b] for n, s, b in zip(names, sizes, stops, strict=True)}


def _waves(folder: Path, axis: str, missing: list[str]) -> tuple[Values | None, dict[str, Values]]:
    path = folder / rf.WAVES
    if not path.exists():
        return None, {}
    try:
        with np.load(path, allow_pickle=False) as found:
            signals = {name: np.asarray(found[name], dtype=float) for name in found.files}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        missing.append(f"{rf.WAVES} cannot be read")
        return None, {}
    time = signals.pop(axis, None)
    if time is None:
        return None, signals
    if time.ndim != 1 or any(len(v) != len(time) for v in signals.values() if v.ndim):
        missing.append(f"{rf.WAVES} cannot be read")
        return None, {}
    return time, {n: v for n, v in signals.items() if v.ndim}


def _spikes(folder: Path, missing: list[str]) -> dict[str, list[Values]]:
    try:
        return rf.read_spikes(folder)
    except (OSError, ValueError, KeyError, TypeError):
        missing.append(f"{rf.SPIKES} cannot be read")
        return {}


def element(name: str, index: tuple[int, ...]) -> str:
    """An element of an array as the author calls it: `h[1, 2]`."""
    return f"{name}[{', '.join(map(str, index))}]" if index else name
