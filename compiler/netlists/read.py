"""YAML in the form of gdsfactory and SAX, read into netlists of our cells; mistakes go to a sink."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, isfinite
from typing import TYPE_CHECKING, Any

from tellegen.cells import Library
from tellegen.diagnostics import Label, Sink, did_you_mean, one_of
from tellegen.netlists.components import (
    COMPONENTS,
    LIMITS,
    TURNED,
    Component,
    canonical,
    setting_of,
)
from tellegen.netlists.direction import NoDirection, Place, turned
from tellegen.netlists.netlist import End, Instance, Netlist, free, in_order
from tellegen.source import Source, Span

if TYPE_CHECKING:
    import yaml

# Names of the language that are not names of nodes or instances.
_WORDS = {
    "gnd",
    "input",
    "output",
    "node",
    "ground",
    "supply",
    "connect",
    "by",
    "using",
    "true",
    "false",
}
_LARGEST = 100_000  # instances, of all netlists of a file together
_FORM = "a netlist has `instances`, `connections` and `ports`, each a mapping of names"
_END = "a port is `INSTANCE,PORT`, such as `lft,out0`; within braces in quotation marks"
_NET = '`{p1: "a,out0", p2: "b,in0"}`'


def read_netlists(
    source: Source, library: Library, sink: Sink, wavelength: float = 1.55, name: str = "top"
) -> list[Netlist]:
    """The netlists of a YAML text, the top one first; empty after errors in the sink.

    Args:
        source: the text.
        library: of our photonic cells.
        sink: takes what is wrong.
        wavelength: in um, where a setting `wl` does not say it.
        name: of a netlist that has none.
    """
    return _Reader(source, library, sink, wavelength).read(name)


@dataclass(frozen=True)
class _Raw:
    """A netlist as it stands in the file."""

    key: str
    span: Span
    instances: dict[str, _Part]
    links: list[tuple[_Ref, _Ref]]
    ports: dict[str, _Ref]


@dataclass(frozen=True)
class _Part:
    component: str
    span: Span
    settings: dict[str, tuple[str, Span, Span]] = field(
        default_factory=dict
    )  # with name's and value's place


@dataclass(frozen=True)
class _Ref:
    instance: str
    port: str
    span: Span


class _Reader:
    def __init__(self, source: Source, library: Library, sink: Sink, wavelength: float) -> None:
        self.source, self.library, self.sink = source, library, sink
        self.wavelength = wavelength
        self.instances = 0
        self.left_out: dict[str, tuple[Span, dict[str, None]]] = {}

    def error(
        self, message: str, span: Span, help: str = "", label: str = "", *more: Label
    ) -> None:
        self.sink.error("foreign-netlist", message, span, label, secondary=more, help=help)

    # YAML

    def read(self, name: str) -> list[Netlist]:
        root = self._composed()
        if root is None:
            return []
        top = dict(self._entries(root, "a netlist"))
        keys = {key.value: node for key, node in top.items()}
        if "instances" in keys:
            own = keys.get("name")
            raws = [self._netlist(own.value if own and isinstance(own.value, str) else name,
                                  self._span(next(iter(top))), keys)]  # fmt: skip
        else:
            raws = []
            for key, node in top.items():
                inner = {k.value: v for k, v in self._entries(node, f"netlist `{key.value}`")}
                raws.append(self._netlist(key.value, self._span(key), inner))
        if not raws and not self.sink.errors:
            self.error("the file has no netlist", self.source.span(), _FORM)
        if self.sink.errors:
            return []
        found = self._whole(raws)
        self._say_left_out()
        return [] if self.sink.errors else found

    def _composed(self) -> yaml.Node | None:
        import yaml

        try:
            root = yaml.compose(self.source.text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            at = min(mark.index if mark else 0, max(0, len(self.source.text) - 1))
            self.error(f"not YAML: {error.problem or error.context}", self.source.span(at))
            return None
        except yaml.reader.ReaderError as error:
            self.error(
                "not YAML: a character that may not stand there", self.source.span(error.position)
            )
            return None
        except (RecursionError, ValueError):
            self.error("not YAML that can be read: nested too deeply", self.source.span())
            return None
        if root is None:
            self.error("the file is empty", self.source.span(), _FORM)
        return root

    def _span(self, node: yaml.Node) -> Span:
        start = min(node.start_mark.index, max(0, len(self.source.text) - 1))
        return self.source.span(
            start, max(node.end_mark.index, start + 1) if self._is_scalar(node) else None
        )

    @staticmethod
    def _is_scalar(node: Any) -> bool:
        return node.id == "scalar"

    def _entries(self, node: yaml.Node, what: str) -> Iterator[tuple[Any, Any]]:
        """Keys and values of a mapping whose keys are texts, each once; nothing for an empty value."""
        if self._is_scalar(node) and node.tag == "tag:yaml.org,2002:null":
            return
        if node.id != "mapping":
            self.error(f"{what} is to be a mapping `NAME: VALUE`", self._span(node), _FORM)
            return
        seen: dict[str, Any] = {}
        for key, value in node.value:
            if not self._is_scalar(key):
                self.error(f"a name in {what} is not a text", self._span(key), _FORM)
            elif key.value in seen:
                self.error(f"`{key.value}` stands twice in {what}", self._span(key), "", "",
                           Label(self._span(seen[key.value]), "the first one"))  # fmt: skip
            else:
                seen[key.value] = key
                yield key, value

    def _netlist(self, name: str, span: Span, keys: Mapping[str, Any]) -> _Raw:
        instances: dict[str, _Part] = {}
        if "instances" not in keys:
            self.error(f"netlist `{name}` has no `instances`", span, _FORM)
            return _Raw(name, span, {}, [], {})
        for key, node in self._entries(keys["instances"], "`instances`"):
            instances |= self._instance(key, node)
        links = list(self._links(keys))
        ports = {}
        if "ports" in keys:
            for key, node in self._entries(keys["ports"], "`ports`"):
                if (ref := self._ref(node)) is not None:
                    ports[key.value] = ref
        if not ports and ("ports" not in keys or self._is_null(keys["ports"])):
            self.error(
                f"netlist `{name}` has no `ports`",
                span,
                "such as `in0: lft,in0`, the name outside and the port inside",
            )
        return _Raw(name, span, instances, links, ports)

    def _instance(self, key: Any, node: Any) -> dict[str, _Part]:
        """An instance, or those of an array as SAX names them: `NAME<column.row>`."""
        span = self._span(key)
        if self._is_scalar(node):
            return self._counted({key.value: _Part(node.value, self._span(node))})
        keys = {k.value: v for k, v in self._entries(node, f"instance `{key.value}`")}
        component = keys.get("component")
        if component is None or not self._is_scalar(component):
            self.error(
                f"instance `{key.value}` has no `component`", span, "such as `component: coupler`"
            )
            return {}
        settings: dict[str, tuple[str, Span, Span]] = {}
        for part in ("settings", "info"):  # what gdsfactory worked out itself, as SAX does
            if part in keys:
                for k, v in self._entries(keys[part], f"`{part}` of `{key.value}`"):
                    if self._is_scalar(v) or part == "settings":
                        value = v.value if self._is_scalar(v) else ""
                        settings[k.value] = (value, self._span(k), self._span(v))
        made = _Part(component.value, self._span(component), settings)
        sizes = {}
        if "array" in keys and not self._is_null(keys["array"]):
            given = {
                k.value: v for k, v in self._entries(keys["array"], f"`array` of `{key.value}`")
            }
            for long, short in (("columns", "num_a"), ("rows", "num_b")):
                size = given.get(long, given.get(short))
                count = size.value if size is not None and self._is_scalar(size) else ""
                if not re.fullmatch("[1-9][0-9]{0,5}", count):
                    self.error(
                        f"`array` of `{key.value}` wants whole numbers `columns` and `rows`", span
                    )
                    return {}
                sizes[long] = int(count)
        if not sizes:
            return self._counted({key.value: made})
        if sizes["columns"] * sizes["rows"] > _LARGEST:
            self.error(f"more than {_LARGEST} instances", span)
            return {}
        return self._counted({
            f"{key.value}<{i}.{j}>": made for i in range(sizes["columns"]) for j in range(sizes["rows"])
        })  # fmt: skip

    def _is_null(self, node: Any) -> bool:
        return self._is_scalar(node) and node.tag == "tag:yaml.org,2002:null"

    def _counted(self, made: dict[str, _Part]) -> dict[str, _Part]:
        before, self.instances = self.instances, self.instances + len(made)
        if self.instances <= _LARGEST:
            return made
        if before <= _LARGEST:
            self.error(f"more than {_LARGEST} instances", next(iter(made.values())).span)
        return {}

    def _links(self, keys: Mapping[str, Any]) -> Iterator[tuple[_Ref, _Ref]]:
        """From `connections`, `nets` and the `links` of `routes`."""
        pairs = []
        if "connections" in keys:
            pairs += list(self._entries(keys["connections"], "`connections`"))
        if "routes" in keys:
            for key, node in self._entries(keys["routes"], "`routes`"):
                inner = {k.value: v for k, v in self._entries(node, f"route `{key.value}`")}
                if "links" in inner:
                    pairs += list(self._entries(inner["links"], f"`links` of `{key.value}`"))
        if "nets" in keys and not self._is_null(keys["nets"]):
            if keys["nets"].id != "sequence":
                self.error("`nets` is to be a list", self._span(keys["nets"]), f"a net is {_NET}")
                return
            for node in keys["nets"].value:
                inner = {k.value: v for k, v in self._entries(node, "a net")}
                if "p1" in inner and "p2" in inner:
                    pairs.append((inner["p1"], inner["p2"]))
                else:
                    self.error("a net wants `p1` and `p2`", self._span(node), f"a net is {_NET}")
        for one, other in pairs:
            ends = self._ref(one), self._ref(other)
            if ends[0] is not None and ends[1] is not None:
                yield ends[0], ends[1]

    def _ref(self, node: Any) -> _Ref | None:
        span = self._span(node)
        words = [w.strip() for w in node.value.split(",")] if self._is_scalar(node) else []
        if len(words) != 2 or not all(words):
            self.error("no port of an instance", span, _END)
            return None
        return _Ref(words[0], words[1], span)

    # What it means

    def _whole(self, raws: Sequence[_Raw]) -> list[Netlist]:
        """The top netlist (`top_level`, or the first one, as for SAX) and what it is made of, it first."""
        known = {raw.key: raw for raw in raws}
        taken = {*self.library.cells, *_WORDS}
        names = {raw.key: _named(raw.key, taken) for raw in raws}
        done: dict[str, Netlist] = {}
        busy: list[str] = []

        def visit(raw: _Raw) -> bool:
            if raw.key in done:
                return True
            busy.append(raw.key)
            for part in raw.instances.values():
                if part.component in busy:
                    around = " in ".join(f"`{k}`" for k in (part.component, *reversed(busy)))
                    self.error(f"a netlist holds itself: {around}", part.span)
                    return False
                if part.component in known and not visit(known[part.component]):
                    return False
            busy.pop()
            made = self._made(raw, names, done)
            if made is None:
                return False
            done[raw.key] = made
            return True

        try:
            if not visit(known.get("top_level", raws[0])):
                return []
        except RecursionError:
            self.error("netlists in netlists, too deep to be read", raws[0].span)
            return []
        return list(reversed(done.values()))

    def _made(
        self, raw: _Raw, names: Mapping[str, str], done: Mapping[str, Netlist]
    ) -> Netlist | None:
        before = len(self.sink.errors)
        cells: dict[str, tuple[str, dict[str, float]] | None] = {}
        for label, part in raw.instances.items():
            cells[label] = self._cell(label, part, done)
        if len(self.sink.errors) > before:
            return None
        used: dict[tuple[str, str], Place] = {}
        links = [
            (one, other)
            for a, b in raw.links
            if (one := self._place(a, raw, done, used))
            and (other := self._place(b, raw, done, used))
        ]
        ports = {
            name: place
            for name, ref in raw.ports.items()
            if (place := self._place(ref, raw, done, used))
        }
        if len(self.sink.errors) > before:
            return None
        inner = {label for label, part in raw.instances.items() if part.component in done}
        try:
            behind = turned(list(raw.instances), inner, links, ports)
        except NoDirection as error:
            self.error(
                f"`{error.one}` and `{error.other}` {error}", error.other.span,
                "cells pass light one way: an interferometer that light passes both ways is two of them", "",
                Label(error.one.span, ""),
            )  # fmt: skip
            return None
        taken = set(_WORDS)
        given = {name: _named(name, taken) for name in raw.ports}
        labels = {label: _named(label, taken) for label in raw.instances}

        def end(place: Place) -> tuple[End, bool]:
            back = place.instance in behind
            port = place.port
            if back:
                port = port.replace("in", "OUT").replace("out", "in").replace("OUT", "out")
            return (labels[place.instance], port), place.is_output != back

        joined: dict[End, End] = {}
        for one, other in links:
            (a, a_leaves), (b, _) = end(one), end(other)
            joined |= {a: b} if a_leaves else {b: a}
        inputs: dict[str, End] = {}
        outputs: dict[str, End] = {}
        for name, place in ports.items():
            at, leaves = end(place)
            (outputs if leaves else inputs)[given[name]] = at
        instances = {}
        for label, part in raw.instances.items():
            found = cells[label]
            if found is None:
                instances[labels[label]] = Instance(names[part.component], {})
            else:
                cell = TURNED[found[0]] if label in behind else found[0]
                instances[labels[label]] = Instance(cell, found[1])
        return Netlist(names[raw.key], instances, in_order(instances, joined, {n.name: n for n in done.values()}),
                       inputs, outputs)  # fmt: skip

    def _place(
        self, ref: _Ref, raw: _Raw, done: Mapping[str, Netlist], used: dict[tuple[str, str], Place]
    ) -> Place | None:
        part = raw.instances.get(ref.instance)
        if part is None:
            self.error(f"there is no instance `{ref.instance}`", ref.span,
                       did_you_mean(ref.instance, raw.instances) or f"known: {one_of(raw.instances)}")  # fmt: skip
            return None
        if part.component in done:
            within = done[part.component]
            ports = {p: p for p in (*within.inputs, *within.outputs)}
            is_output = ref.port in within.outputs
        else:
            ports = COMPONENTS[part.component].ports
            is_output = ports.get(ref.port, "").startswith("out")
        if ref.port not in ports:
            self.error(f"`{part.component}` has no port `{ref.port}`", ref.span,
                       did_you_mean(ref.port, ports) or f"it has {one_of(dict.fromkeys(ports.values()))}")  # fmt: skip
            return None
        place = Place(ref.instance, ports[ref.port], is_output, ref.span)
        first = used.setdefault((ref.instance, place.port), place)
        if first is not place:
            self.error(f"`{place}` is used twice", ref.span, "light is joined and split in a `coupler`", "",
                       Label(first.span, "the first time"))  # fmt: skip
            return None
        return place

    def _cell(
        self, label: str, part: _Part, done: Mapping[str, Netlist]
    ) -> tuple[str, dict[str, float]] | None:
        """The cell of an instance and its parameters; None for another netlist, or after an error."""
        if part.component in done:
            if part.settings:
                self.error(f"`{part.component}` is a netlist of this file: it has no settings",
                           next(iter(part.settings.values()))[1], "give them to its own instances")  # fmt: skip
            return None
        component = COMPONENTS.get(part.component)
        if component is None:
            self.error(f"component `{part.component}` has no cell", part.span,
                       did_you_mean(part.component, COMPONENTS) or f"known: {one_of(COMPONENTS, 20)}; a netlist "
                       "of this name in the same file is one too")  # fmt: skip
            return None
        cell = self.library.cells[component.cell]
        own = {setting_of(p): p for p in cell.params} if component.own else {}
        numbers: dict[str, float] = {}
        before = len(self.sink.errors)
        for name, (text, at, span) in part.settings.items():
            value = _number(text)
            if name in component.refused:
                if value != 0 and text not in ("", "null", "~"):
                    self.error(f"setting `{name}` of `{part.component}` has no counterpart", span,
                               component.refused[name])  # fmt: skip
            elif name in component.settings or name in own:
                low, high = LIMITS.get(name, (-1e30, 1e30))
                if value is None or not low <= value <= high:
                    wanted = f"a number from {low:g} to {high:g}" if name in LIMITS else "a number"
                    self.error(f"setting `{name}` of `{label}` is to be {wanted}", span)
                else:
                    numbers[name] = value
            else:
                self.left_out.setdefault(part.component, (at, {}))[1][name] = None
        if len(self.sink.errors) > before:
            return None
        values = self._values(label, part, component, own, numbers)
        if values is None:
            return None
        for name, value in values.items():
            param = cell.params[name]
            least, most = (
                float(b) if isinstance(b, float | int) else otherwise
                for b, otherwise in ((param.min, -inf), (param.max, inf))
            )
            if not (isfinite(value) and least <= value <= most):
                self.error(f"`{name}` of `{label}` would be {value:g}: out of the range of `{cell.name}`", part.span,
                           f"`tellegen cells photonic.{cell.name}` shows the range")  # fmt: skip
                return None
        return component.cell, canonical(cell, values)

    def _values(
        self, label: str, part: _Part, component: Component, own: Mapping[str, str],
        numbers: Mapping[str, float],
    ) -> dict[str, float] | None:  # fmt: skip
        foreign = [n for n in numbers if n in component.settings and n not in own and n != "wl"]
        ours = [n for n in numbers if n in own and n not in component.settings]
        if foreign and ours:
            self.error(f"`{label}` has both `{ours[0]}` and `{foreign[0]}`", part.settings[foreign[0]][1],
                       f"give either {one_of(own)}, or {one_of(component.settings)}")  # fmt: skip
            return None
        if component.read is None or (not foreign and any(n in own for n in numbers)):
            return {own[n]: v for n, v in numbers.items() if n in own}
        given = {**component.settings, **numbers}
        if "wl" in given:
            given["wl"] = numbers.get("wl", self.wavelength)
        return component.read(given)

    def _say_left_out(self) -> None:
        for component, (span, names) in self.left_out.items():
            known = [*COMPONENTS[component].settings]
            near = [did_you_mean(name, known) for name in names]
            self.sink.warning(
                "foreign-netlist",
                f"left out: {one_of(names)} of `{component}`, which are nothing to its cell", span,
                help=next(filter(None, near), ""),
            )  # fmt: skip


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) else None


def _named(name: str, taken: set[str]) -> str:
    """A name of the language, as near to the given one as possible; it is taken from now on."""
    if not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name):
        name = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")
    return free(name if name and not name[0].isdigit() else f"n{name}", taken)
