"""Reading and writing single files: written atomically, checked when read."""

import contextlib
import errno
import os
import stat
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import msgspec

from veperf.core.errors import CorruptFileError, NewerFormatError, StorageError
from veperf.core.json_text import nesting_depth

MAX_FILE_BYTES = 256 << 20
MAX_DEPTH = 100
"""Greatest nesting depth of a JSON file; veperf's own have a dozen."""

T = TypeVar("T")


class _Header(msgspec.Struct):
    format: int = 1


def write_file(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` atomically: readers see the old file or the new one.

    Raises:
        StorageError: the folder can't be written or the disk is full; the old file is untouched.
    """
    temporary: str | None = None
    try:
        if path.exists() and not path.is_file():  # a device or a pipe, which is not replaced
            path.write_bytes(data)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        Path(temporary).chmod(0o666 & ~umask)  # mkstemp makes files that only the owner can read
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
        raise file_write_error(path, error) from error


def require_writable_file(path: Path) -> None:
    """Check that ``path``, which a user named, can be written, before minutes go into its content.

    Its folder has to be there: one that is made for a mistyped path would be found by nobody.

    Raises:
        StorageError: it can't.
    """
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if path.exists() and not path.is_file():
            path.open("ab").close()
            return
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except FileNotFoundError as error:
        raise StorageError(f"can't write {path}: there is no folder {path.parent}") from error
    except OSError as error:
        raise StorageError(f"can't write {path}: {error.strerror}") from error


def file_write_error(path: Path, error: OSError) -> StorageError:
    """Return the StorageError for an OSError, with advice on what to do."""
    advice = {
        errno.ENOSPC: "the disk is full; free some space and call again",
        errno.EDQUOT: "the disk quota is used up; free some space and call again",
        errno.EROFS: "that is a read-only file system; choose another folder with --archive",
        errno.EACCES: "permission denied; choose another folder with --archive",
        errno.EPERM: "permission denied; choose another folder with --archive",
    }.get(error.errno or 0, f"{error.strerror or error}; choose another folder with --archive")
    return StorageError(error.errno, f"can't write {path}: {advice}")


def write_json(path: Path, value: object) -> None:
    """Write ``value`` as indented JSON, atomically.

    Raises:
        StorageError: as ``write_file``.
    """
    write_file(path, encode_json(value))


def encode_json(value: object) -> bytes:
    """Encode ``value`` as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"


def read_json(path: Path, kind: type[T], *, newest_format: int | None = None) -> T:
    """Read the JSON file ``path`` as a ``kind``, every field checked against its type.

    Raises:
        CorruptFileError: the file can't be read, is not JSON, or is not a ``kind``.
        NewerFormatError: its ``format`` is beyond ``newest_format``.
    """
    return decode_json(read_file(path), str(path), kind, newest_format=newest_format)


def decode_json(data: bytes, where: str, kind: type[T], *, newest_format: int | None = None) -> T:
    """Decode JSON ``data`` as a ``kind``; ``where`` names its file in messages.

    Raises:
        CorruptFileError, NewerFormatError: as ``read_json``.
    """
    # Decoders recurse: where the recursion limit was raised, great depth would end the process.
    if nesting_depth(data) > MAX_DEPTH:
        raise CorruptFileError(f"{where} nests deeper than any file of veperf")
    try:
        if newest_format is not None:
            format = msgspec.json.decode(data, type=_Header).format
            if format > newest_format:
                raise NewerFormatError(
                    f"{where} has format {format}, this veperf reads up to {newest_format}; "
                    "update veperf, or use a file that this version wrote"
                )
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CorruptFileError(
            f"{where} is not a valid {kind.__name__} file: {error}; restore it or make it again"
        ) from error


def read_file(path: Path) -> bytes:
    """Return the bytes of the regular file ``path``.

    Raises:
        CorruptFileError: it can't be read, is not a regular file, or exceeds ``MAX_FILE_BYTES``.
    """
    try:
        # Without O_NONBLOCK, opening a pipe would wait for its other end.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                raise CorruptFileError(f"{path} is not a regular file")
            if status.st_size > MAX_FILE_BYTES:
                raise CorruptFileError(
                    f"{path} has {status.st_size} bytes, more than any file of veperf"
                )
            with os.fdopen(handle, "rb", closefd=False) as file:
                return file.read(MAX_FILE_BYTES)
        finally:
            os.close(handle)
    except OSError as error:
        raise CorruptFileError(f"can't read {path}: {error.strerror or error}") from error


def checksum(data: bytes) -> str:
    """Return the SHA-256 of ``data``, in hexadecimal."""
    return sha256(data).hexdigest()
