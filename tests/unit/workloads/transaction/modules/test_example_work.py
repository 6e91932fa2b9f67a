"""The work that is measured is the same in stages as it is as a whole."""

import pytest

from veperf.core.registry import SUITES, Task, load_registry
from veperf.workloads.transaction.modules.example_work import (
    MessageBlock,
    commit_stores,
    prove_value,
)

MESSAGE = load_registry([SUITES["transaction"]]).benchmarks["transaction/message"]


@pytest.mark.parametrize("kind", MESSAGE.params["kind"])
def test_the_stages_of_a_block_are_the_block(kind: str) -> None:
    """Stage after stage gives the app hash of the whole, in which no sign mode leaves a trace."""
    task = MESSAGE.setup(kind=kind)
    assert isinstance(task, Task)
    state = None
    for stage in task.stages.values():
        state = stage(state)

    assert task.call() == state
    assert (kind in ("send", "send_amino")) is (state == MessageBlock("send_amino").deliver())


def test_a_proof_holds_and_a_commit_depends_on_the_stores() -> None:
    """For one store and for many."""
    hashes = {commit_stores(count)() for count in (1, 4, 64)}

    assert all(prove_value(count)() for count in (1, 4, 64))
    assert 3 == len(hashes)
