"""Items in flight: found again by tag, once, and forgotten when they are done."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veperf.core.errors import MeasureError
from veperf.loadtest.recorder import InFlightItems
from veperf.loadtest.schedule import CHUNK

TIMES = np.arange(2 * CHUNK + 100) * 7


def filled() -> InFlightItems:
    in_flight = InFlightItems()
    for first in range(0, TIMES.size, CHUNK):
        in_flight.add(TIMES[first : first + CHUNK])
    return in_flight


@given(st.integers(0, 2**32), st.integers(1, 5_000))
@settings(max_examples=20)
def test_every_item_is_found_again(seed, batch):
    """In whatever order items are settled, each one's time comes back; the rest stays."""
    in_flight = filled()
    tags = np.random.default_rng(seed).permutation(TIMES.size)
    done, left = tags[: TIMES.size // 2], tags[TIMES.size // 2 :]
    for first in range(0, len(done), batch):
        some = done[first : first + batch]
        np.testing.assert_array_equal(TIMES[some], in_flight.settle(some))

    remaining = np.concatenate(list(in_flight.unsettled()))
    assert sorted(TIMES[left].tolist()) == sorted(remaining.tolist())


@pytest.mark.parametrize(
    "tags",
    [[3, 3], [5], [-1], [TIMES.size], [10 * CHUNK], [6, CHUNK - 1, CHUNK - 1]],
    ids=[
        "twice at once",
        "again",
        "negative",
        "beyond the end",
        "far beyond",
        "twice among others",
    ],
)
def test_what_is_not_outstanding_is_refused(tags):
    """A system that finishes an item twice, or one that it never had, is found out."""
    in_flight = filled()
    in_flight.settle(np.array([5]))

    with pytest.raises(MeasureError, match="finished items twice"):
        in_flight.settle(np.array(tags))


def test_a_settled_chunk_is_let_go():
    """Once all its items are settled a chunk takes no memory, and they are not settled again."""
    in_flight = filled()
    in_flight.settle(np.arange(CHUNK))

    assert [CHUNK, 100] == [times.size for times in in_flight.unsettled()]
    with pytest.raises(MeasureError):
        in_flight.settle(np.array([0]))
