"""The histogram counts as HdrHistogram itself does, and says what numpy says of the raw values."""

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from veperf.loadtest.histogram import Latencies

HOUR_NS = 3_600 * 10**9
LATENCIES = arrays(np.int64, st.integers(1, 200), elements=st.integers(0, 2 * HOUR_NS))


def recorded(*batches: np.ndarray) -> Latencies:
    latencies = Latencies()
    for batch in batches:
        latencies.record(batch)
    return latencies


@given(LATENCIES)
def test_recording_is_hdrhistogram_s(values):
    """Every counter is what the package's own record_value makes of the values, one by one."""
    other = HdrHistogram(1, HOUR_NS, 3)
    for value in values.tolist():
        assert other.record_value(min(value, HOUR_NS))
    own = HdrHistogram.decode(recorded(values).encode())

    assert list(other.counts) == list(own.counts)
    assert values.size == own.total_count
    assert other.get_max_value() == own.get_max_value()


@given(arrays(np.int64, st.integers(1, 3_000), elements=st.integers(1_000, HOUR_NS)))
def test_percentiles_are_within_a_thousandth(values):
    """Each is the raw value of its rank, or up to 0.1 % more, from 1 µs to an hour."""
    percentiles = recorded(values).percentiles()
    assert percentiles is not None
    raw = np.sort(values)

    for percent, value in (
        (50, percentiles.p50),
        (95, percentiles.p95),
        (99, percentiles.p99),
        (99.9, percentiles.p999),
    ):
        exact = raw[max(int(percent * raw.size / 100 + 0.5), 1) - 1] / 1e6
        assert exact * (1 - 1e-12) <= value <= exact * 1.001
    assert raw[-1] / 1e6 * (1 - 1e-12) <= percentiles.max <= raw[-1] / 1e6 * 1.001


@given(LATENCIES, LATENCIES, st.integers(0, 50), st.sampled_from([50, 95, 99]))
def test_a_percentile_of_the_whole_is_no_lower_than_its_least(values, others, spare, percent):
    """Whatever is still to come, and if less comes than was expected."""
    least = recorded(values).least_percentile_ms(percent, values.size + others.size + spare)
    whole = recorded(values, others).percentile_ms(percent)
    assert whole is not None

    assert least <= whole
    complete = recorded(values, others).least_percentile_ms(percent, values.size + others.size)
    assert complete <= whole


def test_the_least_of_a_percentile_is_known_once_enough_are_slow():
    """6 of 100 took 1 s: the 95th percentile is 1 s, and the 99th, whatever the others take."""
    slow = recorded(np.full(6, 10**9))

    assert [0.0, pytest.approx(1_000, rel=0.001), pytest.approx(1_000, rel=0.001)] == [
        slow.least_percentile_ms(percent, 100) for percent in (90, 95, 99)
    ]


@pytest.mark.parametrize("sigma", [0.1, 1.0, 3.0])
def test_percentiles_agree_with_numpy(sigma):
    """100,000 log-normal latencies: numpy.percentile on the raw values says the same."""
    values = np.random.default_rng(1).lognormal(np.log(5e6), sigma, 100_000).astype(np.int64)
    percentiles = recorded(values).percentiles()
    assert percentiles is not None

    other = np.percentile(values, [50, 95, 99, 99.9, 100]) / 1e6
    own = [percentiles.p50, percentiles.p95, percentiles.p99, percentiles.p999, percentiles.max]
    np.testing.assert_allclose(own, other, rtol=2e-3)


@given(st.lists(LATENCIES, min_size=1, max_size=5))
def test_merging_processes_is_recording_everything_in_one(batches):
    """Counters are added: nothing depends on which process recorded what."""
    whole = recorded(*batches)
    merged = Latencies.merged(recorded(batch).encode() for batch in batches)

    assert whole.count == merged.count
    assert whole.percentiles() == merged.percentiles()
    for own, other in zip(merged.counts(), whole.counts(), strict=True):
        np.testing.assert_array_equal(own, other)
    assert merged.counts()[1].sum() == sum(batch.size for batch in batches)


def test_nothing_has_no_percentiles():
    """No latency at all is no latency of 0; merging that changes nothing."""
    empty = recorded(np.array([], dtype=np.int64))
    item = recorded(np.array([7_000_000]))

    assert empty.percentiles() is None
    assert Latencies.merged([empty.encode()]).percentiles() is None
    assert item.percentiles() == Latencies.merged([empty.encode(), item.encode()]).percentiles()
