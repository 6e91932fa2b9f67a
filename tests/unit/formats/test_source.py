"""Files however they are packed and encoded."""

import gzip
import json

import pytest

from tests.support.hostile_files import VECTORS
from veperf.core.errors import CorruptFileError, DataError
from veperf.formats import source
from veperf.formats.readers import read_runs
from veperf.formats.source import SourceFile

GO = "pkg: ex/a\r\n" + "BenchmarkX-8 \t 100 \t 250.5 ns/op\r\n" * 3


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16", "utf-8-sig"])
def test_text_of_any_encoding(encoding: str) -> None:
    """Also UTF-16 without a byte order mark, which some tools leave out when they append."""
    (imported,) = read_runs(GO.encode(encoding), "f")

    assert 3 == imported.values


def test_zeros_alone_are_no_encoding() -> None:
    """Neither binary data nor text with single zeros is taken for UTF-16."""
    for data in (b"\0" * 100, b"a\0b\0\0\0", b"BenchmarkX 1 1 ns/op\n\0"):
        assert "\0" in SourceFile(data, "f").text


def test_a_packed_file() -> None:
    """gzip is unpacked, whatever the name."""
    data = (VECTORS / "interop" / "pyperf.json").read_bytes()

    (plain,), (packed,) = read_runs(data, "f"), read_runs(gzip.compress(data), "f")

    assert [p.results for p in plain.run.passes] == [p.results for p in packed.run.passes]


def test_a_damaged_packed_file() -> None:
    """Cut or changed, it is an error."""
    data = gzip.compress(GO.encode() * 100)

    with pytest.raises(CorruptFileError, match="ends too early"):
        read_runs(data[:-10], "f")
    with pytest.raises(CorruptFileError, match="damaged gzip"):
        read_runs(data[:20] + b"\xff\xff\xff" + data[23:], "f")


def test_a_packed_file_that_is_huge(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is unpacked no further than the limit of any file."""
    monkeypatch.setattr(source, "MAX_FILE_BYTES", 1 << 20)

    with pytest.raises(CorruptFileError, match="larger than 1 MiB"):
        SourceFile(gzip.compress(b"a" * (2 << 20)), "f")


def test_two_documents_in_a_file() -> None:
    """The error says so, and where the second begins."""
    document = json.dumps({"context": {}, "benchmarks": []}, indent=1)

    with pytest.raises(DataError, match=r"f:5: a second JSON document begins here"):
        read_runs(f"{document}\n{document}".encode(), "f")
