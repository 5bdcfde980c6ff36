"""Figures that a page shows: room for their lines, units that are read, none that are empty."""

import numpy as np
import pytest

from tellegen import compile_text
from tellegen.sims import run_folder as rf
from tellegen.sims.report import curves, write_report
from tellegen.sims.report.style import LIGHT, quantity, styled

SPIKING = """\
import cmos
network Net {
    input  i[2]: current
    output out[2]: spike
    n: lif[2](i, out)
}
"""


@pytest.mark.parametrize("label", ["y", "n.membrane", "layer.neuron.somewhere.membrane"])
def test_a_legend_leaves_the_axes_their_width(label):
    time = np.linspace(0, 1, 5)
    signals = {label: np.zeros((5, 10))}
    for draw in (
        lambda: curves.waves(time, signals, {label: "V"}, ("time", "s"), LIGHT),
        lambda: curves.trajectories(time, signals | {label + "x": np.zeros(5)}, {}, LIGHT),
    ):
        with styled(LIGHT):
            figure = draw()
            figure.draw_without_rendering()
        assert figure.axes[0].get_position().width > 0.75


def test_a_frequency_has_one_prefix():
    assert quantity(0.0634, "GHz") == "63.4 MHz"
    assert quantity(6.24, "GHz") == "6.24 GHz"
    assert quantity(0.0, "GHz") == "0 Hz"


def test_a_network_without_edges_has_no_empty_picture(tmp_path):
    emitted = compile_text(SPIKING).emit()
    rf.write_text(tmp_path, rf.MANIFEST, emitted.manifest.to_json())
    rf.write_text(tmp_path, rf.NETLIST, emitted.netlist)
    rf.write_json(tmp_path, rf.RUN, {"kind": "simulate", "name": "Run", "status": "finished"})
    page = write_report(tmp_path).read_text("utf-8")
    assert "<h2>Network</h2>" not in page
    assert not (tmp_path / "network.png").exists()
