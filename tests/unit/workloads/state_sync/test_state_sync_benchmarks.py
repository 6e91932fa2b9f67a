"""The benchmarks of the suite do the documented work, repeatably, and clean up."""

from pathlib import Path

import pytest

from veperf.core.case import Case
from veperf.core.registry import SUITES, Task, load_registry, matching_cases
from veperf.workloads.state_sync import benchmarks, example_data

REGISTRY = load_registry([SUITES["state_sync"]])
SMALL = [
    case for case in matching_cases(REGISTRY, ["state_sync"]) if case.params.get("keys") == 1_000
]


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.id)
def test_a_call_can_be_repeated(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call gives the result of the first, its stages too, and leaves no file."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    task = REGISTRY.benchmarks[case.benchmark].setup(**case.params)
    assert isinstance(task, Task)
    try:
        results = [task.call() for _ in range(3)]
        staged: object = None
        for stage in task.stages.values():
            staged = stage(staged)
    finally:
        if task.close:
            task.close()

    assert [results[0]] * 3 == results
    assert staged in (None, results[0])
    assert [] == list(tmp_path.iterdir())


def test_the_example_state_is_the_same_everywhere() -> None:
    """Its app hash is a constant of the suite; a change breaks comparisons."""
    state = example_data.example_state(1_000)

    root = "ed0004d1de3a76bdd1c1d3282f20d5d531eaade5a06b25781b8fb44be1704231"
    assert root == example_data.state_hash(state).hex()
    assert {"bank": 500, "market": 250, "veid": 250} == {n: len(t) for n, t in state.items()}


def test_two_threads_leave_the_state_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every other access is a write; the root is that of the writes one after the other."""
    monkeypatch.setattr(benchmarks, "_store", lambda _: example_data.example_store(2_000))
    monkeypatch.setattr(
        example_data, "example_changes", lambda *_: example_data_changes(2_000, 1_000)
    )
    task = benchmarks.parallel_access()
    root = task.call()
    assert task.close is not None
    task.close()
    tree = example_data.example_store(2_000)
    for number, (key, value) in enumerate(example_data_changes(2_000, 1_000)):
        if number // 2 % 2 and value is not None:
            tree.set(key, value)

    assert tree.root_hash == root


example_data_changes = example_data.example_changes
