"""The benchmarks of the suite measure the documented work, repeatably."""

from pathlib import Path

import pytest

from veperf._native.core import CORES
from veperf.core.case import MEMORY_NAMES, Case, Level
from veperf.core.registry import SUITES, Task, load_registry, matching_cases
from veperf.workloads.transaction import benchmarks, example_data
from veperf.workloads.transaction.errors import Code
from veperf.workloads.transaction.execution import BlockResult, process_block
from veperf.workloads.transaction.pipeline.checks import CODES

REGISTRY = load_registry([SUITES["transaction"]])
SMALL = [
    case
    for case in matching_cases(REGISTRY, ["transaction"])
    if case.level is not Level.LOAD
    and case.params.get("accounts") not in (100_000, 1_000_000)
    and case.params.get("transactions") != 10_000
    and case.benchmark != "transaction/multistore_disk"  # nothing is called
]


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.id)
def test_a_call_can_be_repeated(case: Case) -> None:
    """Each call gives the result of the first, so that all cost the same."""
    task = REGISTRY.benchmarks[case.benchmark].setup(**case.params)
    assert isinstance(task, Task)
    try:
        results = [task.call() for _ in range(3)]
    finally:
        if task.close:
            task.close()

    # A cache has no equality of its own.
    if case.benchmark != "transaction/state_write_cache":
        assert [results[0]] * 3 == results


def test_ids_and_targets() -> None:
    """The agreed benchmarks exist, and answer the suite's published targets."""
    cases = [case for case in matching_cases(REGISTRY, ["transaction"]) if "[" not in case.id]
    timed = ("hash_compute", "validation", "execution", "state_write")
    loaded = ("throughput", "latency_p95", "latency_p99", "error_rate")

    answered = {target: case for case in cases for target in case.targets.values()}
    memory = answered.pop("memory/per_transaction")
    assert {"memory_peak": "memory/per_transaction"} == memory.targets
    assert {f"transaction/{name}" for name in timed + loaded} == answered.keys()
    for name in timed:
        assert f"transaction/{name}" == answered[f"transaction/{name}"].id
    for name in loaded:
        assert Level.LOAD is answered[f"transaction/{name}"].level
    for case in cases:
        declared = {metric.name for metric in case.metrics}
        assert case.targets.keys() <= declared | MEMORY_NAMES
    assert all(case.what for case in cases)


@pytest.mark.parametrize("core", CORES)
def test_measured_signatures_are_valid(core: str) -> None:
    """Those of validation, and of its lower bound, are the same and all verify."""
    results = benchmarks.validation(core).call()

    assert isinstance(results, list)
    assert [CODES.index(Code.OK)] * 1_000 == [result.code for result in results]
    assert benchmarks.validation_library().call() is True


@pytest.mark.parametrize("core", CORES)
def test_the_measured_block_is_valid(core: str) -> None:
    """All its transactions are executed: the timed call does not reject them."""
    task = benchmarks.block_processing(transactions=100, core=core)
    block = task.call()

    assert isinstance(block, BlockResult)
    assert {Code.OK: 100} == block.counts


def test_the_example_workload_is_the_same_everywhere() -> None:
    """Seeded: the root hash after it is a constant of the suite; a change breaks comparisons."""
    work = example_data.workload(accounts=20, transactions=10)
    work.tree.save_version()
    block = process_block(work.tree, work.transactions, example_data.CHAIN)

    root = "0044cebe2a0ebcca991c48ba15f7ac0b6a984adf4f424ba3296c34a15f38a1c1"
    assert root == block.root_hash.hex()


def test_the_durable_benchmark_cleans_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its folder is gone after it is closed, and does not grow with the number of calls."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    task = benchmarks.state_write_durable(accounts=1_000, core=CORES[0])
    for _ in range(3):
        task.call()
    (data,) = tmp_path.glob("*/data.mdb")
    few = data.stat().st_size
    for _ in range(30):
        task.call()
    many = data.stat().st_size
    assert task.close is not None
    task.close()

    assert many <= 1.5 * few
    assert [] == list(tmp_path.iterdir())


def test_benchmarks_that_share_a_tree_leave_it_unchanged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In whatever order they run: each starts from the tree that it would have made itself."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    alone = benchmarks._make_writes.__wrapped__(1_000, CORES[0])
    alone.tree.apply(alone.items)
    expected = (
        alone.tree.save_version()[0],
        benchmarks._make_writes.__wrapped__(1_000, CORES[0]).tree,
    )
    for _ in range(2):
        durable = benchmarks.state_write_durable(accounts=1_000, core=CORES[0])
        durable.call()
        durable.call()
        assert durable.close is not None
        durable.close()
        benchmarks.state_read(accounts=1_000, core=CORES[0]).call()
        benchmarks.state_write(accounts=1_000, core=CORES[0]).call()
        writes = benchmarks._writes(1_000)
        assert (expected[1].root_hash, 0) == (writes.tree.root_hash, writes.tree.version)
        assert list(expected[1].iterate()) == list(writes.tree.iterate())
        writes.tree.apply(writes.items)
        assert expected[0] == writes.tree.save_version()[0]


def test_benchmarks_that_share_a_workload_leave_it_unchanged() -> None:
    """The block that is processed after others gives the root of the block alone."""
    work = example_data.workload(10_000, 100)
    work.tree.save_version()
    expected = process_block(work.tree, work.transactions, example_data.CHAIN).root_hash
    for _ in range(2):
        block = benchmarks.block_processing(transactions=100, core=CORES[0]).call()
        assert isinstance(block, BlockResult)
        assert expected == block.root_hash
