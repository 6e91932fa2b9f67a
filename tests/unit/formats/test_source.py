"""Files however they are packed and encoded."""

import codecs
import contextlib
import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


def test_packed_files_that_follow_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them are read, as gzip does; what is none behind them is an error, and so are many."""
    half = len(GO) // 2
    members = gzip.compress(GO[:half].encode()) + gzip.compress(GO[half:].encode())

    for data in (members, members + b"\0" * 512):
        assert GO.encode() == SourceFile(data, "f").data
    with pytest.raises(CorruptFileError, match="something else follows"):
        SourceFile(members + b"more", "f")
    with pytest.raises(CorruptFileError, match="ends too early"):
        SourceFile(members[:-4], "f")
    monkeypatch.setattr(source, "_MOST_MEMBERS", 1)
    with pytest.raises(CorruptFileError, match="more than 1 gzip files"):
        SourceFile(members, "f")


def test_a_packed_file_that_is_huge(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is unpacked no further than the limit of any file."""
    monkeypatch.setattr(source, "MAX_FILE_BYTES", 1 << 20)

    with pytest.raises(CorruptFileError, match="larger than 1 MiB"):
        SourceFile(gzip.compress(b"a" * (2 << 20)), "f")


def test_two_documents_in_a_file() -> None:
    """The error says so, and where the second begins."""
    document = json.dumps({"results": [{"command": "c", "times": [1]}]}, indent=1)

    with pytest.raises(DataError, match=r"f:11: a second JSON document begins here"):
        read_runs(f"{document}\n{document}".encode(), "f")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(st.lists(JSON, max_size=5), st.sampled_from(["\n", " ", "\r\n\t", "\n\n"]))
def test_documents_that_follow_each_other(values: list[object], blanks: str) -> None:
    """All of them are read, with blanks around them; the first whatever follows it."""
    text = blanks + blanks.join(map(json.dumps, values)) + blanks

    assert tuple(values) == SourceFile(text.encode(), "f").documents
    broken = SourceFile(f"{text}{{".encode(), "f")
    with pytest.raises(CorruptFileError, match=r"f:[0-9]+: not valid JSON"):
        _ = broken.documents
    expected = values[0] if values and isinstance(values[0], dict | list) else None
    assert expected == broken.first_document


def test_bytes_that_are_no_utf_8_keep_names_apart() -> None:
    """They are what they are in Windows-1252, beside characters in UTF-8, and it is noted."""
    data = b"BenchmarkX\xc4 1 5 \xb5s\nBenchmarkX\xd6 1 6 ns/op\nBenchmark\xe2\x82\xac 1 7 ns/op\n"

    (imported,) = read_runs(data, "f")

    names = [case.id.rpartition("/")[2] for case in imported.run.cases]
    assert ["BenchmarkXÄ", "BenchmarkXÖ", "Benchmark€"] == names
    assert any("line 1 is not UTF-8" in note for note in imported.notes)


def test_halves_of_characters_keep_names_apart() -> None:
    """JSON can hold them; no file can."""
    text = "".join(f'{{"benchmark": "a\\ud80{i}", "value": 1}}\n' for i in range(2))

    (imported,) = read_runs(text.encode(), "f")

    assert 2 == len({case.id for case in imported.run.cases})


@given(st.binary(max_size=60).filter(lambda data: not data.startswith(b"\x1f\x8b")))
def test_any_bytes_are_text_of_as_many_kinds(data: bytes) -> None:
    """What differs stays different, and what is UTF-8 is read as that; gzip is no text."""
    other = data + b"\xff"

    assert SourceFile(data, "f").text != SourceFile(other, "f").text
    with contextlib.suppress(UnicodeDecodeError):
        if b"\0" not in data and not data.startswith(codecs.BOM_UTF8):
            assert data.decode() == SourceFile(data, "f").text


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("word", ["漢字測試", "一言最", "Привет", "日本語テスト"])
def test_utf_16_of_any_script_without_a_mark(encoding: str, word: str) -> None:
    """Though few of its characters have a zero, and though some have it as the other byte."""
    text = "".join(f"Benchmark{word * 12}{i} 1 5 ns/op\n" for i in range(3))

    assert text == SourceFile(text.encode(encoding), "f").text


def test_a_number_of_thousands_of_digits() -> None:
    """The error says what is wrong, and not how Python could be told to read it."""
    with pytest.raises(CorruptFileError, match="a whole number of 5,000 digits") as error:
        _ = SourceFile(f'{{"a": {"1" * 5000}}}'.encode(), "f").document

    assert "sys." not in str(error.value)
