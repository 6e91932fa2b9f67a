"""The few benchmarks of the example archive that measure what each of its commits does."""

from veperf.core.case import Level
from veperf.core.registry import Task, benchmark
from veperf.workloads.transaction import example_data
from veperf.workloads.transaction.address import address_from_bytes
from veperf.workloads.transaction.codec import decode_transaction, transaction_hash
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.transaction.validation import validate_transaction

_NUMBER = 7


def _transfer() -> bytes:
    recipient = address_from_bytes(example_data.keyless_address(0))
    return example_data.signed_transfer(
        example_data.account_signer(0), _NUMBER, recipient, 12_345, sequence=3
    )


@benchmark("example/hash", level=Level.MICRO, targets={"time": "transaction/hash_compute"})
def hash_one() -> Task:
    """SHA-256 of an encoded transaction."""
    raw = _transfer()
    return Task(lambda: transaction_hash(raw))


@benchmark("example/decode", level=Level.MICRO)
def decode_one() -> Task:
    """Decode a transaction."""
    raw = _transfer()
    return Task(lambda: decode_transaction(raw))


@benchmark("example/validate", level=Level.MICRO, targets={"time": "transaction/validation"})
def validate_one() -> Task:
    """Decode a transaction, check its form and verify its signature."""
    raw, chain = _transfer(), example_data.CHAIN.id
    return Task(lambda: validate_transaction(raw, chain, _NUMBER))


@benchmark("example/tree", level=Level.COMPONENT, params={"keys": (1_000, 10_000)})
def grow_tree(keys: int) -> Task:
    """Write one key of a new state tree and hash the tree."""
    pairs = [(n.to_bytes(4, "big"), b"value") for n in range(keys)]

    def call() -> bytes:
        tree = Tree()
        for key, value in pairs:
            tree.set(key, value)
        return tree.save_version()[0]

    return Task(call, operations=keys)
