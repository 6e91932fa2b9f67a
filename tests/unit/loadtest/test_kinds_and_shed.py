"""What a load run tells of items of several kinds, and of those that the system shed."""

from dataclasses import dataclass

import numpy as np
import pytest

from tests.support.simulated import MS, Server, simulate
from veperf.core.errors import MeasureError
from veperf.core.load import Finished, Search
from veperf.loadtest.histogram import Latencies
from veperf.loadtest.result import LoadResult, is_within_limits, load_figures
from veperf.loadtest.schedule import Schedule

SCHEDULE = Schedule(400, 3, 1, arrivals="constant")


@dataclass
class Kinds(Server):
    """Every third item is slow, and takes 4 ms; the others take one."""

    lies: bool = False

    def step(self) -> Finished:
        if not self.queue:
            self.clock.ns += MS
            return Finished()
        tag = self.queue.popleft()
        kind = "quick" if tag % 3 else "slow"
        self.clock.ns += MS if tag % 3 else 4 * MS
        return Finished([tag], kinds=[kind] * (1 + self.lies))


@dataclass
class Shedding(Server):
    """Drops two of three items, each for a reason of its own, and fails one of thirty."""

    def step(self) -> Finished:
        tags, self.queue = list(self.queue), type(self.queue)()
        self.clock.ns += MS
        failed = {tag: "broken" for tag in tags if tag % 30 == 0}
        shed = {tag: ("OLD", "LOW")[tag % 3 - 1] for tag in tags if tag % 3}
        return Finished([tag for tag in tags if not tag % 3 and tag % 30], failed, shed=shed)


def shedding() -> LoadResult:
    return simulate(Shedding, SCHEDULE)


def test_latencies_are_kept_by_kind() -> None:
    """The histograms of the kinds add up to that of all, and each has its own figures."""
    result = simulate(Kinds, SCHEDULE)
    kinds = {kind: Latencies.merged([own]) for kind, own in result.latencies_by_kind.items()}
    figures = load_figures(result)

    assert ["quick", "slow"] == sorted(kinds)
    assert 400 == kinds["slow"].count == pytest.approx(kinds["quick"].count / 2, abs=1)
    together = Latencies.merged(result.latencies_by_kind.values())
    for merged, whole in zip(
        together.counts(), Latencies.merged([result.latencies]).counts(), strict=True
    ):
        np.testing.assert_array_equal(merged, whole)
    assert figures["latency_p50_slow"] > figures["latency_p50_quick"]
    slow = kinds["slow"].percentiles()
    assert slow is not None
    assert figures["latency_p99_slow"] == slow.p99


def test_kinds_of_some_items_alone_are_an_error() -> None:
    """Rather than latencies under the wrong name."""
    with pytest.raises(MeasureError, match="kinds of some"):
        simulate(lambda clock: Kinds(clock, lies=True), SCHEDULE)


def test_what_is_shed_is_no_error() -> None:
    """It is an outcome of its own, by reason; the rest is as before."""
    result = shedding()
    figures = load_figures(result)

    assert {"OLD": 400, "LOW": 400} == result.shed
    assert result.offered == result.committed + result.failed + 800
    assert result.error_percent == pytest.approx(100 / 30, abs=0.1)
    assert (figures["shed_rate"], figures["shed_old"]) == pytest.approx((200 / 3, 100 / 3))
    assert {"broken": result.failed} == result.reasons


def test_a_rate_at_which_much_is_shed_is_not_sustained() -> None:
    """Though latency and errors are fine."""
    limits = Search(1_000, 1_000, 10.0, start=1, highest=2)

    assert not is_within_limits(shedding(), limits)
    assert is_within_limits(simulate(Server, SCHEDULE), limits)


def test_the_time_to_drain_counts_from_the_end() -> None:
    """A backlog of a second takes a second."""
    result = simulate(lambda clock: Server(clock, 3_500_000), SCHEDULE)

    assert result.drain_s == pytest.approx(4 * 400 * 0.0035 - 4, abs=0.1)
    assert 0 <= simulate(lambda clock: Server(clock, MS), SCHEDULE).drain_s < 0.05
