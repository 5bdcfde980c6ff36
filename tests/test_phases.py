"""Rules that train phases of light, and those that need other phases than free and clamped."""

from __future__ import annotations

import numpy as np
import pytest

from tellegen import resume, train
from tellegen.pipeline import open_file
from tellegen.sims import run_folder as rf
from tellegen.sims.learning.binding import bind_training
from tellegen.sims.learning.losses import LOSSES
from tellegen.sims.learning.phases import PhaseError, Phases
from tellegen.sims.plugins import load, names
from tellegen.sims.rules import LocalityError, rule

SORTER = """
import photonic
network Sorter(n = 4) {
    input  x[n], behind[n]: optical
    output y[2], out[n]: optical, dump[n]: optical
    node   a[n]: optical, w: optical
    lamp:  laser(w)
    mod:   amplitude_modulator[n](w, a, x, vpi = 2 V, bias = -2 V)
    mesh:  connect a -> out by clements using mzi(theta ~ uniform(0 rad, 3.1 rad), level = gains, loss = 0.2)
    plus:  balanced_detector(out[0], out[1], y[0])
    minus: photodetector(out[2], y[1], load = 500 ohm)
    rear:  connect behind -> dump by clements(back = true) using mzi_back(level = gains, loss = 0.2)
}
task Sort for Sorter {
    data   csv("points.csv", label = "kind") split 0.8
    drive  x = concat(standardized(features, 0 V, 0.7 V), 1 V)
    drive  behind = 0 W
    target y = onehot(class, 0 V, 0.4 V)
}
train Sort as Shift {
    learn mesh.theta, mesh.phi by parameter_shift(rate = 2 rad/V^2)
    epochs 1
}
train Sort as Situ {
    learn mesh.theta, mesh.phi by in_situ(rate = 2 rad/V^2, at = out, behind = behind, mirror = rear)
    epochs 6
    batch 2
}
train Sort as Sides {
    learn mesh.theta, mesh.phi by spsa(rate = 2 rad^2/V^2, size = 0.05 rad)
    loss cross_entropy(scale = 0.2 V)
    epochs 3
}
"""
POINTS = "a,b,c,kind\n" + "".join(
    f"{x:.3f},{y:.3f},{x * y:.3f},{'in' if x * y > 0 else 'out'}\n"
    for x, y in np.random.default_rng(0).normal(size=(15, 2))
)


@pytest.fixture
def file(tmp_path):
    (tmp_path / "points.csv").write_text(POINTS)

    def write(text):
        path = tmp_path / "net.tgn"
        path.write_text(text)
        return path

    return write


def phases_of(file, name, **overrides):
    plan = bind_training(open_file(file, **overrides), name).plan
    rules = [load("tellegen.sims.rules", x.rule) for x in plan.learned]
    phases = Phases(plan, rules, lambda _, values: values)
    phases.write(
        {n: plan.manifest.parameters[n].values for x in plan.learned for n in x.parameters}
    )
    return plan, rules, phases


def loss_at(plan, phases, values, sample, target):
    phases.write(values)
    return LOSSES[plan.loss].call(phases.free(sample), target, **plan.loss_settings)[0]


@pytest.mark.parametrize("loss", ["square", "cross_entropy(scale = 0.2 V)"])
@pytest.mark.parametrize("name", ["Shift", "Situ"])
def test_both_gradients_are_the_slope_of_the_loss(file, name, loss):
    path = file(SORTER)
    overrides = [f"{name}.loss={loss}"]
    plan, (one,), phases = phases_of(path, name, overrides=overrides)
    target = np.array([0.4, 0.0])
    _, seen = phases.seen(3, target, np.random.default_rng(0))
    (learned,) = plan.learned
    at = {n: plan.manifest.parameters[n].values for n in learned.parameters}
    step = 1e-4
    for parameter in learned.parameters:
        found = one.update(seen[parameter], learned.settings) / -learned.settings["rate"]
        for k in range(len(at[parameter])):
            ends = []
            for sign in (1, -1):
                moved = at | {parameter: at[parameter] + sign * step * np.eye(len(found))[k]}
                ends.append(loss_at(plan, phases, moved, 3, target))
            assert found[k] == pytest.approx((ends[0] - ends[1]) / (2 * step), abs=1e-7)
        assert np.abs(found).max() > 1e-3
    phases.engine.close()


NEURONS = """
import photonic
network Layer(n = 3, m = 2) {
    input  x[n]: optical
    output y[m]
    node   one: optical, turned: optical, u[n]: optical, c[m]: optical, d[m]: optical
    node   k[m]: optical, r[n]: optical, gone[n]: optical
    lamp:  laser(one)
    local: laser(turned, phase = -90 deg)
    mesh:  connect x -> u by clements using mzi(theta ~ uniform(0 rad, 3.1 rad), phi ~ uniform(0 rad, 6 rad))
    mix:   coupler[m](u[:m], turned, c, d)
    see:   balanced_detector[m](c, d, y, load = 0.5 kohm)
    out:   amplitude_modulator[m](one, k, y, vpi = 2 V, bias = -2 V)
    lead:  phase_shifter[m](k, r[:m])
    dark:  phase_shifter[n - m](gnd, r[m:])
    rear:  connect r -> gone by clements(back = true) using mzi_back()
}
task Sum for Layer { drive x = 1 mW, 2 mW, 0.5 mW; target y = 0.4 V, -0.3 V }
train Sum { learn mesh.theta, mesh.phi by contrastive_hebbian(nudge = 1e-5, rate = 1 rad/W, mirror = rear) }
"""


def test_the_contrast_of_both_phases_is_the_delta_rule(file):
    plan, (one,), phases = phases_of(file(NEURONS), "Sum")
    target = np.array([0.4, -0.3])
    free, seen = phases.seen(0, target, np.random.default_rng(0))
    (learned,) = plan.learned
    # The field of a neuron is sqrt(P) sin(pi y / 4 V), and y is 2 sqrt(P) 500 ohm of its real part.
    bent = np.pi / 4 * np.sqrt(1e-3) * np.cos(np.pi * free / 4) / (1e3 * np.sqrt(1e-3))
    for name in learned.parameters:
        at = plan.manifest.parameters[name].values
        want = []
        for step in 1e-4 * np.eye(len(at)):
            ends = []
            for sign in (1, -1):
                phases.write({name: at + sign * step})
                ends.append(phases.free(0))
            want.append(-((free - target) * bent) @ (ends[0] - ends[1]) / 2e-4)
        phases.write({name: at})
        found = one.update(seen[name], learned.settings)
        np.testing.assert_allclose(found, want, rtol=1e-3, atol=1e-3 * np.abs(want).max())
    phases.engine.close()


def test_losses_have_the_slopes_that_they_say():
    rng = np.random.default_rng(1)
    outputs, targets = rng.normal(size=(4, 3)), np.eye(3)[[0, 2, 1, 1]]
    for name, settings in (("square", {}), ("cross_entropy", {"scale": 0.7})):
        call = LOSSES[name].call
        _, slope = call(outputs, targets, **settings)
        for k in range(3):
            step = 1e-6 * np.eye(3)[k]
            up, down = (call(outputs + s * step, targets, **settings)[0] for s in (1, -1))
            np.testing.assert_allclose(slope[:, k], (up - down) / 2e-6, atol=1e-8)


def test_a_mesh_learns_in_situ_and_its_mirror_with_it(file, tmp_path):
    result = train(file(SORTER), "Situ", out=tmp_path)
    assert result.error["train"] < 0.7 * result.metrics["train_error"][0]
    text = (result.folder / rf.TRAINED).read_text().replace("\n+", "")
    cards = {
        n: next(x for x in text.splitlines() if x.startswith(n)) for n in ("Xmesh_2", "Xrear_2")
    }
    values = {
        n: [w for w in x.split() if w.startswith(("theta=", "phi="))] for n, x in cards.items()
    }
    assert values["Xmesh_2"] == values["Xrear_2"]
    assert len(values["Xmesh_2"]) == 2
    assert rf.read_json(result.folder)["learned"][0]["phases"] == ["feedback"]


@pytest.mark.parametrize("name", ["Sides", "Shift"])
def test_a_stopped_run_goes_on_to_the_same_numbers(file, tmp_path, name):
    path = file(SORTER.replace("split 0.8", "split 0.4"))
    whole = train(path, name, out=tmp_path, overrides=[f"{name}.epochs=2"])
    part = train(path, name, out=tmp_path, overrides=[f"{name}.epochs=1"])
    on = resume(part.folder, overrides=[f"{name}.epochs=2"])
    np.testing.assert_array_equal(
        np.load(whole.folder / rf.PARAMETERS), np.load(on.folder / rf.PARAMETERS)
    )
    assert (whole.folder / rf.METRICS).read_bytes() == (on.folder / rf.METRICS).read_bytes()


def test_light_is_sent_back_in_transients_too(file, tmp_path):
    text = SORTER.replace("split 0.8", "split 0.3").replace("epochs 6", "epochs 1")
    still = train(file(text), "Situ", out=tmp_path)
    moving = train(
        file(text.replace("batch 2", "batch 2\n    transient 1 ns step 100 ps")),
        "Situ",
        out=tmp_path,
    )
    for name, values in still.parameters.items():
        np.testing.assert_allclose(moving.parameters[name], values, atol=1e-6)


def test_resistors_learn_by_random_sides(file, tmp_path):
    result = train(file("""
        import resistive
        network Divider {
            input x
            output y
            upper: connect x -> y by one_to_one using resistor(g = 2 uS)
            lower: resistor(y, gnd, g = 5 uS)
        }
        task Half for Divider { drive x = 2 V; target y = 1 V }
        train Half { learn upper.g by spsa(rate = 10 uS^2/V^2, size = 0.1 uS); epochs 40 }
    """), out=tmp_path)  # fmt: skip
    assert result.parameters["upper.g"][-1] == pytest.approx([5e-6], rel=1e-2)


NONLINEAR = SORTER.replace(
    "minus: photodetector(out[2], y[1], load = 500 ohm)",
    "minus: photodetector(out[2], y[1], load = 5 kohm)\n    bend: diode(y[1], gnd)\n"
).replace("import photonic", "import photonic\nimport resistive")  # fmt: skip


@pytest.mark.parametrize(
    ("name", "says"), [("Shift", "no sine of the phases"), ("Situ", "right before the detectors")]
)
def test_a_rule_is_not_believed_behind_something_nonlinear(file, tmp_path, name, says):
    with pytest.raises(PhaseError, match=says):
        train(file(NONLINEAR), name, out=tmp_path)


def test_rules_keep_to_what_they_declare():
    for name in names("tellegen.sims.rules"):
        one = load("tellegen.sims.rules", name)
        rng = np.random.default_rng(0)
        seen = {
            p: {n: (1.0 if n == "loss" else rng.normal(size=(5, 2)) if n == "outputs"
                    else rng.normal(size=2) if n == "error" else rng.normal(size=5))
                for n in one.names(p)}
            for p in one.phases
        }  # fmt: skip
        settings = {n: 0.5 for n, a in one.arguments.items() if a.kind == "number"}
        one.check_locality(seen, settings)
        assert one.update(seen, settings).shape == (5,)


def test_a_rule_with_a_memory_is_refused():
    kept = []

    @rule(phases=("free",), reads=("drop",), reference="none")
    def remembering(free):
        kept.append(free.drop)
        return len(kept) * free.drop

    with pytest.raises(LocalityError):
        remembering.check_locality({"free": {"drop": np.ones(4)}}, {})


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        ({"phases": ("nudged",)}, "no phases"),
        ({"phases": ("free",), "told": ("error",)}, "not told"),
        ({"phases": ("free", "plus")}, "moves"),
        ({"phases": ("feedback",), "feedback": "error"}, "takes `at`"),
        ({"phases": ("free",), "reads": ("mirror.@_in",)}, "takes `mirror`"),
    ],
)
def test_a_declaration_that_the_loop_cannot_serve_is_refused(declared, says):
    with pytest.raises(ValueError, match=says):
        rule(reference="none", **declared)
