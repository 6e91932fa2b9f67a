"""The transaction suite: which pieces of a chain's work are measured, and how each is set up."""

from pathlib import Path
from random import Random
from shutil import rmtree
from tempfile import mkdtemp

import coincurve
from msgspec import Struct

from veperf.model import Level
from veperf.registry import Task, benchmark
from veperf.workloads.transaction import sample
from veperf.workloads.transaction.address import address
from veperf.workloads.transaction.cache import Cache
from veperf.workloads.transaction.codec import (
    decode,
    encode_auth_info,
    encode_body,
    encode_raw,
    encode_sign_doc,
    transaction_hash,
)
from veperf.workloads.transaction.execution import admit, execute, process_block
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.transaction.signature import Ed25519Signer, Signer, der_signature
from veperf.workloads.transaction.state import account_key
from veperf.workloads.transaction.store import Store
from veperf.workloads.transaction.validation import validate

_ACCOUNTS = 10_000
_TREE_SIZES = (10_000, 1_000, 100_000)
_BATCH = 1_000
_NUMBER = 7
_RECIPIENT = address(sample.keyless_address(0))


def _example(signer: Signer) -> bytes:
    return sample.transfer(signer, _NUMBER, _RECIPIENT, 12_345, sequence=3)


# ---------------------------------------------------------------- one transaction


@benchmark(
    "transaction/hash_compute",
    level=Level.MICRO,
    targets={"time": "transaction/hash_compute"},
)
def hash_compute() -> Task:
    """SHA-256 of an encoded transaction (a transfer, about 320 bytes)."""
    raw = _example(sample.signer(0))
    return Task(lambda: transaction_hash(raw))


@benchmark("transaction/encode", level=Level.MICRO)
def encode() -> Task:
    """Encode a signed transfer: its body, its signer and fee, and the whole."""
    transaction = decode(_example(sample.signer(0)))

    def call() -> bytes:
        body = encode_body(transaction.messages)
        auth_info = encode_auth_info(
            transaction.public_key, transaction.sequence, transaction.fee, transaction.gas_limit
        )
        return encode_raw(body, auth_info, transaction.signature)

    return Task(call)


@benchmark("transaction/decode", level=Level.MICRO)
def decode_one() -> Task:
    """Decode an encoded transaction and check its form, addresses, amounts and key."""
    raw = _example(sample.signer(0))
    return Task(lambda: decode(raw))


@benchmark("transaction/sign", level=Level.MICRO)
def sign() -> Task:
    """Sign a transaction with secp256k1: encode the sign document, hash it, sign."""
    signer = sample.signer(0)
    transaction = decode(_example(signer))
    body, auth_info = transaction.body_bytes, transaction.auth_info_bytes
    return Task(lambda: signer.sign(encode_sign_doc(body, auth_info, sample.CHAIN.id, _NUMBER)))


@benchmark("transaction/validation", level=Level.MICRO, targets={"time": "transaction/validation"})
def validation() -> Task:
    """Validate an encoded transaction: decode, check the fields, verify the secp256k1 signature."""
    raw = _example(sample.signer(0))
    return Task(lambda: validate(raw, sample.CHAIN.id, _NUMBER))


@benchmark("transaction/validation_ed25519", level=Level.MICRO)
def validation_ed25519() -> Task:
    """Validate an encoded transaction that is signed with Ed25519 in place of secp256k1."""
    raw = _example(Ed25519Signer(bytes(range(32))))
    return Task(lambda: validate(raw, sample.CHAIN.id, _NUMBER))


@benchmark("transaction/validation_library", level=Level.MICRO)
def validation_library() -> Task:
    """libsecp256k1 (by coincurve) verifies a signature over a digest: the floor of validation."""
    signer = sample.signer(0)
    digest = transaction_hash(b"any message")
    signature = der_signature(signer.sign(b"any message"))
    key = coincurve.PublicKey(signer.public_key.data)
    return Task(lambda: key.verify(signature, digest, hasher=None))


# ---------------------------------------------------------------- the state


class _Writes(Struct, frozen=True):
    """A tree of accounts, unsaved, and new values for some of them in the order of their keys."""

    tree: Tree
    items: list[tuple[bytes, bytes]]


def _writes(accounts: int) -> _Writes:
    # As long as an account that has signed: number, sequence and public key.
    old, new = b"\0" * 40, b"\1" * 40
    keys = sorted(account_key(sample.keyless_address(i)) for i in range(accounts))
    chosen = Random(1).sample(keys, _BATCH)  # noqa: S311  # an example, not a secret
    return _Writes(Tree.from_sorted((key, old) for key in keys), [(k, new) for k in sorted(chosen)])


@benchmark(
    "transaction/state_write",
    level=Level.COMPONENT,
    params={"accounts": _TREE_SIZES},
    targets={"time": "transaction/state_write"},
)
def state_write(accounts: int) -> Task:
    """Write one account to the IAVL tree: set, and its share of the hashing at commit.

    A block's 1,000 writes to accounts that exist, sorted as the write cache flushes them, and the
    commit; all again from the same tree each time.
    """
    writes = _writes(accounts)
    writes.tree.save_version()

    def call() -> tuple[bytes, int]:
        tree = writes.tree.branch()
        for key, value in writes.items:
            tree.set(key, value)
        return tree.save_version()

    return Task(call, operations=_BATCH)


@benchmark("transaction/state_write_cache", level=Level.COMPONENT)
def state_write_cache() -> Task:
    """Write one account to the write cache, which is all that a transaction waits for."""
    writes = _writes(_ACCOUNTS)

    def call() -> Cache:
        cache = Cache(writes.tree)
        for key, value in writes.items:
            cache.set(key, value)
        return cache

    return Task(call, operations=_BATCH)


@benchmark(
    "transaction/state_write_durable",
    level=Level.COMPONENT,
    params={"accounts": _TREE_SIZES},
)
def state_write_durable(accounts: int) -> Task:
    """Write one account to disk: tree, hashing, and its share of a synced LMDB commit.

    The same 1,000 writes as ``state_write``, committed as the same version each time, in the
    folder for temporary files: where that is memory, syncing costs nothing.
    """
    writes = _writes(accounts)
    folder = Path(mkdtemp(prefix="veperf-state-"))
    store = Store(folder)
    store.commit(writes.tree)

    def call() -> tuple[bytes, int]:
        tree = writes.tree.branch()
        for key, value in writes.items:
            tree.set(key, value)
        return store.commit(tree)

    def close() -> None:
        store.close()
        rmtree(folder)

    return Task(call, operations=_BATCH, close=close)


@benchmark("transaction/state_read", level=Level.COMPONENT, params={"accounts": _TREE_SIZES})
def state_read(accounts: int) -> Task:
    """Read one account from the IAVL tree, past an empty write cache."""
    writes = _writes(accounts)
    cache = Cache(writes.tree)
    keys = [key for key, _ in writes.items]
    Random(2).shuffle(keys)  # noqa: S311  # an example, not a secret

    def call() -> None:
        for key in keys:
            cache.get(key)

    return Task(call, operations=_BATCH)


# ---------------------------------------------------------------- transactions on the state


@benchmark(
    "transaction/execution", level=Level.COMPONENT, targets={"time": "transaction/execution"}
)
def execution() -> Task:
    """Execute one decoded transfer: sequence, fee and balance checks, money moved, events.

    Its signature is not verified here and the writes stay in the cache: both have benchmarks of
    their own.
    """
    work = sample.workload(_ACCOUNTS, _BATCH)
    work.tree.save_version()
    transactions = [decode(raw) for raw in work.transactions]
    height = work.tree.version + 1

    def call() -> None:
        state = Cache(work.tree)
        for transaction in transactions:
            execute(state, transaction, admit(state, transaction, sample.CHAIN, height))

    return Task(call, operations=_BATCH)


@benchmark(
    "transaction/block_processing",
    level=Level.COMPONENT,
    params={"transactions": (1_000, 100)},
)
def block_processing(transactions: int) -> Task:
    """Process a block of transfers: decode, verify, execute and commit all of them."""
    work = sample.workload(_ACCOUNTS, transactions)
    work.tree.save_version()
    return Task(lambda: process_block(work.tree.branch(), work.transactions, sample.CHAIN))
