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
    theirs = HdrHistogram(1, HOUR_NS, 3)
    for value in values.tolist():
        assert theirs.record_value(min(value, HOUR_NS))
    ours = HdrHistogram.decode(recorded(values).encode())

    assert list(theirs.counts) == list(ours.counts)
    assert values.size == ours.total_count
    assert theirs.get_max_value() == ours.get_max_value()


@given(arrays(np.int64, st.integers(1, 3_000), elements=st.integers(1_000, HOUR_NS)))
def test_percentiles_are_within_a_thousandth(values):
    """Each is the raw value of its rank, or up to 0.1 % more, from 1 µs to an hour."""
    found = recorded(values).percentiles()
    assert found is not None
    raw = np.sort(values)

    for percent, value in ((50, found.p50), (95, found.p95), (99, found.p99), (99.9, found.p999)):
        exact = raw[max(int(percent * raw.size / 100 + 0.5), 1) - 1] / 1e6
        assert exact * (1 - 1e-12) <= value <= exact * 1.001
    assert raw[-1] / 1e6 * (1 - 1e-12) <= found.max <= raw[-1] / 1e6 * 1.001


@pytest.mark.parametrize("sigma", [0.1, 1.0, 3.0])
def test_percentiles_agree_with_numpy(sigma):
    """100,000 log-normal latencies: numpy.percentile on the raw values says the same."""
    values = np.random.default_rng(1).lognormal(np.log(5e6), sigma, 100_000).astype(np.int64)
    found = recorded(values).percentiles()
    assert found is not None

    theirs = np.percentile(values, [50, 95, 99, 99.9, 100]) / 1e6
    ours = [found.p50, found.p95, found.p99, found.p999, found.max]
    np.testing.assert_allclose(ours, theirs, rtol=2e-3)


@given(st.lists(LATENCIES, min_size=1, max_size=5))
def test_merging_processes_is_recording_everything_in_one(batches):
    """Counters are added: nothing depends on which process recorded what."""
    whole = recorded(*batches)
    merged = Latencies.merged(recorded(batch).encode() for batch in batches)

    assert whole.count == merged.count
    assert whole.percentiles() == merged.percentiles()
    for ours, theirs in zip(merged.counts(), whole.counts(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert merged.counts()[1].sum() == sum(batch.size for batch in batches)


def test_nothing_has_no_percentiles():
    """No latency at all is no latency of 0; merging that changes nothing."""
    empty = recorded(np.array([], dtype=np.int64))
    one = recorded(np.array([7_000_000]))

    assert empty.percentiles() is None
    assert Latencies.merged([empty.encode()]).percentiles() is None
    assert one.percentiles() == Latencies.merged([empty.encode(), one.encode()]).percentiles()
