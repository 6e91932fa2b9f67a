"""The benchmarks of the transaction suite."""

# Not `cache` from it: Python 3.11 then makes a bound method for each call of a method of a variable
# with that name.
import functools
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from shutil import rmtree
from tempfile import mkdtemp
from threading import Event

import coincurve
from msgspec import Struct

from veperf._native.core import CORES, active_core, use_core
from veperf.core.case import LATENCY_METRICS, Level, Metric
from veperf.core.load import GENERATOR, Search
from veperf.core.registry import LoadTask, Task, benchmark
from veperf.core.remote_load import RemoteLoad, SuppliedSystem
from veperf.workloads.cores import OTHER_CORES, in_core
from veperf.workloads.transaction import example_data
from veperf.workloads.transaction.address import address_from_bytes
from veperf.workloads.transaction.cache import Cache
from veperf.workloads.transaction.codec import (
    decode_transaction,
    encode_auth_info,
    encode_body,
    encode_raw,
    encode_sign_doc,
    transaction_hash,
)
from veperf.workloads.transaction.execution import (
    execute_transaction,
    process_block,
    run_ante_checks,
)
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.transaction.load import CAPACITY, ChainLoadFixture, StateStorage
from veperf.workloads.transaction.modules import benchmarks as _modules  # noqa: F401  # registers
from veperf.workloads.transaction.pipeline import benchmarks as _loads  # noqa: F401  # registers
from veperf.workloads.transaction.pipeline.chain_head import ChainHead
from veperf.workloads.transaction.pipeline.checks import (
    CheckResult,
    decode_transactions,
    verify_transactions,
)
from veperf.workloads.transaction.pipeline.verifiers import start_verifier
from veperf.workloads.transaction.signature import Ed25519Signer, Signer, der_signature
from veperf.workloads.transaction.state import account_key
from veperf.workloads.transaction.tree_store import Store
from veperf.workloads.transaction.validation import validate_transaction

_ACCOUNTS = 10_000
_TREE_SIZES = (10_000, 1_000, 100_000)
# Setting up 1,000,000 accounts takes 4 seconds, on disk much more.
_MEMORY_TREE_SIZES = (*_TREE_SIZES, 1_000_000)
_SLOW_TREE_SIZES = ("accounts=1000000",)  # take seconds to set up, in every process
_BATCH = 1_000
_CHUNK = 125  # an eighth of a block, so that several verifiers get a share
_NUMBER = 7
_RECIPIENT = address_from_bytes(example_data.keyless_address(0))


def _example(signer: Signer) -> bytes:
    return example_data.signed_transfer(signer, _NUMBER, _RECIPIENT, 12_345, sequence=3)


# ---------------------------------------------------------------- one transaction


@benchmark(
    "transaction/hash_compute",
    level=Level.MICRO,
    targets={"time": "transaction/hash_compute"},
)
def hash_compute() -> Task:
    """SHA-256 of an encoded transaction (a transfer, about 320 bytes)."""
    raw = _example(example_data.account_signer(0))
    return Task(lambda: transaction_hash(raw))


@benchmark("transaction/encode", level=Level.MICRO)
def encode() -> Task:
    """Encode a signed transfer: its body, its signer and fee, and the whole."""
    transaction = decode_transaction(_example(example_data.account_signer(0)))

    def call() -> bytes:
        body = encode_body(transaction.messages)
        auth_info = encode_auth_info(
            transaction.public_key, transaction.sequence, transaction.fee, transaction.gas_limit
        )
        return encode_raw(body, auth_info, transaction.signature)

    return Task(call)


@benchmark("transaction/decode", level=Level.MICRO, params={"core": CORES}, slow=OTHER_CORES)
def decode_one(core: str) -> Task:
    """Decode an encoded transaction and check its form, addresses, amounts and key."""
    raw = _example(example_data.account_signer(0))
    return in_core(core, lambda: Task(lambda: decode_transaction(raw)))


@benchmark("transaction/sign", level=Level.MICRO)
def sign() -> Task:
    """Sign a transaction with secp256k1: encode the sign document, hash it, sign."""
    signer = example_data.account_signer(0)
    transaction = decode_transaction(_example(signer))
    body, auth_info = transaction.body_bytes, transaction.auth_info_bytes
    return Task(
        lambda: signer.sign(encode_sign_doc(body, auth_info, example_data.CHAIN.id, _NUMBER))
    )


@benchmark(
    "transaction/validation",
    level=Level.MICRO,
    params={"core": CORES},
    slow=OTHER_CORES,
    targets={"time": "transaction/validation"},
    lower_bound="transaction/validation_library",
)
def validation(core: str) -> Task:
    """Validate an encoded transaction: decode, check the fields, verify the secp256k1 signature.

    A chunk of a thousand different ones, of senders whose keys are cached, as the pipeline does.
    """
    raws = _validated()
    numbers = {decode_transaction(raw).signer.data: _NUMBER for raw in raws}

    def call() -> list[CheckResult]:
        return verify_transactions(decode_transactions(raws), numbers, example_data.CHAIN.id)

    return in_core(core, lambda: Task(call, operations=_BATCH))


@functools.cache
def _validated() -> list[bytes]:
    return [
        example_data.signed_transfer(
            example_data.account_signer(i), _NUMBER, _RECIPIENT, i + 1, sequence=3
        )
        for i in range(_BATCH)
    ]


@benchmark("transaction/validation_ed25519", level=Level.MICRO)
def validation_ed25519() -> Task:
    """Validate an encoded transaction that is signed with Ed25519 in place of secp256k1."""
    raw = _example(Ed25519Signer(bytes(range(32))))
    return Task(lambda: validate_transaction(raw, example_data.CHAIN.id, _NUMBER))


@benchmark("transaction/validation_library", level=Level.MICRO)
def validation_library() -> Task:
    """libsecp256k1 (coincurve) verifies a signature over a digest: validation's lower bound.

    Those of the thousand transactions of ``validation``: a processor that sees the same one again
    and again learns its branches, and takes 10 % less.
    """
    arguments = []
    for transaction in map(decode_transaction, _validated()):
        document = encode_sign_doc(
            transaction.body_bytes, transaction.auth_info_bytes, example_data.CHAIN.id, _NUMBER
        )
        verify = coincurve.PublicKey(transaction.public_key.data).verify
        signature = der_signature(transaction.signature)
        arguments.append((verify, signature, transaction_hash(document)))

    def call() -> bool:
        return all(verify(signature, digest, None) for verify, signature, digest in arguments)

    return Task(call, operations=_BATCH)


# ---------------------------------------------------------------- the state


class _Writes(Struct, frozen=True):
    """A tree of accounts, unsaved, and new values for some of them in the order of their keys."""

    tree: Tree
    items: list[tuple[bytes, bytes]]


def _writes(accounts: int) -> _Writes:
    """Return the same for every benchmark of a process, with a branch of the tree for each."""
    is_shared = accounts <= max(_TREE_SIZES)  # a larger one is not worth the memory
    make = _make_writes if is_shared else _make_writes.__wrapped__
    shared = make(accounts, active_core())
    return _Writes(shared.tree.branch(), shared.items)


@functools.cache
def _make_writes(accounts: int, core: str) -> _Writes:  # noqa: ARG001  # the cache's key
    # As long as an account that has signed: number, sequence and public key.
    old, new = b"\0" * 40, b"\1" * 40
    keys = sorted(account_key(example_data.keyless_address(i)) for i in range(accounts))
    chosen = Random(1).sample(keys, _BATCH)  # noqa: S311  # an example, not a secret
    return _Writes(Tree.from_sorted((key, old) for key in keys), [(k, new) for k in sorted(chosen)])


@benchmark(
    "transaction/state_write",
    level=Level.COMPONENT,
    params={"accounts": _MEMORY_TREE_SIZES, "core": CORES},
    targets={"time": "transaction/state_write"},
    slow=(*_SLOW_TREE_SIZES, *OTHER_CORES),
)
def state_write(accounts: int, core: str) -> Task:
    """Write one account to the IAVL tree: set, and its share of the hashing at commit.

    A block's 1,000 writes to accounts that exist, sorted as the write cache flushes them, and the
    commit; all again from the same tree each time.
    """
    with use_core(core):
        writes = _writes(accounts)
    writes.tree.save_version()

    def call() -> tuple[bytes, int]:
        tree = writes.tree.branch()  # in the same core
        tree.apply(writes.items)
        return tree.save_version()

    return Task(call, operations=_BATCH)


@benchmark("transaction/state_write_cache", level=Level.COMPONENT)
def state_write_cache() -> Task:
    """Write one account to the write cache: the only write that a transaction waits for."""
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
    params={"accounts": _TREE_SIZES, "core": CORES},
    slow=OTHER_CORES,
)
def state_write_durable(accounts: int, core: str) -> Task:
    """Write one account to disk: tree, hashing, and its share of a synced LMDB commit.

    The same 1,000 writes as ``state_write``, version after version with two retained, in the
    folder for temporary files: if that is in memory, syncing costs nothing.
    """
    with use_core(core):
        writes = _writes(accounts)
    tree, items = writes.tree, writes.items
    folder = Path(mkdtemp(prefix="veperf-state-"))
    store = Store(folder, keep=2)
    store.commit(tree)

    def call() -> None:
        tree.apply(items)
        store.commit(tree)
        tree.prune(tree.version - 1)

    def close() -> None:
        store.close()
        rmtree(folder)

    return Task(call, operations=_BATCH, close=close)


@benchmark(
    "transaction/state_restart",
    level=Level.COMPONENT,
    params={"accounts": (10_000, 1_000, 100_000), "blocks": (250,), "core": CORES},
    slow=("*",),
)
def state_restart(accounts: int, blocks: int, core: str) -> Task:
    """Load a chain's state after a restart: the newest snapshot, and the change sets after it.

    Blocks of 1,000 writes each; all root hashes are computed, and compared with the commits'.
    """
    writes = _writes(accounts)
    tree, folder = writes.tree, Path(mkdtemp(prefix="veperf-state-"))
    keys, random = [key for key, _ in tree.iterate()], Random(3)  # noqa: S311  # an example
    store = Store(folder, keep=blocks)
    store.commit(tree)
    for block in range(blocks):
        changed = sorted(random.sample(keys, _BATCH))
        tree.apply([(key, block.to_bytes(40)) for key in changed])
        store.commit(tree)
        tree.prune(tree.version - 1)

    def close() -> None:
        store.close()
        rmtree(folder)

    return in_core(core, lambda: Task(lambda: store.load().root_hash, close=close))


@benchmark(
    "transaction/state_read",
    level=Level.COMPONENT,
    params={"accounts": _MEMORY_TREE_SIZES, "core": CORES},
    slow=(*_SLOW_TREE_SIZES, *OTHER_CORES),
)
def state_read(accounts: int, core: str) -> Task:
    """Read one account from the IAVL tree, past an empty write cache."""
    with use_core(core):
        writes = _writes(accounts)
    keys = [key for key, _ in writes.items]
    Random(2).shuffle(keys)  # noqa: S311  # an example, not a secret

    def call() -> None:
        cache = Cache(writes.tree)
        for key in keys:
            cache.get(key)

    return Task(call, operations=_BATCH)


@benchmark(
    "transaction/state_read_parallel",
    level=Level.COMPONENT,
    params={"threads": (2, 1, 4)},
    multithreaded=True,
)
def state_read_parallel(threads: int) -> Task:
    """Read one account from a saved version of the tree, by several threads at once.

    A node does so to answer queries. The interpreter lock makes the threads take turns: the result
    shows their cost, not their gain.
    """
    writes = _writes(_ACCOUNTS)
    writes.tree.save_version()
    saved = writes.tree.at(writes.tree.version)
    keys = [key for key, _ in writes.items]
    executor = ThreadPoolExecutor(threads)

    def read(share: int) -> int:
        return sum(saved.get(key) is not None for key in keys[share::threads])

    return Task(
        lambda: sum(executor.map(read, range(threads))),
        operations=_BATCH,
        close=executor.shutdown,
    )


@benchmark("transaction/state_write_parallel", level=Level.COMPONENT, multithreaded=True)
def state_write_parallel() -> Task:
    """Write one account to the tree, while another thread reads the version before.

    The same 1,000 writes as ``state_write``. The reader never stops, so it takes half of the time.
    """
    writes = _writes(_ACCOUNTS)
    writes.tree.save_version()
    saved = writes.tree.at(writes.tree.version)
    keys = [key for key, _ in writes.items]
    executor = ThreadPoolExecutor(1)

    def read(written: Event) -> None:
        while not written.is_set():
            for key in keys:
                saved.get(key)

    def call() -> tuple[bytes, int]:
        written = Event()
        reader = executor.submit(read, written)
        try:
            tree = writes.tree.branch()
            tree.apply(writes.items)
            return tree.save_version()
        finally:
            written.set()
            reader.result()

    return Task(call, operations=_BATCH, close=executor.shutdown)


# ---------------------------------------------------------------- transactions on the state


def _workload(transactions: int) -> example_data.Workload:
    """Return the same for all benchmarks of a process, with a saved branch of the tree for each."""
    shared = _make_workload(transactions, active_core())
    tree = shared.tree.branch()
    tree.save_version()
    return example_data.Workload(tree, shared.transactions)


@functools.cache
def _make_workload(transactions: int, core: str) -> example_data.Workload:
    with use_core(core):
        return example_data.workload(_ACCOUNTS, transactions)


@benchmark(
    "transaction/execution", level=Level.COMPONENT, targets={"time": "transaction/execution"}
)
def execution() -> Task:
    """Execute one decoded transfer: sequence, fee and balance checks, money moved, events.

    The signature is not verified and the writes stay in the cache: both have separate benchmarks.
    """
    work = _workload(_BATCH)
    transactions = [decode_transaction(raw) for raw in work.transactions]
    height = work.tree.version + 1

    def call() -> None:
        state = Cache(work.tree)
        for transaction in transactions:
            execute_transaction(
                state, transaction, run_ante_checks(state, transaction, example_data.CHAIN, height)
            )

    return Task(call, operations=_BATCH)


@benchmark(
    "transaction/block_processing",
    level=Level.COMPONENT,
    params={"transactions": (1_000, 100, 10_000), "core": CORES},
    targets={"memory_peak": "memory/per_transaction"},
    slow=("transactions=10000", *OTHER_CORES),
)
def block_processing(transactions: int, core: str) -> Task:
    """Process one of a block's transfers: decode, verify and execute it, its share of the commit.

    Its peak memory is its share of the whole block's: decoded, in the write cache, in the tree, its
    result and events; not its encoded bytes, which exist before.
    """

    def setup() -> Task:
        work = _workload(transactions)
        return Task(
            lambda: process_block(work.tree.branch(), work.transactions, example_data.CHAIN),
            operations=transactions,
        )

    return in_core(core, setup)


# ---------------------------------------------------------------- the chain under load

_LOADED_ACCOUNTS = 100_000
_STAGES = (GENERATOR, "hash", "decode", "verify", "transport", "execute", "commit")
_STAGE_METRICS = tuple(Metric(f"cpu_{stage}", "µs") for stage in _STAGES)


@benchmark(
    "transaction/load",
    level=Level.LOAD,
    params={"rate": (5_000, 2_500, 7_500, 10_000), "state": ("disk", "memory")},
    metrics=(Metric("achieved", "tx/s", "higher"), *LATENCY_METRICS, *_STAGE_METRICS),
    targets={
        "latency_p95": "transaction/latency_p95",
        "latency_p99": "transaction/latency_p99",
        "error_rate": "transaction/error_rate",
    },
    slow=("rate=2500", "rate=7500", "rate=10000", "state=memory"),
)
def load(rate: int, state: StateStorage) -> LoadTask:
    """Latency from arrival to commit; transfers arrive at random (Poisson) at a fixed rate.

    The latency targets are judged at 5,000 a second, the throughput target's minimum. Above the
    rate that a machine sustains, latency depends only on the length of the run.
    """
    fixture = ChainLoadFixture(_LOADED_ACCOUNTS, state)
    return LoadTask(
        lambda items: SuppliedSystem(*fixture.chain(items)),
        rate,
        fixture.close,
        RemoteLoad(fixture.target, fixture.source, CAPACITY),
    )


@benchmark(
    "transaction/throughput",
    level=Level.LOAD,
    metrics=(Metric("throughput", "tx/s", "higher"), Metric("capacity", "tx/s", "higher")),
    targets={"throughput": "transaction/throughput"},
)
def throughput() -> LoadTask:
    """The highest rate of transfers that is committed within the latency targets."""
    fixture = ChainLoadFixture(_LOADED_ACCOUNTS, "disk")
    search = Search(
        latency_p95_ms=100,
        latency_p99_ms=250,
        error_percent=0.1,
        start=2_500,
        highest=20_000,
        published=(5_000, 10_000),
    )
    return LoadTask(lambda items: SuppliedSystem(*fixture.chain(items)), search, fixture.close)


@benchmark(
    "transaction/parallel_processing",
    level=Level.INTEGRATION,
    params={"verifiers": (1, 2), "core": CORES},
    slow=OTHER_CORES,
    multithreaded=True,
)
def parallel_processing(verifiers: int, core: str) -> Task:
    """Process a block of 1,000 transfers, their signatures verified beside it.

    By threads, in Python's core by processes. Transactions are executed as soon as their chunk is
    verified. The time is wall time: several processors work.
    """
    return in_core(core, lambda: _parallel_processing(verifiers))


def _parallel_processing(verifiers: int) -> Task:
    work = _workload(_BATCH)
    head = ChainHead(work.tree.branch(), example_data.CHAIN, Tree.save_version)
    pool = start_verifier(verifiers, example_data.CHAIN.id, head.look_up_numbers)
    chunks = [list(work.transactions[i : i + _CHUNK]) for i in range(0, _BATCH, _CHUNK)]

    def call() -> bytes:
        head = ChainHead(work.tree.branch(), example_data.CHAIN, Tree.save_version)
        for chunk in chunks:
            pool.submit(chunk)
        pending = _BATCH
        while pending:
            for check in pool.collect(wait_s=1.0):
                head.deliver(check)
                pending -= 1
        for _ in head.commit():
            pass
        return head.root_hash

    return Task(call, operations=_BATCH, close=pool.close)
