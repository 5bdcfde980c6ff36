"""What happens around the engine: workers, jobs, decks, and everything that can end badly."""

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from tellegen import compile_text
from tellegen.diagnostics import TellegenError
from tellegen.manifest import GROUND, InputMap, LineMap, Manifest, OutputMap, ParameterMap
from tellegen.sims.errors import Cause, Located, SimulationError, located
from tellegen.sims.ngspice.deck import run_batch, run_deck, run_decks
from tellegen.sims.ngspice.netlist import checked_netlist
from tellegen.sims.session import Session, run_job

DIVIDER = """\
* divider
Xtop_0 a_0 b_0 resistor g=1e-3
Xbottom_0 b_0 0 resistor g=1e-3
.subckt resistor p n g=1e-5
R1 p n {1/g}
.ends resistor
Vin_x_0 a_0 0 dc 1
.op
.end
"""

JOBS = """\
import os, time

def count(job, upto):
    for k in range(upto):
        if job.stopping:
            return f"stopped at {k}"
        job.send(k)
        time.sleep(0.02)
    return "done"

def fail(job, payload):
    raise ZeroDivisionError("on purpose")

def odd(job, payload):
    class Odd(Exception):
        pass
    raise Odd("cannot be sent")

def crash(job, payload):
    os.abort()

def sleep(job, seconds):
    time.sleep(seconds)
"""


def divider():
    """The divider and its manifest: node `b` is the output, `top.g` can be written."""
    ground, ones = np.array([GROUND], dtype=np.int32), np.ones(1)
    manifest = Manifest(
        network="Divider",
        nodes=["a_0", "b_0"],
        paths=["a[0]", "b[0]"],
        inputs={"x": InputMap((1,), "voltage", np.array([0], np.int32), ground, ["Vin_x_0"])},
        outputs={"y": OutputMap((1,), np.array([1], np.int32), ground)},
        parameters={
            "top.g": ParameterMap(
                shape=(1,),
                unit="S",
                symbol="g",
                elements=["r.xtop_0.r1"],
                attribute="",
                expressions=["1/g"],
                arguments={},
                values=1e-3 * ones,
                low=1e-12 * ones,
                high=ones,
                step=None,
                write_noise=0.0,
                sense=1,
                instances="top",
            )
        },
        observables={},
        phases={"free": {"switch": 1e15}, "clamped": {"switch": 1e-6}},
        lines=[LineMap("b", "b", "divider.tgn", 2), LineMap("xtop", "top", "divider.tgn", 3)],
    )
    return DIVIDER, manifest


def test_spice_names_lead_back_to_the_source():
    text = """
    import resistive
    network Unit {
        input a
        output b
        node h[4]
        l: connect a -> h by all_to_all using resistor()
        r: connect h -> b by all_to_all using resistor()
    }
    network Net {
        input x
        output y, note
        unit: Unit(x, y)
        many: Unit[2](x, note)
    }
    """
    manifest = compile_text(text, "Net", name="net.tgn").emit().manifest
    words = (
        "Warning: singular matrix:  check node xunit.h_3\nNote: Starting dynamic gmin stepping\n"
        "Error: no such device r.xmany_1.xl_0_2.r1\nWarning: check node vin_x#branch"
    )
    assert [str(place) for place in located(words, manifest)] == [
        "`unit.h[3]` (net.tgn:6)",
        "`many[1].l[0, 2]` (net.tgn:7)",
        "`x` (net.tgn:11)",
    ]


def test_the_example_of_the_documentation_runs():
    page = Path(__file__).parents[1] / "docs" / "session.md"
    example = page.read_text().split("```python\n")[1].split("```")[0]
    names = {}
    exec(example, names)
    assert names["session"].manifest is names["emitted"].manifest


@pytest.fixture
def jobs(tmp_path, monkeypatch):
    (tmp_path / "some_jobs.py").write_text(JOBS)
    monkeypatch.syspath_prepend(tmp_path)
    return "some_jobs"


def test_sessions_are_independent():
    with Session(*divider()) as one, Session(*divider()) as other:
        one.write("top.g", 3e-3)
        one.solve()
        other.solve()
        assert one.read("y") == pytest.approx(0.75)
        assert other.read("y") == pytest.approx(0.5)


def test_a_circuit_without_ports_or_parameters():
    netlist = "* rc\nI1 0 a 1m\nR1 a 0 1k\n.op\n.end\n"
    manifest = Manifest("Bare", ["a"], ["a"], {}, {}, {}, {}, {"free": {"switch": 1e15}}, [])
    with Session(netlist, manifest) as session:
        session.solve()
        session.phase("free")
        session.solve()
        assert session.read("nodes") == pytest.approx(1.0)
        assert session.cold() == pytest.approx(1.0)


def test_errors_in_the_worker_keep_their_type_and_leave_the_session_usable():
    with Session(*divider()) as session:
        with pytest.raises(ValueError, match="shape"):
            session.write("top.g", [1.0, 2.0, 3.0])
        with pytest.raises(KeyError):
            session.read("nothing")
        session.solve()
        assert session.read("y") == pytest.approx(0.5)


def test_a_hanging_worker_is_ended():
    with Session(*divider(), timeout=3.0) as session:
        session.solve()
        pid = session._worker.pid
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(SimulationError, match="no sign of life") as caught:
            session.solve()
        assert caught.value.cause is Cause.HUNG
        assert not psutil.pid_exists(pid)
        with pytest.raises(SimulationError):
            session.solve()


def test_a_crash_tells_the_last_words_on_the_users_line():
    netlist, manifest = divider()
    netlist = netlist.replace(".op", "Vagain a_0 0 1\nIq 0 b_0 1\n.op")
    with Session(netlist, manifest) as session:
        with pytest.raises(SimulationError):
            session.solve()
        os.kill(session._worker.pid, signal.SIGABRT)
        with pytest.raises(SimulationError, match="SIGABRT") as caught:
            session.solve()
    assert caught.value.cause is Cause.CRASHED
    assert "singular" in caught.value.words


def test_a_worker_ends_with_its_parent():
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import time; from tellegen.sims.workers.process import Worker\n"
            "w = Worker(); w.make('builtins:dict'); print(w.pid, flush=True); time.sleep(60)",
        ],
        stdout=subprocess.PIPE,
    )
    worker = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.communicate()
    worker.wait(timeout=5)


def test_a_worker_does_not_run_the_users_main_module(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "print('main')\n"
        "from tellegen.sims.ngspice.deck import run_deck\n"
        "print(run_deck('* t\\nV1 a 0 2\\nR1 a 0 1\\n.op\\n.end')['a'][0])\n"
    )
    out = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["main", "2.0"]
    assert not out.stderr


def test_job_sends_messages_and_returns(jobs):
    got = []
    assert run_job(f"{jobs}:count", 4, got.append) == "done"
    assert got == [0, 1, 2, 3]


def test_interrupt_stops_a_job_which_still_returns(jobs):
    def interrupt(message):
        if message == 2:
            threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGINT)).start()

    result = run_job(f"{jobs}:count", 1000, interrupt)
    assert result.startswith("stopped at ")


def test_exceptions_of_jobs(jobs):
    with pytest.raises(ZeroDivisionError, match="on purpose") as caught:
        run_job(f"{jobs}:fail", None)
    assert "some_jobs.py" in caught.value.__notes__[0]
    with pytest.raises(RuntimeError, match="cannot be sent"):
        run_job(f"{jobs}:odd", None)
    with pytest.raises(SimulationError, match="SIGABRT"):
        run_job(f"{jobs}:crash", None)


def test_a_job_without_progress_is_ended(jobs):
    start = time.monotonic()
    with pytest.raises(SimulationError) as caught:
        run_job(f"{jobs}:sleep", 30, timeout=0.7)
    assert caught.value.cause is Cause.HUNG
    assert time.monotonic() - start < 10


def test_decks():
    deck = "* rc\nV1 in 0 dc 0 pulse(0 1 0 1n 1n 1 1)\nR1 in out 1k\nC1 out 0 1u\n"
    tran = f"{deck}.tran 10u 5m 0 10u\n.end\n"
    found = run_deck(tran)
    exact = 1 - np.exp(-found["time"] / 1e-3)
    np.testing.assert_allclose(found["out"], exact, atol=1e-4)
    assert found["v1#branch"][-1] == pytest.approx(-(1 - exact[-1]) * 1e-3, rel=1e-2)
    for name, values in run_batch(tran).items():
        np.testing.assert_allclose(found[name], values, rtol=1e-12, atol=1e-15)
    wave = run_deck(deck.replace("dc 0", "dc 0 ac 1") + ".ac lin 1 159.15494 159.15494\n.end\n")
    assert wave["out"][0] == pytest.approx((1 - 1j) / 2, rel=1e-6)
    sweep = run_deck("* d\nV1 a 0 0\nR1 a b 1k\nR2 b 0 1k\n.dc V1 0 1 0.5\n.end\n")
    np.testing.assert_allclose(sweep["b"], [0, 0.25, 0.5])


def test_failing_decks_do_not_disturb_the_others():
    good = "* g\nV1 a 0 {}\nR1 a 0 1k\n.op\n.end\n"
    loop = "* s\nV1 a 0 1\nV2 a 0 2\nR1 a 0 1k\n.op\n.end\n"
    missing = "* m\nV1 a 0 1\nX1 a 0 nothing\n.op\n.end\n"
    none = "* n\nV1 a 0 1\nR1 a 0 1k\n.end\n"
    one, two, three, four, five = run_decks([good.format(1), loop, missing, none, good.format(5)])
    assert one["a"][0] == 1
    assert two.cause is Cause.SINGULAR
    assert three.cause is Cause.BAD_NETLIST
    assert isinstance(four, SimulationError)
    assert five["a"][0] == 5
    with pytest.raises(SimulationError):
        run_batch(loop)


@pytest.mark.parametrize(
    "line",
    [
        ".control",
        "*# shell true",
        " *#shell true",
        ".include /etc/passwd",
        ".lib x y",
        ".inc x",
        "a1 [in] out filesource",
        ".exec rm",
        "R1 a 0 1\x00",
    ],
)
def test_lines_that_no_netlist_may_have(line):
    with pytest.raises(SimulationError, match="not allowed"):
        checked_netlist(f"* title\nR1 a 0 1k\n{line}\n.end\n")


def test_a_spiceinit_in_the_working_folder_is_not_run(tmp_path, monkeypatch):
    (tmp_path / ".spiceinit").write_text(f"shell touch {tmp_path}/pwned\n")
    monkeypatch.chdir(tmp_path)
    run_deck("* t\nV1 a 0 2\nR1 a 0 1\n.op\n.end")
    assert not Path(tmp_path, "pwned").exists()


def test_the_error_is_a_tellegen_error_and_travels():
    error = SimulationError(Cause.SINGULAR, "check node b_0", [Located("b_0", "b[0]", "f.tgn", 2)])
    again = pickle.loads(pickle.dumps(error))
    assert isinstance(again, TellegenError)
    assert (again.cause, again.words, again.places) == (error.cause, error.words, error.places)
    assert "`b[0]` (f.tgn:2)" in str(again)
