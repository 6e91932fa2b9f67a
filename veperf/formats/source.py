"""A file to import: its bytes, unpacked, and decoded lazily as text, lines and JSON."""

import codecs
import csv
import json
import os
import zlib
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import msgspec

from veperf.core.errors import CorruptFileError, DataError, NoSuchFileError
from veperf.core.json_text import parse_json, parse_json_sequence
from veperf.formats.account import FileAccount
from veperf.formats.imported import clean_name

MAX_FILE_BYTES = 128 << 20

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),  # written by a redirection in PowerShell
    (codecs.BOM_UTF16_BE, "utf-16"),
)

_UTF_16 = ("utf-16-le", "utf-16-be")
_PLAIN_BYTES = frozenset(b"\0\t\n\r\x1b" + bytes(range(0x20, 0x7F)))
# What stands for bytes that are not UTF-8, by what they are in Windows-1252, or Latin-1 where it
# has none.
_WINDOWS_1252 = {
    0xDC00 + byte: bytes([byte]).decode("cp1252", "ignore") or chr(byte)
    for byte in range(0x80, 0x100)
}

_GZIP = b"\x1f\x8b"
_SAMPLE_BYTES = 4000
_CHUNK_BYTES = 1 << 16
_BLOCK = 1 << 16
_MOST_MEMBERS = 10_000
_MOST_FILES = 200_000

T = TypeVar("T")


class SourceFile:
    """The content of the file ``name``; derived forms are computed when first used."""

    def __init__(self, data: bytes, name: str) -> None:
        if data.startswith(_GZIP):
            data = _unpacked(data, name)
        if len(data) > MAX_FILE_BYTES:
            raise CorruptFileError(f"{name} is larger than {MAX_FILE_BYTES >> 20} MiB")
        self.data = data
        self.name = name
        self.account = FileAccount(name)
        """What became of its parts; the reader fills it in."""

    @cached_property
    def text(self) -> str:
        """The whole file as text; bytes that are not UTF-8 are noted, and read as Windows-1252.

        So names that differ in such bytes stay apart.
        """
        encoding = next((e for bom, e in _BOMS if self.data.startswith(bom)), "")
        encoding = encoding or _utf_16(self.data[:_SAMPLE_BYTES]) or "utf-8"
        try:
            return self.data.decode(encoding)
        except UnicodeDecodeError as error:
            line = self.data.count(b"\n", 0, error.start) + 1
        if encoding == "utf-16" or encoding in _UTF_16:
            self.account.notes.append(f"line {line} is not UTF-16: characters in it were replaced")
            return self.data.decode(encoding, errors="replace")
        note = f"line {line} is not UTF-8: bytes that are not are read as Windows-1252"
        self.account.notes.append(note)
        return self.data.decode(encoding, errors="surrogateescape").translate(_WINDOWS_1252)

    @cached_property
    def lines(self) -> list[str]:
        """The lines without their ends, split at newlines only, as the tools write them."""
        return [line.removesuffix("\r") for line in self.text.split("\n")]

    def each_line(self) -> Iterator[tuple[int, str]]:
        """Begin the account with the lines, and yield each that is not blank with its number."""
        for number, line in self.account.each("line", self._whole_lines):
            if line.strip():
                yield number, line
            else:
                self.account.skip(number, "blank lines")

    def each_block(self) -> Iterator[tuple[int, str]]:
        """Begin the account with the lines, and yield blocks of them with their first one's number.

        A block has whole lines, also blank ones, and no newline at its end.
        """
        text, start, number = self.text, 0, 1
        self.account.begin("line", text.count("\n") + (text[-1:] not in ("", "\n")))
        while start < len(text):
            newline = text.find("\n", start + _BLOCK)
            end = newline if newline >= 0 else len(text) - text.endswith("\n")
            yield number, text[start:end]
            number += text.count("\n", start, end) + 1
            start = end + 1

    def each_row(self, delimiter: str = ",") -> Iterator[tuple[int, list[str]]]:
        """Begin the account with the lines of a CSV table, and yield each row with its last line.

        Raises:
            CorruptFileError: it is not CSV.
        """
        lines = self._whole_lines
        self.account.begin("line", len(lines))
        rows = csv.reader(lines, delimiter=delimiter)
        before = 0
        try:
            for row in rows:
                for inner in range(before + 1, rows.line_num):
                    self.account.skip(inner, "lines within rows")
                before = rows.line_num
                if any(cell.strip() for cell in row):
                    yield before, row
                else:
                    self.account.skip(before, "blank lines")
        except csv.Error as error:
            raise self.corrupt(f"not CSV: {shorten(str(error))}", rows.line_num) from error

    def each_record(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield the rows of a CSV table, without its header, by column, as ``each_row`` does."""
        head: list[str] | None = None
        for number, row in self.each_row():
            if head is None:
                head = row
                self.account.skip(number, "headers")
            else:
                yield number, dict(zip(head, row, strict=False))

    @property
    def _whole_lines(self) -> list[str]:
        return self.lines[:-1] if self.lines[-1] == "" else self.lines

    @cached_property
    def first_line(self) -> str:
        """The first line that is not blank; empty if there is none."""
        return next((line for line in self.iterate_lines() if line.strip()), "")

    def iterate_lines(self) -> Iterator[str]:
        """Yield the ``lines`` without a list of them all."""
        text, start, end = self.text, 0, 0
        while end >= 0:
            end = text.find("\n", start)
            yield text[start : end if end >= 0 else len(text)].removesuffix("\r")
            start = end + 1

    @cached_property
    def document(self) -> object:
        """The file as one JSON value; NaN and infinities are allowed, as several tools write them.

        Raises:
            CorruptFileError: it is not JSON.
        """
        try:
            return parse_json(self.text)
        except json.JSONDecodeError as error:
            if error.msg == "Extra data":
                problem = "a second JSON document begins here: a file holds one, so split it"
                raise self.corrupt(problem, error.lineno) from error
            raise self.corrupt(f"not valid JSON: {error.msg}", error.lineno) from error
        except ValueError as error:
            raise self.corrupt(f"unreadable JSON: {shorten(str(error))}") from error

    @cached_property
    def documents(self) -> tuple[object, ...]:
        """The JSON values that follow each other in the file, for tools whose files are appended.

        Raises:
            CorruptFileError: one of them is not JSON.
        """
        try:
            return tuple(parse_json_sequence(self.text))
        except json.JSONDecodeError as error:
            raise self.corrupt(f"not valid JSON: {error.msg}", error.lineno) from error
        except ValueError as error:
            raise self.corrupt(f"unreadable JSON: {shorten(str(error))}") from error

    @cached_property
    def first_document(self) -> object:
        """The first JSON value of the file, whatever follows it; None if there is none."""
        if self.text.lstrip()[:1] not in ("{", "["):
            return None
        try:
            return self.document
        except CorruptFileError:
            pass
        try:
            return next(parse_json_sequence(self.text), None)
        except ValueError:
            return None

    @cached_property
    def keys(self) -> frozenset[str]:
        """The keys of the file's first JSON object; empty if it begins with something else."""
        document = self.first_document
        return frozenset(document) if isinstance(document, dict) else frozenset()

    @cached_property
    def entry_keys(self) -> frozenset[str]:
        """The keys of the first object in the file's JSON list; empty if it is something else."""
        if not self.text.lstrip().startswith("["):
            return frozenset()
        try:
            document = self.document
        except CorruptFileError:
            return frozenset()
        first = document[0] if isinstance(document, list) and document else None
        return frozenset(first) if isinstance(first, dict) else frozenset()

    def first_of(self, key: str) -> dict[str, object]:
        """Return the first object of the list under ``key``; empty if there is none."""
        document = self.first_document
        items = document.get(key) if isinstance(document, dict) else None
        return items[0] if isinstance(items, list) and items and isinstance(items[0], dict) else {}

    def document_as(self, kind: type[T]) -> T:
        """Return the file's JSON value as a ``kind``, every field checked against its type.

        Raises:
            CorruptFileError: it does not fit.
        """
        return self.convert(self.document, kind)

    def convert(self, value: object, kind: type[T], line: int | None = None) -> T:
        """Convert a JSON value, of ``line`` if it is not the whole file, to a ``kind``.

        Raises:
            CorruptFileError: it does not fit.
        """
        try:
            return msgspec.convert(value, type=kind)
        # Lone surrogates are a ValueError, whole numbers beyond any float an OverflowError.
        except (msgspec.ValidationError, ValueError, OverflowError) as error:
            raise self.corrupt(f"unexpected content: {shorten(str(error))}", line) from error

    def optional_as(self, value: object, kind: type[T]) -> T | None:
        """Convert optional information to a ``kind``, or return None if it does not fit."""
        try:
            return self.convert(value, kind)
        except CorruptFileError:
            return None

    def corrupt(self, problem: str, line: int | None = None) -> CorruptFileError:
        """Return an error that says ``problem`` is wrong, with the file and ``line``."""
        return CorruptFileError(f"{self.name}{f':{line}' if line else ''}: {problem}")


def _unpacked(data: bytes, name: str) -> bytes:
    """Return the content of a gzip file, of all its members, up to a byte more than is allowed.

    Raises:
        CorruptFileError: it is damaged, or has too many members.
    """
    pieces: list[bytes] = []
    size = at = 0
    for _ in range(_MOST_MEMBERS):
        unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
        while not unpacker.eof:
            chunk = data[at : at + _CHUNK_BYTES]
            if not chunk:
                raise CorruptFileError(f"{name}: damaged gzip file: it ends too early")
            try:
                piece = unpacker.decompress(chunk, MAX_FILE_BYTES + 1 - size)
            except zlib.error as error:
                raise CorruptFileError(f"{name}: damaged gzip file: {error}") from error
            at += len(chunk) - len(unpacker.unused_data)
            pieces.append(piece)
            size += len(piece)
            if size > MAX_FILE_BYTES:
                return b"".join(pieces)
        if not data.startswith(_GZIP, at):
            if data[at:].strip(b"\0"):
                raise CorruptFileError(f"{name}: damaged gzip file: something else follows it")
            return b"".join(pieces)
    raise CorruptFileError(f"{name}: more than {_MOST_MEMBERS:,} gzip files in one")


def _utf_16(data: bytes) -> str:
    """Return the name of UTF-16 where ``data`` is that without a mark, else nothing.

    Of each character of plain text one byte is zero, and always the same: of nearly all, or of one
    in twenty where others are of another script. Few of those have a zero as their other byte, and
    no text has a character of two zeros.
    """
    pairs = list(zip(data[::2], data[1::2], strict=False))
    zeros_first = [second for first, second in pairs if not first]
    zeros_second = [first for first, second in pairs if not second]
    is_big = len(set(zeros_first)) > len(set(zeros_second))
    plain, others = (zeros_first, zeros_second) if is_big else (zeros_second, zeros_first)
    is_likely = len(plain) > 0.9 * len(pairs) or bool(set(data) - _PLAIN_BYTES)
    is_enough = len(plain) > 1 and len(plain) >= 0.05 * len(pairs)
    if not is_likely or not is_enough or len(set(plain)) <= 2 * len(set(others)):
        return ""
    return "" if (0, 0) in pairs else _UTF_16[is_big]


class SourceFolder:
    """A folder with files of one tool: ``load`` reads them, and collects their accounts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = clean_name(str(path))
        self.accounts: list[FileAccount] = []

    def load(self, path: Path) -> SourceFile:
        """Read a file of the folder whose content counts.

        Raises:
            DataError: as ``load_source``.
        """
        source = load_source(path)
        self.accounts.append(source.account)
        return source


def each_file(folder: Path) -> Iterator[Path]:
    """Yield the regular files in a folder and below it, sorted; links to folders are not followed.

    Raises:
        DataError: there are too many to look through.
    """
    seen = 0
    for parent, folders, files in os.walk(folder):
        folders.sort()
        seen += len(files)
        if seen > _MOST_FILES:
            name = clean_name(str(folder))
            raise DataError(f"{name}: more than {_MOST_FILES:,} files; name a folder further down")
        for name in sorted(files):
            path = Path(parent) / name
            if path.is_file():
                yield path


def load_source(path: Path) -> SourceFile:
    """Read the file ``path``.

    Raises:
        NoSuchFileError: there is none.
        CorruptFileError: it can't be read, or is too large.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError as error:
        raise NoSuchFileError(f"no such file: {clean_name(str(path))}") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CorruptFileError(f"can't read {clean_name(str(path))}: {reason}") from error
    return SourceFile(data, clean_name(str(path)))


def is_readable_file(path: Path) -> bool:
    """Return whether ``path`` is a file or pipe; False for names that are too long."""
    try:
        return path.exists() and not path.is_dir()
    except OSError:
        return False


def is_existing_folder(path: Path) -> bool:
    """Return whether ``path`` is a folder; False for names that are too long."""
    try:
        return path.is_dir()
    except OSError:
        return False


def text_field(fields: Mapping[str, object], key: str) -> str:
    """Return the text under ``key``; empty if it is missing or not text."""
    value = fields.get(key)
    return value if isinstance(value, str) else ""


def shorten(text: str) -> str:
    """Cut ``text`` to 200 characters, for messages."""
    return text if len(text) <= 200 else text[:199] + "…"
