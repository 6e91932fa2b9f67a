"""A load run that somebody watches, and ends before its time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.simulated import MS, Clock, Server, simulate
from veperf.core.errors import MeasureError
from veperf.core.load import LoadPlan, LoadSoFar, Search
from veperf.core.registry import LoadTask
from veperf.loadtest.case import measure_load
from veperf.loadtest.histogram import Latencies
from veperf.loadtest.result import load_figures
from veperf.loadtest.schedule import Schedule

SERVICE_NS = 200_000


def server(clock: Clock) -> Server:
    return Server(clock, SERVICE_NS)


def test_what_is_told_during_a_run_is_what_comes_out_of_it():
    """Once a second; the last figures are nearly those of the result, which nothing changes."""
    schedule = Schedule(1_000, 20, 2, seed=3)
    seen: list[LoadSoFar] = []

    def watch(so_far: LoadSoFar) -> bool:
        seen.append(so_far)
        return True

    unwatched, watched = simulate(server, schedule), simulate(server, schedule, on_progress=watch)

    assert load_figures(unwatched) == load_figures(watched)
    assert list(range(1, 22)) == [round(s.elapsed_s) for s in seen]
    assert {22.0} == {s.planned_s for s in seen}
    assert [None] == [s.achieved for s in seen if s.elapsed_s < 2]
    last = seen[-1]
    assert watched.latency is not None
    assert watched.latency.p95 == pytest.approx(last.latency_p95_ms, rel=0.05)
    assert watched.achieved_rate == pytest.approx(last.achieved, rel=0.01)
    assert (0, 0) == (last.errors, round(last.lag_ms))


def test_errors_and_lag_are_told():
    """A door that is too slow and too narrow shows while the load is on."""
    seen: list[LoadSoFar] = []

    def watch(so_far: LoadSoFar) -> bool:
        seen.append(so_far)
        return True

    simulate(
        lambda clock: Server(clock, 10 * MS, capacity=5, offer_ns=2 * MS),
        Schedule(1_000, 4, arrivals="constant"),
        on_progress=watch,
    )

    assert 100 < seen[0].errors < seen[1].errors < seen[-1].errors
    assert 300 < seen[0].lag_ms < seen[1].lag_ms


@pytest.mark.alone
@given(st.integers(3, 9), st.sampled_from(["poisson", "constant"]))
@settings(max_examples=15)
def test_a_run_that_is_stopped_is_a_shorter_run(seconds, arrivals):
    """Its figures are those of a schedule that was no longer in the first place."""
    schedule = Schedule(1_000, 30, 1, arrivals, 5)
    stopped = simulate(server, schedule, on_progress=lambda s: s.elapsed_s < seconds + 1)
    shorter = simulate(server, Schedule(1_000, stopped.schedule.seconds, 1, arrivals, 5))

    assert stopped.stopped
    assert not shorter.stopped
    assert seconds == pytest.approx(stopped.schedule.seconds, abs=0.1)
    assert "" == stopped.invalid
    assert 0 == stopped.lost
    assert shorter.offered == pytest.approx(stopped.offered, abs=3)
    for name, value in load_figures(shorter).items():
        assert load_figures(stopped)[name] == pytest.approx(value, rel=0.02), name


def test_a_run_that_is_stopped_before_it_counts_is_invalid():
    """In the warm-up there is nothing to report; it passes nothing and does not fail."""
    stopped = simulate(server, Schedule(1_000, 30, 10), on_progress=lambda s: s.elapsed_s < 2)

    assert stopped.stopped
    assert stopped.invalid
    assert 0 == stopped.offered
    assert stopped.latency is None


def test_a_search_can_not_be_stopped_halfway():
    """It has found no rate, and says that in place of one."""
    clock = Clock()
    task = LoadTask(lambda _: server(clock), Search(100, 250, 0.1, start=100, highest=1_000))
    plan = LoadPlan(seconds=0.6, warmup_s=0.6, trial_s=0.6)

    with pytest.raises(MeasureError, match="ended before"):
        measure_load("loads/search", task, plan, 1, lambda _: False)


@given(st.lists(st.integers(0, 4_000 * 10**9), min_size=1, max_size=300), st.floats(0, 100))
def test_the_quick_percentile_is_the_slow_one(latencies_ns, percent):
    """By cumulated counters, bit for bit what the histogram package says."""
    latencies = Latencies()
    latencies.record(np.array(latencies_ns, dtype=np.int64))
    whole = latencies.percentiles()

    assert whole is not None
    assert [whole.p50, whole.p95, whole.p99, whole.p999] == [
        latencies.percentile_ms(p) for p in (50, 95, 99, 99.9)
    ]
    ordered = sorted(min(ns, 3_600 * 10**9) for ns in latencies_ns)
    place = max(int(percent / 100 * len(ordered) + 0.5), 1) - 1
    assert latencies.percentile_ms(percent) == pytest.approx(ordered[place] / 1e6, 1e-3, 1e-6)
    assert Latencies().percentile_ms(percent) is None
