"""The engine: one circuit in this process's ngspice, solved again and again.

ngspice's own `op` spends most of its time on setting up and ordering the matrix. The engine
avoids that with documented commands alone. A dummy source `vix`, added to the netlist that is
loaded, is swept by one long `dc` that pauses after every point; between two points parameters and
drives are altered, and `step` solves the circuit as it then stands, starting from the last
solution. The node `ix` counts the points, and so tells whether a point converged. With `.save
none` ngspice keeps one point only, at fixed places in memory, where node voltages are read
without asking.

A point that does not converge ends the sweep; the engine then loads the circuit anew and starts
the sweep there, which goes through all of ngspice's aids to convergence. Only when that fails as
well does it raise :class:`~tellegen.sims.errors.SimulationError`.

Nothing of the engine's state but parameters, drives and phase survives :meth:`Engine.restart`, so
two engines restarted with equal values go on with equal numbers, bit for bit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, prod
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from tellegen.arrays import Values
from tellegen.manifest import Manifest
from tellegen.sims.errors import Cause, SimulationError, cause_of, located
from tellegen.sims.ngspice.alter import Commands, Group, carried
from tellegen.sims.ngspice.library import NgSpice, address, memory, shared_library
from tellegen.sims.ngspice.locate import find_library
from tellegen.sims.ngspice.netlist import (
    ELEMENTS,
    LONGEST_COMMAND,
    checked_name,
    count_nodes,
    with_cards,
)
from tellegen.sims.ngspice.quantities import branches_of, quantity
from tellegen.sims.ngspice.waveform import Recording, RemoteTransients, Waveforms, tran_command

_COUNTER = "tellegen_ix"
_FREE_LOG_EVERY = 10
_KLU_SINCE = 42  # ngspice version
_KLU_FROM = 80  # nodes; below, Sparse 1.3 is as quick
# The factors of a device's power, where its `p` is missing or unreliable.
_POWER = {"d": ("id", "vd"), "b": ("i", "v")}
_WARM_OPTIONS = {"reltol": "1e-9", "vntol": "1e-12", "abstol": "1e-15"}


@dataclass(frozen=True)
class Check:
    """How far a warm solution can be trusted.

    Attributes:
        deviation: largest difference of a node voltage from a cold operating point's, in volt.
        residual: |sum of v i| / sum of |v i| over all devices: 0 where the currents obey
            Kirchhoff's law, by Tellegen's theorem; nan where a device does not tell its power.
    """

    deviation: float
    residual: float


class Engine:
    """One circuit in this process's ngspice, driven by arrays; see the module's text.

    A process has one at a time; a second one raises `SimulatorBusy` while the first is in use and not closed.
    """

    def __init__(
        self,
        netlist: str,
        manifest: Manifest,
        *,
        library: Path | None = None,
        solver: str = "auto",
    ) -> None:
        """Load `netlist`; `solver` is "auto", "sparse" or "klu" (from ngspice 42 on).

        Raises:
            SimulatorMissing: there is no ngspice library.
            SimulationError: ngspice does not accept the netlist.
            SimulatorBusy: this process has another engine, which is not closed.
            ValueError: a name of the manifest is not a plain SPICE name, or this ngspice lacks the
                solver.
        """
        self.manifest = manifest
        self._path = library or find_library()
        self._ng = shared_library(self._path)
        self._netlist = netlist
        self._text = with_cards(netlist, self._cards(netlist, solver))
        self._nodes = [checked_name(name) for name in manifest.nodes]
        self._branches = branches_of(manifest)
        self._drives = {name: Group(entry.sources) for name, entry in manifest.inputs.items()}
        self._clamps = {
            name: _Clamp(
                Group(entry.switches),
                Group(entry.sources),
                {p: np.full(len(entry.switches), v["switch"]) for p, v in manifest.phases.items()},
                np.zeros(len(entry.sources)),
            )
            for name, entry in manifest.outputs.items()
            if entry.switches
        }
        self._parameters = {
            name: Group(entry.elements, entry.attribute)
            for name, entry in manifest.parameters.items()
        }
        self._commands = Commands(
            [
                *self._drives.values(),
                *(clamp.switch for clamp in self._clamps.values()),
                *(clamp.source for clamp in self._clamps.values()),
                *self._parameters.values(),
            ]
        )
        self._signals = {
            name: quantity(manifest, name)
            for part in (manifest.observables, manifest.inputs, manifest.outputs)
            for name in part
        }
        self._remote: RemoteTransients | None = None
        self._voltages: Values = np.zeros(len(self._nodes) + 1)  # ground, index -1, stays 0
        self._currents: Values = np.zeros(len(self._branches))
        for name, entry in manifest.parameters.items():
            self.write(name, entry.values)
        self.restart()

    def _cards(self, netlist: str, solver: str) -> list[str]:
        """What the loaded text has beyond the netlist: counter, tolerances, solver, memory."""
        given = " ".join(re.findall(r"^\.options?\b.*$", netlist, re.IGNORECASE | re.MULTILINE))
        options = [f"{k}={v}" for k, v in _WARM_OPTIONS.items() if f"{k}=" not in given.lower()]
        if solver not in ("auto", "sparse", "klu"):
            raise ValueError(f"solver is 'auto', 'sparse' or 'klu', not {solver!r}")
        known = self._ng.version >= _KLU_SINCE
        if solver == "klu" and not known:
            raise ValueError(f"ngspice {self._ng.version} has no KLU; it came with {_KLU_SINCE}")
        klu = solver == "klu" or (solver == "auto" and known and count_nodes(netlist) >= _KLU_FROM)
        return [
            f"v{_COUNTER} {_COUNTER} 0 0",
            f"r{_COUNTER} {_COUNTER} 0 1",
            f".options {' '.join(options)}{' klu' if klu else ''}".rstrip(),
            ".save none",
        ]

    # What is to be simulated

    def write(self, parameter: str, values: ArrayLike) -> None:
        """Set a programmable parameter, in its header's unit, in the shape it was declared with.

        Raises:
            KeyError: the manifest has no such parameter.
            ValueError: wrong shape, or an element value that is not finite.
        """
        entry = self.manifest.parameters[parameter]
        flat = _flat(parameter, values, entry.shape)
        self._parameters[parameter].wanted = _finite(parameter, carried(entry, flat))

    def drive(self, name: str, values: ArrayLike) -> None:
        """Set the DC values of an input's sources, in volt or ampere.

        The field of an optical input is given in the root of a watt: complex numbers, or a last axis
        of real and imaginary parts.
        """
        if np.iscomplexobj(values):
            values = np.stack([np.real(values), np.imag(values)], axis=-1)
        flat = _flat(name, values, self.manifest.inputs[name].shape)
        self._drives[name].wanted = _finite(name, flat)

    def phase(self, name: str, targets: Mapping[str, ArrayLike] | None = None) -> None:
        """Enter a phase of the manifest: "free", or "clamped" with the outputs' target voltages.

        Outputs without a target stay free, their clamps at 0 V: through an open clamp's resistor
        its voltage would still move the last digits of the output.
        """
        targets = targets or {}
        for output, clamp in self._clamps.items():
            if output in targets:
                flat = _flat(output, targets[output], self.manifest.outputs[output].shape)
                clamp.source.wanted = _finite(output, flat)
                clamp.switch.wanted = clamp.switched[name]
            else:
                clamp.source.wanted, clamp.switch.wanted = clamp.zero, clamp.switched["free"]
        for output in targets.keys() - self._clamps.keys():
            if output in self.manifest.outputs:
                raise ValueError(f"output {output!r} has no clamps")
            raise KeyError(output)

    # Solving

    def solve(self) -> None:
        """Find one operating point of the circuit as written, starting from the last one.

        Raises:
            SimulationError: there is none, or ngspice did not find it.
        """
        if self._points:
            self._send("step")
            self._points += 1
            if self._counter[0] != self._points:
                self.restart()
        if not self._points:
            self._start()
        if self._points % _FREE_LOG_EVERY == 0:
            self._ng.free_log()
        self._voltages = np.zeros(len(self._nodes) + 1)
        self._memory.take(self._node_at, out=self._voltages[:-1], mode="clip")
        if self._branches:
            self._currents = self._memory[self._branch_at]

    def scan(self, parameters: Mapping[str, ArrayLike], read: str) -> Values:
        """Solve at one point after another and read a signal at each.

        Args:
            parameters: values for each point of those that change, (points, *shape).
            read: what `read` is asked for.

        Returns:
            (points, *shape of the signal).

        Raises:
            SimulationError: there is no operating point at one of them.
            ValueError: there is no point, or parameters differ in their numbers of points.
        """
        series = {name: np.asarray(values, dtype=float) for name, values in parameters.items()}
        lengths = {len(values) for values in series.values()}
        if len(lengths) != 1 or 0 in lengths:
            raise ValueError("a scan needs parameters with equally many points, at least one")
        seen = []
        for k in range(lengths.pop()):
            for name, values in series.items():
                if k == 0 or not np.array_equal(values[k], values[k - 1]):
                    self.write(name, values[k])
            self.solve()
            seen.append(self.read(read))
        return np.array(seen)

    def _send(self, command: str) -> None:
        """Bring ngspice up to date, then let it run a command (on the same line if it fits)."""
        lines = self._commands.pending()
        if lines and len(lines[-1]) + len(command) < LONGEST_COMMAND:
            lines[-1] += ";" + command
        else:
            lines.append(command)
        for line in lines:
            self._ng.command(line)

    def _start(self) -> None:
        """Start the sweep; its first point is a cold solve of the circuit as it stands."""
        ng = self._held()
        ng.command("destroy all")
        self._send(f"dc v{_COUNTER} 1 1e9 1")
        counter = ng.pointer(_COUNTER)
        if counter is None or counter[0] != 1.0:
            raise self._failure()
        self._raise_complaints()
        self._counter, self._points = counter, 1
        nodes = [self._address(name) for name in self._nodes]
        branches = [self._address(f"{name}#branch") for name in self._branches]
        self._memory, places = memory([*nodes, *branches])
        self._node_at, self._branch_at = places[: len(nodes)], places[len(nodes) :]

    def _held(self) -> NgSpice:
        """ngspice, with this engine's circuit in it."""
        if not self._ng.held_by(self):
            raise ValueError("this engine is closed")
        return self._ng

    def _address(self, vector: str) -> int:
        pointer = self._ng.pointer(vector)
        if pointer is None:
            raise SimulationError(Cause.BAD_NETLIST, f"the circuit has no vector {vector}")
        return address(pointer)

    def _raise_complaints(self) -> None:
        """Raise what ngspice said of the commands since the circuit was loaded."""
        wrong = [line for line in self._ng.heard_errors() if line.lower().startswith("error")]
        if wrong:
            words = "\n".join(wrong)
            raise SimulationError(Cause.BAD_NETLIST, words, located(words, self.manifest))

    def _failure(self) -> SimulationError:
        words = self._ng.words()
        return SimulationError(cause_of(words), words, located(words, self.manifest))

    def restart(self) -> None:
        """Load the circuit anew; parameters, drives and phase are written at the next solve.

        Raises:
            SimulatorBusy: another engine of this process has loaded its own meanwhile.
        """
        self._points = 0
        try:
            self._ng.load(self._text, self)
        except SimulationError as error:
            places = located(error.words, self.manifest)
            raise SimulationError(error.cause, error.words, places) from None
        # A breakpoint belongs to the circuit it was set in. (`delete all` would stop the stepping.)
        self._ng.command("stop after 1")
        self._ng.forget_words()
        self._commands.forget()

    def cold(self) -> Values:
        """Node voltages of an operating point found from nothing, for the circuit as written.

        The next solve starts from nothing as well.
        """
        self._points = 0
        self._held().command("destroy all")
        self._send("op")
        found = [self._ng.pointer(name) for name in self._nodes]
        if any(pointer is None for pointer in found):
            raise self._failure()
        return np.array([pointer[0] for pointer in found])

    # Reading

    def read(self, name: str) -> Values:
        """An output, input or observable of the last solve, in its declared shape; or "nodes"."""
        if name == "nodes":
            return self._voltages[:-1].copy()
        signal = self._signals[name]
        return signal.of(self._voltages, self._currents).reshape(signal.shape)

    def check(self) -> Check:
        """Hold the last (warm) solution against a cold one and against Kirchhoff's current law."""
        warm = self._voltages[:-1]
        powers = np.array([self._power(device) for device in self._devices()])
        total = np.abs(powers).sum()
        residual = abs(powers.sum()) / total if total else 0.0
        return Check(float(np.abs(self.cold() - warm).max(initial=0.0)), float(residual))

    def _devices(self) -> list[str]:
        """Names of all devices of the flattened circuit, without the step counter's own."""
        lines = [line.split() for line in self._ng.output("listing expand")]
        # `   12 : r.xfirst.r1 ...`; the title and comments have no card behind the colon.
        names = [words[2] for words in lines if len(words) > 2 and words[1] == ":"]
        taking = ELEMENTS - {"k"}  # the coupling of two inductors is no device of its own
        return [n for n in names if n[0] in taking and not n.endswith(_COUNTER)]

    def _power(self, device: str) -> float:
        """The power that a device takes up, as ngspice has it after the last solve."""
        factors = _POWER.get(device[0], ("p",))
        found = [self._ng.vector(f"@{device}[{factor}]") for factor in factors]
        return prod(np.nan if value is None else float(value[0]) for value in found)

    # Transients

    def transient(
        self,
        step: float,
        stop: float,
        record: Sequence[str],
        *,
        max_step: float | None = None,
        initial: str = "operating point",
    ) -> Waveforms:
        """Run a transient of the circuit as written and return the recorded signals.

        The netlist's own source functions (pulse, sin, pwl) drive it; an input without one stays at
        its DC value.

        Args:
            step: suggested step, in seconds (SPICE's TSTEP).
            stop: end, in seconds.
            record: names as for :meth:`read`.
            max_step: upper bound of ngspice's own step (TMAX); ngspice chooses one by default, or the circuit's cells.
            initial: "operating point", or "given" to start from the netlist's initial conditions
                (SPICE's `uic`).

        Raises:
            SimulationError: there is no solution, or ngspice gave up on the way.
        """
        recording = Recording(self.manifest, record)
        # What ngspice takes where it is not told: a bound that a cell gives must not be a longer one.
        longest = max_step or min(step, stop / 50)
        found = self._transients().run(
            self._commands.everything(),
            tran_command(step, stop, self.manifest.longest_step(longest), initial),
            recording.vectors,
        )
        return recording.waveforms(found)

    def _transients(self) -> RemoteTransients:
        if self._remote is None:
            self._remote = RemoteTransients(self._netlist, self._path)
        return self._remote

    def close(self) -> None:
        """Remove the circuit and end the process that ran transients, if there is one."""
        if self._remote is not None:
            self._remote.close()
            self._remote = None
        self._points = 0
        self._ng.let_go(self)


@dataclass(frozen=True, eq=False)
class _Clamp:
    """The clamp of an output: what switches it, with the values for each phase, and drives it."""

    switch: Group
    source: Group
    switched: dict[str, Values]
    zero: Values


def _flat(name: str, values: ArrayLike, shape: tuple[int, ...]) -> Values:
    """The values as a flat array of its own; a single value stands for all."""
    array = np.array(values, dtype=np.float64)
    if array.shape == shape:
        return array.ravel()
    count = prod(shape)
    if array.size != 1 and array.shape != (count,):
        raise ValueError(f"{name} has the shape {shape}, not {array.shape}")
    return np.full(count, array)


def _finite(name: str, values: Values) -> Values:
    if not isfinite(values.dot(values)):  # quicker than to ask each
        raise ValueError(f"{name} gives an element value that is not finite")
    return values
