"""The work that is measured is the same in stages as it is as a whole; traffic never fails."""

import re
from pathlib import Path
from random import Random

import pytest

from veperf.core.registry import SUITES, Task, load_registry
from veperf.workloads.transaction.errors import Code
from veperf.workloads.transaction.example_data import CHAIN
from veperf.workloads.transaction.modules import example_data as chain
from veperf.workloads.transaction.modules import example_work
from veperf.workloads.transaction.modules.blocks import deliver_block
from veperf.workloads.transaction.modules.example_traffic import KINDS, Traffic
from veperf.workloads.transaction.modules.example_work import (
    MessageBlock,
    commit_stores,
    prove_value,
)

PAGE = Path(__file__).parents[5] / "docs" / "transaction.md"
MESSAGE = load_registry([SUITES["transaction"]]).benchmarks["transaction/message"]


@pytest.mark.parametrize("kind", MESSAGE.params["kind"])
def test_the_stages_of_a_block_are_the_block(kind: str) -> None:
    """Stage after stage gives the app hash of the whole."""
    task = MESSAGE.setup(kind=kind)
    assert isinstance(task, Task)
    state = None
    for stage in task.stages.values():
        state = stage(state)

    assert task.call() == state


def test_no_sign_mode_leaves_a_trace_in_the_state() -> None:
    """The app hash of transfers is the same in either; the kinds are those of the benchmark."""
    direct, amino = (MessageBlock(kind).deliver() for kind in ("send", "send_amino"))

    assert direct == amino
    assert list(example_work.KINDS) == list(MESSAGE.params["kind"])


@pytest.mark.slow
def test_the_page_says_what_gas_each_kind_takes() -> None:
    """That of the first transaction of the block that is measured, for all kinds."""
    rows = re.findall(r"^\| `(\w+)`.*\| ([\d,]+) \| [\d,]+ KiB \|$", PAGE.read_text(), re.MULTILINE)
    said = {kind: int(gas.replace(",", "")) for kind, gas in rows}
    used = {}
    for kind, make in example_work.KINDS.items():
        stores = chain.genesis(1_000)
        for raws in make():
            results = deliver_block(stores, raws, CHAIN, 1_000_000).results
        used[kind] = results[0].gas_used

    assert used == said


@pytest.mark.parametrize("shards", [1, 2])
def test_traffic_is_valid_in_any_mix(shards: int) -> None:
    """Of several sources, too, however their transactions interleave; and it is reproducible."""
    random = Random(7)  # an example, not a secret
    sources = [Traffic(60, orders=4, shard=shard, shards=shards) for shard in range(shards)]
    stores = sources[0].genesis()
    raws = [random.choice(sources).next(random.choice(list(KINDS))) for _ in range(120)]
    codes = {result.code for result in deliver_block(stores, raws, CHAIN, 1).results}
    again = Traffic(60, orders=4, shard=0, shards=shards)

    assert {Code.OK} == codes
    assert stores.trees["market"].version == 1
    kinds = ["send", "create_bid", "update_score"]
    assert again.take(kinds) == Traffic(60, orders=4, shard=0, shards=shards).take(kinds)


def test_traffic_says_what_it_can_not_make() -> None:
    """Unknown kinds, shards without accounts, and bids when all orders have 21."""
    traffic = Traffic(60, orders=1)
    for _ in range(21):
        traffic.next("create_bid")
    with pytest.raises(LookupError, match="more `orders`"):
        traffic.next("create_bid")
    traffic.next("create_deployment")
    traffic.next("create_bid")
    with pytest.raises(LookupError, match="'vote'; there is send"):
        traffic.next("vote")
    with pytest.raises(ValueError, match="no shard 2 of 2"):
        Traffic(60, shard=2, shards=2)


def test_a_proof_holds_and_a_commit_depends_on_the_stores() -> None:
    """For one store and for many."""
    hashes = {commit_stores(count)() for count in (1, 4, 64)}

    assert all(prove_value(count)() for count in (1, 4, 64))
    assert 3 == len(hashes)
