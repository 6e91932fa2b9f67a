"""The pipeline with verifiers beside it: results in order, and no process or thread left behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from tests.support.faulty_transfers import Fault, FaultySource, mix_faults
from tests.support.processes import is_running
from veperf._native.core import CORES, NATIVE, PYTHON, use_core
from veperf.core.errors import WorkerCrashedError
from veperf.workloads.transaction import benchmarks, example_data
from veperf.workloads.transaction.errors import Code
from veperf.workloads.transaction.execution import BlockResult, process_block
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.transaction.load_source import TransferSource
from veperf.workloads.transaction.pipeline import (
    FinishedBatch,
    Pipeline,
    PipelineSettings,
    verifier_process,
    verifiers,
)
from veperf.workloads.transaction.tree_store import Store

ACCOUNTS = 20
MS = 1_000_000
SMALL = PipelineSettings(hold_ns=0, chunk_transactions=16, block_transactions=64)


def start(
    source: TransferSource,
    verifiers: int,
    settings: PipelineSettings = SMALL,
    core: str = PYTHON,
) -> Pipeline:
    """A pipeline with processes, or with the native core's threads."""
    with use_core(core):
        tree = source.genesis()
        tree.save_version()
        return Pipeline(tree, example_data.CHAIN, verifiers=verifiers, settings=settings)


def wait_until_gone(pids: tuple[int, ...]) -> None:
    """Poll processes that can't be waited for as children until they are gone."""
    for _ in range(3_000):
        if not any(map(is_running, pids)):
            return
        time.sleep(0.01)
    pytest.fail(f"verifiers are left behind: {pids}")


def check_blocks(raws: list[bytes], batches: list[FinishedBatch]) -> None:
    """The blocks are those of ``process_block``, and nothing is missing or repeated."""
    tree = TransferSource(ACCOUNTS).genesis()
    tree.save_version()
    for batch in batches:
        if batch.height:
            block = process_block(tree, [raws[tag] for tag in batch.tags], example_data.CHAIN)
            codes = [batch.failed.get(tag, Code.OK) for tag in batch.tags]
            assert [result.code for result in block.results] == codes
            assert (block.height, block.root_hash) == (batch.height, batch.root_hash)
    assert list(range(len(raws))) == sorted(tag for batch in batches for tag in batch.tags)


def offer_and_step(pipeline: Pipeline, raws: list[bytes]) -> Iterator[FinishedBatch]:
    """Offer one at a time, so that all stages work at once."""
    for tag, raw in enumerate(raws):
        assert pipeline.offer(tag, raw)
        yield from pipeline.step()


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("verifiers", [1, 3])
def test_blocks_are_those_of_sequential_processing(verifiers: int, core: str) -> None:
    """Chunks that are verified side by side are executed in the order of arrival."""
    source = FaultySource(ACCOUNTS)
    mixed = list(islice(mix_faults(source, dict.fromkeys(Fault, 0.04)), 1_000))
    raws = [raw for raw, _ in mixed]
    with start(source, verifiers, core=core) as pipeline:
        batches = [*offer_and_step(pipeline, raws), *pipeline.flush()]
        statistics = pipeline.statistics()

    check_blocks(raws, batches)
    failed = {tag: code for batch in batches for tag, code in batch.failed.items()}
    assert [code for _, code in mixed] == [failed.get(tag, Code.OK) for tag in range(1_000)]
    assert (0, 0) == (statistics.verifiers_replaced, statistics.reverified)
    used = {stage for stage, cpu_ns in statistics.stages.items() if cpu_ns > 0}
    assert set(statistics.stages) - ({"transport"} if core == NATIVE else set()) == used


def test_a_verifier_that_is_killed_is_replaced() -> None:
    """Its chunks are verified again; nothing is lost and nothing executed twice."""
    source = TransferSource(ACCOUNTS)
    raws = source.take(1_000)
    random = Random(1)
    batches = []
    with start(source, verifiers=2) as pipeline:
        for tag, raw in enumerate(raws):
            pipeline.offer(tag, raw)
            batches += pipeline.step()
            if tag % 200 == 100:
                victim = random.choice(pipeline.verifier_pids)
                os.kill(victim, signal.SIGKILL)
                while victim in pipeline.verifier_pids:
                    batches += pipeline.step()
        batches += pipeline.flush()
        statistics = pipeline.statistics()

    check_blocks(raws, batches)
    assert 5 == statistics.verifiers_replaced
    assert {Code.OK: 1_000} == statistics.codes


@pytest.mark.alone
def test_a_verifier_that_hangs_is_replaced() -> None:
    """It is stopped in its work and killed; another one verifies its chunks."""
    source = TransferSource(ACCOUNTS)
    raws = source.take(300)
    impatient = PipelineSettings(
        hold_ns=0, chunk_transactions=16, block_transactions=64, verifier_patience_ns=4_000 * MS
    )
    with start(source, 2, impatient) as pipeline:
        pids = pipeline.verifier_pids
        batches = list(offer_and_step(pipeline, raws[:100]))
        os.kill(pids[0], signal.SIGSTOP)
        for tag, raw in enumerate(raws[100:], 100):
            pipeline.offer(tag, raw)
        batches += pipeline.flush()
        statistics = pipeline.statistics()

        assert (1, pids[1]) == (statistics.verifiers_replaced, pipeline.verifier_pids[1])
        with pytest.raises(ChildProcessError):
            os.waitpid(pids[0], os.WNOHANG)
    check_blocks(raws, batches)
    assert {Code.OK: 300} == statistics.codes


@pytest.mark.alone
def test_verifiers_of_an_absent_caller_are_not_hung() -> None:
    """Messages that arrived in the meantime are read before silence is judged."""
    source = TransferSource(ACCOUNTS)
    raws = source.take(100)
    with start(source, 1, PipelineSettings(verifier_patience_ns=3_000 * MS)) as pipeline:
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
    """The pipeline does not wait for ever: here verifiers get no time to start."""
    source = TransferSource(ACCOUNTS)
    with start(source, 1, PipelineSettings(verifier_patience_ns=1)) as pipeline:
        pipeline.offer(0, next(source))
        with pytest.raises(WorkerCrashedError, match="hangs"):
            pipeline.flush()


def test_full_pipes_in_both_directions_block_nobody() -> None:
    """While verifiers are stopped the caller goes on; all is done when they continue."""
    source = TransferSource(ACCOUNTS)
    raws = source.take(4_000)
    patient = PipelineSettings(
        hold_ns=0, chunk_transactions=1_024, verifier_patience_ns=120_000 * MS
    )
    with start(source, 1, patient) as pipeline:
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
    """It leaves none amid work, nor when closed twice; no orphan and no zombie."""
    source = TransferSource(ACCOUNTS)
    pipeline = start(source, verifiers=2)
    pids = pipeline.verifier_pids
    for tag, raw in enumerate(source.take(500)):
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
    """The pipeline does not try for ever."""
    monkeypatch.setattr(verifier_process, "MODULE", "veperf.no_such_module")
    source = TransferSource(ACCOUNTS)
    with start(source, verifiers=1) as pipeline:
        pipeline.offer(0, next(source))
        with pytest.raises(WorkerCrashedError, match="standard error"):
            pipeline.flush()


@pytest.mark.skipif(NATIVE not in CORES, reason="no compiled kernels")
def test_closing_ends_threads() -> None:
    """Amid work, and when closed twice."""
    before = threading.active_count()
    source = TransferSource(ACCOUNTS)
    pipeline = start(source, verifiers=2, core=NATIVE)
    for tag, raw in enumerate(source.take(500)):
        pipeline.offer(tag, raw)
    pipeline.step()

    assert (before + 2, ()) == (threading.active_count(), pipeline.verifier_pids)
    pipeline.close()
    pipeline.close()
    assert before == threading.active_count()


@pytest.mark.skipif(NATIVE not in CORES, reason="no compiled kernels")
def test_a_failure_in_a_thread_reaches_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    """Too little memory there is an error here, and nothing that was offered is lost."""

    def fail(checks: object) -> None:
        raise MemoryError

    monkeypatch.setattr(verifiers, "verify_together", fail)
    source = TransferSource(ACCOUNTS)
    with start(source, verifiers=1, core=NATIVE) as pipeline:
        pipeline.offer(0, next(source))
        with pytest.raises(MemoryError):
            pipeline.flush()
        monkeypatch.undo()
        with suppress(MemoryError):  # of the thread, if it failed after this one
            pipeline.flush()
        pipeline.flush()
        assert 1 == pipeline.statistics().committed


@pytest.mark.parametrize("core", CORES)
def test_the_parallel_benchmark_processes_the_block_of_the_plain_one(core: str) -> None:
    """The state is the same as without processes, which are gone after closing."""
    plain = benchmarks.block_processing(transactions=1_000, core=core).call()
    assert isinstance(plain, BlockResult)
    task = benchmarks.parallel_processing(verifiers=2, core=core)
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
from veperf.workloads.transaction import example_data
from veperf.workloads.transaction.load_source import TransferSource
from veperf.workloads.transaction.pipeline import Pipeline
from veperf.workloads.transaction.tree_store import Store

source = TransferSource(ACCOUNTS)
chain = example_data.CHAIN
with Store(Path(sys.argv[1])) as store:
    tree = source.genesis()
    store.commit(tree)
    with Pipeline(tree, chain, commit=store.commit, verifiers=2, settings=BLOCK) as pipeline:
        print(*pipeline.verifier_pids, flush=True)
        while True:
            pipeline.offer(0, next(source))
            for batch in pipeline.step():
                assert not batch.failed
                print(batch.height, flush=True)
"""
# Cut by size alone, so that it is known which transactions are in which block.
BLOCK = PipelineSettings(hold_ns=0, capacity=1_000, block_transactions=25, block_wait_ns=1 << 60)


def root_after(height: int) -> bytes:
    source = TransferSource(ACCOUNTS)
    tree = source.genesis()
    tree.save_version()
    for _ in range(1, height):
        process_block(tree, source.take(BLOCK.block_transactions), example_data.CHAIN)
    return tree.root_hash


def test_an_owner_that_is_killed_leaves_a_whole_version_and_no_verifier(tmp_path: Path) -> None:
    """Every reported block is on disk with its root hash, whenever the owner is killed."""
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


def test_a_chain_continues_from_its_store(tmp_path: Path) -> None:
    """A pipeline starts from the last one's commits, after a close amid a block."""
    source = TransferSource(ACCOUNTS)
    raws = source.take(100)
    with Store(tmp_path) as store:
        tree = source.genesis()
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
