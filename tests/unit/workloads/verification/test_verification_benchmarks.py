"""The suite's benchmarks do what they say, again and again."""

from pathlib import Path
from typing import Any

import pytest

from veperf.core.case import Case, Level
from veperf.core.registry import LoadTask, Task, load_registry, matching_cases
from veperf.workloads.verification import benchmarks, example_data
from veperf.workloads.verification.pipeline import VerificationOutcome, VerificationResult

REGISTRY = load_registry(["veperf.workloads.verification.benchmarks"])
TARGETS = {
    "latency",
    "latency_p95",
    "latency_p99",
    "throughput",
    "decryption",
    "scoring",
    "state_update",
    "identity_record_create",
    "identity_record_get",
    "score_update",
}
SMALL = [
    case
    for case in matching_cases(REGISTRY, ["verification"])
    if case.level is not Level.LOAD
    and case.params.get("accounts") != 100_000
    and case.params.get("payload_kib") != 2_048
    and case.params.get("engine") in (None, "exact")
    and case.params.get("workers") in (None, 1)
]


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.id)
def test_a_call_can_be_repeated(case: Case) -> None:
    """Each call gives what the first gave, so that the hundredth costs the same."""
    task = REGISTRY.benchmarks[case.benchmark].setup(**case.params)
    assert isinstance(task, Task)
    try:
        results = [task.call() for _ in range(3)]
    finally:
        if task.close:
            task.close()

    assert [results[0]] * 3 == results


def test_every_target_is_answered() -> None:
    """By a benchmark that has the metric, under the target's own name where it is a time."""
    cases = [case for case in matching_cases(REGISTRY, ["verification"]) if "[" not in case.id]
    answered = {target: case for case in cases for target in case.targets.values()}

    assert {f"verification/{name}" for name in TARGETS} == {
        target for target in answered if target.startswith("verification/")
    }
    for target, case in answered.items():
        if case.level is not Level.LOAD and target.startswith("verification/"):
            assert target == case.id
    for case in cases:
        assert case.targets.keys() <= {metric.name for metric in case.metrics} | {"memory_peak"}
        assert case.what


def test_what_is_measured_succeeds() -> None:
    """All scopes of the verification are used: what is timed is not refusing them."""
    task = benchmarks.latency(scopes=3, payload_kib=1)
    try:
        result = task.call()
    finally:
        assert task.close is not None
        task.close()

    assert isinstance(result, VerificationResult)
    assert VerificationOutcome.SUCCESS is result.outcome


def test_the_stages_are_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stages in turn lead to the same state as the whole verification."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    roots: list[bytes] = []
    commit = benchmarks._IdentityStore.commit

    def noted(store: Any, tree: Any) -> bytes:
        roots.append(commit(store, tree))
        return roots[-1]

    monkeypatch.setattr(benchmarks._IdentityStore, "commit", noted)
    task = benchmarks.latency(scopes=3, payload_kib=1)
    task.call()
    value: object = None
    for stage in task.stages.values():
        value = stage(value)
    assert task.close is not None
    task.close()

    assert ["decrypt", "extract", "score", "update"] == list(task.stages)
    assert roots[0] == roots[1] == value
    assert [] == list(tmp_path.iterdir())


def test_load_is_set_up_lazily() -> None:
    """Making the task starts no process."""
    assert isinstance(benchmarks.load(rate=10), LoadTask)
    assert isinstance(benchmarks.throughput(), LoadTask)


def test_benchmarks_that_share_identities_leave_them_unchanged() -> None:
    """In whatever order they run: each starts from the state that it would have made itself."""
    alone = example_data.identity_tree(1_000).root_hash
    for _ in range(2):
        task = benchmarks.state_update(accounts=1_000)
        task.call()
        assert task.close is not None
        task.close()
        assert alone == benchmarks._unsaved_identities(1_000).root_hash
    assert 0 == benchmarks._unsaved_identities(1_000).version
