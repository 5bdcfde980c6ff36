"""The compilation of one file: each stage computed when asked for, each printable.

    source text -> syntax tree -> elaborated circuits -> (bench) -> netlist + manifest

User errors end in :class:`~tellegen.diagnostics.CompileError` with everything found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from tellegen.bench import Bench
from tellegen.bundle import bundled
from tellegen.cells import Cell, Library, Observable, Parameter, find_library
from tellegen.cells.definitions import Definition
from tellegen.cells.library import search_path
from tellegen.checks.hierarchy import bottom_up, parts
from tellegen.checks.solver import check_solver
from tellegen.checks.topology import check_topology
from tellegen.circuit import Circuit
from tellegen.diagnostics import CompileError, Label, Sink, did_you_mean, one_of
from tellegen.elaborate.experiment import ExperimentValues, elaborate_experiment
from tellegen.elaborate.network import elaborate
from tellegen.elaborate.scope import Context
from tellegen.emit.spice import Emitted, emit
from tellegen.files import FileRefused, Files, read_text
from tellegen.flatten import Flat, flatten
from tellegen.quantity import UnknownUnit, known_units, unit
from tellegen.source import Source
from tellegen.syntax import tree as t
from tellegen.syntax.format import format_unit
from tellegen.syntax.overrides import apply_overrides
from tellegen.syntax.parse import parse
from tellegen.values import PathValue, as_count

B = TypeVar("B", t.Network, t.Experiment)

# A long list of edges belongs in a table: `connect n by edges("table.csv") using ...`.
LARGEST_TEXT = 1 << 20


@dataclass(frozen=True, eq=False)
class Compiled:
    """One network of a file, elaborated and checked."""

    circuit: Circuit
    flat: Flat
    delays: frozenset[tuple[str, str]] = frozenset()  # (library, cell) of what delays spikes

    def emit(self, bench: Bench | None = None) -> Emitted:
        """The netlist and manifest on a bench (by default every input at 0 and no clamps)."""
        return emit(self.circuit, bench or Bench(), self.flat)


@dataclass(frozen=True)
class Build:
    """How an experiment builds its network: the seed of what is drawn, and the level of its cells."""

    seed: int = 0
    level: str = ""


@dataclass(eq=False)
class Compilation:
    """A `.tgn` text on its way to a netlist.

    Attributes:
        source: the text.
        files: which other files it may read.
        cells: folders of cells besides our own.
        overrides: `block.statement[.argument]=value` settings that replace what the text says.
        seed: replaces the seed of the experiments.
    """

    source: Source
    files: Files = field(default_factory=Files)
    cells: tuple[Path, ...] = ()
    overrides: tuple[str, ...] = ()
    seed: int | None = None
    sink: Sink = field(default_factory=Sink)
    _made: dict[tuple[str, Build, bool], Compiled | None] = field(default_factory=dict, repr=False)
    _unsound: set[str] = field(default_factory=set, repr=False)

    @cached_property
    def syntax(self) -> t.Unit:
        """The syntax tree, with overrides applied; raises where nothing can be read."""
        unit = parse(self.source, self.sink)
        if unit is None:
            raise CompileError(self.sink.found)
        return apply_overrides(unit, self.overrides, self.sink)

    @cached_property
    def _unread(self) -> list[int]:
        """Where statements could not be read: what would follow from their absence is not reported."""
        _ = self.syntax
        return [
            d.primary.span.start
            for d in self.sink.errors
            if d.code == "syntax" and d.primary.span.source is self.source
        ]

    def _is_whole(self, block: t.Network | t.Experiment) -> bool:
        """Whether every statement of a block could be read."""
        return not any(block.span.start <= at < block.span.end for at in self._unread)

    @cached_property
    def _is_complete(self) -> bool:
        """Whether every block of the file, and every library that it imports, could be read."""
        blocks: list[t.Network | t.Experiment] = [*self.syntax.networks, *self.syntax.experiments]
        return len(self.libraries) == len({i.library.text for i in self.syntax.imports}) and all(
            any(b.span.start <= at < b.span.end for b in blocks) for at in self._unread
        )

    def canonical(self) -> str:
        """The syntax tree as source text in canonical form; raises on syntax errors."""
        unit = self.syntax
        self.sink.raise_errors()
        return format_unit(unit)

    @cached_property
    def libraries(self) -> dict[str, Library]:
        """The imported libraries."""
        found: dict[str, Library] = {}
        for statement in self.syntax.imports:
            name = statement.library.text
            try:
                library = find_library(name, self.cells)
            except CompileError as error:
                for diagnostic in error.diagnostics:
                    self.sink.add(diagnostic)
                continue
            if library is None:
                self.sink.error(
                    "unknown-library", f"unknown library `{name}`", statement.library.span,
                    help=did_you_mean(name, _libraries(self.cells))
                    or "known: " + one_of(_libraries(self.cells)) + "; `--cells FOLDER` adds yours",
                )  # fmt: skip
                continue
            found[name] = library
            _check_units(library, self.sink)
        return found

    @cached_property
    def networks(self) -> dict[str, t.Network]:
        """The network blocks by name."""
        return self._unique(self.syntax.networks, "network")

    @cached_property
    def experiments(self) -> dict[tuple[str, str], ExperimentValues]:
        """The task, train and simulate blocks by (kind, name), their expressions evaluated."""
        blocks: dict[tuple[str, str], ExperimentValues] = {}
        for kind in ("task", "train", "simulate"):
            own = [e for e in self.syntax.experiments if e.kind == kind]
            for name, block in self._unique(own, kind).items():
                found = elaborate_experiment(block, self.sink)
                found.whole = self._is_whole(block)
                blocks[kind, name] = found
        self._subjects(blocks)
        return blocks

    def _unique(self, blocks: Iterable[B], kind: str) -> dict[str, B]:
        found: dict[str, B] = {}
        for block in blocks:
            first = found.setdefault(block.name.text, block)
            if first is not block:
                self.sink.error(
                    "duplicate-name", f"there are two {kind} blocks called `{block.name}`",
                    block.name.span, secondary=(Label(first.name.span, "the first one"),),
                    help=f"give it a name of its own: `train {block.name} as NAME`"
                    if kind == "train" else "",
                )  # fmt: skip
        return found

    def _subjects(self, blocks: Mapping[tuple[str, str], ExperimentValues]) -> None:
        tasks = [name for kind, name in blocks if kind == "task"]
        for (kind, _), block in blocks.items():
            known, what = (tasks, "task") if kind == "train" else (list(self.networks), "network")
            if block.subject.text not in known and self._is_complete:
                self.sink.error(
                    "unknown-name", f"unknown {what} `{block.subject}`", block.subject.span,
                    help=did_you_mean(block.subject.text, known)
                    or (f"known: {one_of(known)}" if known else f"the file has no {what}"),
                )  # fmt: skip

    def network_name(self, name: str | None) -> str:
        """The network called so, or the file's last one: files are usually written bottom up.

        Raises:
            CompileError: if there is none.
        """
        known = list(self.networks)
        if name is None and known:
            return known[-1]
        if name not in known:
            self.sink.error(
                "unknown-name",
                f"the file has no network `{name}`" if name else "the file has no network",
                self.source.span(0, 1),
                help=did_you_mean(name or "", known)
                or (f"known: {one_of(known)}" if known else ""),
            )
            raise CompileError(self.sink.found)
        return str(name)

    def rules_of(self, network: str) -> dict[str, t.Call]:
        """The rule of each connection of a network, by its label."""
        statements = self.networks[network].statements
        return {s.label.text: s.rule for s in statements if isinstance(s, t.Connection)}

    def seed_of(self, block: ExperimentValues) -> int:
        """The seed of an experiment: the caller's, else the block's, else 0."""
        if self.seed is not None:
            return self.seed
        setting = block.settings.get("seed")
        found = as_count(setting.values[0], "the seed", self.sink, 0, 2**53) if setting else 0
        return found or 0

    def build_of(self, block: ExperimentValues) -> Build:
        """How an experiment builds its network."""
        setting = block.settings.get("level")
        if setting is None:
            return Build(self.seed_of(block))
        value = setting.values[0]
        known = {
            lv for lib in self.libraries.values() for c in lib.cells.values() for lv in c.levels
        }
        said = value.text if isinstance(value, PathValue) else ""
        if said not in known and self._is_complete:
            self.sink.error(
                "unknown-name", "no imported cell has this level", setting.span,
                help=did_you_mean(said, known - {""}) or f"known: {one_of(sorted(known - {''}))}",
            )  # fmt: skip
        return Build(self.seed_of(block), said)

    def compile(self, network: str, *, seed: int = 0) -> Compiled:
        """One network as the top of a circuit.

        Raises:
            CompileError: with everything found, if anything in the file is known to be wrong.
        """
        compiled = self.sound(network, Build(seed))
        self.sink.raise_errors()
        assert compiled is not None
        return compiled

    def sound(self, network: str, build: Build, *, standalone: bool = True) -> Compiled | None:
        """One network as the top of a circuit, or None, after diagnostics, where it is wrong.

        With `standalone = False` it is meant as a cell: its ports are connected outside.
        """
        key = (network, build, standalone)
        if key not in self._made:
            self._made[key] = self._make(network, build, standalone)
        return self._made[key]

    def _make(self, network: str, build: Build, standalone: bool) -> Compiled | None:
        if network not in self._bottom_up:
            return None
        found = Sink()
        context = Context(
            self.networks, self.libraries, self.files, build.seed, found, build.level,
            self._is_complete,
            frozenset(self._unsound | (set(self.networks) - set(self._bottom_up)) - {network}),
        )  # fmt: skip
        compiled = None
        try:
            circuit = Circuit(elaborate(context, self.networks[network]), build.seed)
            _check_clashes(circuit, found)
            if circuit.top.whole and not found.errors:
                flat = flatten(circuit)
                check_topology(circuit, flat, found, standalone=standalone)
                check_solver(circuit, found)
                lines = [(name, lib.delay) for name, lib in self.libraries.items() if lib.delay]
                pairs = bundled(circuit)
                if pairs is not circuit:
                    circuit, flat = pairs, flatten(pairs)
                compiled = Compiled(circuit, flat, frozenset(lines))
        finally:
            self.sink.extend(found)
        if found.errors or compiled is None:
            self._unsound.add(network)
            return None
        return compiled

    @cached_property
    def _bottom_up(self) -> list[str]:
        """The networks that can be elaborated, each after those that it is made of."""
        order = bottom_up(self.networks, self.sink)
        return [name for name in order if self._is_whole(self.networks[name])]

    def check(self) -> Sink:
        """Check everything in the file that needs no simulator; never raises for user errors."""
        try:
            _ = self.libraries, self.experiments
            used = {p for n in self.networks.values() for p in parts(n, self.networks)}
            for name in self._bottom_up:
                builds = self._builds_of(name)
                for build in builds or [Build()]:
                    alone = bool(builds) or name not in used
                    if self.sound(name, build, standalone=alone) is None:
                        break
        except CompileError:
            pass
        return self.sink

    def _builds_of(self, network: str) -> list[Build]:
        """The ways in which the experiments of the file build a network."""
        blocks = [self.experiments[key] for key in self.to_check]
        return list(dict.fromkeys(self.build_of(b) for b in blocks if self.built_for(b) == network))

    @cached_property
    def to_check(self) -> list[tuple[str, str]]:
        """The experiments by (kind, name), but for the tasks that a training asks."""
        asked = {b.subject.text for b in self.experiments.values() if b.kind == "train" and b.whole}
        return [(k, n) for k, n in self.experiments if k != "task" or n not in asked]

    def built_for(self, block: ExperimentValues) -> str | None:
        """The network that an experiment is about, or None where that cannot be known."""
        task = (
            self.experiments.get(("task", block.subject.text)) if block.kind == "train" else block
        )
        if task is None or not (block.whole and task.whole):
            return None
        return task.subject.text if task.subject.text in self.networks else None


def _check_units(library: Library, sink: Sink) -> None:
    """Report units that a library's headers name and the language does not know."""
    for cell in library.cells.values():
        declarations: list[Parameter | Observable] = [
            *cell.params.values(),
            *cell.observables.values(),
        ]
        for declared in declarations:
            try:
                unit(declared.unit)
            except UnknownUnit:
                sink.error(
                    "bad-cell",
                    f"unknown unit `{declared.unit}` of `{declared.name}`",
                    declared.span,
                    help=did_you_mean(declared.unit, known_units()),
                )


def _check_clashes(circuit: Circuit, sink: Sink) -> None:
    """Report cells that define the same SPICE name: one netlist cannot hold both."""
    first: dict[str, tuple[Definition, Cell]] = {}
    for module in circuit.modules():
        for group in module.groups.values():
            for definition in group.cell.definitions if group.cell else ():
                for name in definition.names:
                    other, cell = first.setdefault(name, (definition, group.cell))  # type: ignore[arg-type]
                    if other.origin != definition.origin:
                        sink.error(
                            "cell-clash",
                            f"cells `{cell.library}.{cell.name}` and "
                            f"`{group.cell.library}.{group.cell.name}` both define `{name}`",  # type: ignore[union-attr]
                            group.span,
                            help="rename one of them in your library",
                        )


def _libraries(cells: tuple[Path, ...]) -> list[str]:
    from tellegen.cells import available

    return available(cells)


def open_file(
    path: str | Path | Compilation,
    *,
    cells: Iterable[str | Path] = (),
    allow: Iterable[str | Path] = (),
    overrides: Iterable[str] = (),
    seed: int | None = None,
) -> Compilation:
    """The compilation of a file, which may read what lies beside it and in the allowed folders.

    A compilation is its own, and the other arguments are not looked at.

    Raises:
        CompileError: if the file cannot be read as text.
    """
    if isinstance(path, Compilation):
        return path
    path = Path(path)
    sink = Sink()
    source = Source(str(path), "")
    try:
        # The user names this file, so it may be a link to anywhere.
        source = Source(str(path), read_text(path, str(path), LARGEST_TEXT))
    except FileRefused as error:
        sink.error(error.code, str(error), source.span(0, 0), help=error.help)
        sink.raise_errors()
    roots = (path.parent, *(Path(a) for a in allow))
    folders = search_path(tuple(cells))
    return Compilation(source, Files(roots), folders, tuple(overrides), seed, sink)
