"""The state sync suite: snapshots of a state made, checked and restored, and the state itself.

They answer the benchmarks of VirtEngine's ``tests/load/scale/state_sync_test.go`` (SCALE-001) with
an IAVL state in the SDK's format; there the state is a map, and its root a hash of its length.
"""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from threading import Lock
from typing import Any

from veperf.core.case import Level
from veperf.core.registry import Task, benchmark
from veperf.workloads.state_sync import example_data
from veperf.workloads.state_sync.items import decode_items, encode_items, state_items
from veperf.workloads.state_sync.restore import (
    check_state,
    decompress,
    import_items,
    restore_state,
    verify_chunks,
)
from veperf.workloads.state_sync.snapshot import (
    StateSnapshot,
    compress_chunks,
    describe_chunks,
    export_chunks,
)
from veperf.workloads.state_sync.snapshot_store import SnapshotStore
from veperf.workloads.transaction.iavl import ExportNode, Tree
from veperf.workloads.transaction.multistore import app_hash
from veperf.workloads.transaction.tree_store import Store

_HEIGHT = example_data.HEIGHT
_KEYS = (10_000, 1_000, 100_000, 1_000_000)
_SLOW_KEYS = ("keys=100000", "keys=1000000")
_BATCH = 1_000
_THREADS = 2

# Every benchmark leaves them unchanged, and takes branches of trees. Of each the last two sizes are
# kept in a process: all of them would take gigabytes.
_state = lru_cache(2)(example_data.example_state)
_store = lru_cache(2)(example_data.example_store)


@lru_cache(2)
def _chunks(keys: int) -> tuple[bytes, ...]:
    return tuple(export_chunks(_state(keys), _HEIGHT))


@lru_cache(2)
def _snapshot(keys: int) -> StateSnapshot:
    return describe_chunks(_HEIGHT, _chunks(keys))


def _in_folder(work: Callable[[Path], object]) -> Callable[[], object]:
    """Return ``work`` with a fresh folder, which is deleted afterwards."""

    def call() -> object:
        folder = Path(mkdtemp(prefix="veperf-state-sync-"))
        try:
            return work(folder)
        finally:
            rmtree(folder)

    return call


# ---------------------------------------------------------------- snapshots


@benchmark(
    "state_sync/export", level=Level.COMPONENT, params={"keys": _KEYS}, slow=("keys=1000000",)
)
def export(keys: int) -> Task:
    """Export a state of three stores as chunks of a snapshot, with their hashes.

    Every node of every tree as a protobuf message, compressed, cut, hashed; nothing is written.
    """
    state = _state(keys)

    def nodes(_: object) -> list[str | ExportNode]:
        return list(state_items(state, _HEIGHT))

    stages: Mapping[str, Callable[[Any], Any]] = {
        "nodes": nodes,
        "encode": lambda items: list(encode_items(items)),
        "compress": lambda messages: list(compress_chunks(messages)),
        "hash": partial(describe_chunks, _HEIGHT),
    }
    return Task(lambda: describe_chunks(_HEIGHT, export_chunks(state, _HEIGHT)), stages=stages)


@benchmark("state_sync/save", level=Level.COMPONENT, params={"keys": _KEYS}, slow=_SLOW_KEYS)
def save(keys: int) -> Task:
    """Export a state of three stores to files: chunks and metadata, synced."""
    state = _state(keys)
    return Task(
        _in_folder(lambda folder: SnapshotStore(folder).save(1, export_chunks(state, _HEIGHT)))
    )


@benchmark("state_sync/chunk_load", level=Level.COMPONENT, params={"keys": _KEYS}, slow=_SLOW_KEYS)
def chunk_load(keys: int) -> Task:
    """Read all chunks of a snapshot from their files and check their hashes."""
    folder = Path(mkdtemp(prefix="veperf-state-sync-"))
    store = SnapshotStore(folder)
    store.save(_HEIGHT, _chunks(keys))

    def call() -> int:
        snapshot = store.load(_HEIGHT)
        return sum(map(len, verify_chunks(snapshot, store.chunks(snapshot))))

    return Task(call, close=partial(rmtree, folder))


@benchmark(
    "state_sync/restore", level=Level.COMPONENT, params={"keys": _KEYS}, slow=("keys=1000000",)
)
def restore(keys: int) -> Task:
    """Restore a state from the chunks of a snapshot, and check its app hash.

    Chunks checked, decompressed and decoded, trees built and every node hashed, in memory.
    """
    chunks, snapshot, trusted = (
        _chunks(keys),
        _snapshot(keys),
        example_data.state_hash(_state(keys)),
    )

    def check(stores: dict[str, Tree]) -> bytes:
        check_state(stores, trusted)
        return trusted

    def call() -> bytes:
        stores = restore_state(snapshot, chunks, trusted)
        return app_hash({name: tree.root_hash for name, tree in stores.items()})

    stages: Mapping[str, Callable[[Any], Any]] = {
        "verify": lambda _: list(verify_chunks(snapshot, chunks)),
        "decompress": lambda verified: list(decompress(verified)),
        "decode": lambda pieces: list(decode_items(pieces)),
        "build": lambda items: import_items(items, _HEIGHT),
        "check": check,
    }
    return Task(call, stages=stages)


@benchmark("state_sync/sync", level=Level.INTEGRATION, params={"keys": _KEYS}, slow=_SLOW_KEYS)
def sync(keys: int) -> Task:
    """Sync a node: chunks from a peer's files to a durable state with the trusted app hash.

    Each store is written to LMDB, synced, in the folder for temporary files.
    """
    folder = Path(mkdtemp(prefix="veperf-state-sync-"))
    peer = SnapshotStore(folder)
    peer.save(_HEIGHT, _chunks(keys))
    trusted = example_data.state_hash(_state(keys))

    def work(own: Path) -> bytes:
        def import_store(name: str, nodes: Iterable[ExportNode], version: int) -> Tree:
            with Store(own / name) as store:
                return store.restore(nodes, version)

        snapshot = peer.load(_HEIGHT)
        stores = restore_state(snapshot, peer.chunks(snapshot), trusted, import_store)
        return app_hash({name: tree.root_hash for name, tree in stores.items()})

    return Task(_in_folder(work), close=partial(rmtree, folder))


# ---------------------------------------------------------------- the state itself


@benchmark("state_sync/state_read", level=Level.MICRO, params={"keys": _KEYS}, slow=_SLOW_KEYS)
def state_read(keys: int) -> Task:
    """Read the value of one key of a store."""
    tree = _store(keys)
    names = [key for key, _ in example_data.example_changes(keys, _BATCH)]

    def call() -> int:
        return sum(len(tree.get(name) or b"") for name in names)

    return Task(call, operations=_BATCH)


@benchmark("state_sync/state_write", level=Level.COMPONENT, params={"keys": _KEYS}, slow=_SLOW_KEYS)
def state_write(keys: int) -> Task:
    """Set one key of a store, one of 1,000 in a block, root hash included."""
    tree = _store(keys)
    changes = example_data.example_changes(keys, _BATCH)

    def call() -> bytes:
        branch = tree.branch()
        for key, value in changes:
            assert value is not None
            branch.set(key, value)
        return branch.root_hash

    return Task(call, operations=_BATCH)


@benchmark("state_sync/parallel_access", level=Level.COMPONENT, multithreaded=True)
def parallel_access() -> Task:
    """Read or set one key of a store of 100,000 from two threads, every other one a write.

    One lock guards the store, as VirtEngine's does; the time is wall time, of both threads.
    """
    tree = _store(100_000)
    changes = example_data.example_changes(100_000, _BATCH)
    lock = Lock()
    pool = ThreadPoolExecutor(_THREADS)

    def access(branch: Tree, thread: int) -> None:
        for number in range(thread, _BATCH, _THREADS):
            key, value = changes[number]
            with lock:
                if number // _THREADS % 2 and value is not None:
                    branch.set(key, value)
                else:
                    branch.get(key)

    def call() -> bytes:
        branch = tree.branch()
        list(pool.map(partial(access, branch), range(_THREADS)))
        return branch.root_hash

    return Task(call, operations=_BATCH, close=pool.shutdown)
