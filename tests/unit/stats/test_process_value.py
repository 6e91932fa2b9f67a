"""The value of a process survives a busy machine, and never hides that there is none."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.core.run import Sample
from veperf.stats.process_values import pick_clock, process_value

positive = st.floats(1e-3, 1e12)


def test_preempted_samples_do_not_hide_cpu_bound_work() -> None:
    """One sample that kept the CPU is enough to see that the work wants nothing but CPU."""
    preempted = [Sample(wall_ns=3_000, cpu_ns=1_000, switches=4)] * 9

    assert pick_clock([*preempted, Sample(1_000, 990, 0)]) == "cpu"


def test_work_that_never_waits_is_cpu_bound_however_busy_the_machine() -> None:
    """Where every sample lost the CPU, it shows in the switches that the work itself asked for."""
    preempted = [Sample(wall_ns=3_000, cpu_ns=1_000, switches=4, waits=0)] * 9

    assert pick_clock([*preempted, Sample(3_000, 1_000, 4, waits=1)]) == "cpu"
    assert pick_clock([Sample(3_000, 1_000, 4, waits=2)] * 9) == "wall"
    assert pick_clock([*preempted, Sample(3_000, 1_000, 4)]) == "wall"
    assert pick_clock([Sample(1_000, 1_900, 4, waits=0)] * 9) == "wall"


@pytest.mark.parametrize(
    ("samples", "why"),
    [
        ([], "there is none"),
        ([Sample(1_000, 400, 0)], "it waits"),
        ([Sample(1_000, 950, 0)], "the bound itself is not over it"),
        ([Sample(1_000, 1_900, 0)], "two threads: CPU time is not how long it takes"),
        ([Sample(1_000, 999, 0), Sample(1_000, None, None)], "a sample has no CPU time"),
        ([Sample(0, 0, 0)], "its clock stood still"),
        ([Sample(1_000, 400, 0), Sample(1_000, 999, 3)], "the clean sample waits"),
    ],
)
def test_other_work_is_judged_by_wall_time(samples: list[Sample], why: str) -> None:
    """CPU time stands for the time taken only where one thread computes all the while."""
    assert pick_clock(samples) == "wall", why


def test_switches_that_nobody_counted_are_none() -> None:
    """Imported samples with CPU time but no switches are judged by all of them."""
    assert pick_clock([Sample(1_000, 990, None)] * 3) == "cpu"


@pytest.mark.parametrize(
    ("times", "expected"),
    [([7.0], 7.0), ([9.0, 5.0], 7.0), ([4.0, 90.0, 6.0, 80.0], 5.0), ([*range(1, 13)], 2.0)],
)
def test_the_value_is_the_mean_of_the_lowest_quarter(times: list[float], expected: float) -> None:
    """At least two samples count, a quarter where that is more."""
    assert expected == process_value(times)


@given(st.lists(positive, min_size=4, max_size=40), st.floats(1, 1e6))
def test_slow_samples_have_no_say(times: list[float], delay: float) -> None:
    """Whatever delays the upper half leaves the value as it is."""
    ordered = sorted(times)
    half = len(ordered) // 2
    disturbed = ordered[:half] + [t * delay for t in ordered[half:]]

    assert process_value(ordered) == process_value(disturbed)


@given(st.lists(positive, min_size=1, max_size=40))
def test_the_value_lies_among_the_samples(times: list[float]) -> None:
    """It is no less than the least and no more than the median of the upper half."""
    assert min(times) * (1 - 1e-12) <= process_value(times) <= max(times) * (1 + 1e-12)


@given(
    st.lists(positive, max_size=10),
    st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -1.0]),
    st.integers(0, 10),
)
def test_a_sample_that_is_no_time_spoils_the_process(
    times: list[float], bad: float, place: int
) -> None:
    """NaN, infinite, zero and negative times are never averaged away."""
    assert math.isnan(process_value([*times[:place], bad, *times[place:]]))


def test_no_samples_have_no_value() -> None:
    """Nothing measured is NaN, not zero."""
    assert math.isnan(process_value([]))
