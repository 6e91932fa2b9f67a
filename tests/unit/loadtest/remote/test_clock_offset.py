"""The offset of two clocks is what it is said to be, to within what is said."""

from hypothesis import given
from hypothesis import strategies as st

from veperf.loadtest.remote.clock_offset import ClockReading, estimate_offset

DELAY = st.integers(0, 10**9)
OFFSET = st.integers(-(10**18), 10**18)


def reading(at: int, out: int, back: int, offset: int, wall: int) -> ClockReading:
    """A question asked ``at``, with ways of ``out`` and ``back`` ns."""
    return ClockReading(
        sent_ns=at,
        received_ns=at + out + back,
        sent_wall_ns=at + wall,
        received_wall_ns=at + out + back + wall,
        target_ns=at + out + offset,
        target_wall_ns=at + out + 2 * wall,
    )


@given(st.lists(st.tuples(DELAY, DELAY, DELAY), min_size=1), OFFSET, OFFSET)
def test_the_true_offset_is_within_the_uncertainty(
    ways: list[tuple[int, int, int]], offset: int, wall: int
) -> None:
    """However unequal the ways there and back are; and no reading could have said more."""
    estimate = estimate_offset([reading(*way, offset, wall) for way in ways])

    shortest = min(out + back for _, out, back in ways)
    assert abs(estimate.offset_ns - offset) <= estimate.uncertainty_ns
    assert abs(estimate.wall_offset_ns - wall) <= estimate.uncertainty_ns
    assert shortest / 2 <= estimate.uncertainty_ns <= shortest / 2 + 1


def test_drift_is_what_the_target_gained() -> None:
    """A target's clock that is 50 ppm fast gains 3 ms in a minute."""
    before = estimate_offset([reading(0, 1_000, 1_000, 7, 0)])
    after = estimate_offset([reading(60 * 10**9, 1_000, 1_000, 7 + 3_000_000, 0)])

    assert 3_000_000 == before.drift_ns(after)
    assert 60 * 10**9 == after.measured_ns - before.measured_ns
