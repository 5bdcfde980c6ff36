"""`examples/vowels.tgn`: seven vowels told by the locks of four coupled oscillators, before and after their currents learned.

The example as it is, with another seed for each run: the seed draws the split (30 % training, 10 % validation, 60 % test, classes
in equal shares), the currents before, the devices and the order of samples. Currents that are judged on the test part are those of the
epoch that was best on the validation part; nothing is chosen by the test part. Every lock is measured in ngspice.

Beside it: the same circuits with the currents before training, and a linear discriminant of the two frequencies on the same
splits. Unlike in `romera.py`, the microwaves are the formants themselves, not their best combinations, and a woman's other vowels
may be among those that train. Romera et al. have measured devices; the numbers are side by side, not a reproduction.

Force, places, rate and times were chosen with the same equations in NumPy, by accuracies on vowels that did not train, on the seeds
100 to 102 (first tries were seen on all of those vowels, the later ones on 100 of them); the five seeds here chose nothing, but seed 1
was run while the example was written, with a rate of 0.6 mA, and seed 0 briefly. Full run: 10 minutes of CPU. `--quick`: one seed, few vowels, one epoch.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rows import Row, measured
from tellegen.arrays import Indices, Values

EXAMPLE = Path(__file__).parents[1] / "examples" / "vowels.tgn"
SEEDS = 5
BRIEFLY = ("task.data.split=0.1, 0.02", "train.epochs=1", "train.batch=2")
ROMERA = "Romera 2018, measured devices: 89 % in training, 84 % in test"
SMALL = 50  # test vowels of the quick run


def one(seed: int, quick: bool) -> dict[str, Any]:
    """Shares told rightly in %, and currents in mA, of a training and what stands beside it."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    from tellegen import train

    with tempfile.TemporaryDirectory() as folder:
        result = train(EXAMPLE, seed=seed, overrides=BRIEFLY if quick else (), out=folder)
        currents = 1e3 * result.parameters["bias.i"]
    plan, state = result.plan, result.outcome.state
    part = plan.test[:: max(1, len(plan.test) // SMALL)] if quick else plan.test
    before = untrained(plan, state.targets["lock"], part)
    waves = np.hstack([plan.drives["a"], plan.drives["b"]])
    assert plan.classes is not None
    linear = LinearDiscriminantAnalysis().fit(waves[plan.train], plan.classes[plan.train])
    return {
        "before: test": 100 * before,
        "after: training": 100 * result.accuracy["train"],
        "after: validation": 100 * result.accuracy["validation"],
        "after: test": 100 * result.accuracy["test"],
        "linear discriminant of the two frequencies: test": 100
        * float(linear.score(waves[plan.test], plan.classes[plan.test])),
        "moved": float(np.abs(currents[state.best_epoch] - currents[0]).max()),
    }


def untrained(plan: Any, targets: Values, part: Indices) -> float:
    """The share of samples that the circuit tells before training."""
    from tellegen.sims.session import Session
    from tellegen.sims.tasks.targets import DECODERS
    from tellegen.sims.tasks.window import mean

    outputs = []
    with Session(plan.netlist, plan.manifest) as session:
        for sample in part:
            for name, values in plan.drives.items():
                session.drive(name, values[sample])
            waves = session.transient(plan.transient.step, plan.transient.stop, ["lock"])
            outputs.append(mean(waves.time, waves.values["lock"], plan.transient.window))
    told = DECODERS[plan.decode].call(np.array(outputs), targets)
    return float((told == plan.classes[part]).mean())


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    seeds = range(1 if quick else SEEDS)
    found = [one(seed, quick) for seed in seeds]
    least = max(f["before: test"] for f in found)
    for name in found[0]:
        if name == "moved":
            continue
        values = [f[name] for f in found]
        value, spread = measured(values)
        if name == "after: test" and not quick:
            # Every seed is to end above the best of what nothing was learned in.
            yield Row(name, value, spread, "%", ">= 80, every seed above the best untrained one", ROMERA,
                      value >= 80 and spread[0] > least)  # fmt: skip
        else:
            yield Row(
                name, value, spread, "%", "", "chance: 14.3 %" if "before" in name else "", None
            )
    value, spread = measured([f["moved"] for f in found])
    yield Row("largest change of a current", value, spread, "mA", "", "from 3.1 +- 0.4 mA", None)
