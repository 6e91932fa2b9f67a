"""Reading and writing single files: written atomically and through no link, checked when read.

JSON files end with a checksum of their content, which does not change with blanks, line ends and
the order of keys. Who edits such a file on purpose deletes its line.
"""

import contextlib
import errno
import os
import secrets
import stat
import tempfile
from collections.abc import Iterator, Sequence
from hashlib import file_digest, sha256
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, TypeVar

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
    """Write ``data`` to ``path``, which a user chose, atomically: readers see old or new.

    A device or a pipe is written, not replaced.

    Raises:
        StorageError: the folder can't be written or the disk is full; the old file is untouched.
    """
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with folder_inside(path.parent) as folder:
            _replace(folder, path.name, data)
    except OSError as error:
        raise file_write_error(path, error) from error


def write_inside(root: Path, name: str, data: bytes) -> None:
    """Write ``data`` to the file ``name`` below ``root``, as ``write_file``, but through no link.

    Archives come from elsewhere, by git too, which carries links: what they point to is not ours.

    Raises:
        StorageError: a folder below ``root`` or the file itself is a link, the file is no plain
            one, or as ``write_file``.
    """
    inner = PurePosixPath(name)
    try:
        root.mkdir(parents=True, exist_ok=True)
        with folder_inside(root, str(inner.parent), make=True) as folder:
            _refuse_special_file(folder, inner.name)
            _replace(folder, inner.name, data)
    except OSError as error:
        raise file_write_error(root / name, error) from error


def require_way_inside(root: Path, name: str) -> None:
    """Check that no link, and nothing but a plain file, is in the way of ``write_inside``.

    Raises:
        StorageError: something is.
    """
    inner = PurePosixPath(name)
    try:
        with (
            contextlib.suppress(FileNotFoundError),
            folder_inside(root, str(inner.parent)) as folder,
        ):
            _refuse_special_file(folder, inner.name)
    except OSError as error:
        raise file_write_error(root / name, error) from error


@contextlib.contextmanager
def folder_inside(root: Path, name: str = "", *, make: bool = False) -> Iterator[int]:
    """Open the folder ``name`` below ``root``, going through no link, and give its descriptor.

    Raises:
        OSError: it can't be opened or made; ELOOP where there is a link below ``root``.
    """
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    folder = os.open(root, flags)
    try:
        for part in PurePosixPath(name).parts:
            if part == "..":
                raise OSError(errno.ELOOP, f"{name!r} leads out of {root}")
            if make:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, dir_fd=folder)
            try:
                inner = os.open(part, flags | os.O_NOFOLLOW, dir_fd=folder)
            except NotADirectoryError:
                _refuse_link(folder, part)
                raise
            os.close(folder)
            folder = inner
        yield folder
    finally:
        os.close(folder)


def _refuse_link(folder: int, name: str) -> None:
    if stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))


def _refuse_special_file(folder: int, name: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        _refuse_link(folder, name)
        if not stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            raise OSError(errno.EEXIST, "something that is no plain file has its name")


def _replace(folder: int, name: str, data: bytes) -> None:
    """Write a file in the open ``folder`` under a temporary name, and rename it, durably."""
    temporary = f".{name[:100]}.{secrets.token_hex(6)}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(temporary, flags, 0o666, dir_fd=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise
    with contextlib.suppress(OSError):  # some file systems can't sync a folder
        os.fsync(folder)


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
        errno.EROFS: "that is a read-only file system; choose another folder, or a copy of it",
        errno.EACCES: "permission denied; make it writable, or choose another folder",
        errno.EPERM: "permission denied; make it writable, or choose another folder",
        errno.ELOOP: "a symbolic link is in its way, and none is followed; see where it leads, and "
        "remove it",
    }.get(error.errno or 0, f"{error.strerror or error}; choose another folder")
    return StorageError(error.errno, f"can't write {path}: {advice}")


def write_json(path: Path, value: object) -> None:
    """Write ``value`` as indented JSON with its checksum, atomically.

    Raises:
        StorageError: as ``write_file``.
    """
    write_file(path, encode_checked_json(value))


def encode_json(value: object) -> bytes:
    """Encode ``value`` as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(value, enc_hook=_plain), indent=1) + b"\n"


def _plain(value: object) -> object:
    """Return what msgspec writes in place of ``value``, such as passes that are made on demand."""
    if isinstance(value, Sequence):
        return list(value)
    raise NotImplementedError(f"{type(value).__name__} has no JSON")


CHECKSUM = "checksum"


def encode_checked_json(value: object, **more: object) -> bytes:
    """Encode ``value``, a struct or mapping, as ``encode_json`` with ``more`` and its checksum."""
    content: dict[str, Any] = {**msgspec.to_builtins(value, str_keys=True), **more}
    return encode_json(content | {CHECKSUM: _content_checksum(content)})


def _content_checksum(content: dict[str, Any]) -> str:
    return checksum(msgspec.json.encode(content, order="deterministic"))


def _check_content(data: bytes, where: str) -> None:
    """Check the JSON ``data`` against its checksum, if it has one.

    Raises:
        CorruptFileError: it differs.
    """
    if f'"{CHECKSUM}"'.encode() not in data:
        return
    content = msgspec.json.decode(data)
    if isinstance(content, dict) and CHECKSUM in content:
        expected = content.pop(CHECKSUM)
        if expected != _content_checksum(content):
            raise CorruptFileError(
                f"{where} has changed since veperf wrote it (checksum differs): restore it from a "
                f"copy, such as git's; if it was edited on purpose, delete its line `{CHECKSUM}`"
            )


def read_json(path: Path, kind: type[T], *, newest_format: int | None = None) -> T:
    """Read the JSON file ``path`` as a ``kind``, every field checked against its type.

    Raises:
        CorruptFileError: the file can't be read, is not JSON, is not a ``kind``, or differs from
            its checksum.
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
        _check_content(data, where)
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError) as error:
        raise CorruptFileError(
            f"{where} is not a valid {kind.__name__} file: {error}; restore it or make it again"
        ) from error


def read_file(path: Path) -> bytes:
    """Return the bytes of the regular file ``path``.

    Raises:
        CorruptFileError: it can't be read, is not a regular file, or exceeds ``MAX_FILE_BYTES``.
    """
    try:
        return _read_all(os.open(path, _READ), path)
    except OSError as error:
        raise file_read_error(path, error) from error


def read_inside(root: Path, name: str) -> bytes:
    """Return the bytes of the file ``name`` below ``root``, going through no link.

    Raises:
        CorruptFileError: there is a link, or as ``read_file``.
    """
    path = root / name
    try:
        return _read_all(open_inside(root, name), path)
    except OSError as error:
        raise file_read_error(path, error) from error


# Without O_NONBLOCK, opening a pipe would wait for its other end.
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


def open_inside(root: Path, name: str) -> int:
    """Open the file ``name`` below ``root`` for reading, through no link; return its descriptor.

    Raises:
        OSError: it can't be opened; ELOOP where there is a link.
    """
    inner = PurePosixPath(name)
    with folder_inside(root, str(inner.parent)) as folder:
        return os.open(inner.name, _READ | os.O_NOFOLLOW, dir_fd=folder)


def _read_all(handle: int, path: Path) -> bytes:
    """Return the bytes of an open file, and close it."""
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


def file_read_error(path: Path, error: OSError) -> CorruptFileError:
    """Return the CorruptFileError for an OSError."""
    if error.errno == errno.ELOOP:
        return CorruptFileError(
            f"{path} is a symbolic link, or lies behind one, which no archive has: remove it"
        )
    return CorruptFileError(f"can't read {path}: {error.strerror or error}")


def checksum(data: bytes) -> str:
    """Return the SHA-256 of ``data``, in hexadecimal."""
    return sha256(data).hexdigest()


def checksum_of(file: BinaryIO) -> str:
    """Return the SHA-256 of a file of any size, in hexadecimal, and close the file."""
    with file:
        return file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # a BinaryIO has the methods it needs
