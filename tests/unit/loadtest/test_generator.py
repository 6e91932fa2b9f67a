"""Load runs against simulated systems whose behaviour is known, on a clock of their own."""

import gc
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.simulated import MS, Clock, Server, simulate
from veperf.core.errors import MeasureError
from veperf.core.load import Finished, LoadSoFar
from veperf.core.registry import System
from veperf.loadtest.generator import run_open_loop
from veperf.loadtest.histogram import Latencies
from veperf.loadtest.result import LoadResult, load_figures
from veperf.loadtest.schedule import Schedule, arrival_times, count_arrivals

STEADY = Schedule(1_000, 10, arrivals="constant")


def test_a_fast_system_commits_everything_at_once():
    """Rates are those of the schedule, latencies next to nothing, and the run is valid."""
    schedule = Schedule(1_000, 5, 2, seed=4)
    result = simulate(lambda clock: Server(clock, service_ns=10_000), schedule)

    times = np.concatenate(list(arrival_times(schedule)))
    measured = int((times >= 2e9).sum())
    assert "" == result.invalid
    assert (
        measured == result.offered == result.committed == Latencies.merged([result.latencies]).count
    )
    assert measured / 5 == pytest.approx(result.offered_rate)
    assert measured / 5 == pytest.approx(result.achieved_rate, rel=0.001)
    assert 0 == result.error_percent
    assert result.latency is not None
    assert 0.01 <= result.latency.p50 <= result.latency.max < 0.5


@pytest.mark.alone
@given(st.floats(0.5, 8.5), st.sampled_from([100, 500, 1_000]))
@settings(max_examples=20)
def test_a_freeze_shows_in_the_tail(at_s, freeze_ms):
    """A system that freezes makes all arrivals meanwhile late, by what is left of the freeze.

    Measuring from when an item could be offered would show one late item: coordinated omission.
    """
    at_ns, freeze_ns = round(at_s * 1e9), freeze_ms * MS
    result = simulate(lambda clock: Server(clock, freeze_at_ns=at_ns, freeze_ns=freeze_ns), STEADY)

    bounds, counts = Latencies.merged([result.latencies]).counts()
    late = counts[bounds > 0.01 * freeze_ns].sum()
    assert 0.099 * freeze_ms / 100 <= late / result.committed * 10 <= 0.101 * freeze_ms / 100
    assert result.latency is not None
    assert result.latency.max == pytest.approx(freeze_ms, rel=0.02)
    if freeze_ms == 1_000:
        assert result.latency.p50 < 1
        assert result.latency.p95 == pytest.approx(500, rel=0.02)
        assert result.latency.p99 == pytest.approx(900, rel=0.02)
        assert result.latency.p999 == pytest.approx(990, rel=0.02)
    assert "" == result.invalid, "the system is late, not the generator"


def test_collections_look_at_all_that_the_set_up_made():
    """As in production: nothing is frozen during a load, though a case before it was."""
    frozen: list[int] = []

    class Watching(Server):
        def step(self) -> Finished:
            frozen.append(gc.get_freeze_count())
            return super().step()

    gc.freeze()
    try:
        simulate(lambda clock: Watching(clock), Schedule(100, 1))
    finally:
        gc.unfreeze()

    assert {0} == set(frozen)


def test_progress_tells_what_waits_in_the_system():
    """What was accepted and is not finished: an overloaded server's queue."""
    servers: list[Server] = []
    waiting: list[tuple[int, int]] = []

    def make(clock: Clock) -> Server:
        servers.append(Server(clock, service_ns=2 * MS))
        return servers[-1]

    def watch(so_far: LoadSoFar) -> bool:
        waiting.append((len(servers[0].queue), so_far.in_flight))
        return True

    simulate(make, STEADY, on_progress=watch)

    assert len(waiting) >= 10
    assert all(expected == actual for expected, actual in waiting)
    assert waiting[8][0] == pytest.approx(9 * 500, rel=0.02)


def test_latencies_are_those_of_a_queue():
    """An overloaded first-come-first-served server: the n-th item waits as Lindley's rule says."""
    schedule = Schedule(1_000, 2, seed=9)
    service_ns = 1_200_000
    result = simulate(lambda clock: Server(clock, service_ns=service_ns), schedule)

    times = np.concatenate(list(arrival_times(schedule)))
    done, waited = 0, []
    for time in times.tolist():
        done = max(done, time) + service_ns
        waited.append((done - time) / 1e6)
    assert result.latency is not None
    counts = [result.latency.p50, result.latency.p95, result.latency.p99, result.latency.max]
    np.testing.assert_allclose(counts, np.percentile(waited, [50, 95, 99, 100]), rtol=0.005)
    assert 1e9 / service_ns == pytest.approx(result.achieved_rate, rel=0.01)
    assert result.offered_rate > 1.15 * result.achieved_rate


def test_warm_up_is_left_out_by_scheduled_time():
    """What is slow during the warm-up alone shows in no figure, only in the timeline."""
    schedule = Schedule(1_000, 5, 2, "constant")
    slow_start = simulate(
        lambda clock: Server(clock, freeze_at_ns=0, freeze_ns=1_000 * MS), schedule
    )

    assert 5_000 == slow_start.offered == slow_start.committed
    assert slow_start.latency is not None
    assert slow_start.latency.max < 1
    assert 7_000 == sum(second.offered for second in slow_start.timeline)


class Fussy(Server):
    """Fails every 10th item, rejects every 25th, loses every 50th."""

    def step(self) -> Finished:
        tags = super().step().committed
        special = {tag for tag in tags if tag % 10 == 0 or tag % 25 == 0}
        return Finished(
            [tag for tag in tags if tag not in special],
            {tag: f"code {tag % 20}" for tag in special if tag % 10 == 0 and tag % 50},
            [tag for tag in special if tag % 25 == 0 and tag % 50],
        )


def test_errors_are_counted_against_valid_items():
    """Failed and lost items are errors, bad ones that were rejected are not even valid."""
    result = simulate(lambda clock: Fussy(clock, service_ns=1_000), STEADY)

    assert (10_000, 800, 200, 200) == (
        result.offered,
        result.failed,
        result.rejected,
        result.lost,
    )
    assert {"code 0": 400, "code 10": 400} == result.reasons
    assert 8_800 == result.committed
    assert 100 * 1_000 / 9_800 == pytest.approx(result.error_percent)


def test_back_pressure_is_an_error():
    """What a full system turns away is counted, and is in no latency."""
    result = simulate(
        lambda clock: Server(clock, service_ns=2 * MS, capacity=10), Schedule(1_000, 10, seed=1)
    )

    assert result.offered == result.refused + result.committed
    assert 0.45 * result.offered < result.refused < 0.55 * result.offered
    assert 100 * result.refused / result.offered == pytest.approx(result.error_percent)
    assert result.latency is not None
    assert result.latency.max <= 10 * 2 + 3
    assert "" == result.invalid


def test_nothing_committed_has_no_latency():
    """No figure for a latency that nobody had: a missing number passes no target."""

    class Hole(Server):
        def step(self) -> Finished:
            super().step()
            return Finished()

    result = simulate(lambda clock: Hole(clock), Schedule(1_000, 1))

    assert result.latency is None
    assert 100 == result.error_percent
    assert 0 == result.achieved_rate
    assert not any("latency" in name for name in load_figures(result))


@pytest.mark.parametrize(
    ("system", "oversleeps_ns", "words"),
    [
        (lambda clock: Server(clock, offer_ns=2 * MS), 0, "offered 500 items a second"),
        (lambda clock: Server(clock), 30 * MS, "the generator itself fell behind"),
    ],
    ids=["a door that is too slow", "a generator that oversleeps"],
)
def test_a_generator_that_falls_behind_makes_the_run_invalid(
    system: Callable[[Clock], System], oversleeps_ns: int, words: str
):
    """It says so, in words with figures; the figures themselves are kept."""
    result = simulate(system, STEADY, oversleeps_ns=oversleeps_ns)

    assert words in result.invalid
    assert result.latency is not None
    assert result.lag is not None
    assert result.lag.p99 > 10


def test_a_hopeless_run_is_given_up():
    """A system that takes far too long to be offered the load does not hold the run up."""
    clock = Clock()
    server = Server(clock, offer_ns=1_000 * MS)
    result = run_open_loop(lambda _: server, Schedule(1_000, 2), clock=clock, sleep=clock.sleep)

    assert 2 * 2 + 5 <= clock.ns / 1e9 <= 20
    assert 5 <= result.offered <= 20
    assert result.offered == result.committed
    assert "fell behind" in result.invalid


@pytest.mark.parametrize("at_s", [0.5, 2.0, 12.0], ids=["warm-up", "load", "drain"])
def test_a_load_that_is_stopped_ends_at_once(at_s: float):
    """In any phase; what is still waiting a moment later is neither offered nor lost."""
    clock = Clock()
    schedule = Schedule(1_000, 10, warmup_s=1.0)
    # It serves half of what arrives, and would need ten seconds more for the rest.
    server = Server(clock, service_ns=2 * MS)

    result = run_open_loop(
        lambda _: server,
        schedule,
        drain_s=60,
        is_stopped=lambda: clock.ns >= at_s * 1e9,
        clock=clock,
        sleep=clock.sleep,
        cpu_clock=clock.cpu,
    )

    assert at_s <= clock.ns / 1e9 < at_s + 0.3
    assert result.stopped
    assert server.queue
    assert (0, 0, 0.0) == (result.refused, result.lost, result.error_percent)
    assert result.offered == result.committed


def test_a_stop_after_everything_is_done_changes_nothing():
    """Nothing was in flight any more."""
    clock = Clock()
    result = run_open_loop(
        lambda _: Server(clock),
        Schedule(1_000, 1),
        is_stopped=lambda: clock.ns >= 999 * MS,
        clock=clock,
        sleep=clock.sleep,
        cpu_clock=clock.cpu,
    )

    assert 900 < result.committed == result.offered


def test_the_timeline_adds_up():
    """Each second has what was offered and committed in it, and a 99th percentile of its own."""
    result = simulate(
        lambda clock: Server(clock, freeze_at_ns=4_000 * MS, freeze_ns=1_500 * MS), STEADY
    )

    seconds = result.timeline
    assert 10 == len(seconds)
    assert 10_000 == sum(s.offered for s in seconds) == sum(s.committed for s in seconds)
    assert [1_000] * 4 == [s.committed for s in seconds[:4]]
    assert (0, None) == (seconds[4].committed, seconds[4].latency_p99_ms)
    assert 2_000 == seconds[5].committed
    assert [True] * 4 == [(s.latency_p99_ms or 0) < 2 for s in seconds[6:]]
    assert (seconds[5].latency_p99_ms or 0) > 1_400


@pytest.mark.parametrize("lie", [[0, 0], [10**9], [-1]])
def test_a_system_that_lies_is_found_out(lie: list[int]):
    """Finishing an item twice or inventing one is an error, and the system is closed even so."""
    clock = Clock()

    class Liar(Server):
        def step(self) -> Finished:
            return Finished([*super().step().committed, *lie])

    server = Liar(clock)
    with pytest.raises(MeasureError):
        run_open_loop(lambda _: server, Schedule(1_000, 1), clock=clock, sleep=clock.sleep)
    assert server.closed


def test_the_system_learns_how_many_items_will_come():
    """So that it can prepare as many, tags 0 to n - 1, before the clock starts."""
    clock, messages, tags = Clock(), [], []

    class Counting(Server):
        def offer(self, tag: int) -> bool:
            tags.append(tag)
            return super().offer(tag)

    def system(items: int) -> System:
        messages.append(items)
        return Counting(clock)

    schedule = Schedule(2_000, 2, 1, seed=2)
    run_open_loop(system, schedule, clock=clock, sleep=clock.sleep)
    assert [count_arrivals(schedule)] == messages
    assert list(range(messages[0])) == tags


@pytest.mark.alone
def test_memory_does_not_grow_with_the_run():
    """Four times the items take no more memory: an hour takes what a minute does."""

    def peak(seconds: float) -> int:
        tracemalloc.start()
        try:
            simulate(lambda clock: Server(clock), Schedule(10_000, seconds))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(1)
    assert peak(5) < 1.1 * peak(1.25)


@pytest.mark.slow
def test_equal_runs_are_equal():
    """Nothing but the schedule and the system decides: figures are the same again."""

    def once() -> LoadResult:
        return simulate(lambda clock: Server(clock, 900_000), Schedule(1_000, 3, 1, seed=8))

    assert once() == once()
