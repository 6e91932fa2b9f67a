"""Benchmarks of the transaction suite on a chain of several modules.

They run where they are named, and in every profile but the quick one. What they need is imported
when they are set up, so that the others' processes start as fast as without them.
"""

from collections.abc import Callable
from typing import Any

from veperf.core.case import Level, Metric
from veperf.core.registry import MetricsTask, Task, benchmark

_KINDS = (
    "send", "send_amino", "send_multisig", "multi_send", "delegate", "undelegate",
    "create_deployment", "create_bid", "create_lease", "close_lease", "close_bid",
    "close_deployment", "upload_scope", "request_verification", "update_score",
)  # fmt: skip
_STORES = (16, 1, 4, 64)


@benchmark("transaction/message", level=Level.INTEGRATION, params={"kind": _KINDS}, slow=("*",))
def message(kind: str) -> Task:
    """A transaction with one message on the stores of nine modules, with gas, in a block of 50.

    Those of ``multi_send`` have ten recipients; those of ``send_multisig`` two signatures of three
    keys, in Amino JSON as ``send_amino``; ``create_lease`` is the acceptance of one of three bids;
    what is closed is a lease; an upload has 4 KiB.
    """
    from veperf.workloads.transaction.modules.example_work import BLOCK, MessageBlock

    block = MessageBlock(kind)
    stages: dict[str, Callable[[Any], Any]] = {
        "decode": block.decode,
        "signatures": block.verify,
        "check and pay": block.check,
        "messages": block.run,
        "commit": block.commit,
    }
    return Task(block.deliver, operations=BLOCK, stages=stages)


@benchmark(
    "transaction/multistore_commit",
    level=Level.COMPONENT,
    params={"stores": _STORES},
    slow=("*",),
)
def multistore_commit(stores: int) -> Task:
    """Write 1,000 of 10,000 values that are spread over several stores, and commit the app hash."""
    from veperf.workloads.transaction.modules.example_work import commit_stores

    return Task(commit_stores(stores))


@benchmark(
    "transaction/multistore_commit_durable",
    level=Level.COMPONENT,
    params={"stores": _STORES},
    slow=("*",),
)
def multistore_commit_durable(stores: int) -> Task:
    """Write one value to disk: 1,000 of 100,000 in several stores, hashing, and a synced commit.

    With a slice of the next snapshot, and the pruning of all versions but the last ten.
    """
    from veperf.workloads.transaction.example_chain import CHANGES, commit_on_disk

    commit, close = commit_on_disk(stores)

    def call() -> None:
        commit()

    return Task(call, operations=CHANGES, close=close)


@benchmark(
    "transaction/multistore_restart",
    level=Level.COMPONENT,
    params={"stores": _STORES},
    slow=("*",),
)
def multistore_restart(stores: int) -> Task:
    """Open a chain's stores on disk: the newest snapshot, the change sets behind it, all hashes.

    100,000 keys in several stores, and 30 blocks of 1,000 changes to replay.
    """
    from veperf.workloads.transaction.example_chain import restart

    call, close = restart(stores)
    return Task(call, close=close)


@benchmark(
    "transaction/multistore_disk",
    level=Level.COMPONENT,
    params={"transfers": (100_000, 25_000)},
    slow=("*",),
    metrics=(Metric("disk", "B"), Metric("growth", "B")),
)
def multistore_disk(transfers: int) -> MetricsTask:
    """Space that a chain takes: 10,000 keys in two stores, in blocks of 250 transfers.

    ``disk`` is the folder after all blocks, ``growth`` by how much each transfer made it larger.
    The folder is bounded: the more transfers, the less growth.
    """
    from veperf.workloads.transaction.example_chain import measure_disk

    return MetricsTask(lambda: measure_disk(transfers))


@benchmark(
    "transaction/multistore_proof",
    level=Level.COMPONENT,
    params={"stores": _STORES},
    slow=("*",),
)
def multistore_proof(stores: int) -> Task:
    """Prove a value to its store's root hash and that to the app hash, and verify both."""
    from veperf.workloads.transaction.modules.example_work import prove_value

    return Task(prove_value(stores))


@benchmark("transaction/gas", level=Level.MICRO, params={"metered": (1, 0)}, slow=("*",))
def gas(metered: int) -> Task:
    """A write to a cache and a read of it, with the gas of both; ``metered=0`` is without."""
    from veperf.workloads.transaction.modules.example_work import CHANGES, meter_gas

    return Task(meter_gas(metered=bool(metered)), operations=CHANGES)
