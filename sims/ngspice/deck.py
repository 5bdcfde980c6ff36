"""Complete SPICE decks, each run once: for self-tests of cells and for tests of Tellegen itself.

A deck names its own analysis (`.op`, `.tran`, `.dc`, `.ac`). It may come from a stranger's cell,
so it goes through the same gate as every netlist: no card that runs a command or reads a file.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellegen.sims.errors import Cause, SimulationError, cause_of
from tellegen.sims.ngspice.locate import find_library, find_program
from tellegen.sims.ngspice.netlist import checked_netlist
from tellegen.sims.workers.process import Worker
from tellegen.sims.workers.vitals import TIMEOUT

Vectors = dict[str, NDArray[Any]]


class DeckRunner:
    """Runs decks in this process's ngspice, one after the other."""

    def __init__(self) -> None:
        from tellegen.sims.ngspice.library import (
            shared_library,  # loads PySpice: only in the worker
        )

        self._ng = shared_library(find_library())

    def run(self, text: str) -> Vectors:
        """The vectors of the deck's last plot.

        Raises:
            SimulationError: ngspice refused the deck or its analysis failed.
        """
        ng = self._ng
        ng.load(text, self)
        ng.forget_words()
        ng.command("run")
        words = ng.words()
        found = {name.lower(): ng.vector(name) for name in ng.vector_names()}
        if "aborted" in words or "run simulation" in words or ("e" in found and "kelvin" in found):
            raise SimulationError(cause_of(words), words)
        return {name: value for name, value in found.items() if value is not None}


def run_deck(text: str, *, timeout: float = TIMEOUT, library: Path | None = None) -> Vectors:
    """Run one deck in a fresh process and return the vectors of its last plot.

    A node `out` is called `out`, the current of `V1` is called `v1#branch`, all in lower case; an
    operating point gives arrays of one value, an AC analysis complex arrays.

    Raises:
        SimulationError: ngspice refused the deck, failed, crashed or hung.
    """
    (result,) = run_decks([text], timeout=timeout, library=library)
    if isinstance(result, SimulationError):
        raise result
    return result


def run_decks(
    texts: Iterable[str], *, timeout: float = TIMEOUT, library: Path | None = None
) -> Iterator[Vectors | SimulationError]:
    """Run decks one after the other in one process; a failed one yields its error.

    After a failure the next deck gets a new process.
    """
    worker: Worker | None = None
    try:
        for text in texts:
            try:
                if worker is None:
                    worker = Worker(library, timeout)
                    worker.make("tellegen.sims.ngspice.deck:DeckRunner")
                yield worker.call("run", text)
            except SimulationError as error:
                if worker is not None:
                    worker.close()
                worker = None
                yield error
    finally:
        if worker is not None:
            worker.close()


def run_batch(text: str, *, timeout: float = TIMEOUT, program: Path | None = None) -> Vectors:
    """Run one deck by `ngspice -b` and return the vectors of its last plot, named as by `run_deck`.

    Raises:
        SimulatorMissing: there is no ngspice program beside the library.
        SimulationError: ngspice refused the deck, failed or hung.
    """
    lines = checked_netlist(text)
    with tempfile.TemporaryDirectory() as folder:
        deck, raw = Path(folder, "deck.cir"), Path(folder, "deck.raw")
        deck.write_text("\n".join(lines) + "\n")
        command = [str(program or find_program()), "-n", "-b", "-r", str(raw), str(deck)]
        try:
            done = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=timeout, check=False
            )
        except subprocess.TimeoutExpired as late:
            raise SimulationError(Cause.HUNG, str(late.stdout or "")) from None
        words = "\n".join((done.stdout + done.stderr).splitlines()[-20:])
        if not raw.exists() or "aborted" in words:
            raise SimulationError(cause_of(words), words)
        return read_raw(raw.read_bytes())


def read_raw(data: bytes) -> Vectors:
    """The vectors of the last plot of a binary raw file, named as by `run_deck`."""
    while True:
        head, _, rest = data.partition(b"Binary:\n")
        fields, _, variables = head.decode(errors="replace").partition("Variables:\n")
        entries = dict(line.split(":", 1) for line in fields.splitlines() if ":" in line)
        names = [line.split()[1].lower() for line in variables.splitlines()]
        points = int(entries["No. Points"])
        kind = np.complex128 if "complex" in entries["Flags"] else np.float64
        count = points * len(names)
        table = np.frombuffer(rest, dtype=kind, count=count).reshape(points, len(names))
        data = rest[table.nbytes :]
        if not data.strip():
            return {_plain(name): table[:, k].copy() for k, name in enumerate(names)}


def _plain(name: str) -> str:
    if name.startswith("v(") and name.endswith(")"):
        return name[2:-1]
    if name.startswith("i(") and name.endswith(")"):
        return f"{name[2:-1]}#branch"
    return name
