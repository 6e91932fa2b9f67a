"""Every reader checks what it reads: a changed byte is an error, an honest edit is not."""

import io
import json
import os
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.faults.ground import known_baseline
from tests.support.archives import archive_of, dated_run
from veperf.archive.baselines import load_baselines, load_targets, save_baseline, update_baseline
from veperf.archive.compaction import compact_archive
from veperf.archive.files import encode_checked_json, read_json
from veperf.archive.query import samples_parquet
from veperf.archive.store import Archive
from veperf.archive.summary import load_summary
from veperf.core.errors import CorruptFileError, NewerFormatError

_COUNT = "SELECT run, count(*) AS n FROM samples GROUP BY ALL ORDER BY run"


def _flip(path: Path, at: int) -> None:
    """Flip a bit as a disk does: size and time of writing stay."""
    status, data = path.stat(), bytearray(path.read_bytes())
    data[at] ^= 4
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("is_packed", [False, True])
def test_a_query_reads_no_table_that_has_changed(tmp_path: Path, is_packed: bool):
    """Whichever byte it is, the query names the file and gives no number."""
    archive = archive_of(tmp_path, [dated_run(day) for day in range(2)])
    if is_packed:
        compact_archive(archive, keep=0)
    path = next(iter(sorted(tmp_path.rglob("samples.parquet"))))
    whole = path.read_bytes()

    for at in range(4, len(whole) - 8, len(whole) // 40):
        _flip(path, at)
        # A new inode: to this process it is another file, as to a new process the same one.
        copy = path.with_name("copy")
        copy.write_bytes(path.read_bytes())
        copy.rename(path)
        with pytest.raises(CorruptFileError, match=r"samples\.parquet has changed since .*verify"):
            Archive(tmp_path).query(_COUNT)
        path.write_bytes(whole)
    assert 2 == len(Archive(tmp_path).query(_COUNT))


def test_a_table_is_read_once_for_its_checksum(near: str, monkeypatch: pytest.MonkeyPatch):
    """A second query opens only what has been written since."""
    archive = archive_of(near, [dated_run(day) for day in range(3)])
    archive.query(_COUNT)
    opened: list[BinaryIO] = []

    def wrong_sum(file: BinaryIO) -> str:
        opened.append(file)
        file.close()
        return "another sum"

    for module in ("local", "remote"):
        monkeypatch.setattr(f"veperf.archive.storage.{module}.checksum_of", wrong_sum)
    archive.query(_COUNT)
    assert [] == opened
    archive.save(dated_run(7))
    with pytest.raises(CorruptFileError, match="has changed"):
        archive.query(_COUNT)
    assert opened


def test_other_readers_find_checksums_of_pages():
    """pyarrow, asked to check them, finds a changed page that it would otherwise read."""
    data = bytearray(samples_parquet(dated_run(0)))
    column = pq.ParquetFile(io.BytesIO(bytes(data))).metadata.row_group(0).column(10)
    data[column.data_page_offset + column.total_compressed_size // 2] ^= 1

    with pytest.raises((pa.ArrowException, OSError)):
        pq.ParquetFile(io.BytesIO(bytes(data)), page_checksum_verification=True).read()


def test_a_baseline_that_was_changed_is_refused_until_its_checksum_goes(tmp_path: Path):
    """A slipped digit is an error that says what to do, which then works."""
    path = save_baseline(tmp_path, known_baseline(0))
    text = path.read_text(encoding="utf-8")
    document = json.loads(text)
    document["series"][0]["cpu"][0] *= 2
    path.write_text(json.dumps(document, indent=1))

    with pytest.raises(CorruptFileError, match=r"demo\.json has changed .*delete its line `check"):
        load_baselines(tmp_path, ["demo"])

    del document["checksum"]
    path.write_text(json.dumps(document, indent=1))
    (edited,) = load_baselines(tmp_path, ["demo"])
    assert document["series"][0]["cpu"][0] == edited.series[0].cpu[0]
    update_baseline(tmp_path, known_baseline(1), reason="measured")
    assert '"checksum"' in path.read_text(encoding="utf-8")


def test_formatters_change_no_checksum(tmp_path: Path):
    """Blanks, line ends and the order of keys are not content: hooks of git change them."""
    path = save_baseline(tmp_path, known_baseline(0))
    document = json.loads(path.read_bytes())
    for text in (
        json.dumps(document, indent=4, sort_keys=True),
        json.dumps(document, separators=(",", ":")),
        json.dumps(document, indent=1).replace("\n", "\r\n"),
    ):
        path.write_bytes(text.encode())
        assert (known_baseline(0),) == load_baselines(tmp_path, ["demo"])


def test_targets_are_edited_by_hand(tmp_path: Path):
    """targets.json needs no checksum; one that it has is checked."""
    targets = {"version": "1", "source": "", "warn_percent": 10, "fail_percent": 20, "targets": []}
    path = tmp_path / "targets.json"
    path.write_text(json.dumps(targets))
    assert () == load_targets(tmp_path).targets

    path.write_bytes(encode_checked_json(targets).replace(b"20", b"21"))
    with pytest.raises(CorruptFileError, match="checksum"):
        load_targets(tmp_path)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(max_examples=40)
@given(st.dictionaries(st.text(), _JSON), st.data())
def test_what_is_written_is_believed_and_no_flipped_bit_changes_it(tmp_path_factory, value, data):
    """Of any JSON, each single flipped bit is an error, or changes nothing that is read."""
    value.pop("checksum", None)
    path = tmp_path_factory.getbasetemp() / "checked.json"
    encoded = encode_checked_json(value)
    path.write_bytes(encoded)
    read = read_json(path, dict)
    at = data.draw(st.integers(0, 8 * len(encoded) - 1))
    flipped = bytearray(encoded)
    flipped[at // 8] ^= 1 << at % 8
    path.write_bytes(flipped)

    try:
        again = read_json(path, dict)
    except CorruptFileError:
        return
    again = {key: item for key, item in again.items() if item != read["checksum"]}
    assert again == {key: item for key, item in read.items() if key != "checksum"}


def test_a_pack_that_nobody_can_read_is_an_error_and_no_gap(near: str):
    """Neither a damaged manifest nor one of a later version makes its runs disappear in silence."""
    archive = archive_of(near, [dated_run(day) for day in range(3)])
    compact_archive(archive, keep=1)
    (pack,) = archive.packs.names()
    whole = archive.packs.storage.read(f"{pack}/pack.json")
    for data, error in (
        (whole.replace(b'"replaces"', b'"replases"'), CorruptFileError),
        (whole[:-20], CorruptFileError),
        (whole.replace(b'"format": 1', b'"format": 9'), NewerFormatError),
    ):
        archive.packs.storage.write(f"{pack}/pack.json", data)
        for ask in (Archive(near).ids, Archive(near).load, lambda: load_summary(Archive(near))):
            with pytest.raises(error, match=r"pack\.json"):
                ask()
        assert "pack.json" in str(Archive(near).faults()["packs"])
    archive.packs.storage.write(f"{pack}/pack.json", whole)
    assert 3 == len(Archive(near).ids())
