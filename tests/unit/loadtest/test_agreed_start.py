"""A load starts when it is told to, and counts from there."""

import pytest

from tests.support.simulated import MS, Clock, Server
from veperf.loadtest.generator import run_open_loop
from veperf.loadtest.schedule import Schedule

STEADY = Schedule(1_000, 2, arrivals="constant")


@pytest.mark.parametrize("wait_ms", [0, 1, 3_000])
def test_it_waits_for_the_start(wait_ms: int) -> None:
    """Nothing is offered before; latencies and rates are those of a load that starts at once."""
    clock, offered = Clock(ns=7 * MS), []

    class Noting(Server):
        def offer(self, tag: int) -> bool:
            offered.append(self.clock.ns)
            return super().offer(tag)

    start = clock.ns + wait_ms * MS
    result = run_open_loop(
        lambda _: Noting(clock, 1_000), STEADY, start=lambda: start, clock=clock, sleep=clock.sleep
    )

    assert start == offered[0]
    assert 2_000 == result.committed
    assert 1_000 == pytest.approx(result.offered_rate)
    assert result.latency is not None
    assert result.latency.max < 1.5
    assert "" == result.invalid


def test_who_is_late_is_late_by_his_own_doing() -> None:
    """A start that has passed delays the first items: their latency says so, and the lag."""
    clock = Clock(ns=900 * MS)
    result = run_open_loop(
        lambda _: Server(clock, 1_000), STEADY, start=lambda: 0, clock=clock, sleep=clock.sleep
    )

    assert result.latency is not None
    assert 900 <= result.latency.max <= 902
    assert "the generator itself fell behind" in result.invalid


def test_the_start_is_agreed_when_the_system_is_made() -> None:
    """Others wait for it: what takes long has been done before."""
    clock, order = Clock(), []

    def system(items: int) -> Server:
        order.append("made")
        return Server(clock)

    def start() -> int:
        order.append("start")
        return clock.ns

    run_open_loop(system, STEADY, start=start, clock=clock, sleep=clock.sleep)

    assert ["made", "start"] == order
