"""Mistakes in what Python asks of a running transient: each is told by a name or a number."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from tellegen import Flight, compile_text
from tellegen.diagnostics import Sink, TellegenError
from tellegen.sims import plugins
from tellegen.sims.errors import UnknownSignal
from tellegen.sims.rules import Rule

RC = """\
import resistive
network Rc {
    input  u
    output y
    r: resistor(u, y, g = 1 mS)
    c: capacitor(y, gnd, c = 1 uF)
}
"""
EMITTED = compile_text(RC).emit()


def flight(**changed):
    named = {"record": ["y"], "step": 5e-6, "stop": 1e-2, "external": ["u"]} | changed
    return Flight(EMITTED.netlist, EMITTED.manifest, **named)


@pytest.mark.parametrize(
    "changed", [{"step": 0.0}, {"stop": -1.0}, {"step": float("nan")}, {"max_step": -1e-6}]
)
def test_times_are_above_zero(changed):
    with pytest.raises(ValueError, match="above 0 s"):
        flight(**changed)


def test_unknown_signals_are_named_with_those_there_are():
    with pytest.raises(UnknownSignal, match=r"no signal `q`; .*`y`"):
        flight(record=["q"])
    with pytest.raises(UnknownSignal, match=r"no input `v`; known: `u`"):
        flight(external=["v"])
    with flight() as running:
        running.advance(1e-4)
        for ask, said in (
            (lambda: running.read("r.drop"), "no recorded signal `r.drop`; known: `y`"),
            (lambda: running.spikes("y"), "no signal whose spikes are watched `y`; known: none"),
            (lambda: running.drive("v", 1.0), "no external input `v`; known: `u`"),
            (
                lambda: running.write("r.h", 1.0),
                "no programmable parameter `r.h`; did you mean `r.g`",
            ),
        ):
            with pytest.raises(UnknownSignal) as caught:
                ask()
            assert said in str(caught.value)
            assert isinstance(caught.value, KeyError | TellegenError)
        with pytest.raises(ValueError, match="not a number"):
            running.advance(float("nan"))
        assert running.advance(2e-4) == pytest.approx(2e-4)  # none of it did any harm


def test_controllers_that_raise_or_leave():
    def raises(exchange):
        raise ZeroDivisionError("no gain")

    with flight() as running, pytest.raises(ZeroDivisionError, match="no gain") as caught:
        running.control(raises, every=1e-4)
    assert any("raised by the controller at 0.0001 s" in n for n in caught.value.__notes__)
    with flight() as running, pytest.raises(TellegenError, match=r"left Python at 0.0001 s"):
        running.control(lambda exchange: sys.exit(1), every=1e-4)


def test_points_go_to_a_file_named_by_text(tmp_path):
    with flight(file=str(tmp_path / "points.f64")) as running:
        running.advance(1e-3)
        points = len(running.waveforms().time)
        running.advance(1.1e-3)
    kept = np.fromfile(tmp_path / "points.f64").reshape(-1, 2)
    assert len(kept) > points and kept[-1, 0] == pytest.approx(1.1e-3)
    with pytest.raises(ValueError, match="closed"):
        running.read("y")


def test_an_entry_point_that_leads_nowhere_is_named(tmp_path, monkeypatch):
    info = tmp_path / "lost-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lost\nVersion: 1.0\n")
    group = "tellegen.sims.controllers"
    (info / "entry_points.txt").write_text(f"[{group}]\ngone = lost_module:gone\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        plugins.BrokenPlugin, match=r"`gone`.*lost_module:gone.*ModuleNotFoundError"
    ):
        plugins.load(group, "gone")


def test_an_entry_point_without_its_decorator_is_named(tmp_path, monkeypatch):
    info = tmp_path / "bare-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bare\nVersion: 1.0\n")
    group = "tellegen.sims.rules"
    (info / "entry_points.txt").write_text(f"[{group}]\nbare = bare_module:bare\n")
    (tmp_path / "bare_module.py").write_text("def bare(free):\n    return 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    plugins.names.cache_clear()
    try:
        with pytest.raises(plugins.BrokenPlugin, match=r"`bare` is no learning rule.*sims\.rules"):
            plugins.called(SimpleNamespace(name="bare"), group, Rule, "learning rule", Sink())
    finally:
        plugins.names.cache_clear()
