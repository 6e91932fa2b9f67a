"""The limiter decides as one that keeps every bid in a list and searches it each time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.workloads.bidding.rate_limit import HOUR_NS, MINUTE_NS, RateLimiter

STEPS = st.sampled_from([0, 1, MINUTE_NS - 1, MINUTE_NS, MINUTE_NS + 1, MINUTE_NS // 3]) | (
    st.sampled_from([HOUR_NS - 1, HOUR_NS, HOUR_NS + 1, HOUR_NS // 7]) | st.integers(0, HOUR_NS)
)
LIMITS = st.integers(0, 5)


class Scan:
    """A literal sliding window: VirtEngine's, which searches its lists at every bid."""

    def __init__(self, per_minute: int, per_hour: int) -> None:
        self.limits = ((per_minute, MINUTE_NS), (per_hour, HOUR_NS))
        self.bids: list[int] = []

    def allow(self, now: int) -> bool:
        now = max([now, *self.bids])
        for limit, window in self.limits:
            if len([bid for bid in self.bids if bid > now - window]) >= limit:
                return False
        self.bids.append(now)
        return True


def decisions(per_minute: int, per_hour: int, moments: list[int]) -> list[bool]:
    clock = iter(moments)
    limiter = RateLimiter(per_minute, per_hour, clock.__next__)
    return [limiter.allow() for _ in moments]


def running(steps: list[int], start: int) -> Iterator[int]:
    now = start
    for step in steps:
        now += step
        yield now


@given(LIMITS, LIMITS, st.lists(STEPS, max_size=40), st.integers(-(10**18), 10**18))
def test_windows_are_right_at_their_edges(
    per_minute: int, per_hour: int, steps: list[int], start: int
) -> None:
    """Bids come a nanosecond inside, on and outside of the edge of either window."""
    moments = list(running(steps, start))
    scan = Scan(per_minute, per_hour)

    assert [scan.allow(now) for now in moments] == decisions(per_minute, per_hour, moments)


@given(st.integers(1, 4), st.integers(1, 6), st.lists(st.integers(-HOUR_NS, HOUR_NS), max_size=40))
def test_a_clock_that_goes_back_stands_still(
    per_minute: int, per_hour: int, steps: list[int]
) -> None:
    """Each time counts as at least that of the last bid; no bid is allowed twice."""
    moments = list(running(steps, 0))
    scan = Scan(per_minute, per_hour)

    assert [scan.allow(now) for now in moments] == decisions(per_minute, per_hour, moments)


@given(LIMITS, LIMITS, st.lists(STEPS, max_size=40), st.integers(0, 40), st.integers(0, 10**18))
def test_a_restored_limiter_decides_as_the_old_one(
    per_minute: int, per_hour: int, steps: list[int], restart: int, ahead: int
) -> None:
    """A new limiter, with another clock, gets the ages of the old one's bids."""
    moments = list(running(steps, 0))
    now = 0
    old = RateLimiter(per_minute, per_hour, lambda: now)
    scan = Scan(per_minute, per_hour)
    for now in moments[:restart]:
        assert scan.allow(now) == old.allow()
    new = RateLimiter(per_minute, per_hour, lambda: now + ahead)
    new.restore(old.ages_ns())

    for now in moments[restart:]:
        assert scan.allow(now) == new.allow()


def test_restoring_too_many_or_future_bids() -> None:
    """The youngest count; those of the future count as placed now."""
    limiter = RateLimiter(2, 3, lambda: 0)
    limiter.restore([1, HOUR_NS, 5, -7, 3])

    assert [3, 1, 0] == limiter.ages_ns()
    assert not limiter.allow()


@pytest.mark.parametrize(
    ("limits", "allowed", "stored"),
    [((None, None), 9, 0), ((None, 3), 3, 3), ((3, None), 3, 3), ((None, 0), 0, 0)],
)
def test_a_window_without_a_limit(
    limits: tuple[int | None, int | None], allowed: int, stored: int
) -> None:
    """Only the other window counts; with neither, nothing is stored."""
    limiter = RateLimiter(*limits, lambda: 5)

    assert allowed == sum(limiter.allow() for _ in range(9))
    assert [0] * stored == limiter.ages_ns()


def test_a_bid_counts_until_it_is_exactly_a_minute_old() -> None:
    """A denied bid does not count at all."""
    edge = MINUTE_NS

    assert [True, False, False, True, False] == decisions(1, 9, [0, 1, edge - 1, edge, edge + 1])
    assert [True, False, True] == decisions(9, 1, [0, HOUR_NS - 1, HOUR_NS])


def test_threads_share_the_limit() -> None:
    """Exactly as many bids are allowed as the limit, however many threads ask at once."""
    limiter = RateLimiter(500, 300, lambda: 7)
    with ThreadPoolExecutor(8) as threads:
        allowed = list(threads.map(lambda _: limiter.allow(), range(4_000)))

    assert 300 == sum(allowed)


def test_the_clock_is_a_steady_one_by_default() -> None:
    """Without a clock argument it uses the machine's monotonic clock."""
    limiter = RateLimiter(2, 5)

    assert [True, True, False] == [limiter.allow() for _ in range(3)]


@pytest.mark.parametrize("limits", [(-1, 1), (1, -1)])
def test_limits_are_not_negative(limits: tuple[int, int]) -> None:
    """Zero is a limit: no bids at all."""
    with pytest.raises(ValueError, match="0 or more"):
        RateLimiter(*limits)
    assert [False] == decisions(0, 5, [1])
    assert [False] == decisions(5, 0, [1])
