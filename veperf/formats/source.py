"""One file from elsewhere: its bytes, decoded once for whoever asks."""

import codecs
import json
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import msgspec

from veperf.core.errors import CorruptFileError
from veperf.core.json_text import parse
from veperf.formats.collector import clean

MAX_FILE_BYTES = 128 << 20

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),  # what a redirection in PowerShell writes
    (codecs.BOM_UTF16_BE, "utf-16"),
)

T = TypeVar("T")


class Source:
    """The file ``name`` with its bytes. Everything derived is made when it is first asked for."""

    def __init__(self, data: bytes, name: str) -> None:
        if len(data) > MAX_FILE_BYTES:
            raise CorruptFileError(f"{name} is larger than {MAX_FILE_BYTES >> 20} MiB")
        self.data = data
        self.name = name

    @cached_property
    def text(self) -> str:
        """The whole file; bytes that are no UTF-8 become U+FFFD, as they do in a terminal."""
        encoding = next((e for bom, e in _BOMS if self.data.startswith(bom)), "utf-8")
        return self.data.decode(encoding, errors="replace")

    @cached_property
    def lines(self) -> list[str]:
        """The lines without their ends, split where the tools that wrote them split."""
        return [line.removesuffix("\r") for line in self.text.split("\n")]

    @cached_property
    def first_line(self) -> str:
        """The first line that is not empty; empty where there is none."""
        return next((line for line in self.lines if line.strip()), "")

    @cached_property
    def document(self) -> object:
        """The file as one JSON value, NaN and infinities included: several tools write them.

        Raises:
            CorruptFileError: it is none.
        """
        try:
            return parse(self.text)
        except json.JSONDecodeError as error:
            raise self.corrupt(f"no valid JSON: {error.msg}", error.lineno) from error
        except ValueError as error:
            raise self.corrupt(f"no JSON that can be read: {brief(str(error))}") from error

    @cached_property
    def keys(self) -> frozenset[str]:
        """The keys of the JSON object that the file is; empty where it is none."""
        if not self.text.lstrip().startswith("{"):
            return frozenset()
        try:
            found = self.document
        except CorruptFileError:
            return frozenset()
        return frozenset(found) if isinstance(found, dict) else frozenset()

    def document_as(self, kind: type[T]) -> T:
        """The JSON value as a ``kind``, every field checked against its type.

        Raises:
            CorruptFileError: it is none.
        """
        return self.checked(self.document, kind)

    def checked(self, value: object, kind: type[T], line: int | None = None) -> T:
        """A JSON value, of ``line`` if it is not the whole file, as a ``kind``.

        Raises:
            CorruptFileError: it is none.
        """
        try:
            return msgspec.convert(value, type=kind)
        # Lone surrogates are a ValueError, whole numbers beyond any float an OverflowError.
        except (msgspec.ValidationError, ValueError, OverflowError) as error:
            raise self.corrupt(f"not what it looks like: {brief(str(error))}", line) from error

    def beside(self, value: object, kind: type[T]) -> T | None:
        """What a file says beside its results, as a ``kind``; None where it is none."""
        try:
            return self.checked(value, kind)
        except CorruptFileError:
            return None

    def corrupt(self, what: str, line: int | None = None) -> CorruptFileError:
        """The error that says ``what`` is wrong, and where."""
        return CorruptFileError(f"{self.name}{f':{line}' if line else ''}: {what}")


def load(path: Path) -> Source:
    """The file ``path``.

    Raises:
        CorruptFileError: it can't be read, or is too large.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise CorruptFileError(f"can't read {clean(str(path))}: {why}") from error
    return Source(data, clean(str(path)))


def is_file(path: Path) -> bool:
    """Whether ``path`` can be read as a file, be it a pipe; no name is too long to ask."""
    try:
        return path.exists() and not path.is_dir()
    except OSError:
        return False


def is_folder(path: Path) -> bool:
    """Whether ``path`` is a folder, likewise."""
    try:
        return path.is_dir()
    except OSError:
        return False


def brief(text: str) -> str:
    """As much of ``text`` as fits into a message."""
    return text if len(text) <= 200 else text[:199] + "…"
