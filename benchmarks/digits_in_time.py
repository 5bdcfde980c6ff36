"""Speakers told by a spoken vowel, with and without one spin-torque oscillator.

As in Torrejon et al., Nature 547, 428 (2017): a binary matrix mixes the channels of a recording into the drives of virtual
nodes, a linear read-out with the same weights at every frame has the class as target, and its outputs are averaged over
the recording. Without the oscillator that is a linear classifier of the average of the channels over time. Torrejon's
numbers, for spoken digits and 400 nodes: 99.6 % with a cochlear filter, which is nonlinear itself, 80.3 % with a spectrogram, which
is not (the former as its authors' institutes announced it; the latter was not verified against the paper).

The recordings are real speech: the Japanese Vowels of Kudo, Toyama and Shimbo, Pattern Recognition Letters 20, 1103 (1999), 640
times /ae/ by nine men, 12 cepstral coefficients a frame, 7 to 29 frames; the class is the speaker. The UCI Machine
Learning Repository and the package `sktime` distribute the files, see there for their terms; `pip install tellegen[benchmarks]`
brings `sktime`. No package was found that ships spoken digits. Each recording is made four frames, the means of its quarters,
which saves simulation. Without `sktime` there is a stand-in: the 8 x 8 images of scikit-learn's `load_digits`, read from left to
right as eight frames of eight channels.

One device with 40 virtual nodes of 3 ns: at this mean and swing, those of `sine_square.py`, it is a rectifier with a memory of
some nodes. 17 points of mean, swing and interval, then three numbers of nodes, were tried with the averaged equation in NumPy, by
cross-validation within the 270 recordings that the set gives for training. Its other 370 chose none of these, but were not
unseen: an early look at what the data hold scored baselines and three static nonlinearities on them. Equal copies of the device, in one
netlist, take the recordings in random order without a pause.

Splits: that of the set; and 10 random ones of the same sizes, stratified. Each has its ridge parameter chosen on a
fifth of its training part. Mask and noise are the same in all. Full run: 23 minutes on two cores with ten other jobs. `--quick`: 120
recordings, 12 nodes, 3 splits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from benchmarks._reservoirs import averaged_array
from benchmarks.rows import Row, measured
from tellegen.arrays import Indices, Values

INTERVAL, MEAN, SWING, CLIP = 3e-9, 1.85e-3, 1.65e-3, 1.3
NODES, COPIES, QUARTERS = 40, 40, 4
ALPHAS = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2)
SPLITS = 10
TORREJON = "Torrejon 2017, spoken digits: 80.3 % (spectrogram; not verified against the paper) to 99.6 % (cochlear filter)"  # fmt: skip
KUDO = "Kudo 1999, the same split: 94.1 %"
# Accuracies (splits,) by what is read, for the figure.
_shown: dict[str, list[float]] = {}


@dataclass(frozen=True, eq=False)
class Recordings:
    """Series of a data set, one after the other.

    Attributes:
        name: what they are.
        frames: (frames, channels), of a mean near 0 and a spread near 1.
        owner: (frames,), the series that each belongs to.
        classes: (series,).
        given: how many series, the first ones, the set gives for training; 0 if it says nothing.
    """

    name: str
    frames: Values
    owner: Indices
    classes: Indices
    given: int


def speech() -> Recordings | None:
    """The Japanese Vowels, or None where the package is not installed that ships them."""
    package = find_spec("sktime")
    if package is None or not package.submodule_search_locations:
        return None
    folder = Path(package.submodule_search_locations[0]) / "datasets" / "data" / "JapaneseVowels"
    series: list[Values] = []
    classes: list[int] = []
    given = 0
    for part in ("TRAIN", "TEST"):
        text = (folder / f"JapaneseVowels_{part}.ts").read_text("utf-8")
        for line in text.split("@data", 1)[1].split():
            *channels, speaker = line.split(":")
            whole = np.array([[float(x) for x in c.split(",")] for c in channels]).T
            series.append(np.array([q.mean(axis=0) for q in np.array_split(whole, QUARTERS)]))
            classes.append(int(speaker) - 1)
        given = given or len(series)
    known = np.concatenate(series[:given])
    frames = (np.concatenate(series) - known.mean(axis=0)) / known.std(axis=0)
    owner = np.repeat(np.arange(len(series)), QUARTERS)
    return Recordings("speaker", frames, owner, np.array(classes), given)


def digits() -> Recordings:
    """400 images of digits, column by column."""
    from sklearn.datasets import load_digits

    data = load_digits()
    chosen = np.random.default_rng(0).permutation(len(data.target))[:400]
    frames = data.images[chosen].transpose(0, 2, 1).reshape(-1, 8) / 4 - 2
    return Recordings(
        "digit, a stand-in",
        frames,
        np.repeat(np.arange(400), 8),
        data.target[chosen].astype(np.int64),
        0,
    )


def few(all_: Recordings, count: int) -> Recordings:
    """Some series of a set, at random; none is given for training."""
    chosen = np.random.default_rng(1).permutation(len(all_.classes))[:count]
    on = [np.flatnonzero(all_.owner == k) for k in chosen]
    owner = np.repeat(np.arange(count), [len(k) for k in on])
    return Recordings(all_.name, all_.frames[np.concatenate(on)], owner, all_.classes[chosen], 0)


def masked(frames: Values, nodes: int, rng: np.random.Generator) -> Values:
    """The drives (frames, nodes) of the virtual nodes, within -CLIP .. CLIP."""
    mask = rng.choice([-1.0, 1.0], (frames.shape[1], nodes))
    return np.clip(frames @ mask / (1.5 * np.sqrt(len(mask))), -CLIP, CLIP)


def states(recordings: Recordings, drives: Values, temperature: float) -> Values:
    """What the oscillator shows at the ends of the nodes (frames, nodes), for drives of the same shape."""
    rng = np.random.default_rng(2)
    order = rng.permutation(len(recordings.classes))
    # the frames in the order in which they are driven, dealt to the copies in equal runs
    at = np.argsort(np.argsort(order)[recordings.owner], kind="stable")
    each = -(-len(at) // COPIES)
    dealt = np.zeros((each * COPIES, drives.shape[1]))
    dealt[: len(at)] = drives[at]
    values = dealt.reshape(COPIES, -1).T
    found = averaged_array(
        MEAN + SWING * values, rng.normal(size=values.shape), field=0.2, interval=INTERVAL, nodes=drives.shape[1],
        temperature=temperature,
    )  # fmt: skip
    back = np.empty_like(drives)
    back[at] = found.transpose(2, 0, 1).reshape(-1, drives.shape[1])[: len(at)]
    return back


def splits(recordings: Recordings, count: int) -> list[tuple[Indices, Indices, Indices]]:
    """Series for training, validation and test: stratified, at random."""
    from sklearn.model_selection import train_test_split

    classes, found = recordings.classes, []
    share = recordings.given / len(classes) or 0.6
    for k in range(count):
        known, test = train_test_split(np.arange(len(classes)), train_size=share, stratify=classes, random_state=k)  # fmt: skip
        train, validation = train_test_split(
            known, test_size=0.2, stratify=classes[known], random_state=k
        )
        found.append((train, validation, test))
    return found


def the_given_split(recordings: Recordings) -> tuple[Indices, Indices, Indices]:
    """The split that comes with a set."""
    from sklearn.model_selection import train_test_split

    train, validation = train_test_split(
        np.arange(recordings.given), test_size=0.2, stratify=recordings.classes[: recordings.given], random_state=0
    )  # fmt: skip
    return train, validation, np.arange(recordings.given, len(recordings.classes))


def accuracy(recordings: Recordings, seen: Values, split: Sequence[Indices]) -> float:
    """The share of test series told rightly, from what is seen at each frame."""
    from tellegen.sims.reservoir.readout import Parts, fit

    owner, classes = recordings.owner, recordings.classes
    parts = Parts(*(np.flatnonzero(np.isin(owner, part)) for part in split))
    goals = np.eye(classes.max() + 1)
    outputs = fit(seen, goals[classes[owner]], parts, ALPHAS).predict(seen)
    total = np.zeros((len(classes), len(goals)))
    np.add.at(total, owner, outputs)
    return float((total.argmax(axis=1) == classes)[split[2]].mean())


def run(quick: bool) -> Iterator[Row]:
    """The rows of the benchmark."""
    _shown.clear()
    whole = speech() or digits()
    recordings = few(whole, 120) if quick else whole
    drives = masked(recordings.frames, 12 if quick else NODES, np.random.default_rng(0))
    seen = {
        "oscillator": states(recordings, drives, 0.0),
        "oscillator, 300 K": states(recordings, drives, 300.0),
        "without it, the masked drive": drives,
        "without it, the channels": recordings.frames,
    }
    drawn = splits(recordings, 3 if quick else SPLITS)
    for what, s in seen.items():
        _shown[what] = [accuracy(recordings, s, split) for split in drawn]
    alone = _shown["without it, the masked drive"]
    for what, shares in _shown.items():
        value, spread = measured([100 * s for s in shares])
        physical = what.startswith("oscillator")
        better = all(a > b for a, b in zip(shares, alone, strict=True))
        yield Row(f"{recordings.name}: {what}", value, spread, "%",
                  "above the masked drive's in every split" if physical and not quick else "",
                  TORREJON if physical else "the same read-out", better if physical and not quick else None)  # fmt: skip
    if recordings.given:
        split = the_given_split(recordings)
        for what, s in seen.items():
            yield Row(f"{recordings.name}: {what}, the set's own split", 100 * accuracy(recordings, s, split),
                      None, "%", "", KUDO, None)  # fmt: skip
    most = [
        100 * float(np.bincount(recordings.classes[test]).max() / len(test)) for *_, test in drawn
    ]
    value, spread = measured(most)
    yield Row(f"{recordings.name}: chance", value, spread, "%", "", "always the most frequent class", None)  # fmt: skip


def draw(_rows: list[Row], folder: Path) -> None:
    """Accuracy of every split, by what is read."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.2), layout="constrained")
    axes = figure.subplots()
    for k, (what, shares) in enumerate(reversed(_shown.items())):
        axes.plot([100 * s for s in shares], [k] * len(shares), "o", alpha=0.5)
        axes.annotate(what, (100 * min(shares), k), xytext=(0, 8), textcoords="offset points")
    axes.set(xlabel="test recordings told rightly (%)", yticks=[], ylim=(-0.5, len(_shown)))
    figure.savefig(folder / "digits_in_time.png", dpi=110)
