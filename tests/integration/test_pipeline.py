"""The pipeline with its verifier processes: in order, whole, and gone when it is."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from veperf.core.errors import WorkerCrashedError
from veperf.workloads.transaction import benchmarks, example_data
from veperf.workloads.transaction.errors import Code
from veperf.workloads.transaction.execution import Block, process_block
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.transaction.load_source import Fault, Feed, mix
from veperf.workloads.transaction.pipeline import Batch, Pipeline, Settings, verifier_process
from veperf.workloads.transaction.store import Store

ACCOUNTS = 20
MS = 1_000_000
SMALL = Settings(chunk_transactions=16, block_transactions=64)


def start(feed: Feed, verifiers: int, settings: Settings = SMALL) -> Pipeline:
    tree = feed.genesis()
    tree.save_version()
    return Pipeline(tree, example_data.CHAIN, verifiers=verifiers, settings=settings)


def is_running(pid: int) -> bool:
    """Whether there is such a process that is not merely waiting to be reaped."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def wait_until_gone(pids: tuple[int, ...]) -> None:
    """Whoever can't be waited for as a child is looked at again and again."""
    for _ in range(3_000):
        if not any(map(is_running, pids)):
            return
        time.sleep(0.01)
    pytest.fail(f"verifiers are left behind: {pids}")


def check_blocks(raws: list[bytes], batches: list[Batch]) -> None:
    """The blocks are those of ``process_block``, and nothing is missing or there twice."""
    tree = Feed(ACCOUNTS).genesis()
    tree.save_version()
    for batch in batches:
        if batch.height:
            block = process_block(tree, [raws[tag] for tag in batch.tags], example_data.CHAIN)
            codes = [batch.failed.get(tag, Code.OK) for tag in batch.tags]
            assert [result.code for result in block.results] == codes
            assert (block.height, block.root_hash) == (batch.height, batch.root_hash)
    assert list(range(len(raws))) == sorted(tag for batch in batches for tag in batch.tags)


def offer_and_step(pipeline: Pipeline, raws: list[bytes]) -> Iterator[Batch]:
    """One at a time, so that all stages are at work together."""
    for tag, raw in enumerate(raws):
        assert pipeline.offer(tag, raw)
        yield from pipeline.step()


@pytest.mark.parametrize("verifiers", [1, 3])
def test_blocks_are_those_of_sequential_processing(verifiers: int) -> None:
    """Chunks that are verified side by side are executed in the order of arrival."""
    feed = Feed(ACCOUNTS)
    mixed = list(islice(mix(feed, dict.fromkeys(Fault, 0.04)), 1_000))
    raws = [raw for raw, _ in mixed]
    with start(feed, verifiers) as pipeline:
        batches = [*offer_and_step(pipeline, raws), *pipeline.flush()]
        found = pipeline.statistics()

    check_blocks(raws, batches)
    failed = {tag: code for batch in batches for tag, code in batch.failed.items()}
    assert [code for _, code in mixed] == [failed.get(tag, Code.OK) for tag in range(1_000)]
    assert (0, 0) == (found.verifiers_replaced, found.reverified)
    assert all(cpu_ns > 0 for cpu_ns in found.stages.values())


def test_a_verifier_that_is_killed_is_replaced() -> None:
    """Its chunks are verified again; nothing is lost and nothing executed twice."""
    feed = Feed(ACCOUNTS)
    raws = feed.take(1_000)
    random = Random(1)
    batches = []
    with start(feed, verifiers=2) as pipeline:
        for tag, raw in enumerate(raws):
            pipeline.offer(tag, raw)
            batches += pipeline.step()
            if tag % 200 == 100:
                victim = random.choice(pipeline.verifier_pids)
                os.kill(victim, signal.SIGKILL)
                while victim in pipeline.verifier_pids:
                    batches += pipeline.step()
        batches += pipeline.flush()
        found = pipeline.statistics()

    check_blocks(raws, batches)
    assert 5 == found.verifiers_replaced
    assert {Code.OK: 1_000} == found.codes


def test_a_verifier_that_hangs_is_replaced() -> None:
    """Stopped in the middle of its work: ended, and its chunks are verified by another."""
    feed = Feed(ACCOUNTS)
    raws = feed.take(300)
    impatient = Settings(
        chunk_transactions=16, block_transactions=64, verifier_patience_ns=4_000 * MS
    )
    with start(feed, 2, impatient) as pipeline:
        pids = pipeline.verifier_pids
        batches = list(offer_and_step(pipeline, raws[:100]))
        os.kill(pids[0], signal.SIGSTOP)
        for tag, raw in enumerate(raws[100:], 100):
            pipeline.offer(tag, raw)
        batches += pipeline.flush()
        found = pipeline.statistics()

        assert (1, pids[1]) == (found.verifiers_replaced, pipeline.verifier_pids[1])
        with pytest.raises(ChildProcessError):
            os.waitpid(pids[0], os.WNOHANG)
    check_blocks(raws, batches)
    assert {Code.OK: 300} == found.codes


def test_an_absent_caller_takes_nobody_for_hung() -> None:
    """What a verifier said while nobody listened is heard before its silence is judged."""
    feed = Feed(ACCOUNTS)
    raws = feed.take(100)
    with start(feed, 1, Settings(verifier_patience_ns=3_000 * MS)) as pipeline:
        pipeline.offer(0, raws[0])
        batches = pipeline.flush()
        for tag, raw in enumerate(raws[1:], 1):
            pipeline.offer(tag, raw)
        batches += pipeline.step()
        time.sleep(3.5)
        batches += pipeline.flush()

        check_blocks(raws, batches)
        assert 0 == pipeline.statistics().verifiers_replaced


def test_verifiers_that_hang_one_after_the_other_are_an_error() -> None:
    """Nobody waits for ever: here they are given no time to start."""
    feed = Feed(ACCOUNTS)
    with start(feed, 1, Settings(verifier_patience_ns=1)) as pipeline:
        pipeline.offer(0, next(feed))
        with pytest.raises(WorkerCrashedError, match="hangs"):
            pipeline.flush()


def test_full_pipes_in_both_directions_block_nobody() -> None:
    """Verifiers that stand still: the caller goes on, and so does all when they do."""
    feed = Feed(ACCOUNTS)
    raws = feed.take(4_000)
    patient = Settings(chunk_transactions=1_024, verifier_patience_ns=120_000 * MS)
    with start(feed, 1, patient) as pipeline:
        (pid,) = pipeline.verifier_pids
        os.kill(pid, signal.SIGSTOP)
        batches = list(offer_and_step(pipeline, raws))
        assert [] == batches
        os.kill(pid, signal.SIGCONT)
        batches = pipeline.flush()
        # The other way round: the verifier has more to say than the socket holds.
        check_blocks(raws, batches)
        assert 0 == pipeline.statistics().verifiers_replaced


def test_closing_leaves_no_process() -> None:
    """In the middle of work, and a second time; no orphan and no zombie."""
    feed = Feed(ACCOUNTS)
    pipeline = start(feed, verifiers=2)
    pids = pipeline.verifier_pids
    for tag, raw in enumerate(feed.take(500)):
        pipeline.offer(tag, raw)
    while not pipeline.statistics().verified:
        pipeline.step()
    pipeline.close()
    pipeline.close()

    assert 2 == len(set(pids))
    for pid in pids:
        with pytest.raises(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def test_verifiers_that_can_not_start_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not an endless series of attempts."""
    monkeypatch.setattr(verifier_process, "MODULE", "veperf.no_such_module")
    feed = Feed(ACCOUNTS)
    with start(feed, verifiers=1) as pipeline:
        pipeline.offer(0, next(feed))
        with pytest.raises(WorkerCrashedError, match="standard error"):
            pipeline.flush()


def test_the_parallel_benchmark_processes_the_block_of_the_plain_one() -> None:
    """The same state after it as without processes, which are gone when it is closed."""
    plain = benchmarks.block_processing(transactions=1_000).call()
    assert isinstance(plain, Block)
    task = benchmarks.parallel_processing(verifiers=2)
    try:
        assert [plain.root_hash] * 2 == [task.call(), task.call()]
    finally:
        assert task.close is not None
        task.close()

    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


OWNER = """
import sys
from pathlib import Path
from tests.integration.test_pipeline import ACCOUNTS, BLOCK
from veperf.workloads.transaction import sample
from veperf.workloads.transaction.feed import Feed
from veperf.workloads.transaction.pipeline import Pipeline
from veperf.workloads.transaction.store import Store

feed = Feed(ACCOUNTS)
with Store(Path(sys.argv[1])) as store:
    tree = feed.genesis()
    store.commit(tree)
    with Pipeline(tree, sample.CHAIN, commit=store.commit, verifiers=2, settings=BLOCK) as pipeline:
        print(*pipeline.verifier_pids, flush=True)
        while True:
            pipeline.offer(0, next(feed))
            for batch in pipeline.step():
                assert not batch.failed
                print(batch.height, flush=True)
"""
# Cut by size alone, so that it is known which transactions are in which block.
BLOCK = Settings(capacity=1_000, block_transactions=25, block_wait_ns=1 << 60)


def root_after(height: int) -> bytes:
    feed = Feed(ACCOUNTS)
    tree = feed.genesis()
    tree.save_version()
    for _ in range(1, height):
        process_block(tree, feed.take(BLOCK.block_transactions), example_data.CHAIN)
    return tree.root_hash


def test_an_owner_that_is_killed_leaves_a_whole_version_and_no_verifier(tmp_path: Path) -> None:
    """At any moment: every block that was reported is on disk, with the root that it must have."""
    root = Path(__file__).parents[2]
    random = Random(2)
    for attempt in range(4):
        folder = tmp_path / str(attempt)
        owner = subprocess.Popen(
            [sys.executable, "-c", OWNER, str(folder)],
            stdout=subprocess.PIPE,
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(root)},
            text=True,
        )
        assert owner.stdout is not None
        with owner:
            pids = tuple(map(int, owner.stdout.readline().split()))
            reported = [int(owner.stdout.readline()) for _ in range(random.randrange(1, 12))]
            time.sleep(random.random() / 50)
            owner.send_signal(signal.SIGKILL)
            reported += map(int, owner.stdout)
        wait_until_gone(pids)
        with Store(folder) as store:
            tree = store.load()

        assert tree.version >= reported[-1]
        assert root_after(tree.version) == tree.root_hash


def test_a_chain_goes_on_from_its_store(tmp_path: Path) -> None:
    """What one pipeline committed is where the next one starts, after a close amid a block."""
    feed = Feed(ACCOUNTS)
    raws = feed.take(100)
    with Store(tmp_path) as store:
        tree = feed.genesis()
        store.commit(tree)
        with durable(tree, store) as pipeline:
            for tag, raw in enumerate(raws[:60]):
                pipeline.offer(tag, raw)
            while pipeline.statistics().executed < 60:
                pipeline.step()
    with Store(tmp_path) as store:
        tree = store.load()
        assert 3 == tree.version
        with durable(tree, store) as pipeline:
            for tag, raw in enumerate(raws[50:]):
                pipeline.offer(tag, raw)
            batches = pipeline.flush()

    assert all(not batch.failed for batch in batches)
    assert (5, root_after(5)) == (store.version, batches[-1].root_hash)


def durable(tree: Tree, store: Store) -> Pipeline:
    return Pipeline(tree, example_data.CHAIN, commit=store.commit, verifiers=1, settings=BLOCK)
