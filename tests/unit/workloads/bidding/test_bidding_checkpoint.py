"""A checkpoint is read as it was written, or rejected."""

from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from veperf.core.errors import CorruptFileError, DataError, NewerFormatError, StorageError
from veperf.workloads.bidding.checkpoint import Checkpoint, CheckpointFile, Reservation
from veperf.workloads.bidding.providers import Resources

MAGIC = b"veperf bidding checkpoint\n"
HELD = Reservation("order-2", "provider", Resources(1, 2, 3, 4), None)
CHECKPOINT = Checkpoint("virtengine-1", bytes(32), 7, ["order-1", "order-2"], [HELD])
NAMES = st.text("ab", min_size=1, max_size=3)
MOMENTS = st.integers(0, 2**63 - 1)
RESERVATIONS = st.builds(
    Reservation, NAMES, NAMES, st.builds(Resources, st.integers(0, 10**15)), st.none() | MOMENTS
)
CHECKPOINTS = st.builds(
    Checkpoint,
    NAMES,
    st.binary(),
    MOMENTS,
    st.lists(NAMES),
    st.lists(RESERVATIONS, max_size=5),
    st.lists(MOMENTS),
    st.dictionaries(MOMENTS, MOMENTS),
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("checkpoint") / "checkpoint"


def written(body: bytes, version: int = 3) -> bytes:
    """Write a checkpoint file by hand, as the module documents it."""
    return MAGIC + bytes([version]) + sha256(body).digest() + body


@given(checkpoint=CHECKPOINTS)
def test_a_saved_checkpoint_is_loaded(path: Path, checkpoint: Checkpoint) -> None:
    """It replaces the one before, and nothing else is left in the folder."""
    file = CheckpointFile(path)
    file.save(checkpoint)

    assert checkpoint == file.load()
    assert [path] == list(path.parent.iterdir())
    assert written(msgspec.msgpack.encode(checkpoint)) == path.read_bytes()


def test_no_file_is_no_checkpoint(tmp_path: Path) -> None:
    """A daemon that starts for the first time has none."""
    assert CheckpointFile(tmp_path / "none").load() is None


def test_a_file_that_was_cut_off_anywhere(tmp_path: Path) -> None:
    """Every proper prefix of a checkpoint is rejected."""
    file = CheckpointFile(tmp_path / "checkpoint")
    file.save(CHECKPOINT)
    data = file.path.read_bytes()

    for length in range(len(data)):
        file.path.write_bytes(data[:length])
        with pytest.raises(DataError):
            file.load()


def test_a_file_with_any_changed_byte(tmp_path: Path) -> None:
    """A file with a byte altered or added is rejected."""
    file = CheckpointFile(tmp_path / "checkpoint")
    file.save(CHECKPOINT)
    data = file.path.read_bytes()

    for place in range(len(data)):
        file.path.write_bytes(data[:place] + bytes([data[place] ^ 0x41]) + data[place + 1 :])
        with pytest.raises(DataError):
            file.load()
    file.path.write_bytes(data + b"\0")
    with pytest.raises(CorruptFileError):
        file.load()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        msgspec.msgpack.encode([1, 2]),
        msgspec.msgpack.encode({"chain_id": "x"}),
        msgspec.msgpack.encode(CHECKPOINT).replace(b"cpu_cores\x01", b"cpu_cores\xff"),
        b"\x91" * 100_000,
    ],
    ids=["empty", "no msgpack", "a list", "fields missing", "negative", "deep"],
)
def test_a_right_checksum_over_nonsense(tmp_path: Path, body: bytes) -> None:
    """A valid checksum alone does not make a file a checkpoint."""
    file = CheckpointFile(tmp_path / "checkpoint")
    file.path.write_bytes(written(body))

    with pytest.raises(CorruptFileError, match="checkpoint"):
        file.load()


def test_a_later_format_is_named(tmp_path: Path) -> None:
    """The error names the format; it does not call the file corrupt."""
    file = CheckpointFile(tmp_path / "checkpoint")
    file.path.write_bytes(written(b"", version=4))

    with pytest.raises(NewerFormatError, match="format 4"):
        file.load()


@pytest.mark.parametrize(
    ("version", "missing"), [(1, ["recorded_ns", "bids_ns"]), (2, ["recorded_ns"])]
)
def test_earlier_formats_are_read(tmp_path: Path, version: int, missing: list[str]) -> None:
    """The first has no bids of the rate limiter, the second none by their events."""
    fields = msgspec.msgpack.decode(msgspec.msgpack.encode(CHECKPOINT))
    for name in missing:
        del fields[name]
    file = CheckpointFile(tmp_path / "checkpoint")
    file.path.write_bytes(written(msgspec.msgpack.encode(fields), version))

    loaded = file.load()
    assert loaded is not None
    assert replace(CHECKPOINT, bids_ns=[]) == replace(loaded, bids_ns=[])


def test_an_unwritable_path(tmp_path: Path) -> None:
    """Writing raises StorageError; a folder in the file's place is corrupt."""
    with pytest.raises(StorageError):
        CheckpointFile(tmp_path / "none" / "checkpoint").save(CHECKPOINT)
    with pytest.raises(CorruptFileError):
        CheckpointFile(tmp_path).load()
