"""Leaks that are there are found, and what only looks like one is not, on simulated heaps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veperf.core.errors import UsageError
from veperf.profiling.memory.leak_rule import LeakStatus, judge_leak

MIB = 2.0**20
SEEDS = range(12)


def heap(shape, seed, *, samples=300, noise=0.001, leak=0.0):
    """100 MiB, times a shape over the run, plus noise and a leak."""
    rng = np.random.default_rng(seed)
    t = np.linspace(0, 1, samples)
    y = 1 + shape(t, rng) + leak * t + np.abs(rng.normal(0, noise, samples))
    return 600 * t, 100 * MIB * y


def flat(t, rng):
    return 0 * t


def warm_up(t, rng):
    return rng.uniform(0.1, 1) * (1 - np.exp(-t / rng.uniform(0.01, 0.05)))


def ramp_up(t, rng):
    return 0.4 * np.minimum(t / rng.uniform(0.05, 0.3), 1)


def one_step(t, rng):
    return rng.uniform(0.02, 0.6) * (t > rng.uniform(0.1, 0.95))


def spikes(t, rng):
    return (rng.random(t.size) < 0.15) * rng.exponential(0.5, t.size)


def waves(t, rng):
    return rng.uniform(0.05, 0.5) * np.sin(2 * np.pi * (t / rng.uniform(0.05, 0.7) + rng.random()))


def sawtooth(t, rng):
    return rng.uniform(0.1, 1) * ((t / rng.uniform(0.02, 0.1) + rng.random()) % 1)


def long_sawtooth(t, rng):
    """Collections that are further apart than windows are."""
    return rng.uniform(0.1, 1) * ((t / rng.uniform(0.1, 0.6) + rng.random()) % 1)


def collected_once(t, rng):
    """Garbage of which one collection, or two, are seen."""
    return rng.uniform(0.1, 0.6) * ((t / rng.uniform(0.6, 0.9) + rng.random()) % 1)


def late_cache(t, rng):
    """Full at 75 to 95 % of the run."""
    start, full = rng.uniform(0, 0.3), rng.uniform(0.75, 0.95)
    return rng.uniform(0.1, 1) * np.clip((t - start) / (full - start), 0, 1)


def slow_waves(t, rng):
    """Of 1 to 2.5 runs."""
    return rng.uniform(0.05, 0.5) * np.sin(2 * np.pi * (t / rng.uniform(1, 2.5) + rng.random()))


def few_steps(t, rng):
    return (t[:, None] > rng.uniform(0, 1, rng.integers(3, 5))).sum(axis=1) * 0.1


def slower_and_slower(t, rng):
    return rng.uniform(0.1, 0.5) * t**0.3


def line(t, rng):
    return t


def late(onset):
    return lambda t, rng: np.maximum(0, t - onset) / (1 - onset)


def late_anywhere(t, rng):
    return late(rng.uniform(0.3, 0.9))(t, rng)


def at_last(t, rng):
    """In the last 10 to 15 % of the run."""
    return late(rng.uniform(0.85, 0.9))(t, rng)


def three_early_events(t, rng):
    return (t[:, None] >= rng.uniform(0.1, 0.35, 3)).mean(axis=1)


def sporadic(t, rng):
    """In a few of many calls."""
    return (t[:, None] >= rng.uniform(0, 1, rng.integers(5, 31))).mean(axis=1)


def stairs(t, rng):
    steps = rng.integers(4, 13)
    return np.floor(t * steps * (1 - 1e-9) + rng.random()) / steps


INNOCENT = [flat, warm_up, ramp_up, one_step, spikes, waves, sawtooth, long_sawtooth]
GROWN = [collected_once, late_cache, slow_waves, few_steps, slower_and_slower]
"""They have grown, but not for good."""


@pytest.mark.parametrize("shape", [*INNOCENT, *GROWN])
@pytest.mark.parametrize("noise", [0.0, 0.003])
def test_what_does_not_leak_is_not_suspected(shape, noise):
    """Warm-up, steps, spikes, waves and collections of any period are no leaks."""
    actual = [judge_leak(*heap(shape, seed, noise=noise)) for seed in SEEDS]

    assert [] == [item for item in actual if item.status is LeakStatus.SUSPECTED]
    assert all(item.trough_times for item in actual)


@pytest.mark.parametrize("leak", [0.02, 0.05, 0.1, 0.2])
@pytest.mark.parametrize("shape", [flat, spikes, warm_up])
def test_a_leak_is_suspected(shape, leak):
    """2 % of the heap over the run and more, be there spikes or a warm-up before."""
    actual = [judge_leak(*heap(shape, seed, leak=leak)) for seed in SEEDS]

    suspected = [item for item in actual if item.status is LeakStatus.SUSPECTED]
    assert len(suspected) >= (len(SEEDS) if shape is not warm_up else 0.6 * len(SEEDS))


def test_a_leak_under_collections_is_suspected():
    """The troughs rise, however much garbage lies between them."""
    shape = lambda t, rng: 0.5 * ((t * 37.3) % 1)  # noqa: E731 - a shape
    actual = [judge_leak(*heap(shape, seed, samples=2_000, leak=0.1)) for seed in SEEDS]

    assert {LeakStatus.SUSPECTED} == {item.status for item in actual}


@pytest.mark.parametrize("onset", [0.6, 0.7, 0.8])
@pytest.mark.parametrize("samples", [60, 100, 300, 1_000, 3_600])
def test_a_leak_that_starts_late_is_suspected(onset, samples):
    """Flat memory, then 80 % more: and where it begins is told."""
    grows = lambda t, rng: 0.8 * late(onset)(t, rng)  # noqa: E731 - a shape
    actual = [judge_leak(*heap(grows, seed, samples=samples)) for seed in SEEDS]

    assert {LeakStatus.SUSPECTED} == {item.status for item in actual}
    onsets = np.array([item.onset for item in actual], dtype=float)
    assert onset == pytest.approx(np.median(onsets), abs=0.15)
    assert all("of the run on" in item.reason for item in actual)
    first = next(item for item in actual if item.onset)
    assert first.line_bytes[0] == first.line_bytes[1] < first.line_bytes[-1]


@pytest.mark.parametrize("growth", [line, late_anywhere, at_last, sporadic, stairs])
@pytest.mark.parametrize("shape", [flat, warm_up, spikes, waves, sawtooth, long_sawtooth])
@pytest.mark.parametrize("samples", [60, 300])
def test_a_leak_of_10_percent_is_not_called_clean(growth, shape, samples):
    """Whatever lies over it: it is suspected, or not decided."""
    leaks = lambda t, rng: 0.1 * growth(t, rng) + shape(t, rng)  # noqa: E731 - a shape
    actual = [judge_leak(*heap(leaks, seed, samples=samples)) for seed in SEEDS]

    assert [] == [item for item in actual if item.status is LeakStatus.CLEAN]


@pytest.mark.parametrize("shape", [flat, spikes])
@pytest.mark.parametrize("samples", [60, 300])
def test_a_few_early_events_are_no_warm_up(shape, samples):
    """12 % in three events before 35 % of the run: there may be more to come."""
    leaks = lambda t, rng: 0.12 * three_early_events(t, rng) + shape(t, rng)  # noqa: E731
    actual = [judge_leak(*heap(leaks, seed, samples=samples)) for seed in SEEDS]

    assert {LeakStatus.INCONCLUSIVE} == {item.status for item in actual}


@pytest.mark.parametrize("samples", [100, 300, 1_000])
def test_events_after_a_quick_warm_up_are_not_called_clean(samples):
    """19 % in five events, after 60 % in the first twentieth of the run: that is no evidence."""

    def leaks(t, rng):
        events = np.searchsorted([0.28, 0.31, 0.34, 0.41, 0.59], t) / 5
        return 0.6 * np.minimum(t / 0.05, 1) + 0.192 * events

    actual = [judge_leak(*heap(leaks, seed, samples=samples)) for seed in SEEDS]

    assert LeakStatus.CLEAN not in {item.status for item in actual}


def test_a_leak_under_a_sawtooth_is_found():
    """One of 20 % below collections that free up to half of the heap."""
    actual = [judge_leak(*heap(sawtooth, seed, samples=1_000, leak=0.2)) for seed in range(30)]

    assert LeakStatus.CLEAN not in {item.status for item in actual}
    assert sum(item.status is LeakStatus.SUSPECTED for item in actual) >= 24


@pytest.mark.parametrize("shape", [flat, spikes, warm_up])
def test_quiet_heaps_are_decided(shape):
    """With 100 samples, four in five at least; and the bound is below the margin."""
    actual = [judge_leak(*heap(shape, seed, samples=100, noise=0.003)) for seed in range(30)]

    clean = [item for item in actual if item.status is LeakStatus.CLEAN]
    assert len(clean) >= 24
    assert all(item.bound is not None and item.bound < 0.1 for item in clean)


@pytest.mark.parametrize(
    "shape",
    [
        lambda t, rng: rng.uniform(0.1, 1) * (1 - np.exp(-t / rng.uniform(0.12, 0.3))),
        lambda t, rng: rng.uniform(0.1, 1) * np.clip((t - 0.2) / rng.uniform(0.1, 0.5), 0, 1),
        lambda t, rng: 0.1 * np.log1p(20 * t),
    ],
    ids=["long warm-up", "cache that fills up", "logarithm"],
)
def test_what_levels_off_is_no_leak(shape):
    """Though most of it comes after the first fifth of the run."""
    actual = [judge_leak(*heap(shape, seed, noise=0.0005)) for seed in SEEDS]

    assert LeakStatus.SUSPECTED not in {item.status for item in actual}


def test_a_slow_wave_is_not_decided():
    """Nothing but a longer run tells it from growth, and the reason says so."""
    actual = judge_leak(*heap(lambda t, rng: -0.2 * np.cos(2 * np.pi * t / 1.8), 1))

    assert LeakStatus.INCONCLUSIVE is actual.status
    assert "a run of several of its periods would tell" in actual.reason


@pytest.mark.parametrize("samples", [60, 100, 300])
def test_a_rise_as_an_earlier_one_that_fell_back_is_not_decided(samples):
    """The next collection may be due; a leak that stays through collections is suspected."""
    t = np.linspace(0, 100, samples)
    once = judge_leak(t, 1e8 * (1 + 0.4 * ((t / 75 + 0.65) % 1)))
    spike = judge_leak(t, 1e8 * (1 + 0.4 * (t == t[samples // 4]) + 0.3 * t / 100))

    assert LeakStatus.INCONCLUSIVE is once.status
    assert "grown by as much before, and fell back" in once.reason
    assert LeakStatus.SUSPECTED is spike.status


def test_a_cache_that_is_full_by_half_of_the_run_is_clean():
    """It has grown in many small pieces, and the pause is too long for that to go on."""
    cache = lambda t, rng: 0.5 * np.clip(t / 0.45, 0, 1)  # noqa: E731 - a shape
    actual = [judge_leak(*heap(cache, seed)) for seed in SEEDS]

    assert {LeakStatus.CLEAN} == {item.status for item in actual}
    assert all("since" in item.reason for item in actual)


def test_one_step_is_not_decided():
    """It may be the first of many; and the last part tells how high it is."""
    actual = judge_leak(*heap(lambda t, rng: 0.5 * (t > 0.6), 1))

    assert LeakStatus.INCONCLUSIVE is actual.status
    assert "step" in actual.reason
    assert actual.bound is not None
    assert actual.bound > 0.5
    assert 0.5 == pytest.approx(actual.change, abs=0.01)
    assert 0.5 == pytest.approx(actual.change_low, abs=0.01) == actual.sure_growth


def test_what_came_back_is_no_sure_growth():
    """A wave's crest at the end is far above its beginning."""
    actual = judge_leak(*heap(lambda t, rng: 0.2 * np.cos(2 * np.pi * 2.5 * (t - 0.2)), 1))

    assert actual.sure_growth is not None
    assert actual.sure_growth < 0.01


def test_memory_that_falls_is_clean():
    """By much, or by little."""
    actual = [judge_leak(*heap(flat, seed, leak=leak)) for leak in (-0.5, -0.05) for seed in SEEDS]

    assert {LeakStatus.CLEAN} == {item.status for item in actual}


def test_a_clean_heap_is_clean_by_a_margin():
    """With a narrower margin, the same is not sure; nonsense is refused."""
    t, y = heap(flat, 1, noise=0.01)

    assert LeakStatus.CLEAN is judge_leak(t, y).status
    assert LeakStatus.INCONCLUSIVE is judge_leak(t, y, margin=0.001).status
    for margin in (0, -1, float("nan"), float("inf")):
        with pytest.raises(UsageError, match="margin"):
            judge_leak(t, y, margin=margin)


def test_growth_has_an_interval_that_holds_the_truth():
    """Nearly always, and its middle is near it."""
    actual = [judge_leak(*heap(flat, seed, noise=0.005, leak=0.1)) for seed in range(40)]

    ends = np.array([(item.low, item.high) for item in actual], dtype=float)
    assert np.sum((ends[:, 0] <= 0.1) & (ends[:, 1] >= 0.1)) >= 34
    growth = np.array([item.growth for item in actual], dtype=float)
    assert 0.1 == pytest.approx(growth.mean(), abs=0.005)


def test_a_small_leak_is_none():
    """Half a percent over the run is not the 1 % that counts."""
    actual = [judge_leak(*heap(flat, seed, leak=0.005)) for seed in SEEDS]

    assert LeakStatus.SUSPECTED not in {item.status for item in actual}


@pytest.mark.parametrize("samples", [0, 1, 2, 7, 9])
def test_too_few_samples_are_inconclusive(samples):
    """However steep it looks."""
    actual = judge_leak(range(samples), [100 * (i + 1) for i in range(samples)])

    assert LeakStatus.INCONCLUSIVE == actual.status
    assert actual.growth is None
    assert "8 are the least" in actual.reason


@pytest.mark.parametrize(
    ("times", "sizes"),
    [
        ([1, 2, 3], [1, 2]),
        ([1, 2, 2], [1, 2, 3]),
        ([1, 2, 3], [1, float("nan"), 3]),
        ([1, 2, float("inf")], [1, 2, 3]),
        ([1, 2, 3], [1, -2, 3]),
        ([[1, 2]], [[1, 2]]),
        (["a"], ["b"]),
        (None, None),
    ],
)
def test_nonsense_is_refused(times, sizes):
    """In words."""
    with pytest.raises(UsageError):
        judge_leak(times, sizes)


@given(st.lists(st.floats(0, 1e15), min_size=0, max_size=60))
def test_any_sizes_get_a_verdict(sizes):
    """Zeros, huge ones and constant ones, too."""
    actual = judge_leak(range(len(sizes)), sizes)

    assert actual.status in LeakStatus
    assert (actual.growth is None) == (len(actual.trough_times) == 0)


def test_nothing_that_stays_nothing_is_no_change():
    """Rather than a fall by all of it."""
    actual = judge_leak(range(100), [0] * 100)

    assert (0, 0) == (actual.change, actual.change_low)
    assert LeakStatus.CLEAN is actual.status


@given(st.integers(0, 50), st.sampled_from(INNOCENT), st.floats(0.01, 1e4))
@settings(max_examples=25)
def test_units_of_time_and_size_don_t_matter(seed, shape, scale):
    """Milliseconds and pages give the verdict that seconds and bytes do."""
    t, y = heap(shape, seed, samples=80, leak=0.03)

    assert judge_leak(t, y).status == judge_leak(t * scale, y * scale).status
