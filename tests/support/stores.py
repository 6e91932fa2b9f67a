"""Stores of small chains, and what is in them."""

from collections.abc import Callable
from pathlib import Path

import lmdb

from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.transaction.tree_store import Store


def write_block(tree: Tree, height: int) -> None:
    """A block's writes: sets, updates and removals that depend on the height alone."""
    for i in range(20):
        tree.set(b"%d" % (height * 7 + i), b"%d" % height)
    for i in range(3):
        tree.remove(b"%d" % (height * 5 + i))


def roots_in_memory(height: int) -> list[bytes]:
    tree = Tree()
    roots = []
    for version in range(1, height + 1):
        write_block(tree, version)
        roots.append(tree.save_version()[0])
    return roots


def root_in_memory(height: int) -> bytes:
    return roots_in_memory(height)[-1]


def damage(path: Path, change: Callable[[lmdb.Transaction], object]) -> None:
    """Change records behind the store's back."""
    environment = lmdb.open(str(path), map_size=1 << 24)
    with environment.begin(write=True) as transaction:
        change(transaction)
    environment.close()


def dump(path: Path) -> list[tuple[bytes, bytes]]:
    """All records."""
    environment = lmdb.open(str(path), map_size=1 << 24)
    with environment.begin() as transaction:
        actual = [(bytes(key), bytes(value)) for key, value in transaction.cursor()]
    environment.close()
    return actual


def make_store(path: Path, height: int) -> Path:
    """A store in the folder ``path`` with the versions up to ``height``."""
    with Store(path) as store:
        tree = store.load()
        for version in range(1, height + 1):
            write_block(tree, version)
            store.commit(tree)
    return path
