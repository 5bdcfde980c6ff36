"""Arrays of oscillators: measured vowels, microwaves whose frequency is an input, and the order of recordings."""

from contextlib import closing

import numpy as np
import pytest

from benchmarks import digits_in_time, romera, sto

# Hillenbrand et al. (1995), women: mean and standard deviation of the first and second formant (Hz), as published with the data.
PUBLISHED = {
    "iy": (437.250, 40.621, 2761.313, 147.440), "ih": (484.313, 34.366, 2369.104, 149.435),
    "ae": (675.688, 69.285, 2334.750, 158.694), "er": (523.958, 45.276, 1588.250, 125.938),
    "ah": (921.125, 96.743, 1525.830, 124.963), "uw": (459.667, 38.679, 1105.521, 205.257),
    "aw": (804.271, 74.626, 1188.277, 128.898),
}  # fmt: skip


def test_vowels_have_the_published_means_and_deviations():
    logs, classes, speakers = romera.recordings(("f1", "f2"))
    assert len(np.unique(speakers)) == 48
    for k, name in enumerate(romera.VOWELS):
        hertz = np.exp(logs[classes == k])
        means, deviations = hertz.mean(axis=0), hertz.std(axis=0, ddof=1)
        mean1, sd1, mean2, sd2 = PUBLISHED[name]
        # a recording without a second formant is left out here, and counts for the first one there
        within = 0.1 if len(hertz) == 48 else 5.0
        assert means == pytest.approx([mean1, mean2], abs=within)
        assert deviations == pytest.approx([sd1, sd2], abs=within)


def test_formants_early_and_late_are_of_the_same_vowels():
    steady, classes, speakers = romera.recordings(("f1", "f2"))
    moving, *same = romera.recordings()
    assert (same[0] == classes).all()
    assert (same[1] == speakers).all()
    # early ones are near those at steady state, late ones on their way to the consonant
    assert np.abs(moving[:, :2] - steady).max() < 0.35
    assert np.abs(np.median(moving[:, 2:] - steady, axis=0)).max() < 0.1


def test_oscillators_lock_to_the_microwave_that_is_near(monkeypatch):
    monkeypatch.setattr(romera, "COPIES", 3)
    detunings = romera.COMB + 40 / 3
    waves = np.array([[19.0, 4.0], [27.0, -16.0], [27.0, -26.0]])
    with closing(romera.Arrays(detunings)) as arrays:
        locks = arrays.locks(np.full(4, romera.START), waves)
        _, free = arrays.frequencies(np.full(4, romera.START), waves)
    expected = np.zeros((3, 4, 2), dtype=bool)
    expected[0, 3, 0] = expected[0, 2, 1] = expected[1, 0, 1] = True
    assert (locks == expected).all()
    assert free == pytest.approx(romera.COMB, abs=1)


def test_patterns_tell_all_classes_apart():
    assert (romera.said(romera.patterns()) == np.arange(7)).all()
    assert romera.said(np.ones((1, 4, 2), dtype=bool)) == [-1]


def test_combinations_of_formants_fall_into_the_ranges_of_their_classes():
    rng = np.random.default_rng(3)
    inner = np.clip(romera.ranges(), -30, 40)
    classes = np.repeat(np.arange(7), 20)
    exact = rng.uniform(inner[classes, :, 0] + 1, inner[classes, :, 1] - 1)
    logs = exact @ np.array([[0.02, -0.01, 0.0], [0.03, 0.05, 0.02]]) + [6.0, 7.0, 8.0]
    found = romera.microwaves(logs, classes, np.arange(140) % 20 < 15)
    assert (romera.cut(found) == classes).mean() > 0.97
    assert (romera.cut(exact) == classes).all()
    assert romera.cut(np.array([[10.0, 0.0]])) == [-1]


def test_the_frequency_by_zero_crossings():
    time = np.linspace(0, 20, 4001)
    assert sto.crossings(time, np.sin(2 * np.pi * 1.7 * time + 1), 5, 18) == pytest.approx(
        1.7, rel=1e-5
    )


def test_recordings_come_back_in_their_own_order(monkeypatch):
    monkeypatch.setattr(digits_in_time, "COPIES", 3)
    few = digits_in_time.few(digits_in_time.digits(), 4)
    # one level a recording: strong ones oscillate at its end, weak ones do not
    levels = np.array([-1.0, 0.2, 1.0, 0.6])
    drives = np.repeat(levels[few.owner][:, None], 6, axis=1)
    last = digits_in_time.states(few, drives, 0.0)[7::8, -1]
    assert (np.argsort(last) == np.argsort(levels)).all()


def test_splits_are_whole_and_apart():
    digits = digits_in_time.digits()
    for parts in digits_in_time.splits(digits, 2):
        assert sorted(np.concatenate(parts)) == list(range(len(digits.classes)))
