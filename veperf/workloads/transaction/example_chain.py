"""A chain on disk to measure: its commits, its restart, and the space that it takes.

Folders are among the temporary files: where those are in memory, syncing costs nothing.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from shutil import rmtree
from tempfile import TemporaryDirectory, mkdtemp

from veperf.workloads.transaction.durable_multistore import DurableMultiStore
from veperf.workloads.transaction.iavl import Tree

CHANGES = 1_000
"""Values that a block changes."""

_KEYS = 100_000
_BLOCKS = 30
_VALUE_BYTES = 40  # as an account that has signed
_KEPT = 10
_TRANSFERS = 250
_WRITES = 3
"""Of a transfer: the sender's account, and two balances."""


def _key(number: int) -> bytes:
    return b"key %08d" % number


class ExampleChain:
    """A chain in a folder, whose stores have the same number of keys in all, whatever theirs is."""

    def __init__(self, folder: Path, stores: int, keys: int) -> None:
        self._random = Random(1)  # noqa: S311  # an example, not a secret
        self._keys = keys
        names = [f"store{number:02d}" for number in range(stores)]
        self._stores = DurableMultiStore(folder, names, keep=_KEPT)
        for number, name in enumerate(names):
            items = ((_key(i), bytes(_VALUE_BYTES)) for i in range(number, keys, stores))
            self._stores.trees[name] = Tree.from_sorted(items)
        self._stores.commit()

    def commit(self, changes: int = CHANGES) -> bytes:
        """Change values at random, in the order of their keys, and commit; return the app hash."""
        value = self._stores.version.to_bytes(_VALUE_BYTES)
        chosen = sorted(self._random.sample(range(self._keys), changes))
        trees = list(self._stores.trees.values())
        for number, tree in enumerate(trees):
            tree.apply([(_key(i), value) for i in chosen if i % len(trees) == number])
        return self._stores.commit()[0]

    def close(self) -> tuple[str, ...]:
        """Close the files; return the names of the stores."""
        self._stores.close()
        return tuple(self._stores.trees)


def commit_on_disk(stores: int) -> tuple[Callable[[], bytes], Callable[[], None]]:
    """Return a commit of 1,000 of 100,000 values in several stores, and what cleans up."""
    folder = Path(mkdtemp(prefix="veperf-stores-"))
    chain = ExampleChain(folder, stores, _KEYS)

    def close() -> None:
        chain.close()
        rmtree(folder)

    return chain.commit, close


def restart(stores: int) -> tuple[Callable[[], bytes], Callable[[], None]]:
    """Return an opening of such a chain with 30 blocks to replay, and what cleans up."""
    folder = Path(mkdtemp(prefix="veperf-stores-"))
    chain = ExampleChain(folder, stores, _KEYS)
    for _ in range(_BLOCKS):
        chain.commit()
    names = chain.close()

    def call() -> bytes:
        with DurableMultiStore(folder, names, keep=_KEPT) as reopened:
            return reopened.app_hash

    return call, lambda: rmtree(folder)


def measure_disk(transfers: int) -> Mapping[str, float]:
    """Commit blocks of 250 transfers between 10,000 keys in two stores; return bytes on disk.

    ``disk`` is the folder's size at the end, ``growth`` by how much each transfer made it larger.
    """
    with TemporaryDirectory(prefix="veperf-stores-") as name:
        folder = Path(name)
        chain = ExampleChain(folder, 2, _KEYS // 10)
        first = _disk_bytes(folder)
        for _ in range(transfers // _TRANSFERS):
            chain.commit(_WRITES * _TRANSFERS)
        chain.close()
        disk = _disk_bytes(folder)
    return {"disk": disk, "growth": (disk - first) / transfers}


def _disk_bytes(folder: Path) -> int:
    """Return the bytes that the files take on the disk, holes left out."""
    return sum(file.stat().st_blocks * 512 for file in folder.iterdir())
