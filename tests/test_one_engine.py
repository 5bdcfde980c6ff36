"""A process has one ngspice with one circuit: what a second engine in it is told."""

from pathlib import Path

import pytest

import tellegen
from tellegen.sims.errors import SimulationError, SimulatorBusy
from tellegen.sims.ngspice.engine import Engine
from tellegen.sims.session import Session, run_job

TEXT = """
import resistive
network Divider { input a; output b
    upper: resistor(a, b, g = 1 mS)
    lower: resistor(b, gnd, g = G mS) }
"""


def divider(g):
    emitted = tellegen.compile_text(TEXT.replace("G", str(g))).emit()
    return emitted.netlist, emitted.manifest


def solved(engine):
    engine.drive("a", 1.0)
    engine.solve()
    return float(engine.read("b"))


def second(_job, payload):
    """A job: the voltages of engines, one after the other in one process, and what is refused between."""
    one, other = payload
    said, found = [], []
    engine = Engine(*one)
    found.append(solved(engine))
    with pytest.raises(SimulatorBusy) as refused:
        Engine(*other)
    said.append(str(refused.value))
    found.append(solved(engine))  # what was refused has changed nothing

    engine.close()
    kept = Engine(*other)
    found.append(solved(kept))
    engine.close()  # again: the circuit is another's by now
    with pytest.raises(ValueError, match="closed"):
        engine.solve()
    with pytest.raises(ValueError, match="closed"):
        engine.check()
    with pytest.raises(SimulatorBusy):
        engine.restart()
    found.append(solved(kept))

    kept.itself = kept  # a cycle, which goes when it is collected
    del kept
    third = Engine(*one)
    found.append(solved(third))
    third.close()
    with pytest.raises(SimulationError):
        Engine("* no such cell\nx1 a 0 nowhere\n.end", one[1])
    found.append(solved(Engine(*other)))
    return said, found


def test_a_second_engine_in_a_process_is_refused_until_the_first_is_closed_or_gone(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parent)  # where the worker finds the job
    said, found = run_job("test_one_engine:second", (divider(1), divider(3)))
    assert "close()" in said[0] and "Session" in said[0]
    assert found == pytest.approx([0.5, 0.5, 0.25, 0.25, 0.5, 0.25], abs=1e-9)


def test_sessions_have_an_ngspice_each():
    with Session(*divider(1)) as one, Session(*divider(3)) as other:
        assert solved(one) == pytest.approx(0.5)
        assert solved(other) == pytest.approx(0.25)
        assert solved(one) == pytest.approx(0.5)
