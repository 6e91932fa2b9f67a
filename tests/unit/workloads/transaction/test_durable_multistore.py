"""Stores on disk are those in memory, through restarts, and all of one height."""

from collections.abc import Callable
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import lmdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import msgpack

from tests.support.stores import damage, dump
from veperf.core.errors import CorruptFileError, DataError, StorageError
from veperf.workloads.transaction import snapshots
from veperf.workloads.transaction.durable_multistore import DurableMultiStore
from veperf.workloads.transaction.errors import Code
from veperf.workloads.transaction.example_data import CHAIN
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.transaction.modules.blocks import deliver_block
from veperf.workloads.transaction.modules.example_traffic import Traffic
from veperf.workloads.transaction.multistore import MultiStore, verify_no_value, verify_value

pytestmark = pytest.mark.usefixtures("core")

NAMES = ("acc", "bank", "staking")
SIZE = 1 << 22
WRITES = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.integers(0, 40).map(lambda number: b"key %d" % number),
        st.none() | st.binary(min_size=1, max_size=8),
    ),
    max_size=30,
)


def write(stores: MultiStore, writes: list[tuple[str, bytes, bytes | None]]) -> None:
    for name, key, value in writes:
        if value is None:
            stores.trees[name].remove(key)
        else:
            stores.trees[name].set(key, value)


def open_stores(path: Path, keep: int | None = None) -> DurableMultiStore:
    return DurableMultiStore(path, NAMES, max_bytes=SIZE, keep=keep)


@pytest.fixture
def committed(tmp_path: Path) -> Path:
    """A folder with six versions of three stores."""
    with open_stores(tmp_path / "chain") as stores:
        for height in range(1, 7):
            for name in NAMES[:height]:
                stores.trees[name].set(b"key %d" % height, name.encode())
            stores.commit()
    return tmp_path / "chain"


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(WRITES, st.booleans()), max_size=12), st.none() | st.integers(1, 4))
def test_app_hashes_are_those_of_stores_in_memory(
    blocks: list[tuple[list[tuple[str, bytes, bytes | None]], bool]], keep: int | None
) -> None:
    """After any blocks and restarts, also of every version that is kept."""
    memory = MultiStore.of_names(NAMES)
    hashes = [memory.app_hash]
    with TemporaryDirectory() as name:
        disk = open_stores(Path(name), keep)
        for writes, restarts in blocks:
            write(memory, writes)
            write(disk, writes)
            hashes.append(memory.commit()[0])
            assert (hashes[-1], memory.version) == disk.commit()
            if restarts:
                disk.close()
                disk = open_stores(Path(name), keep)
        with disk:
            first = 1 if keep is None else max(1, len(blocks) + 1 - keep)
            assert list(range(first, len(blocks) + 1)) == disk.versions
            assert [hashes[version] for version in disk.versions] == [
                disk.at(version).app_hash for version in disk.versions
            ]
            assert hashes[-1] == disk.app_hash


def test_recent_heights_are_proved_after_a_restart(tmp_path: Path) -> None:
    """Those that are kept, from memory or from disk; the others are gone."""
    hashes = {}
    with open_stores(tmp_path, keep=4) as stores:
        for height in range(1, 11):
            stores.trees["bank"].set(b"height", b"%d" % height)
            app_hash, version = stores.commit()
            hashes[version] = app_hash
    with open_stores(tmp_path, keep=4) as stores:
        assert [7, 8, 9, 10] == stores.versions
        for height in stores.versions:
            old = stores.at(height)
            value = b"%d" % height
            proof = old.prove("bank", b"height")
            assert verify_value(hashes[height], proof, "bank", b"height", value)
            absent = old.prove("bank", b"other")
            assert verify_no_value(hashes[height], absent, "bank", b"other")
        for height in (0, 6, 11):
            with pytest.raises(LookupError, match=f"version {height}"):
                stores.at(height)
        stores.prune(9)
        assert [10] == stores.versions


def test_initial_states_that_were_built_at_once_are_stored(tmp_path: Path) -> None:
    """They take the place of the empty trees before the first commit."""
    with open_stores(tmp_path) as stores:
        stores.trees["bank"] = Tree.from_sorted((b"%04d" % i, b"v") for i in range(500))
        expected = stores.commit()
    with open_stores(tmp_path) as stores:
        assert expected == (stores.app_hash, stores.version)
        assert 500 == len(stores.trees["bank"])


def test_other_stores_are_refused(committed: Path) -> None:
    """One more, one less, none, one without a name, or one tree that isn't loaded from here."""
    for names in (NAMES[:2], (*NAMES, "veid")):
        with pytest.raises(DataError, match="holds the stores acc, bank, staking"):
            DurableMultiStore(committed, names, max_bytes=SIZE)
    for nameless in ((), ("", "acc")):
        with pytest.raises(ValueError, match="store"):
            DurableMultiStore(committed, nameless, max_bytes=SIZE)
    with open_stores(committed) as stores:
        stores.trees["acc"] = stores.at(5).trees["acc"]
        with pytest.raises(ValueError, match="can't follow"):
            stores.commit()
        del stores.trees["acc"]
        with pytest.raises(ValueError, match="other stores"):
            stores.commit()
    with open_stores(committed) as stores:
        assert 6 == stores.version


def test_a_load_beside_commits_repeats_no_slice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The snapshot that it sees unfinished is whole when it has found where that goes on."""
    original = snapshots.unfinished_version
    with open_stores(tmp_path) as stores:
        stores.trees["bank"] = Tree.from_sorted((b"%04d" % i, b"v") for i in range(500))
        for _ in range(10):
            stores.commit()

        def finish_meanwhile(transaction: lmdb.Transaction, version: int) -> int | None:
            begun = original(transaction, version)
            for height in range(8):
                stores.trees["bank"].set(b"%04d" % height, b"w")
                stores.commit()
            return begun

        with monkeypatch.context() as patch:
            patch.setattr(snapshots, "unfinished_version", finish_meanwhile)
            assert 500 == len(stores.at(4).trees["bank"])
        for _ in range(3):
            stores.commit()
    with open_stores(tmp_path) as stores:
        assert 21 == stores.version


def commit_key(version: int) -> bytes:
    return b"c" + version.to_bytes(8, "big")


def change_commit(
    version: int, place: int, change: Callable[[Any], object]
) -> Callable[[lmdb.Transaction], object]:
    """Return a change of a field of a commit: app hash, root hashes, change sets."""

    def apply(transaction: lmdb.Transaction) -> None:
        fields = msgpack.decode(transaction.get(commit_key(version), b""))
        fields[place] = change(fields[place])
        transaction.put(commit_key(version), msgpack.encode(fields))

    return apply


def rename(transaction: lmdb.Transaction) -> None:
    transaction.put(b"trees", msgpack.encode(["acc", "bank", "stakinh"]))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (change_commit(6, 0, lambda _: bytes(32)), "app hash"),
        (change_commit(6, 1, lambda hashes: hashes[::-1]), "root hash"),
        (change_commit(6, 2, lambda sets: sets[::-1]), "root hash"),
        (change_commit(6, 2, lambda sets: [*sets[:2], b"\x90"]), "root hash"),
        (change_commit(6, 1, lambda hashes: hashes[:2]), "version"),
        (change_commit(6, 2, lambda sets: sets[:2]), "version"),
        (change_commit(6, 2, lambda sets: [b"", *sets[1:]]), "version"),
        (lambda transaction: transaction.delete(commit_key(5)), "version 5"),
        (rename, "stakinh"),
        (lambda transaction: transaction.put(b"trees", b"\xc1"), "names"),
        (lambda transaction: transaction.delete(b"trees"), "names"),
    ],
)
def test_stores_of_different_heights_are_an_error(
    committed: Path, change: Callable[[lmdb.Transaction], object], words: str
) -> None:
    """A store that lags, is another, or lost its part of a commit is found when it is opened."""
    damage(committed, change)

    with pytest.raises(DataError, match=words):
        open_stores(committed)


def test_a_lost_file_is_no_new_chain(committed: Path) -> None:
    """Emptied or gone, it is an error, as for a single tree."""
    data = committed / "data.mdb"
    data.write_bytes(b"")
    with pytest.raises(CorruptFileError, match="empty or gone"):
        open_stores(committed)
    data.unlink()
    with pytest.raises(CorruptFileError, match="empty or gone"):
        open_stores(committed)


def test_a_commit_that_does_not_fit_changes_no_store(tmp_path: Path) -> None:
    """It fails as a whole; with room the same stores are committed."""
    small = DurableMultiStore(tmp_path, NAMES, max_bytes=1 << 18)
    with small:
        small.trees["acc"].set(b"small", b"v")
        before = small.commit()
        small.trees["acc"].set(b"small", b"w")
        small.trees["staking"].set(b"large", bytes(1 << 20))
        with pytest.raises(StorageError, match="can't be written"):
            small.commit()
        assert (before[1], before[0]) == (small.version, small.at(1).app_hash)
        trees = small.trees
    assert [commit_key(1)] == [key for key, _ in dump(tmp_path) if key[:1] == b"c"]
    with open_stores(tmp_path) as stores:
        stores.trees.update(trees)
        committed = stores.commit()
    with open_stores(tmp_path) as stores:
        assert committed == (stores.app_hash, 2)
        assert b"w" == stores.trees["acc"].get(b"small")


@pytest.mark.parametrize("keep", [1, 3])
def test_the_folder_stays_within_its_bound(tmp_path: Path, keep: int) -> None:
    """That of docs/reliability.md, whatever the number of blocks, empty ones among them."""
    keys, changed, change_bytes = 300, 40, 6 + 60 + 10
    sizes, dice = [], Random(1)
    with open_stores(tmp_path, keep) as stores:
        for height in range(160):
            for number in range(changed if height % 5 else 0):
                place = dice.randrange(keys // 3)
                stores.trees[NAMES[number % 3]].set(b"%06d" % place, bytes(60))
            stores.commit()
            sizes.append((tmp_path / "data.mdb").stat().st_size)
        assert keys == sum(map(len, stores.trees.values()))

    assert max(sizes) <= 5 * change_bytes * (keys + keep * changed) + (1 << 17)
    assert 160 * 0.8 * change_bytes * changed > 2 * max(sizes), "it would hold without pruning"


def test_blocks_of_modules_are_delivered_on_disk(tmp_path: Path) -> None:
    """With the app hashes of the stores in memory, across a restart before each block."""
    traffic = Traffic(30, orders=20)
    memory = traffic.genesis()
    names = list(memory.trees)
    with DurableMultiStore(tmp_path, names) as stores:
        stores.trees.update(traffic.genesis().trees)
        assert memory.commit() == stores.commit()
    for time in (100, 200):
        raws = [traffic.next(kind) for kind in ("send", "delegate", "multi_send")]
        expected = deliver_block(memory, raws, CHAIN, time)
        with DurableMultiStore(tmp_path, names) as stores:
            assert expected == deliver_block(stores, raws, CHAIN, time)
        assert all(result.code is Code.OK for result in expected.results)
