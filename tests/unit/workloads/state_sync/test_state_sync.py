"""Snapshots: restored to the exported root, and refused where anything is not as it was."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.iavl_model import ModelTree
from veperf.core.errors import DataError, StorageError, UsageError
from veperf.workloads.state_sync import example_data
from veperf.workloads.state_sync.errors import (
    AppHashError,
    ChunkHashError,
    ExtraChunkError,
    MissingChunkError,
    SnapshotError,
)
from veperf.workloads.state_sync.restore import restore_state, verify_chunks
from veperf.workloads.state_sync.snapshot import (
    StateSnapshot,
    decode_snapshot,
    describe_chunks,
    encode_snapshot,
    export_chunks,
)
from veperf.workloads.state_sync.snapshot_store import SnapshotStore
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.transaction.multistore import app_hash
from veperf.workloads.transaction.tree_store import Store

STATE = example_data.example_state(600)
TRUSTED = example_data.state_hash(STATE)
CHUNKS = tuple(export_chunks(STATE, 1, chunk_bytes=40_000))
SNAPSHOT = describe_chunks(1, CHUNKS)


def _hashes(stores):
    return {name: tree.root_hash for name, tree in stores.items()}


def test_the_restored_root_is_the_exported_one():
    """Of every store, and every value is there; the state continues as the exported one would."""
    restored = restore_state(SNAPSHOT, CHUNKS, TRUSTED)

    assert len(CHUNKS) > 3
    assert _hashes(STATE) == _hashes(restored)
    assert [list(t.iterate()) for t in STATE.values()] == [
        list(t.iterate()) for t in restored.values()
    ]
    after = []
    for tree in (STATE["bank"].branch(), restored["bank"]):
        tree.apply(example_data.example_changes(300, 50))
        tree.remove(example_data.state_key(7))
        after.append(tree.save_version())
    assert after[0] == after[1]
    assert 2 == after[0][1]


changes = st.lists(
    st.tuples(st.binary(min_size=1, max_size=3), st.none() | st.binary(max_size=5)), max_size=30
)


@settings(max_examples=40)
@given(st.lists(changes, min_size=1, max_size=4), st.integers(1, 300))
def test_any_history_is_restored_to_the_root_of_another_implementation(blocks, chunk_bytes):
    """Rotated trees of several versions, with the root that a literal model of cosmos/iavl has."""
    tree, model = Tree(), ModelTree()
    for block in blocks:
        for key, value in block:
            if value is None:
                tree.remove(key)
                model.remove(key)
            else:
                tree.set(key, value)
                model.set(key, value)
        tree.save_version()
        expected = model.save_version()
    height = len(blocks)
    chunks = list(export_chunks({"bank": tree}, height, chunk_bytes=chunk_bytes))
    snapshot = decode_snapshot(encode_snapshot(describe_chunks(height, chunks)))

    restored = restore_state(snapshot, chunks, app_hash({"bank": expected}))

    assert expected == restored["bank"].root_hash
    assert height == restored["bank"].version


def test_a_snapshot_is_of_its_height_whatever_is_committed_meanwhile():
    """Chunks that are made while blocks change the trees are those of the saved version."""
    state = {name: tree.branch() for name, tree in STATE.items()}
    chunks = []
    for chunk in export_chunks(state, 1, chunk_bytes=40_000):
        chunks.append(chunk)
        state["veid"].set(b"later", bytes(len(chunks)))
        state["veid"].save_version()

    assert list(CHUNKS) == chunks


@given(st.data())
def test_a_damaged_chunk_is_refused(data):
    """Any byte of any chunk: the error names the chunk, and nothing after it is read."""
    index = data.draw(st.integers(0, len(CHUNKS) - 1))
    place = data.draw(st.integers(0, len(CHUNKS[index]) - 1))
    mask = data.draw(st.integers(1, 255))
    damaged = bytearray(CHUNKS[index])
    damaged[place] ^= mask
    taken = []

    def fetch():
        for number, chunk in enumerate(CHUNKS):
            taken.append(number)
            yield bytes(damaged) if number == index else chunk

    with pytest.raises(ChunkHashError, match=f"chunk {index}: its SHA-256 is") as error:
        restore_state(SNAPSHOT, fetch(), TRUSTED)
    assert index == error.value.index
    assert list(range(index + 1)) == taken


@given(st.permutations(range(len(CHUNKS))))
def test_chunks_out_of_order_are_refused(order):
    """The error says which chunk stands in whose place."""
    chunks = [CHUNKS[i] for i in order]
    wrong = [place for place, i in enumerate(order) if place != i]
    if not wrong:
        assert list(CHUNKS) == list(verify_chunks(SNAPSHOT, chunks))
        return

    with pytest.raises(ChunkHashError, match=f"has the hash of chunk {order[wrong[0]]}") as error:
        restore_state(SNAPSHOT, chunks, TRUSTED)
    assert wrong[0] == error.value.index


@pytest.mark.parametrize("count", range(len(CHUNKS)))
def test_missing_chunks_are_refused(count):
    """Wherever the chunks end before the snapshot does, and where one in between is left out."""
    with pytest.raises(MissingChunkError, match=f"chunk {count}"):
        restore_state(SNAPSHOT, CHUNKS[:count], TRUSTED)
    rest = CHUNKS[:count] + CHUNKS[count + 1 :]
    with pytest.raises((MissingChunkError, ChunkHashError)) as error:
        restore_state(SNAPSHOT, rest, TRUSTED)
    assert count == error.value.index


def test_an_extra_chunk_is_refused():
    """A chunk after the last."""
    with pytest.raises(ExtraChunkError, match=f"chunk {len(CHUNKS)}"):
        restore_state(SNAPSHOT, [*CHUNKS, b"more"], TRUSTED)


def test_another_state_is_refused():
    """A snapshot that is whole and sound, of a state that the chain never had."""
    other = {**STATE, "bank": STATE["bank"].branch()}
    other["bank"].set(example_data.state_key(0), b"a fortune")
    tree = Tree.from_sorted(other["bank"].iterate())
    tree.save_version()
    chunks = list(export_chunks({**STATE, "bank": tree}, 1))

    with pytest.raises(AppHashError, match="try another peer"):
        restore_state(describe_chunks(1, chunks), chunks, TRUSTED)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("format", 2),
        ("height", 0),
        ("height", 1 << 63),
        ("chunk_hashes", ()),
        ("hash", b""),
        ("hash", bytes(32)),
        ("chunk_hashes", (b"short", *SNAPSHOT.chunk_hashes[1:])),
    ],
)
def test_metadata_that_makes_no_sense_is_refused(field, value):
    """Before any store is built, or at the latest with the last chunk."""
    with pytest.raises(SnapshotError):
        restore_state(replace(SNAPSHOT, **{field: value}), CHUNKS, TRUSTED)


def test_a_store_of_a_later_version_is_refused():
    """A node that is newer than the snapshot's height: the tree refuses it."""
    tree = STATE["bank"].branch()
    tree.set(b"later", b"1")
    tree.save_version()
    chunks = list(export_chunks({"bank": tree}, 2))

    with pytest.raises(DataError, match="version 2"):
        restore_state(describe_chunks(1, chunks), chunks, TRUSTED)


def test_metadata_is_the_sdk_message():
    """Fields 1 to 4, and the hashes of chunks in field 5; other counts and bytes are refused."""
    snapshot = StateSnapshot(7, 3, bytes([1] * 32), (bytes([2] * 32),))
    hashes = b"\x0a\x20" + bytes([2] * 32)
    expected = b"\x08\x07\x10\x03\x18\x01\x22\x20" + bytes([1] * 32) + b"\x2a\x22" + hashes

    assert expected == encode_snapshot(snapshot)
    assert snapshot == decode_snapshot(expected)
    for raw in (expected.replace(b"\x18\x01", b"\x18\x02"), expected[:-1], b""):
        with pytest.raises(SnapshotError):
            decode_snapshot(raw)


def test_a_snapshot_survives_the_disk_and_a_node_syncs_from_it(tmp_path: Path):
    """Chunks and metadata as they were; the synced node's durable stores have the trusted hash."""
    peer = SnapshotStore(tmp_path / "peer")
    saved = peer.save(1, CHUNKS)

    def import_store(name, nodes, version):
        with Store(tmp_path / name) as store:
            return store.restore(nodes, version)

    restore_state(peer.load(1), peer.chunks(saved), TRUSTED, import_store)

    assert SNAPSHOT == saved == peer.load(1)
    assert [1] == peer.heights
    loaded = {}
    for name in STATE:
        with Store(tmp_path / name) as store:
            loaded[name] = store.load()
    assert TRUSTED == app_hash(_hashes(loaded))


def test_a_snapshot_is_there_once_it_is_whole(tmp_path: Path):
    """What an export that failed has left is no snapshot, and is replaced by the next one."""
    store = SnapshotStore(tmp_path)

    def fail():
        yield CHUNKS[0]
        raise RuntimeError("the disk of the state is gone")

    with pytest.raises(RuntimeError):
        store.save(1, fail())
    assert [] == store.heights
    with pytest.raises(LookupError):
        store.load(1)
    store.save(1, CHUNKS)
    with pytest.raises(UsageError, match="already"):
        store.save(1, CHUNKS)
    store.save(2, CHUNKS)
    assert [2, 1] == store.heights
    assert 1 == store.prune(1)
    assert [2] == store.heights


def test_files_that_are_gone_damaged_or_links_are_refused(tmp_path: Path):
    """Each by its own error; a link is not followed."""
    store = SnapshotStore(tmp_path)
    snapshot = store.save(1, CHUNKS)
    folder = tmp_path / "1" / "3"
    (folder / "1").rename(tmp_path / "elsewhere")
    with pytest.raises(MissingChunkError, match="chunk 1"):
        list(store.chunks(snapshot))
    (folder / "1").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StorageError):
        store.chunk(1, 1)
    (folder / "snapshot").write_bytes(encode_snapshot(replace(snapshot, height=9)))
    with pytest.raises(SnapshotError, match="says 9"):
        store.load(1)
