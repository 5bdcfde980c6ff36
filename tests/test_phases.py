"""Rules that train phases of light, and those that need other phases than free and clamped."""

from __future__ import annotations

import numpy as np
import pytest

from tellegen import resume, train
from tellegen.pipeline import open_file
from tellegen.sims import run_folder as rf
from tellegen.sims.binding import bind_training
from tellegen.sims.losses import LOSSES
from tellegen.sims.phases import PhaseError, Phases
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


def test_random_sides_repeat_and_go_on(file, tmp_path):
    path = file(SORTER)
    whole = train(path, "Sides", out=tmp_path)
    part = train(path, "Sides", out=tmp_path, overrides=["Sides.epochs=1"])
    on = resume(part.folder, overrides=["Sides.epochs=3"])
    np.testing.assert_array_equal(
        np.load(whole.folder / rf.PARAMETERS), np.load(on.folder / rf.PARAMETERS)
    )
    assert whole.metrics["train_error"][-1] < whole.metrics["train_error"][0]


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
