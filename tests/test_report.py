"""The report: what is on the page, what is not, and what damaged or hostile folders do to it."""

import io
import json
import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pytest

from tellegen import compile_text
from tellegen.sims import run_folder as rf
from tellegen.sims.learning.loop import EpochRow, State
from tellegen.sims.report import write_report
from tellegen.sims.report.record import read
from tellegen.sims.report.style import quantity

SOURCE = """\
import resistive
network Net {
    input  x[3]
    output y[2]
    node   h[4]
    first:  connect x -> h by all_to_all using resistor(g ~ uniform(1 uS, 10 uS))
    second: connect h -> y by all_to_all using resistor(g ~ uniform(1 uS, 10 uS))
    leak:   connect h -> gnd by all_to_all using diode_rails()
}
"""
VOID = {"meta", "img", "source", "br", "link", "input", "hr"}
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7*7 }}$\\frac$&amp;'


def train_folder(folder, epochs=6, source=SOURCE, judged=True, **changes):
    """A run folder as a training writes it."""
    folder.mkdir()
    emitted = compile_text(source).emit()
    names = [n for n, p in emitted.manifest.parameters.items() if p.sense]
    rng = np.random.default_rng(0)
    values = {n: emitted.manifest.parameters[n].values.copy() for n in names}
    rf.write_text(folder, rf.SOURCE, source)
    rf.write_text(folder, rf.NETLIST, emitted.netlist)
    rf.write_text(folder, rf.MANIFEST, emitted.manifest.to_json())
    rf.begin_parameters(folder, 11, sum(len(v) for v in values.values()))
    rows = []
    for epoch in range(epochs + 1):
        error, share = 0.1 * 0.6**epoch, 1 - 0.5 * 0.8**epoch
        accuracy = share if judged else np.nan
        rows.append(EpochRow(epoch, error, accuracy, 1.2 * error, accuracy, 1e-12 * epoch, 3e-6))
        state = State(epoch, values, {}, epoch, values, (share, -error), rows)
        rf.write_parameters(folder, [state])
        rf.write_state(folder, state)
        values = {n: v * np.exp(rng.normal(0, 0.2, len(v))) for n, v in values.items()}
    record = {
        "kind": "train", "name": "Flowers", "network": "Net", "status": "finished",
        "file": "iris.tgn", "overrides": ["train.epochs=6"], "seed": 7, "epochs": 10, "batch": 1,
        "decode": "nearest" if judged else "", "update": {"name": "asynchronous", "p": 0.5},
        "learned": [{
            "parameters": names, "rule": "coupled", "settings": {"nudge": 0.5, "rate": 1e-7},
            "limits": [1e-8, 1e-4], "locality": "edge", "reads": ["drop"],
            "phases": ["free", "clamped"], "reference": "Stern et al., PRX 11, 021045 (2021)",
        }],
        "samples": {"train": 90, "validation": 30, "test": 30},
        "class_names": ["setosa", "versicolor"] if judged else [],
        "notes": {"data": "scikit-learn"}, "fingerprint": "abc",
        "provenance": {"time": "2026", "python": "3.11", "platform": "Linux",
                       "packages": {"numpy": "2"}, "ngspice": {"version": "46", "found": "x"}},
        "epoch": epochs, "best_epoch": max(epochs - 1, 0), "failure": None,
        "results": {p: {"accuracy": 0.9 if judged else None, "error": 0.01}
                    for p in ("train", "validation", "test")},
        "confusion": {"test": [[12, 3], [0, 15]]} if judged else {},
    }  # fmt: skip
    rf.write_json(folder, rf.RUN, record | changes)
    return folder


def simulate_folder(folder, time, signals, units):
    """A run folder as a simulation writes it."""
    folder.mkdir()
    emitted = compile_text(SOURCE).emit()
    rf.write_text(folder, rf.SOURCE, SOURCE)
    rf.write_text(folder, rf.NETLIST, emitted.netlist)
    rf.write_text(folder, rf.MANIFEST, emitted.manifest.to_json())
    buffer = io.BytesIO()
    np.savez(buffer, **({} if time is None else {"time": time}), **signals)
    rf.write_bytes(folder, rf.WAVES, buffer.getvalue())
    transient = None if time is None else {"stop": float(time[-1]), "step": 1e-6}
    rf.write_json(
        folder,
        rf.RUN,
        {"kind": "simulate", "name": "Step", "network": "Net", "status": "finished", "seed": 0,
         "file": "net.tgn", "overrides": [], "transient": transient, "signals": units,
         "provenance": {}},
    )  # fmt: skip
    return folder


class Page(HTMLParser):
    """The elements, attributes and texts of a page; fails where elements do not nest."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.text = [], [], [], ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data


def report(folder):
    path = write_report(folder)
    assert path == folder / "report.html"
    return Page(path.read_text("utf-8"))


def picture(path):
    """Width, height and the number of colours of a PNG."""
    from matplotlib.image import imread

    pixels = imread(path)
    return pixels.shape[1], pixels.shape[0], len(np.unique(pixels[::7, ::7].reshape(-1, 4), axis=0))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = train_folder(tmp_path_factory.mktemp("runs") / "Flowers-001")
    return folder, report(folder)


def copied(trained, tmp_path):
    return shutil.copytree(trained[0], tmp_path / "copy")


def test_a_training_is_told_whole(trained):
    _, page = trained
    for said in (
        "Flowers", "Net", "iris.tgn", "finished", "90.0 %", "74 to 97 %", "50.0 %",
        "best epoch", "setosa", "coupled (nudge = 0.5, rate = 1e-07)", "first.g, second.g", "edge",
        "drop", "free, clamped", "1e-08 to 0.0001", "asynchronous (p = 0.5)", "PRX 11, 021045",
        "6 pV", "epoch 6", "3e-06", "all_to_all using resistor", "Xfirst_0_0", "train.epochs=6",
        "46", "what training changed",
    ):  # fmt: skip
        assert said in page.text, said
    assert page.tags.count("img") == 4


def test_figures_are_there_and_not_blank(trained):
    folder, _ = trained
    for name in ("learning-curve.png", "network.png"):
        width, height, colours = picture(folder / name)
        assert width > 700 and height > 450 and colours > 20


def test_the_page_needs_nothing_else(trained):
    folder, page = trained
    text = (folder / "report.html").read_text("utf-8")
    assert "http:" not in text and "https:" not in text and "@import" not in text
    assert not {"script", "link", "iframe", "object", "svg"} & set(page.tags)
    for tag, name, value in page.attributes:
        assert not name.startswith("on")
        if name in ("src", "srcset"):
            assert value.startswith("data:image/svg+xml;base64,"), tag
        assert name not in ("href", "data", "action")
    assert ("meta", "http-equiv", "Content-Security-Policy") in page.attributes
    assert "url(" not in text


def test_the_same_run_gives_the_same_page(tmp_path):
    folder = simulate_folder(tmp_path / "run", None, {"y": np.ones(2)}, {"y": "V"})
    write_report(folder)
    first = (folder / "report.html").read_bytes()
    write_report(folder)
    assert (folder / "report.html").read_bytes() == first


def spoiled(value, kinds):
    """The JSON value with each text replaced, keys too, but for those that have a meaning."""
    if isinstance(value, dict):
        return {
            k if k in kinds else k + HOSTILE: v if k == "kind" else spoiled(v, kinds)
            for k, v in value.items()
        }
    if isinstance(value, list):
        return [spoiled(v, kinds) for v in value]
    return value + HOSTILE if isinstance(value, str) else value


KEYS = {
    "kind", "name", "network", "status", "file", "overrides", "seed", "update", "learned",
    "parameters", "rule", "settings", "limits", "locality", "reads", "phases", "reference",
    "samples", "train", "validation", "test", "class_names", "notes", "fingerprint", "provenance",
    "time", "python", "platform", "packages", "ngspice", "version", "found", "results",
    "confusion", "accuracy", "error", "failure", "best_epoch", "epoch", "epochs", "signals",
    "transient", "stop", "step", "p",
}  # fmt: skip


def is_clean(page):
    assert not {"script", "svg", "iframe"} & set(page.tags)
    assert not [a for a in page.attributes if a[1].startswith("on")]
    assert "49" not in re.findall(r"\{\{ ?7\*7|49$", page.text)
    assert "<script>" in page.text  # shown as text
    assert "{{ 7*7 }}" in page.text


def test_hostile_texts_are_shown_and_not_obeyed(trained, tmp_path):
    folder = copied(trained, tmp_path)
    hostile = spoiled(json.loads((folder / rf.RUN).read_text()) | {"failure": "x"}, KEYS)
    manifest = (folder / rf.MANIFEST).read_text()
    manifest = json.loads(manifest.replace('"x[', json.dumps("x" + HOSTILE + "[")[:-1]))
    for part in ("inputs", "outputs", "parameters"):
        manifest[part] = {name + HOSTILE: entry for name, entry in manifest[part].items()}
    for entry in manifest["parameters"].values():
        entry["unit"] += HOSTILE
        entry["symbol"] += HOSTILE
    (folder / rf.RUN).write_text(json.dumps(hostile))
    (folder / rf.MANIFEST).write_text(json.dumps(manifest))
    for name in (rf.SOURCE, rf.NETLIST):
        (folder / name).write_text(HOSTILE)
    page = report(folder)
    is_clean(page)
    assert page.tags.count("img") == 4  # the figures are drawn all the same


def test_hostile_signals_are_shown_and_not_obeyed(tmp_path):
    name = "y" + HOSTILE.replace("/", "")  # a name inside the archive
    folder = simulate_folder(tmp_path / "run", None, {name: np.ones(2)}, {name: HOSTILE})
    is_clean(report(folder))


def test_values_of_the_wrong_kind_read_as_missing(trained, tmp_path):
    folder = copied(trained, tmp_path)
    (folder / rf.MANIFEST).unlink()
    run = json.loads((folder / rf.RUN).read_text())
    for wrong in (None, 10**400, [[]], {"a": [1]}, "text", -3):
        for key in run:
            if key != "kind":
                run[key] = wrong
        (folder / rf.RUN).write_text(json.dumps(run))
        assert "Source" in report_without_figures(folder).text


def report_without_figures(folder):
    """A report of a folder without metrics and parameters, which is quick."""
    for name in (rf.PARAMETERS, rf.METRICS):
        (folder / name).unlink(missing_ok=True)
    return report(folder)


@pytest.mark.parametrize("name", [rf.MANIFEST, rf.PARAMETERS, rf.METRICS])
def test_damaged_files_are_named(trained, tmp_path, name):
    folder = copied(trained, tmp_path)
    (folder / name).write_bytes(b'{"format": 1, "nodes": 3}' + bytes(40))
    assert f"{name} cannot be read" in read(folder).missing
    assert len(read(folder).missing) == 1


@pytest.mark.parametrize("entry", ["ends", "names", "shape", "sense"])
def test_a_manifest_that_contradicts_itself_is_not_drawn(trained, tmp_path, entry):
    folder = copied(trained, tmp_path)
    manifest = json.loads((folder / rf.MANIFEST).read_text())
    if entry == "ends":
        manifest["observables"]["first.drop"]["positive"][0] = 10**6
    elif entry == "names":
        manifest["paths"][0] = 3
    else:
        manifest["parameters"]["first.g"][entry] = [2, "x"]
    (folder / rf.MANIFEST).write_text(json.dumps(manifest))
    assert f"{rf.MANIFEST} cannot be read" in report_without_figures(folder).text


def test_a_folder_that_is_none_is_refused(tmp_path):
    with pytest.raises(rf.RunFolderError, match="not a run folder"):
        write_report(tmp_path)
    (tmp_path / rf.RUN).write_text("[]")
    with pytest.raises(rf.RunFolderError):
        write_report(tmp_path)


def test_links_are_not_followed(tmp_path):
    folder = simulate_folder(tmp_path / "run", None, {"y": np.ones(2)}, {"y": "V"})
    (tmp_path / "precious").write_text("keep")
    (folder / ".report.html.new").symlink_to(tmp_path / "precious")
    with pytest.raises(rf.RunFolderError, match="links"):
        write_report(folder)
    assert (tmp_path / "precious").read_text() == "keep"


def test_a_run_that_failed_at_once(tmp_path):
    folder = train_folder(
        tmp_path / "run", epochs=0, status="failed", failure="ngspice hung\nlast words",
        results=None, confusion=None, best_epoch=None,
    )  # fmt: skip
    page = report(folder)
    assert "What failed" in page.text and "last words" in page.text
    assert "what training changed" not in page.text
    assert (folder / "network.png").exists()


def test_a_run_without_an_epoch(tmp_path):
    folder = train_folder(tmp_path / "run", status="running", results=None, best_epoch=None)
    for name in (rf.METRICS, rf.PARAMETERS, rf.CHECKPOINT):
        (folder / name).unlink()
    page = report(folder)
    assert "ended without saying so" in page.text
    assert page.tags.count("img") == 1  # the network as it was before training


def test_a_stopped_regression_has_no_accuracies(tmp_path):
    folder = train_folder(tmp_path / "run", judged=False, status="stopped", best_epoch=None)
    page = report(folder)
    assert "stopped early" in page.text and "0.01" in page.text
    assert "accuracy" not in page.text and "chance" not in page.text.lower()
    assert "after training (the last epoch)" in page.text


def test_a_transient(tmp_path):
    time = np.linspace(0, 1e-3, 5000)
    wave = np.sin(2e4 * time)
    signals = {"y": wave, "h": np.stack([wave] * 20, axis=1), "d.upper": 1e-6 * wave}
    units = {"y": "V", "h": "V", "d.upper": "A"}
    folder = simulate_folder(tmp_path / "run", time, signals, units)
    page = report(folder)
    assert "transient" in page.text and "1 ms" in page.text
    assert page.tags.count("img") == 2
    width, height, colours = picture(folder / "waves.png")
    assert width > 700 and height > 450 and colours > 20


def test_an_operating_point(tmp_path):
    signals = {"y": np.array([1.5, -2e-3]), "h[1]": np.array(0.25), "many": np.zeros(300)}
    units = {"y": "V", "h[1]": "V", "many": "A"}
    page = report(simulate_folder(tmp_path / "run", None, signals, units))
    for said in ("operating point", "y[1]", "-2 mV", "h[1]", "250 mV", "103 more"):
        assert said in page.text, said
    assert not (tmp_path / "run" / "waves.png").exists()


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (5.3e-6, "S", "5.3 µS"),
        (999.9999, "V", "1 kV"),
        (1e-3, "S", "1 mS"),
        (0.0, "V", "0 V"),
        (4700.0, "ohm", "4.7 kΩ"),
        (64.0, "1", "64"),
        (1e-21, "A", "1e-06 fA"),
        (float("nan"), "V", "-"),
    ],
)
def test_quantities(value, unit, said):
    assert quantity(value, unit).replace("–", "-") == said
