"""A file to import: its bytes, unpacked, and decoded lazily as text, lines and JSON."""

import codecs
import json
import zlib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import msgspec

from veperf.core.errors import CorruptFileError
from veperf.core.json_text import parse_json
from veperf.formats.imported import clean_name

MAX_FILE_BYTES = 128 << 20

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),  # written by a redirection in PowerShell
    (codecs.BOM_UTF16_BE, "utf-16"),
)

_GZIP = b"\x1f\x8b"
_SAMPLE_BYTES = 1000

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

    @cached_property
    def text(self) -> str:
        """The whole file as text; bytes that are not UTF-8 become U+FFFD."""
        encoding = next((e for bom, e in _BOMS if self.data.startswith(bom)), "")
        encoding = encoding or _utf_16(self.data[:_SAMPLE_BYTES]) or "utf-8"
        return self.data.decode(encoding, errors="replace")

    @cached_property
    def lines(self) -> list[str]:
        """The lines without their ends, split at newlines only, as the tools write them."""
        return [line.removesuffix("\r") for line in self.text.split("\n")]

    @cached_property
    def first_line(self) -> str:
        """The first line that is not blank; empty if there is none."""
        return next((line for line in self.lines if line.strip()), "")

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
    def keys(self) -> frozenset[str]:
        """The keys of the file's JSON object; empty if it is not an object."""
        if not self.text.lstrip().startswith("{"):
            return frozenset()
        try:
            document = self.document
        except CorruptFileError:
            return frozenset()
        return frozenset(document) if isinstance(document, dict) else frozenset()

    def first_of(self, key: str) -> dict[str, object]:
        """Return the first object of the list under ``key``; empty if there is none."""
        if key not in self.keys or not isinstance(self.document, dict):
            return {}
        items = self.document[key]
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
    """Return the content of a gzip file, up to a byte more than is allowed.

    Raises:
        CorruptFileError: it is damaged.
    """
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        content = unpacker.decompress(data, MAX_FILE_BYTES + 1)
    except zlib.error as error:
        raise CorruptFileError(f"{name}: damaged gzip file: {error}") from error
    if not unpacker.eof and len(content) <= MAX_FILE_BYTES:
        raise CorruptFileError(f"{name}: damaged gzip file: it ends too early")
    return content


def _utf_16(data: bytes) -> str:
    """Return the name of UTF-16 where every other byte of ``data`` is zero, as in plain text."""
    for encoding, zeros, letters in (
        ("utf-16-le", data[1::2], data[::2]),
        ("utf-16-be", data[::2], data[1::2]),
    ):
        if len(zeros) > 1 and zeros.count(0) > 0.9 * len(zeros) and 0 not in letters:
            return encoding
    return ""


def load_source(path: Path) -> SourceFile:
    """Read the file ``path``.

    Raises:
        CorruptFileError: it can't be read, or is too large.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
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
