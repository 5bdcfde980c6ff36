"""Networks as pictures: where nodes go, and what lines, colours and widths say."""

import re
from itertools import pairwise
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.collections import LineCollection

from tellegen import compile_text
from tellegen.sims.report import draw_network
from tellegen.sims.report.lines import bends, segments
from tellegen.sims.report.structure import layout, structure
from tellegen.sims.report.style import LIGHT, new_figure, styled

G = "resistor(g ~ uniform(1 uS, 10 uS))"


def manifest(body):
    return compile_text(f"import resistive\nnetwork N {{\n{body}\n}}").emit().manifest


def layers(*widths, more=""):
    names = [f"h{k}" for k in range(1, len(widths) - 1)]
    nodes = [f"node {n}[{w}]" for n, w in zip(names, widths[1:-1], strict=True)]
    arrays = ["x", *names, "y"]
    edges = [
        f"e{k}: connect {a} -> {b} by all_to_all using {G}"
        for k, (a, b) in enumerate(pairwise(arrays))
    ]
    ports = [f"input x[{widths[0]}]", f"output y[{widths[-1]}]"]
    return manifest("\n".join([*ports, *nodes, *edges, more]))


def mesh(rule, count):
    return manifest(
        f"node n[{count}]\ninput a = n[0]\noutput b = n[{count - 1}]\nedge: connect n by {rule} using {G}"
    )


def values(found):
    return {name: p.values for name, p in found.parameters.items() if p.sense}


def drawn(found, shown=None):
    """The axes after `draw_network`, laid out as for a file."""
    with styled(LIGHT):
        figure = new_figure()
        ax = figure.subplots()
    draw_network(found, values(found) if shown is None else shown, ax)
    figure.draw_without_rendering()
    return ax


def lines(ax):
    return [c for c in ax.collections if isinstance(c, LineCollection)]


def test_layers_go_from_inputs_to_outputs():
    found = layers(3, 5, 4, 2)
    net = structure(found)
    place = layout(net)
    assert place.kind == "layers"
    columns = {"x": 0, "h1": 1, "h2": 2, "y": 3}
    assert [columns[n.partition("[")[0]] for n in net.names] == place.at[:, 0].tolist()
    heights = place.at[[net.names.index(f"h1[{k}]") for k in range(5)], 1]
    assert (np.diff(heights) < 0).all()  # from the top downwards


def test_a_shortcut_to_the_outputs_leaves_them_on_the_right():
    net = structure(layers(2, 3, 1, more=f"skip: connect x -> y by all_to_all using {G}"))
    place = layout(net)
    assert place.kind == "layers"
    assert place.at[net.outputs["y[0]"], 0] == 2


def test_edges_within_a_layer_are_bowed():
    net = structure(layers(2, 3, 1, more="inner: connect h1 by all_to_all using resistor()"))
    place = layout(net)
    found, _ = segments(place, net.edges["inner"], np.zeros(3))
    assert place.kind == "layers"
    assert all(line[:, 0].max() > 1.05 for line in found)


@pytest.mark.parametrize(("rule", "around"), [("grid(4, 5)", 0), ("torus(4, 5)", 9)])
def test_lattices_are_drawn_as_such(rule, around):
    net = structure(mesh(rule, 20))
    place = layout(net)
    assert place.kind == "lattice"
    assert place.at.tolist() == [[k % 5, -(k // 5)] for k in range(20)]
    found, owners = segments(place, net.edges["edge"], np.zeros(len(net.edges["edge"])))
    lengths = [np.hypot(*(line[-1] - line[0])) for line in found]
    # An edge around the border is two stubs.
    assert len(found) - len(net.edges["edge"]) == around == len(owners) - len(set(owners))
    assert max(lengths) == 1


def test_other_networks_are_laid_out_by_stress_always_in_the_same_way():
    net = structure(mesh("fixed_outdegree(2)", 30))
    first, second = layout(net), layout(net)
    assert first.kind == "force"
    assert np.array_equal(first.at, second.at)
    shown = first.at[net.shown]
    assert np.isfinite(shown).all() and len(np.unique(shown.round(6), axis=0)) == len(shown)
    assert first.at[net.inputs["a"], 0] < first.at[net.outputs["b"], 0]


def test_large_networks_are_laid_out_by_eigenvectors():
    net = structure(mesh("fixed_outdegree(3)", 400))
    first, second = layout(net), layout(net)
    assert first.kind == "spectral"
    assert np.array_equal(first.at, second.at, equal_nan=True)
    assert np.isfinite(first.at[net.shown]).all()


def test_parallel_edges_lie_side_by_side_whichever_way_they_point():
    net = structure(
        manifest("input a\noutput b\n"
                 "p: resistor(a, b)\nq: resistor(b, a)\nr: resistor(a, b)\nleg: resistor(b, gnd)")
    )  # fmt: skip
    place, aside = layout(net), bends(net)
    starts = []
    for group in "pqr":
        (line,), _ = segments(place, net.edges[group], aside[group])
        starts.append(sorted(line.tolist())[0][1])
    assert len(set(np.round(starts, 9))) == 3
    (leg,), _ = segments(place, net.edges["leg"], aside["leg"])
    assert leg[0].tolist() == place.at[net.outputs["b"]].tolist() and leg[1, 1] < leg[0, 1]


def test_strong_edges_are_wide_and_on_top():
    found = layers(3, 4, 2)
    ax = drawn(found)
    strokes = lines(ax)
    assert [len(c.get_paths()) for c in strokes] == [12, 8]
    for collection in strokes:
        assert (np.diff(collection.get_linewidths()) >= 0).all()
    assert len(np.unique(strokes[0].get_colors(), axis=0)) > 5
    texts = {t.get_text() for t in ax.texts}
    assert {"x[0]", "x[2]", "y[0]", "y[1]"} <= texts
    assert ax.figure.axes[-1].get_xlabel() == "conductance (S)"


def test_edges_without_a_value_are_thin_and_grey():
    found = layers(3, 4, 2)
    grey, coloured = lines(drawn(found, {"e1.g": found.parameters["e1.g"].values}))
    assert len(grey.get_paths()) == 12 and len(coloured.get_paths()) == 8
    assert len(np.unique(grey.get_colors(), axis=0)) == 1
    assert max(grey.get_linewidths()) < 1


def test_values_may_have_the_shape_of_the_array():
    found = layers(3, 4, 2)
    shaped = {n: v.reshape(found.parameters[n].shape) for n, v in values(found).items()}
    assert len(lines(drawn(found, shaped))) == 2


def test_what_is_no_conductance_is_shown_in_its_own_unit():
    body = (
        "input a\noutput y\nnode h[3]\n"
        "p: connect a -> h by all_to_all using nmos_edge_ground(vg = 3 V)\n"
        "q: connect h -> y by all_to_all using digipot(code = 5)"
    )
    ax = drawn(manifest(body))
    assert [a.get_xlabel() for a in ax.figure.axes[1:]] == ["vg (V)", "code"]


def test_a_large_layered_network_is_drawn_as_matrices():
    ax = drawn(layers(60, 50, 5))
    assert "3,250 edges, drawn as matrices of values" in ax.get_title(loc="left")
    assert [a.get_title(loc="left") for a in ax.child_axes] == ["e0.g", "e1.g"]


def test_a_large_lattice_is_drawn_as_a_map():
    found = mesh("torus(224, 224)", 224 * 224)
    assert len(found.parameters["edge.g"].values) > 100_000
    ax = drawn(found)
    assert "100,352 edges, drawn as the mean at each node" in ax.get_title(loc="left")
    image = ax.images[0].get_array()
    assert image.shape == (224, 224)
    ends, g = structure(found).edges["edge"], found.parameters["edge.g"].values
    assert image[2, 3] == pytest.approx(g[(ends == 2 * 224 + 3).any(axis=1)].mean())


def test_of_other_large_networks_a_sample_is_drawn():
    found = mesh("fixed_outdegree(23)", 400)
    total = len(found.parameters["edge.g"].values)
    ax = drawn(found)
    assert f"{total:,} edges, of which every 2nd by value is drawn" in ax.get_title(loc="left")
    assert sum(len(c.get_paths()) for c in lines(ax)) == -(-total // 2)


def test_a_network_without_drops_says_so():
    body = "input a\noutput b\namp: bidirectional_amplifier(a, b)\nload: voltage_driver(b, a)"
    assert "no `drop`" in drawn(manifest(body), {}).get_title(loc="left")


def test_nothing_of_matplotlib_is_left_changed():
    before = dict(matplotlib.rcParams)
    drawn(layers(2, 2))
    assert dict(matplotlib.rcParams) == before


def test_the_notebook_example_of_the_documentation_runs(tmp_path, monkeypatch):
    text = (Path(__file__).parents[1] / "docs" / "run-folder.md").read_text()
    monkeypatch.chdir(tmp_path)
    exec(re.search(r"```python\n(.*?)```", text, re.DOTALL).group(1), {})
    assert (tmp_path / "mesh.png").stat().st_size > 5000
