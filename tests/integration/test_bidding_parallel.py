"""Engines in separate processes, and a daemon under load, do their work and leave nothing."""

import os
import signal
from itertools import islice
from pathlib import Path

import pytest

from veperf.core.errors import WorkerCrashedError
from veperf.core.remote_load import SuppliedSystem
from veperf.loadtest.generator import run_open_loop
from veperf.loadtest.schedule import Schedule
from veperf.workloads.bidding import example_data
from veperf.workloads.bidding.load import DaemonTarget, order_bursts
from veperf.workloads.bidding.parallel.pool import EnginePool
from veperf.workloads.bidding.table import ProviderTable


def test_engines_side_by_side() -> None:
    """Every order gets one decision, batch after batch, and the processes end with the pool."""
    events = example_data.order_events()
    pool = EnginePool(engines=2, providers=300)
    try:
        outcomes = [pool.bid(list(islice(events, 24))) for _ in range(3)]
        again = pool.bid(list(islice(example_data.order_events(), 24)))
    finally:
        pool.close()
        pool.close()

    assert [24] * 3 == [sum(counts.values()) for counts in outcomes]
    assert all(counts["BID"] > 0 for counts in outcomes)
    assert {"REPLAYED": 24} == again
    for pid in pool.pids:
        assert not Path(f"/proc/{pid}").exists()


def test_an_engine_that_dies_is_noticed() -> None:
    """The pool raises WorkerCrashedError; it does not wait for ever."""
    pool = EnginePool(engines=2, providers=1)
    try:
        os.kill(pool.pids[0], signal.SIGKILL)
        with pytest.raises(WorkerCrashedError):
            pool.bid(list(islice(example_data.order_events(), 4)))
    finally:
        pool.close()


@pytest.mark.parametrize("burst", [1, 5])
def test_a_load_is_bid_on_whole(
    burst: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each arrival is finished, none fails, no capacity stays reserved, no file stays."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    table = ProviderTable(example_data.providers(1_000))
    run = run_open_loop(
        lambda _: SuppliedSystem(DaemonTarget(table), order_bursts(burst)),
        Schedule(60, 0.5, 0.1, seed=1),
    )

    assert run.offered == run.committed > 10
    assert 0 == run.error_percent
    assert ["generator", "enqueue", "bid", "checkpoint"] == list(run.costs)
    assert run.costs["bid"] > run.costs["enqueue"] > 0
    assert not table.columns.held.any()
    assert [] == list(tmp_path.iterdir())


def test_orders_of_several_shards_are_all_bid_on() -> None:
    """No two orders have the same id, however the bursts interleave."""
    sources = [order_bursts(3, shard, 2) for shard in (0, 1)]
    daemon = DaemonTarget(ProviderTable(example_data.providers(1_000)))
    finished: list[int] = []
    try:
        for tag, shard in enumerate([0, 0, 1, 1, 1, 0, 1, 0]):
            assert daemon.offer(tag, next(sources[shard]))
        while len(finished) < 8:
            done = daemon.step()
            assert {} == done.failed
            finished += done.committed
    finally:
        daemon.close()

    assert list(range(8)) == finished


def test_an_invalid_order_fails() -> None:
    """Its burst gets no bid; the others do."""
    daemon = DaemonTarget(ProviderTable(example_data.providers(1_000)))
    try:
        for tag, item in enumerate([b"", b"{}\n\xff", next(order_bursts(1))]):
            assert daemon.offer(tag, item)
        done = [daemon.step() for _ in range(4)]
    finally:
        daemon.close()

    assert {0, 1} == {tag for finished in done for tag in finished.failed}
    assert [2] == [tag for finished in done for tag in finished.committed]


def test_back_pressure_and_failures() -> None:
    """A burst without room is rejected whole; one without a bid fails with its code."""
    daemon = SuppliedSystem(DaemonTarget(ProviderTable(), capacity=7), order_bursts(3))
    try:
        assert [True, True, False] == [daemon.offer(tag) for tag in range(3)]
        done = [daemon.step() for _ in range(7)]
    finally:
        daemon.close()

    failed = [dict(finished.failed) for finished in done if finished.failed]
    assert [{0: "NO_PROVIDER"}, {1: "NO_PROVIDER"}] == failed
    assert not any(finished.committed for finished in done)
