"""A schedule that is split over shards: nothing is lost, nothing comes twice."""

from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.core.errors import UsageError
from veperf.core.load import Arrivals
from veperf.loadtest.schedule import (
    CHUNK,
    Nanoseconds,
    Schedule,
    SchedulePart,
    arrival_times,
    count_arrivals,
)

KINDS = st.sampled_from(["constant", "poisson"])


def times_of(schedule: Schedule) -> Nanoseconds:
    return np.concatenate(list(arrival_times(schedule)))


def part_of(whole: Schedule, shard: int, shards: int) -> Schedule:
    return Schedule(
        whole.rate,
        whole.seconds,
        whole.warmup_s,
        whole.arrivals,
        whole.seed,
        SchedulePart(shard, shards),
    )


@given(
    st.floats(0.5, 50_000),
    st.floats(0.01, 0.5),
    KINDS,
    st.integers(0, 2**32),
    st.one_of(st.integers(1, 9), st.sampled_from([63, CHUNK - 1, CHUNK, CHUNK + 1, 10_000])),
    st.data(),
)
def test_arrival_i_is_that_of_shard_i_mod_n(
    rate: float, seconds: float, kind: Arrivals, seed: int, shards: int, data: st.DataObject
) -> None:
    """Every shard has each n-th arrival of the one schedule, whatever the chunks are."""
    whole = Schedule(rate, seconds, 0.05, kind, seed)
    shard = data.draw(st.integers(0, shards - 1))
    part = part_of(whole, shard, shards)

    np.testing.assert_array_equal(times_of(whole)[shard::shards], times_of(part))
    assert count_arrivals(part) == times_of(part).size
    assert whole.end_ns == part.end_ns


@given(st.floats(10, 30_000), st.integers(1, 12), KINDS, st.integers(0, 2**32))
def test_the_union_of_the_parts_is_the_schedule(
    rate: float, shards: int, kind: Arrivals, seed: int
) -> None:
    """All arrivals, each once."""
    whole = Schedule(rate, 0.4, arrivals=kind, seed=seed)
    parts = [times_of(part_of(whole, shard, shards)) for shard in range(shards)]

    np.testing.assert_array_equal(times_of(whole), np.sort(np.concatenate(parts)))
    sizes = [part.size for part in parts]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("shards", [2, 7])
def test_a_part_comes_in_chunks_of_one_size(shards: int) -> None:
    """As the whole does: an hour's part takes no more memory than a second's."""
    hour = Schedule(10_000, 3_600, part=SchedulePart(1, shards))

    assert {CHUNK} == {times.size for times in islice(arrival_times(hour), 50)}


def test_the_rate_of_a_part() -> None:
    """The rate stays that of the whole; the part has its share."""
    part = Schedule(900, 10, part=SchedulePart(0, 3))

    assert 900 == part.rate
    assert 300 == part.own_rate


@pytest.mark.parametrize(("shard", "shards"), [(0, 0), (-1, 2), (2, 2), (0, -1)])
def test_no_such_shard(shard: int, shards: int) -> None:
    """Is refused."""
    with pytest.raises(UsageError, match="no shard"):
        SchedulePart(shard, shards)
