"""Benchmarks of the transaction suite on a chain of several modules.

They run where they are named, and in every profile but the quick one. What they need is imported
when they are set up, so that the others' processes start as fast as without them.
"""

from collections.abc import Callable
from typing import Any

from veperf.core.case import Level
from veperf.core.registry import Task, benchmark

_KINDS = ("send", "send_amino", "send_multisig", "multi_send", "delegate", "undelegate")
_STORES = (16, 1, 4, 64)


@benchmark("transaction/message", level=Level.INTEGRATION, params={"kind": _KINDS}, slow=("*",))
def message(kind: str) -> Task:
    """A transaction with one message on the stores of four modules, with gas, in a block of 100.

    Those of ``multi_send`` have ten recipients; those of ``send_multisig`` two signatures of three
    keys, in Amino JSON as ``send_amino``.
    """
    from veperf.workloads.transaction.modules.example_work import BLOCK, MessageBlock

    block = MessageBlock(kind)
    stages: dict[str, Callable[[Any], Any]] = {
        "decode": block.decode,
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
