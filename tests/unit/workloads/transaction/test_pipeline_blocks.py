"""A pipeline's blocks are those of sequential execution."""

from collections import Counter
from collections.abc import Iterable
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.faulty_transfers import Fault, FaultySource, mix_faults
from veperf.core.errors import StorageError, UsageError
from veperf.workloads.transaction import example_data
from veperf.workloads.transaction.address import address_from_bytes
from veperf.workloads.transaction.codec import decode_transaction
from veperf.workloads.transaction.errors import Code
from veperf.workloads.transaction.execution import process_block
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.transaction.load_source import TransferSource
from veperf.workloads.transaction.pipeline import FinishedBatch, Pipeline, PipelineSettings
from veperf.workloads.transaction.pipeline.chain_head import ChainHead
from veperf.workloads.transaction.pipeline.checks import CODES, CheckResult

NEVER_NS = 1 << 60


def genesis(source: TransferSource) -> Tree:
    tree = source.genesis()
    tree.save_version()
    return tree


def inline(
    tree: Tree,
    *,
    capacity: int = 1_000,
    chunk: int = 8,
    chunk_wait_ns: int = NEVER_NS,
    block: int = 20,
    block_wait_ns: int = NEVER_NS,
) -> Pipeline:
    """Make a pipeline without processes or a limit in time, whose timers never expire."""
    limits = PipelineSettings(
        capacity=capacity,
        hold_ns=0,
        chunk_transactions=chunk,
        chunk_wait_ns=chunk_wait_ns,
        block_transactions=block,
        block_wait_ns=block_wait_ns,
    )
    return Pipeline(tree, example_data.CHAIN, verifiers=0, settings=limits)


def offer_all(pipeline: Pipeline, raws: Iterable[bytes]) -> None:
    for tag, raw in enumerate(raws):
        assert pipeline.offer(tag, raw)


def step_until_through(pipeline: Pipeline, count: int) -> list[FinishedBatch]:
    batches: list[FinishedBatch] = []
    while sum(len(batch.tags) for batch in batches) < count:
        batches += pipeline.step()
    return batches


def check_blocks(tree: Tree, raws: list[bytes], batches: list[FinishedBatch]) -> None:
    """Each block is that of ``process_block`` on the same transactions; none is missing."""
    for batch in batches:
        if batch.height:
            block = process_block(tree, [raws[tag] for tag in batch.tags], example_data.CHAIN)
            assert (block.height, block.root_hash) == (batch.height, batch.root_hash)
            codes = [batch.failed.get(tag, Code.OK) for tag in batch.tags]
            assert [result.code for result in block.results] == codes
        else:
            assert dict.fromkeys(batch.tags, Code.DUPLICATE) == batch.failed
    assert list(range(len(raws))) == sorted(tag for batch in batches for tag in batch.tags)


@settings(max_examples=100)
@given(
    st.lists(st.sampled_from([None, None, *Fault]), max_size=30),
    st.integers(1, 12),
    st.integers(1, 9),
    st.integers(1, 4),
)
def test_blocks_are_those_of_sequential_processing(
    kinds: list[Fault | None], block: int, chunk: int, accounts: int
) -> None:
    """Root hashes and all codes are equal, however the blocks are cut."""
    source, reference = FaultySource(accounts), TransferSource(accounts)
    raws = [
        next(source),
        *(next(source) if kind is None else source.make_faulty(kind) for kind in kinds),
    ]
    with inline(genesis(source), block=block, chunk=chunk) as pipeline:
        offer_all(pipeline, raws)
        batches = pipeline.flush()

        check_blocks(genesis(reference), raws, batches)
        faults = Counter(kind.code for kind in kinds if kind)
        assert faults == Counter(code for batch in batches for code in batch.failed.values())
        assert all(len(batch.tags) <= block for batch in batches if batch.height)


def test_the_cache_between_blocks_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With room for a few keys or for none, the blocks are the same."""
    for known in (0, 7):
        monkeypatch.setattr("veperf.workloads.transaction.pipeline.chain_head._CACHED_KEYS", known)
        source, reference = TransferSource(accounts=4), TransferSource(accounts=4)
        raws = source.take(30)
        with inline(genesis(source), block=3) as pipeline:
            offer_all(pipeline, raws)

            check_blocks(genesis(reference), raws, pipeline.flush())


def test_a_block_is_cut_by_size() -> None:
    """Full blocks need no timer; the remainder waits."""
    source = TransferSource(accounts=10)
    with inline(genesis(source), block=4, chunk=1) as pipeline:
        offer_all(pipeline, source.take(10))
        batches = step_until_through(pipeline, 8)

        assert [[0, 1, 2, 3], [4, 5, 6, 7]] == [batch.tags for batch in batches]
        assert 2 == pipeline.pending
        assert [[8, 9]] == [batch.tags for batch in pipeline.flush()]
        sizes = [(b.transactions, b.full) for b in pipeline.statistics().recent_blocks]
        assert [(4, True), (4, True), (2, False)] == sizes


def test_chunks_and_blocks_are_cut_by_time() -> None:
    """Three transactions finish although neither chunk nor block is ever full."""
    source = TransferSource(accounts=10)
    with inline(genesis(source), chunk_wait_ns=1_000_000, block_wait_ns=1_000_000) as pipeline:
        offer_all(pipeline, source.take(3))

        assert 3 == sum(len(batch.tags) for batch in step_until_through(pipeline, 3))


def test_a_full_pipeline_takes_no_more() -> None:
    """It accepts more once something is finished; a rejected offer leaves no trace."""
    source = TransferSource(accounts=10)
    first, second, third = source.take(3)
    with inline(genesis(source), capacity=2) as pipeline:
        assert [True, True, False] == [
            pipeline.offer(*t) for t in enumerate([first, second, third])
        ]
        assert 2 == pipeline.pending
        pipeline.flush()
        assert pipeline.offer(2, third)
        (batch,) = pipeline.flush()

        assert {} == batch.failed
        assert (4, 1) == (pipeline.statistics().offered, pipeline.statistics().turned_away)


def test_a_transaction_that_came_too_early_may_come_again() -> None:
    """Once rejected it is forgotten; in its turn it is executed, and only then known."""
    source = TransferSource(accounts=1)
    first, second = source.take(2)
    codes = []
    with inline(genesis(source)) as pipeline:
        for raw in (second, first, second, second):
            pipeline.offer(0, raw)
            codes += [batch.failed.get(0, Code.OK) for batch in pipeline.flush()]

    assert [Code.WRONG_SEQUENCE, Code.OK, Code.OK, Code.DUPLICATE] == codes


def test_an_account_made_on_the_way_is_verified_with_its_number() -> None:
    """It did not exist at verification, but does at execution."""
    source = TransferSource(accounts=2)
    newcomer = example_data.account_signer(7)
    target = address_from_bytes(newcomer.public_key.address())
    raws = [
        example_data.signed_transfer(example_data.account_signer(0), 0, target, 10**6),
        example_data.signed_transfer(newcomer, 2, target, 1),
        example_data.signed_transfer(newcomer, 3, target, 1, sequence=1),
    ]
    with inline(genesis(source)) as pipeline:
        offer_all(pipeline, raws)
        batches = pipeline.flush()

        assert [{2: Code.WRONG_SIGNATURE}] == [batch.failed for batch in batches]
        assert 2 == pipeline.statistics().reverified
        check_blocks(genesis(source), raws, batches)


def test_a_verdict_for_another_account_number_counts_for_nothing() -> None:
    """The signature is verified for the true number, whatever the result for the other was."""
    source = FaultySource(accounts=1)
    head = ChainHead(genesis(source), example_data.CHAIN, Tree.save_version)
    good, bad = (
        decode_transaction(next(source)),
        decode_transaction(source.make_faulty(Fault.WRONG_NUMBER)),
    )
    ok, wrong = CODES.index(Code.OK), CODES.index(Code.WRONG_SIGNATURE)

    assert Code.OK is head.deliver(CheckResult(wrong, good, number=1))
    assert Code.WRONG_SIGNATURE is head.deliver(CheckResult(ok, bad, number=1))
    assert 2 == head.reverified


def test_a_commit_that_fails_can_be_tried_again() -> None:
    """The block is not lost, and has the same result."""
    source = TransferSource(accounts=10)
    raws = source.take(30)
    disk_is_full = True

    def commit(tree: Tree) -> tuple[bytes, int]:
        if disk_is_full:
            raise StorageError("no space")
        return tree.save_version()

    limits = PipelineSettings(block_transactions=20, block_wait_ns=NEVER_NS)
    tree = genesis(source)
    with Pipeline(
        tree, example_data.CHAIN, commit=commit, verifiers=0, settings=limits
    ) as pipeline:
        offer_all(pipeline, raws)
        for _ in range(2):
            with pytest.raises(StorageError):
                pipeline.flush()
            assert 30 == pipeline.pending
        disk_is_full = False

        check_blocks(genesis(source), raws, pipeline.flush())


def test_the_state_keeps_one_version() -> None:
    """Memory does not grow with the number of blocks."""
    source = TransferSource(accounts=10)
    tree = genesis(source)
    with inline(tree, block=1) as pipeline:
        offer_all(pipeline, source.take(5))
        pipeline.flush()

        assert pipeline.tree is tree
        assert [6] == tree.versions


def test_every_transaction_is_counted() -> None:
    """It is, at each stage and by code; every stage but transport uses CPU time."""
    source = FaultySource(accounts=10)
    mixed = list(islice(mix_faults(source, dict.fromkeys(Fault, 0.05)), 200))
    announced = Counter(code for _, code in mixed)
    duplicates = announced[Code.DUPLICATE]
    with inline(genesis(source)) as pipeline:
        assert {} == pipeline.statistics().stages_per_transaction()
        offer_all(pipeline, [raw for raw, _ in mixed])
        pipeline.flush()
        statistics = pipeline.statistics()

    assert announced == statistics.codes
    assert (200, 0, 0) == (
        statistics.offered,
        statistics.turned_away,
        statistics.verifiers_replaced,
    )
    assert {200 - duplicates} == {statistics.verified, statistics.executed, statistics.committed}
    assert statistics.blocks == len(statistics.recent_blocks)
    assert statistics.committed == sum(block.transactions for block in statistics.recent_blocks)
    assert ["hash", "decode", "verify", "transport", "execute", "commit"] == list(statistics.stages)
    assert [0] == [ns for ns in statistics.stages.values() if ns <= 0]
    assert (
        statistics.stages_per_transaction()["hash"]
        == statistics.stages["hash"] / statistics.committed
    )


def test_a_closed_pipeline_refuses_to_work() -> None:
    """Closing twice is allowed; pending transactions are dropped."""
    source = TransferSource(accounts=2)
    with inline(genesis(source)) as pipeline:
        pipeline.offer(0, next(source))
        pipeline.close()
    pipeline.close()

    with pytest.raises(ValueError, match="closed"):
        pipeline.offer(1, b"")
    with pytest.raises(ValueError, match="closed"):
        pipeline.step()


@pytest.mark.parametrize(
    ("name", "value"), [("capacity", 0), ("chunk_transactions", 0), ("block_wait_ns", -1)]
)
def test_settings_that_can_not_work_are_refused(name: str, value: int) -> None:
    """The error has the name and the value."""
    with pytest.raises(UsageError, match=f"{name} is {value}"):
        PipelineSettings(**{name: value})
