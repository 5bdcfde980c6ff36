"""Elaboration: what a network block becomes."""

from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tellegen import CompileError, compile_file, compile_text
from tellegen.manifest import GROUND, Manifest

HEAD = "import resistive\n"


def top(body, **options):
    return compile_text(HEAD + f"network N {{\n{body}\n}}", **options).circuit.top


def ends(body, label="e", **options):
    return top(body, **options).groups[label].terminals


GROUNDED = "input a = n[0]\n"


@pytest.mark.parametrize(
    ("rule", "graph"),
    [
        ("grid(3, 4)", nx.grid_2d_graph(3, 4)),
        ("torus(3, 4)", nx.grid_2d_graph(3, 4, periodic=True)),
        ("torus(2, 6)", nx.grid_2d_graph(2, 6, periodic=True)),
        ("all_to_all", nx.complete_graph(12)),
    ],
)
def test_lattices_are_those_of_networkx(rule, graph):
    found = nx.Graph()
    pairs = ends(f"node n[12]\n{GROUNDED}e: connect n by {rule} using resistor()").tolist()
    found.add_edges_from(map(tuple, pairs))
    assert found.number_of_edges() == len(pairs) == graph.number_of_edges()
    assert nx.is_isomorphic(found, graph)


def test_all_to_all_has_the_shape_of_its_populations_in_row_major_order():
    group = top("input a[2]; output b[3]\ne: connect a -> b by all_to_all using resistor()").groups[
        "e"
    ]
    assert group.shape == (2, 3)
    assert group.terminals.tolist() == [[0, 2], [0, 3], [0, 4], [1, 2], [1, 3], [1, 4]]


@settings(max_examples=25, deadline=None, derandomize=True)
@given(n=st.integers(2, 9), m=st.integers(2, 9), k=st.integers(1, 2), seed=st.integers(0, 99))
def test_fixed_degrees(n, m, k, seed):
    body = f"input a[{n}]; output b[{m}]\nbase: connect a[0] -> b by all_to_all using resistor()\n"
    into = ends(body + f"e: connect a -> b by fixed_indegree({k}) using resistor()", seed=seed)
    assert (np.bincount(into[:, 1], minlength=n + m)[n:] == k).all()
    assert len(np.unique(into, axis=0)) == len(into)
    out = ends(body + f"e: connect a -> b by fixed_outdegree({k}) using resistor()", seed=seed)
    assert (np.bincount(out[:, 0], minlength=n)[:n] == k).all()
    total = ends(body + f"e: connect a -> b by fixed_total_number({k}) using resistor()", seed=seed)
    assert len(total) == k


def test_bernoulli_connects_the_share_it_says():
    body = "input a[100]; output b[100]\nbase: connect a -> b by one_to_one using resistor()\n"
    found = ends(body + "e: connect a -> b by pairwise_bernoulli(0.3) using resistor()")
    # 10,000 pairs: five standard deviations are 230.
    assert abs(len(found) - 3000) < 230


def test_nobody_connects_to_itself_unless_it_is_said():
    body = f"node n[5]\n{GROUNDED}chain: connect n by grid(1, 5) using resistor()\n"
    assert len(ends(body + "e: connect n -> n by all_to_all using resistor()")) == 20
    rule = "e: connect n -> n by all_to_all(autapses = true) using resistor()"
    assert len(ends(body + rule)) == 25


def test_a_line_added_elsewhere_changes_no_other_value():
    body = f"node n[9]\n{GROUNDED}e: connect n by pairwise_bernoulli(0.9) using resistor(g ~ uniform(1 uS, 2 uS))"
    plain = top(body).groups["e"]
    more = top(
        "node z[4]\n"
        + body
        + "\nf: connect z -> n[0:4] by one_to_one using resistor(g ~ normal(1 S, 1 mS))"
    )
    assert (plain.params["g"] == more.groups["e"].params["g"]).all()
    np.testing.assert_array_equal(plain.terminals, more.groups["e"].terminals - 4)


def test_seed_and_name_choose_the_values():
    body = "input a[4]; output b[4]\n{}: connect a -> b by one_to_one using resistor(g ~ uniform(1 S, 2 S))"
    one, again = (top(body.format("e"), seed=5).groups["e"].params["g"] for _ in range(2))
    assert (one == again).all()
    assert (one != top(body.format("e"), seed=6).groups["e"].params["g"]).all()
    assert (one != top(body.format("f"), seed=5).groups["f"].params["g"]).all()
    # Pinned: the same on every machine.
    np.testing.assert_allclose(one[:2], PINNED, rtol=1e-15)


PINNED = [1.5687819693902112, 1.5664970826675004]


def test_ground_supplies_pairs_and_edges_as_ports():
    module = top(
        """
        node n[4]
        ground n0 = n[0]
        supply vdd = 1.8 V
        input  s = n[1]
        input  p = (n[2], n[3])
        output d = e[0], e[2]
        e: connect n by grid(1, 4) using resistor()
        r: resistor(vdd, n[2])
        """
    )
    # n[0] is ground; the other nodes are counted without it.
    assert module.groups["e"].terminals[0].tolist() == [GROUND, 0]
    assert module.inputs["p"].positive == 1 and module.inputs["p"].negative == 2
    assert module.outputs["d"].positive.tolist() == [GROUND, 1]
    assert module.supplies[0].volts == 1.8


def test_edges_from_a_file_with_values(tmp_path):
    (tmp_path / "e.csv").write_text("source,target,g [uS]\n0,1,2\n1,2,3.5\n")
    (tmp_path / "n.tgn").write_text(
        HEAD
        + f'network N {{ node n[3]\n{GROUNDED}e: connect n by edges("e.csv") using resistor() }}'
    )
    group = compile_file(tmp_path / "n.tgn").circuit.top.groups["e"]
    assert group.terminals.tolist() == [[0, 1], [1, 2]]
    np.testing.assert_allclose(group.params["g"], [2e-6, 3.5e-6])


def test_instances_of_one_network_differ_only_where_something_is_drawn():
    text = (
        HEAD
        + """
    network Same(r = 1 kohm) {{ input a; output b; e: resistor(a, b, g = {}) }}
    network N {{ input x; output y[3]; u: Same[3](x, y, r = 2 kohm) }}
    """
    )
    fixed = compile_text(text.format("1 / r")).circuit
    assert len(fixed.modules()) == 2
    assert fixed.modules()[0].groups["e"].params["g"] == pytest.approx(1 / 2000)
    drawn = compile_text(text.format("1 mS").replace("g = 1 mS", "g ~ uniform(1 S, 2 S)")).circuit
    assert len({float(m.groups["e"].params["g"][0]) for m in drawn.modules()[:-1]}) == 3


def test_the_manifest_leads_from_spice_names_back_to_lines():
    compiled = compile_text(
        HEAD
        + """network Unit { input a; output b; node m[2]
  e: connect a -> m by all_to_all using resistor()
  f: connect m -> b by all_to_all using resistor() }
network N { input x; output y[2]; u: Unit[2](x, y) }""",
        name="file.tgn",
    )
    manifest = compiled.emit().manifest
    origin = manifest.origin("r.xu_1.xe_0_1.r1")
    assert (origin.path, origin.file, origin.line) == ("u[1].e[0, 1]", "file.tgn", 3)
    assert manifest.origin("xu_0.m_1").path == "u[0].m[1]"
    assert manifest.origin("y_1").path == "y[1]"
    assert manifest.origin("nothing_of_ours") is None
    back = Manifest.from_json(manifest.to_json())
    assert back.to_json() == manifest.to_json()


def test_names_that_spice_would_confuse_stay_apart():
    compiled = compile_text(
        HEAD
        + """network N {
        input A; input a[2]; node h[2], h_1, all, time
        r1: connect (A, a) -> h by all_to_all using resistor()
        R1: connect h -> (h_1, all, time) by all_to_all using resistor()
        }"""
    )
    nodes = compiled.emit().manifest.nodes
    assert len(set(nodes)) == len(nodes) == 8
    assert not {"all", "time", "0", "gnd"} & set(nodes)


def test_the_netlist_is_the_same_for_the_same_input_and_reads_as_agreed(update_golden):
    text = (
        HEAD
        + """
network Pair(g = 2 uS) {
    input a; output b
    r: resistor(a, b, g = g)
}
network Golden {
    supply vdd = 1.8 V
    input  x[2], i: current
    output y
    node   h[2]
    first: connect x -> h by all_to_all using resistor(g ~ uniform(1 uS, 10 uS))
    load:  Pair[2](h, y, g = 5 uS)
    bias:  resistor(vdd, y)
    leak:  resistor(i, gnd, g = 1 uS)
    clip:  diode(y, gnd)
}
"""
    )
    found = compile_text(text, name="golden.tgn").emit().netlist
    assert found == compile_text(text, name="golden.tgn").emit().netlist
    expected = Path(__file__).with_name("golden.cir")
    if update_golden:
        expected.write_text(found)
    assert found == expected.read_text()


def test_too_much_is_a_diagnostic():
    with pytest.raises(CompileError, match="too large"):
        top("node n[100000, 100000]")
