"""A run's samples become one value a process."""

import numpy as np

from tests.support.runs import CRASH, case, one_pass, timed, timed_run, whole_run
from veperf.core.case import TIME, Metric
from veperf.core.run import CaseResult, Sample
from veperf.stats.process_values import series_of


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
    found = series_of(run)

    assert {("demo/a", "time"), ("demo/a", "rate")} == found.keys()
    rate = found["demo/a", "rate"]
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
