"""The chain under a real load: what it takes is valid, and nothing is left behind."""

import os
from pathlib import Path

import pytest

from veperf.core.registry import Supplied
from veperf.loadtest.generator import run_load
from veperf.loadtest.schedule import Schedule
from veperf.workloads.transaction import example_data, load
from veperf.workloads.transaction.load import ChainTarget, Rig, State
from veperf.workloads.transaction.load_source import Feed
from veperf.workloads.transaction.pipeline import Pipeline, Settings

LIGHT = Schedule(300, 0.5, 0.1, seed=1)


def finish(chain: Supplied, wanted: int) -> tuple[list[int], dict[int, str]]:
    """Step until ``wanted`` transfers are through."""
    committed: list[int] = []
    failed: dict[int, str] = {}
    while len(committed) + len(failed) < wanted:
        done = chain.step()
        committed += done.committed
        failed |= done.failed
    return committed, failed


def children() -> set[str]:
    """The processes that this one has started and that have not been waited for."""
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


@pytest.mark.parametrize("state", ["disk", "memory"])
def test_a_load_is_committed_whole(state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """No error in two chains from one rig, one after the other; no file or process stays."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = children()
    rig = Rig(50, state)
    runs = [run_load(lambda items: Supplied(*rig.chain(items)), LIGHT) for _ in range(2)]
    rig.close()

    for run in runs:
        assert run.offered == run.committed > 50
        assert 0 == run.error_percent
        assert run.latency is not None
        assert run.latency.p50 > 0
    assert [] == list(tmp_path.iterdir())
    assert before == children()


def test_back_pressure_breaks_no_sequence():
    """What is turned away is the sender's next transfer still: all that is taken is valid."""
    feed = Feed(5)
    pipeline = Pipeline(
        feed.genesis(),
        example_data.CHAIN,
        verifiers=0,
        settings=Settings(capacity=7, block_wait_ns=0),
    )
    chain = Supplied(ChainTarget(pipeline, None, next(feed)), feed)
    try:
        first = [chain.offer(tag) for tag in range(20)]
        assert [True] * 7 + [False] * 13 == first
        assert (list(range(7)), {}) == finish(chain, 7)
        assert all(chain.offer(tag) for tag in range(20, 27))
        assert (list(range(20, 27)), {}) == finish(chain, 7)
    finally:
        chain.close()


def test_failures_carry_their_codes():
    """A transfer that the chain refuses is no commit, and says why."""
    feed, other = Feed(5), Feed(5)
    early = other.take(11)[-1]
    transfers = [*feed.take(2), early, *feed.take(2)]
    pipeline = Pipeline(feed.genesis(), example_data.CHAIN, verifiers=0)
    first, *others = transfers
    chain = Supplied(ChainTarget(pipeline, None, first), iter(others))
    try:
        assert all(chain.offer(tag) for tag in range(3))
        committed, failed = finish(chain, 3)
    finally:
        chain.close()

    assert [0, 2] == committed
    assert {1: "WRONG_SEQUENCE"} == failed


def test_a_load_of_any_length_is_signed_as_it_goes(monkeypatch: pytest.MonkeyPatch):
    """Past what is signed ahead the feed goes on, without a gap."""
    monkeypatch.setattr(load, "_SIGNED_AHEAD", 20)
    rig = Rig(5, "memory")
    try:
        run = run_load(lambda items: Supplied(*rig.chain(items)), LIGHT)
    finally:
        rig.close()

    assert run.offered == run.committed > 100
    assert {} == run.reasons
