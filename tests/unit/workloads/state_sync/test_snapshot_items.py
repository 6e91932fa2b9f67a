"""Snapshot items: against literal encodings, zlib, and the SDK's own vectors."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.workloads.state_sync.errors import SnapshotError
from veperf.workloads.state_sync.items import decode_items, encode_items, state_items
from veperf.workloads.state_sync.restore import decompress, import_items
from veperf.workloads.state_sync.snapshot import compress_chunks
from veperf.workloads.transaction.iavl import ExportNode, Tree

items = st.lists(
    st.one_of(
        st.text(min_size=1, max_size=20),
        st.builds(
            ExportNode, st.binary(max_size=40), st.binary(max_size=300), st.integers(1), st.just(0)
        ),
        st.builds(
            ExportNode,
            st.binary(max_size=40),
            st.none(),
            st.integers(1, 2**40),
            st.integers(1, 127),
        ),
    ).filter(lambda item: isinstance(item, str) or item.version < 2**63),
    max_size=20,
)


def test_items_are_encoded_as_protobuf_says():
    """Length, field 1 with the name; length, field 2 with key, value, version and height."""
    written = list(
        encode_items(["bank", ExportNode(b"k", b"v", 300, 0), ExportNode(b"k", None, 1, 2)])
    )

    assert b"\x08\x0a\x06\x0a\x04bank" == written[0]
    assert b"\x0b\x12\x09\x0a\x01k\x12\x01v\x18\xac\x02" == written[1]
    assert b"\x09\x12\x07\x0a\x01k\x18\x01\x20\x02" == written[2]


@given(items, st.integers(1, 64))
def test_items_are_read_back_whatever_the_pieces(written, size):
    """Through compression, chunks and pieces of any length."""
    raw = b"".join(encode_items(written))

    assert written == list(decode_items(raw[i : i + size] for i in range(0, len(raw), size)))
    chunks = list(compress_chunks(encode_items(written), chunk_bytes=size))
    assert all(len(chunk) == size for chunk in chunks[:-1])
    assert raw == zlib.decompress(b"".join(chunks))
    assert raw == b"".join(decompress(chunks))


@given(st.binary(max_size=200))
def test_other_bytes_are_refused_or_are_items(raw):
    """Nothing else happens, whatever comes."""
    for read in (
        lambda: list(decode_items([raw])),
        lambda: import_items(decode_items([raw]), 1),
        lambda: list(decompress([raw])),
    ):
        try:
            read()
        except ValueError as error:
            assert str(error)  # noqa: PT017  # typed errors are ValueErrors with a message


@pytest.mark.parametrize(
    "raw",
    [
        b"\x08\x0a\x06\x0a\x04ban",  # cut off
        b"\x02\x0a\x00",  # a store without a name
        b"\x04\x1a\x02\x0a\x00",  # an extension
        b"\x05\x12\x03\x20\x80\x01",  # a height of 128
        b"\xff\xff\xff\xff\x0f",  # longer than any item
        b"\x03\x0a\x06\x0a",  # a message that ends within a field
    ],
)
def test_what_is_no_item_is_refused(raw):
    """With the number of the item."""
    with pytest.raises(SnapshotError, match="item 0"):
        list(decode_items([raw]))


@pytest.mark.parametrize("damage", ["cut", "more", "other"])
def test_a_stream_that_is_not_whole_is_refused(damage):
    """Cut off, followed by something, or no zlib stream."""
    (chunk,) = compress_chunks(encode_items(["bank"]))
    chunks = {"cut": [chunk[:-1]], "more": [chunk, b"x"], "other": [b"\x00" + chunk]}[damage]

    with pytest.raises(SnapshotError):
        list(decompress(chunks))


@pytest.mark.parametrize("size", [257, 258, 259, 10_000, 3_000_000])
def test_long_repetitions_are_decompressed_to_the_end(size):
    """Whatever waits in the decompressor when all input is taken comes, too."""
    stream = zlib.compress(bytes(size + (1 << 20)), 9)

    assert size + (1 << 20) == sum(map(len, decompress([stream[:-1], stream[-1:]])))


def test_a_node_before_a_store_and_stores_out_of_order_are_refused():
    """As in the SDK, a name comes first; and names ascend, so that none comes twice."""
    node = ExportNode(b"k", b"v", 1, 0)
    streams: list[list[str | ExportNode]] = [
        [node, "bank"],
        ["veid", node, "bank", node],
        ["bank", node, "bank", node],
    ]

    for stream in streams:
        with pytest.raises(SnapshotError):
            import_items(stream, 1)


def test_stores_come_by_name_and_empty_ones_too():
    """Every store has its item, even without a node."""
    full = Tree.from_sorted([(b"a", b""), (b"b", b"2")])
    empty = Tree()
    for tree in (full, empty):
        tree.save_version()

    stream = list(state_items({"veid": full, "bank": empty, "market": full}, 1))
    names = [item for item in stream if isinstance(item, str)]
    stores = import_items(decode_items(encode_items(stream)), 1)

    assert ["bank", "market", "veid"] == names == list(stores)
    assert [empty.root_hash, full.root_hash, full.root_hash] == [
        tree.root_hash for tree in stores.values()
    ]
    assert b"" == stores["veid"].get(b"a")
