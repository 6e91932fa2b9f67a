"""The benchmarks of the suite measure the documented work, repeatably."""

import pytest

from veperf.core.case import Case
from veperf.core.registry import SUITES, Task, load_registry, matching_cases
from veperf.workloads.validator_set import benchmarks, example_data

REGISTRY = load_registry([SUITES["validator_set"]])
CASES = matching_cases(REGISTRY, ["validator_set"])
SMALL = [case for case in CASES if int(case.params.get("validators", 0)) <= 10_000]


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.id)
def test_a_call_can_be_repeated(case: Case) -> None:
    """Each call gives the result of the first, so that all cost the same."""
    task = REGISTRY.benchmarks[case.benchmark].setup(**case.params)
    assert isinstance(task, Task)
    results = [task.call() for _ in range(3)]
    if task.close:
        task.close()

    assert [results[0]] * 3 == results
    if task.stages:
        result: object = None
        for stage in task.stages.values():
            result = stage(result)
        assert results[0] == result


def test_the_sizes_are_those_of_a_chain_and_of_a_million() -> None:
    """From 100 to 1,000,000; the largest is left out of quick runs; nothing answers a target."""
    for benchmark in {case.benchmark for case in CASES} - {"validator_set/lookup_parallel"}:
        sizes = REGISTRY.benchmarks[benchmark].params["validators"]
        assert (100, 1_000_000) == (min(sizes), max(sizes))
    quick = matching_cases(REGISTRY, ["validator_set"], quick=True)

    assert 1_000_000 not in {case.params.get("validators") for case in quick}
    assert not any(case.targets for case in CASES)


def test_a_blocks_changes_are_what_they_say() -> None:
    """Of ten, eight powers change, one joins and one leaves; the set is the same everywhere."""
    validators = example_data.validator_set(100)
    before = {v.address: v.power for v in validators}
    validators.update(example_data.block_changes(100, 10))
    after = {v.address: v.power for v in validators}

    assert (1, 1) == (len(after.keys() - before.keys()), len(before.keys() - after.keys()))
    assert 8 == sum(power != after.get(address, power) for address, power in before.items())
    root = "15d91826b5f968035d1b408b4bf466bf1ac62bce51f1ced71fb9c624b8326a40"
    assert bytes.fromhex(root) == benchmarks.next_height(validators=100).call()
