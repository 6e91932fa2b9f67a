"""The chain under a real load: accepted transfers are valid, and nothing is left behind."""

import os
from pathlib import Path

import pytest

from tests.support.processes import children
from veperf.core.remote_load import SuppliedSystem
from veperf.loadtest.generator import run_open_loop
from veperf.loadtest.schedule import Schedule
from veperf.workloads.transaction import example_data, load
from veperf.workloads.transaction.load import ChainLoadFixture, ChainTarget, StateStorage
from veperf.workloads.transaction.load_source import TransferSource
from veperf.workloads.transaction.pipeline import Pipeline, PipelineSettings

LIGHT = Schedule(300, 0.5, 0.1, seed=1)


def finish(chain: SuppliedSystem, count: int) -> tuple[list[int], dict[int, str]]:
    """Step until ``count`` transfers are finished."""
    committed: list[int] = []
    failed: dict[int, str] = {}
    while len(committed) + len(failed) < count:
        done = chain.step()
        committed += done.committed
        failed |= done.failed
    return committed, failed


@pytest.mark.alone
@pytest.mark.parametrize("state", ["disk", "memory"])
def test_a_load_is_committed_whole(
    state: StateStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Two successive chains of a fixture have no errors; no file or process stays."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = children(os.getpid())
    fixture = ChainLoadFixture(50, state)
    runs = [
        run_open_loop(lambda items: SuppliedSystem(*fixture.chain(items)), LIGHT) for _ in range(2)
    ]
    fixture.close()

    for run in runs:
        assert run.offered == run.committed > 50
        assert 0 == run.error_percent
        assert run.latency is not None
        assert run.latency.p50 > 0
    assert [] == list(tmp_path.iterdir())
    assert before == children(os.getpid())


def test_back_pressure_breaks_no_sequence():
    """A rejected offer stays the sender's next transfer: all accepted ones are valid."""
    source = TransferSource(5)
    pipeline = Pipeline(
        source.genesis(),
        example_data.CHAIN,
        verifiers=0,
        settings=PipelineSettings(capacity=7, block_wait_ns=0),
    )
    chain = SuppliedSystem(ChainTarget(pipeline, None, next(source)), source)
    try:
        first = [chain.offer(tag) for tag in range(20)]
        assert [True] * 7 + [False] * 13 == first
        assert (list(range(7)), {}) == finish(chain, 7)
        assert all(chain.offer(tag) for tag in range(20, 27))
        assert (list(range(20, 27)), {}) == finish(chain, 7)
    finally:
        chain.close()


def test_failures_carry_their_codes():
    """A rejected transfer is not a commit, and has its code."""
    source, other = TransferSource(5), TransferSource(5)
    early = other.take(11)[-1]
    transfers = [*source.take(2), early, *source.take(2)]
    pipeline = Pipeline(source.genesis(), example_data.CHAIN, verifiers=0)
    first, *others = transfers
    chain = SuppliedSystem(ChainTarget(pipeline, None, first), iter(others))
    try:
        assert all(chain.offer(tag) for tag in range(3))
        committed, failed = finish(chain, 3)
    finally:
        chain.close()

    assert [0, 2] == committed
    assert {1: "WRONG_SEQUENCE"} == failed


def test_a_load_of_any_length_is_signed_on_the_fly(monkeypatch: pytest.MonkeyPatch):
    """Beyond the transfers signed ahead the source continues, without a gap."""
    monkeypatch.setattr(load, "_SIGNED_AHEAD", 20)
    fixture = ChainLoadFixture(5, "memory")
    try:
        run = run_open_loop(lambda items: SuppliedSystem(*fixture.chain(items)), LIGHT)
    finally:
        fixture.close()

    assert run.offered == run.committed > 100
    assert {} == run.reasons
