"""The versions of a chain: each is a snapshot and the change sets that follow it."""

from collections.abc import Iterator, Sequence

import lmdb

from veperf.workloads.transaction import records, snapshots
from veperf.workloads.transaction.iavl import Change, Tree
from veperf.workloads.transaction.records import DamageError


def begin(transaction: lmdb.Transaction, version: int, tree: Tree) -> None:
    """Write the working version of ``tree`` as the first there is, whatever made it."""
    records.write_oldest(transaction, version)
    records.write_commit(transaction, version, tree.root_hash, ())
    snapshots.write_whole(transaction, version, tree.root)


def replay(transaction: lmdb.Transaction, version: int) -> Iterator[Tree]:
    """One tree, as it was at the newest snapshot up to ``version``, and at each version from there.

    Of its saved versions it has the last only.

    Raises:
        DamageError: records are missing or damaged, or a root hash is not the commit's.
    """
    base = snapshots.newest(transaction, version)
    tree = Tree(snapshots.read(transaction, base), base)
    _check_root_hash(transaction, tree)
    yield tree
    while tree.version < version:
        for run in _ascending_runs(records.read_changes(transaction, tree.version + 1)):
            tree.apply(run)
        tree.save_version()
        tree.prune(tree.version - 1)
        _check_root_hash(transaction, tree)
        yield tree


def prune(transaction: lmdb.Transaction, version: int) -> None:
    """Delete all versions up to ``version``, but not what the next one is made of.

    Raises:
        DamageError: records are missing or damaged.
    """
    oldest = version + 1
    if oldest > records.read_oldest(transaction):
        base = snapshots.newest(transaction, oldest)
        records.write_oldest(transaction, oldest)
        records.delete_commits(transaction, base)
        snapshots.delete(transaction, 0, base)


def _check_root_hash(transaction: lmdb.Transaction, tree: Tree) -> None:
    expected = records.read_root_hash(transaction, tree.version)
    if tree.root_hash != expected:
        committed = "nothing" if expected is None else expected.hex()
        raise DamageError(
            f"version {tree.version} has the root hash {tree.root_hash.hex()}, "
            f"but {committed} was committed"
        )


def _ascending_runs(changes: Sequence[Change]) -> Iterator[Sequence[Change]]:
    """``changes`` in pieces, as long as can be, in each of which keys strictly ascend."""
    start = 0
    for end in range(1, len(changes) + 1):
        if end == len(changes) or changes[end][0] <= changes[end - 1][0]:
            yield changes[start:end]
            start = end
