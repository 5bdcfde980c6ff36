"""The cell that a file describes: header and body, read and checked against each other.

Every mistake becomes a diagnostic on the file's own line, and a cell with a mistake is not usable.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import pairwise
from typing import TypeVar

from tellegen.cells.body import (
    BAD,
    Body,
    Subcircuit,
    occurrences,
    read_bodies,
)
from tellegen.cells.cell import (
    DIRECTIONS,
    DISCIPLINES,
    GROUND,
    LOCAL,
    SENSES,
    Cell,
    Limit,
    Locality,
    Observable,
    Parameter,
    Port,
    Programmable,
)
from tellegen.cells.definitions import Definition
from tellegen.cells.expression import (
    CONSTANTS,
    FUNCTIONS,
    evaluate,
)
from tellegen.cells.frontmatter import Table, header_text, read_toml
from tellegen.cells.probe import Probe
from tellegen.cells.selftest import read_selftest
from tellegen.cells.solver import NO_SOLVER, OPTIONS, Solver
from tellegen.diagnostics import Sink, did_you_mean, one_of
from tellegen.source import Source

IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,63}")
# Names that ngspice's own arithmetic would take for something else.
RESERVED = frozenset(
    {"time", "temper", "hertz", "gnd", "params", "and", "or", "not", "div", "mod", "defined"}
    | FUNCTIONS.keys()
    | CONSTANTS.keys()
)
# What `alter` calls the value of an element; "" is the principal value.
_ATTRIBUTES = {
    "r": "", "c": "", "l": "", "v": "", "i": "", "e": "gain", "f": "gain", "g": "gain", "h": "gain",
}  # fmt: skip

_T = TypeVar("_T")

# What may say that it holds at some levels of a cell only, does so by this key.
_LEVELS = ("levels",)


def read_cell(
    name: str,
    library: str,
    source: Source,
    sink: Sink,
    shared: Sequence[Definition] = (),
    solver: Solver = NO_SOLVER,
) -> Cell | None:
    """The cell of a file's text; None, with the reasons in the sink, where it is not usable.

    Of a cell with several levels it is the first; `Cell.levels` holds them all.

    Args:
        name: of the cell and its file.
        library: name of its library.
        source: the file.
        sink: takes the diagnostics.
        shared: definitions of the library that the cell may use.
        solver: what the library asks of the simulator.
    """
    before = len(sink.errors)
    header = read_toml(source, header_text(source.text), BAD, sink)
    if header is None:
        return None
    header.only(
        "summary", "doc", "reference", "levels", "max_step", "solver", "ports", "dc", "params", "biases", "programmable",
        "observables", "locality", "selftest",
    )  # fmt: skip
    names = header.texts("levels")
    for level in names:
        if not IDENTIFIER.fullmatch(level):
            header.error(f"`{level}` cannot be the name of a level", "levels")
    bodies = read_bodies(name, names, source, shared, sink)
    if bodies is None:
        return None
    levels: dict[str, Cell] = {}
    for level, body in bodies.items():
        found = Sink()
        own = header.telling(found)
        asked = read_solver(own, solver, level, names)
        levels[level] = _cell(name, library, source, own, body, level, asked, levels, names)
        for diagnostic in found.found:
            if diagnostic not in sink.found:
                sink.add(diagnostic)
    for test in (t for cell in levels.values() for t in cell.selftests):
        for level in test.levels:
            if level not in bodies:
                sink.error(BAD, f"the cell has no level `{level}`", test.span,
                           help=did_you_mean(level, bodies))  # fmt: skip
    return next(iter(levels.values())) if len(sink.errors) == before else None


def _cell(
    name: str, library: str, source: Source, header: Table, body: Body, level: str, solver: Solver,
    levels: Mapping[str, Cell], known: Sequence[str],
) -> Cell:  # fmt: skip
    def here(table: Table) -> bool:
        return _is_at(table, level, known)

    ports = _named(header, "ports", lambda key, t: _port(key, t, body, known), here)
    params = _named(header, "params", lambda key, t: _parameter(key, t, body))
    _check_ports(header, ports, body)
    _check_params(header, params, body)
    programmable = _named(header, "programmable", lambda k, t: _programmable(k, t, params, body))
    observables = _named(
        header, "observables", lambda key, t: _observable(key, t, body, known), here
    )
    dc = header.table("dc")
    dc.only("paths", "sources")
    tests = [read_selftest(t, params, observables) for t in header.array("selftest")]
    return Cell(
        name=name,
        library=library,
        level=level,
        levels=levels,
        subcircuit=body.main.name,
        summary=header.required_text("summary", "one sentence that says what the cell is"),
        doc=header.text("doc"),
        reference=header.required_text("reference", "the paper or data sheet behind the cell"),
        ports=ports,
        params=params,
        biases=_biases(header, params),
        programmable=programmable,
        observables=observables,
        locality=_locality(header),
        dc_paths=_port_pairs(dc, "paths", ports),
        dc_sources=_port_pairs(dc, "sources", ports),
        selftests=tuple(t for t in tests if not t.levels or not level or level in t.levels),
        solver=solver,
        max_step=_limit(header, "max_step", params.keys()),
        definitions=body.definitions,
        source=source,
    )


def read_solver(
    header: Table, of_library: Solver = NO_SOLVER, level: str = "", known: Sequence[str] = ()
) -> Solver:
    """What a `[solver]` table asks of the simulator; what it does not say is as in the library's."""
    table = header.table("solver")
    table.only("method", "reason", *OPTIONS, *_LEVELS[: len(known)])
    if not _is_at(table, level, known):
        return of_library
    method = of_library.method
    if "method" in table.data:
        method = table.choice("method", ("gear", "trap"), method)
    options = dict(of_library.options)
    for key in OPTIONS:
        value = table.number(key)
        if value is not None:
            options[key] = value
            if value <= 0:
                table.error(f"`{key}` must be positive", key)
    ordered = tuple((key, options[key]) for key in OPTIONS if key in options)
    return Solver(method, ordered, table.text("reason", of_library.reason))


def _biases(header: Table, params: Mapping[str, Parameter]) -> dict[str, str]:
    """The bias currents: parameters that are ones, and expressions over the parameters."""
    table = header.table("biases")
    found = {}
    for key in table.data:
        text = table.text(key)
        expression = table.expression(key, text, params.keys()) if text else None
        if expression is not None:
            found[key] = text
    return {n: n for n, p in params.items() if p.bias} | found


def _locality(header: Table) -> Locality | None:
    """What a plasticity cell declares that it reads; None for every other cell."""
    if "locality" not in header.data:
        return None
    table = header.table("locality")
    table.only("pre", "post", "third", "weight")
    for side, known in LOCAL.items():
        for word in table.texts(side):
            if word not in known:
                table.error(f"`{word}` is nothing that a {side} side has", side,
                            help=did_you_mean(word, known) or f"known: {one_of(known)}")  # fmt: skip
    return Locality(
        pre=table.texts("pre"), post=table.texts("post"), third=table.texts("third"),
        weight=table.flag("weight"),
    )  # fmt: skip


def _named(
    header: Table, key: str, read: Callable[[str, Table], _T],
    here: Callable[[Table], bool] = lambda _table: True,
) -> dict[str, _T]:  # fmt: skip
    found: dict[str, _T] = {}
    for name, table in header.tables(key):
        if not here(table):
            continue
        if not IDENTIFIER.fullmatch(name) or name in RESERVED:
            table.error(
                f"`{name}` cannot be a name here",
                help="names are lower-case identifiers, and no words of SPICE's arithmetic",
            )
        found[name] = read(name, table)
    return found


# ---------------------------------------------------------------- ports and parameters


def _is_at(table: Table, level: str, known: Sequence[str]) -> bool:
    """Whether what a table says holds at a level; without `levels` it does at every one."""
    asked = table.texts(*_LEVELS) if known else ()
    for name in asked:
        if name not in known:
            table.error(f"the cell has no level `{name}`", *_LEVELS, help=did_you_mean(name, known))
    return not asked or level in asked


def _port(name: str, table: Table, body: Body, known: Sequence[str]) -> Port:
    table.only("discipline", "direction", "open", "doc", *_LEVELS[: len(known)])
    if name in body.main.defaults:
        table.error(f"`{name}` is a port and a parameter")
    discipline = table.choice("discipline", DISCIPLINES, "voltage")
    direction = table.choice("direction", DIRECTIONS, "inout")
    if discipline == "optical" and direction not in ("in", "out"):
        table.error(
            f"light goes into `{name}` or comes out of it", "direction",
            help='say `direction = "in"` or `"out"`: a net of light has one driver',
        )  # fmt: skip
    return Port(
        name=name,
        discipline=discipline,
        direction=direction,
        open=table.flag("open"),
        doc=table.text("doc"),
        span=table.span(),
    )


def _check_ports(header: Table, ports: Mapping[str, Port], body: Body) -> None:
    if not ports:
        header.error("the header declares no ports", "ports")
    elif (nodes := [n for port in ports.values() for n in port.nodes]) != body.main.ports:
        header.error(
            f"the header has the ports `{' '.join(nodes)}`, "
            f"the `.subckt` has `{' '.join(body.main.ports)}`",
            "ports",
            help="name the same ports in the same order in both",
        )


def _port_pairs(table: Table, key: str, ports: Mapping[str, Port]) -> tuple[tuple[str, str], ...]:
    pairs = table.pairs(key)
    for end in (end for pair in pairs for end in pair):
        if end not in ports and end != GROUND:
            known = [*ports, GROUND]
            table.error(f"`{end}` is no port", key, help=did_you_mean(end, known))
    return pairs


def _parameter(name: str, table: Table, body: Body) -> Parameter:
    table.only("unit", "default", "min", "max", "step", "doc", "bias")
    others = body.main.defaults.keys() - {name}
    return Parameter(
        name=name,
        unit=table.text("unit", "1"),
        default=table.number("default"),
        min=_limit(table, "min", others),
        max=_limit(table, "max", others),
        step=_limit(table, "step", others),
        bias=table.flag("bias"),
        doc=table.text("doc"),
        span=table.span(),
    )


def _limit(table: Table, key: str, names: Collection[str]) -> Limit:
    limit = table.number_or_text(key)
    if isinstance(limit, str):
        table.expression(key, limit, names)
    return limit


def _check_params(header: Table, params: Mapping[str, Parameter], body: Body) -> None:
    declared = body.main.defaults
    if params.keys() != declared.keys():
        only = sorted(params.keys() ^ declared.keys())
        header.error(
            f"`{only[0]}` is a parameter of the "
            + ("header only" if only[0] in params else "`.subckt` only"),
            *(("params", only[0]) if only[0] in params else ("params",)),
        )
        return
    defaults = {name: p.default for name, p in params.items() if p.default is not None}
    for name, parameter in params.items():
        table = header.table("params").table(name)
        _check_range(table, parameter, defaults)
        if parameter.default is not None:
            written = _value(declared[name], {})
            if written != parameter.default:
                table.error(
                    f"the default of `{name}` is {parameter.default:g} here, "
                    f"`{declared[name]}` on the `.subckt` line",
                    "default",
                )


def _value(limit: Limit, names: Mapping[str, float]) -> float | None:
    """The value of a limit, or None where it has none for these names."""
    if limit is None:
        return None
    try:
        return float(evaluate(limit, names))
    except ValueError:
        return None


def _check_range(table: Table, parameter: Parameter, defaults: Mapping[str, float]) -> None:
    low, default, high = (
        _value(limit, defaults) for limit in (parameter.min, parameter.default, parameter.max)
    )
    marks = [
        (k, v) for k, v in (("min", low), ("default", default), ("max", high)) if v is not None
    ]
    for (small, a), (large, b) in pairwise(marks):
        if a > b:
            table.error(f"`{small}` is {a:g} and `{large}` {b:g}, which is less", large)
    step = _value(parameter.step, defaults)
    if parameter.step is not None:
        _check_step(table, step, parameter.min)
    if step and low is not None and default is not None and not _on_grid(default, low, step):
        table.error(f"`default` is no multiple of the step {step:g} away from `min`", "default")


def _check_step(table: Table, step: float | None, low: Limit) -> None:
    if step is not None and step <= 0:
        table.error("`step` must be positive", "step")
    if low is None:
        table.error("a `step` is counted from `min`, which the parameter lacks", "step")


def _on_grid(value: float, low: float, step: float) -> bool:
    steps = (value - low) / step
    return abs(steps - round(steps)) < 1e-6


# ---------------------------------------------------------------- what can be written and read


def _programmable(
    name: str, table: Table, params: Mapping[str, Parameter], body: Body
) -> Programmable:
    table.only("element", "elements", "attribute", "step", "noise", "sense", "phase")
    # Levels carry a parameter in elements of their own: of a list, each takes those that it has.
    elements = tuple(e for e in table.texts("elements") if body.main.element(e) is not None)
    key = "elements" if elements else "element"
    if not elements:
        element = table.required_text("element", "the card whose value carries the parameter")
        elements = (element,) if element else ()
    step = _limit(table, "step", params.keys() - {name})
    noise = table.number("noise") or 0.0
    if noise < 0:
        table.error("`noise` is a standard deviation and cannot be negative", "noise")
    if table.flag("phase") and name in params and params[name].unit != "rad":
        table.error("a phase has the unit `rad`", "phase")
    expressions: tuple[str, ...] = ()
    if name not in params:
        table.error(f"`{name}` is no parameter of the cell", help=did_you_mean(name, params))
    else:
        if step is None:
            step = params[name].step
        else:
            _check_step(table, _value(step, {}), params[name].min)
        expressions = _carried(name, elements, key, table, params, body.main)
    return Programmable(
        param=name,
        elements=elements,
        attribute=_ATTRIBUTES.get(elements[0][0].lower(), "") if elements else "",
        expressions=expressions,
        step=step,
        noise=noise,
        sense=table.choice("sense", SENSES, ""),
        phase=table.flag("phase"),
        span=table.span(),
    )


def _carried(
    name: str, elements: tuple[str, ...], key: str, table: Table, params: Mapping[str, Parameter],
    main: Subcircuit,
) -> tuple[str, ...]:  # fmt: skip
    """The expressions by which elements carry a parameter; writing them must be all there is."""
    found = [_carrier(name, element, key, table, params, main) for element in elements]
    if len({element[0].lower() for element in elements}) > 1:
        table.error("elements that are written together are of one kind", key)
    elif found and all(found) and occurrences(main, name) != len(elements):
        listed = one_of(elements)
        table.error(
            f"`{name}` is used outside of {listed} too, so writing {listed} does not set it", key
        )
    return tuple(found)


def _carrier(
    name: str, element: str, key: str, table: Table, params: Mapping[str, Parameter], main: Subcircuit
) -> str:  # fmt: skip
    card = main.element(element)
    if card is None:
        known = [card.words[0] for card in main.cards if not card.text.startswith(".")]
        table.error(f"there is no element `{element}`", key, help=did_you_mean(element, known))
        return ""
    letter = element[0].lower()
    if letter not in _ATTRIBUTES:
        table.error(f"`{element}` has no value that can be altered", key)
    elif key == "element" and table.text("attribute") != _ATTRIBUTES[letter]:
        table.error(
            f"the value of `{element}` goes by the attribute `{_ATTRIBUTES[letter]}`", "attribute"
        )
    if len(card.braces) != 1 or not card.text.rstrip().endswith("}"):
        table.error(f"`{element}` must end with its value in braces, such as `{{1/g}}`", key)
        return ""
    expression = table.expression(key, card.braces[0], params.keys())
    if expression is None:
        return ""
    if name not in expression.names:
        table.error(f"the value of `{element}` does not depend on `{name}`", key)
        return ""
    return expression.text


def _observable(name: str, table: Table, body: Body, known: Sequence[str]) -> Observable:
    table.only("expr", "unit", "doc", *_LEVELS[: len(known)])
    expr = table.required_text("expr", "`v(p,n)` or `i(V1)`")
    probe = Probe("v", ())
    try:
        probe = Probe.parse(expr)
    except ValueError as error:
        if expr:
            table.error(str(error), "expr")
    inside = {word for card in body.main.cards for word in card.words[1:]}
    for end in probe.names:
        if probe.kind == "v" and end not in inside and end not in body.main.ports:
            table.error(f"the cell has no node `{end}`", "expr")
        if probe.kind == "i" and body.main.element(end) is None:
            table.error(f"the cell has no source `{end}`", "expr")
    return Observable(
        name=name,
        expr=expr,
        probe=probe,
        unit=table.text("unit", "V" if probe.kind == "v" else "A"),
        doc=table.text("doc"),
        span=table.span(),
    )
