"""The value of a process survives a busy machine, and never hides that there is none."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.runs import CRASH, case, one_pass, timed, timed_run, whole_run
from veperf.core.case import TIME, Metric
from veperf.core.run import CaseResult, Sample
from veperf.stats.process_values import pick_clock, process_value, series_of

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


def recorded(
    n: int, *, interruptions: float, waits: float, wait_ms: float, seed: int = 7
) -> list[Sample]:
    """Samples of 6 ms of work: so many interruptions of 3 ms, and a share of them with a wait."""
    chance = np.random.default_rng(seed)
    switches = chance.poisson(interruptions, n)
    waiting = chance.random(n) < waits
    cpu = 6e6 * np.exp(chance.normal(0, 0.02, n))
    wall = 1.002 * cpu + chance.gamma(switches, 3e6) + 1e6 * wait_ms * waiting
    return [
        Sample(round(w), round(c), int(s), int(v))
        for w, c, s, v in zip(wall, cpu, switches, waiting, strict=True)
    ]


@pytest.mark.parametrize("interruptions", [0.0, 0.3, 1.5, 6.0])
@pytest.mark.parametrize("n", [48, 120])
def test_work_that_waits_in_a_quarter_of_its_samples_is_not_cpu_bound(
    n: int, interruptions: float
) -> None:
    """6 ms of waiting beside 6 ms of work in every fourth sample, however busy the machine."""
    assert "wall" == pick_clock(recorded(n, interruptions=interruptions, waits=0.3, wait_ms=6.0))


@pytest.mark.parametrize("interruptions", [0.0, 0.3])
def test_work_that_waits_a_little_in_every_sample_is_not_cpu_bound(interruptions: float) -> None:
    """0.16 ms of 6, which is less than CPU and wall time may differ by where waits are unknown."""
    assert "wall" == pick_clock(recorded(60, interruptions=interruptions, waits=1.0, wait_ms=0.16))


@pytest.mark.parametrize("interruptions", [0.0, 0.3, 1.5, 6.0])
@pytest.mark.parametrize(("waits", "wait_ms"), [(0.0, 0.0), (0.04, 0.05), (0.04, 3.0)])
@pytest.mark.parametrize("seed", range(5))
def test_rare_waits_leave_work_cpu_bound(
    interruptions: float, waits: float, wait_ms: float, seed: int
) -> None:
    """A lock or a page now and then, even a long one, is no property of the work."""
    samples = recorded(120, interruptions=interruptions, waits=waits, wait_ms=wait_ms, seed=seed)
    assert "cpu" == pick_clock(samples)


def test_waits_that_take_no_time_leave_work_cpu_bound() -> None:
    """A lock that is free again at once, in every second sample."""
    assert "cpu" == pick_clock(recorded(120, interruptions=0.3, waits=0.5, wait_ms=0.01))


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


def test_times_are_those_of_one_operation() -> None:
    """A sample is divided by its loops and by the operations of a call."""
    result = CaseResult(
        "demo/a", loops=10, operations=5, samples=(Sample(5_000, 4_990, 0), Sample(6_000, 5_990, 0))
    )
    series = series_of(whole_run([case("demo/a")], [one_pass([result])]))["demo/a", "time"]

    np.testing.assert_allclose([109.8], series.cpu)
    np.testing.assert_allclose([110.0], series.wall)
    assert series.values is series.cpu
    assert (series.unit, series.loops, series.operations, series.n) == ("ns", 10, 5, 1)


def test_the_clock_is_decided_once_over_all_passes() -> None:
    """A pass that was disturbed throughout does not change the clock that its case is judged by."""
    calm = CaseResult("demo/a", samples=(Sample(1_000, 990, 0),) * 4)
    disturbed = CaseResult("demo/a", samples=(Sample(4_000, 1_010, 9),) * 4)
    run = whole_run([case("demo/a")], [one_pass([calm]), one_pass([disturbed])])

    np.testing.assert_allclose([990, 1_010], series_of(run)["demo/a", "time"].values)


def test_failed_passes_are_counted_and_contribute_nothing() -> None:
    """Their order is kept, their number told; a case that always failed has an empty series."""
    run = timed_run({"demo/a": [1.0, CRASH, 3.0], "demo/b": [CRASH, CRASH, CRASH]})
    a, b = series_of(run).values()

    assert ([1.0, 3.0], 1) == (a.values.tolist(), a.failed)
    assert (0, 3, None, None) == (b.n, b.failed, b.wall_median, b.wall_p99)


def test_median_and_p99_are_over_all_wall_samples() -> None:
    """They see the tail that the robust value leaves out (numpy's linear quantiles)."""
    walls = [100, 100, 100, 900]
    result = CaseResult("demo/a", samples=tuple(Sample(w, 100, 0) for w in walls))
    series = series_of(whole_run([case("demo/a")], [one_pass([result])] * 2))["demo/a", "time"]

    assert ([100.0, 100.0], 100.0) == (series.wall.tolist(), series.wall_median)
    assert series.wall_p99 == np.quantile(walls * 2, 0.99)


def test_other_metrics_are_what_the_case_yields() -> None:
    """A figure is a value a process, whatever its unit; a pass without it is left out."""
    throughput = Metric("rate", "tx/s", "higher")
    results = [
        CaseResult("demo/a", figures={"rate": 10.0}),
        CaseResult("demo/a"),
        CaseResult("demo/a", figures={"rate": 12.0, "undeclared": 1.0}),
    ]
    run = whole_run(
        [case("demo/a", metrics=(TIME, throughput))],
        [one_pass([r], i) for i, r in enumerate(results)],
    )
    actual = series_of(run)

    assert {("demo/a", "time"), ("demo/a", "rate")} == actual.keys()
    rate = actual["demo/a", "rate"]
    assert ([10.0, 12.0], "higher", "wall") == (rate.values.tolist(), rate.better, rate.clock)


def test_imported_samples_without_cpu_time_use_wall_time() -> None:
    """One sample without CPU time anywhere rules that clock out for the case."""
    imported = CaseResult("demo/a", samples=(Sample(1_000, None, None),) * 2)
    run = whole_run([case("demo/a")], [one_pass([imported]), one_pass([timed("demo/a", 2.0)])])
    series = series_of(run)["demo/a", "time"]

    assert ("wall", 0, [1_000.0, 2.0]) == (series.clock, series.cpu.size, series.values.tolist())


def test_counts_of_zero_give_no_number() -> None:
    """A sample of no calls must not become a time."""
    broken = CaseResult("demo/a", loops=0, samples=(Sample(1_000, 1_000, 0),) * 2)
    series = series_of(whole_run([case("demo/a")], [one_pass([broken])]))["demo/a", "time"]

    assert np.isnan(series.values).all()
