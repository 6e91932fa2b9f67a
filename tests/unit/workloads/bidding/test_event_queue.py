"""The queue keeps order, never exceeds its capacity, and counts dropped events."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.workloads.bidding.daemon import EventQueue
from veperf.workloads.bidding.errors import FieldError
from veperf.workloads.bidding.orders import OrderEvent


@given(st.integers(1, 4), st.lists(st.booleans(), max_size=40))
def test_a_bounded_queue(capacity: int, offers: list[bool]) -> None:
    """It is FIFO; a full one drops the new event and returns False."""
    queue = EventQueue(capacity)
    model: deque[OrderEvent] = deque()
    dropped = 0
    for number, is_offer in enumerate(offers, 1):
        event = OrderEvent(number, b"")
        if not is_offer:
            assert (model.popleft() if model else None) == queue.take()
        elif len(model) < capacity:
            model.append(event)
            assert queue.offer(event)
        else:
            dropped += 1
            assert not queue.offer(event)

        assert len(model) == len(queue)
    assert (dropped, sum(offers)) == (queue.dropped, queue.offered)


def test_many_threads_offer_at_once() -> None:
    """Every event is taken once or counted as dropped, and the bound holds."""
    queue = EventQueue(1_000)
    with ThreadPoolExecutor(8) as threads:
        accepted = list(threads.map(lambda i: queue.offer(OrderEvent(i, b"")), range(5_000)))
    out = [event.sequence for event in iter(queue.take, None)]

    assert (5_000, 4_000, 1_000) == (queue.offered, queue.dropped, len(out))
    assert {i for i, was_taken in enumerate(accepted) if was_taken} == set(out)


def test_invalid_queues_and_events() -> None:
    """A queue has a capacity of at least 1; events have integers from 0 as numbers."""
    with pytest.raises(ValueError, match="1 or more"):
        EventQueue(0)
    with pytest.raises(FieldError):
        OrderEvent(-1, b"")
    with pytest.raises(FieldError):
        OrderEvent(1, "text")  # type: ignore[arg-type]  # the wrong type is the point
