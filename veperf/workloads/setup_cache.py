"""Bytes that are dear to make and the same every time, kept on disk for the next process.

For the set-up of benchmarks only. The name of an entry is a hash of all that decides its bytes:
what they are, the parameters, the sources that make and read them, and Python's version. So the
two sides of an A/B comparison share only what both would make alike, and edited code makes its own.

An entry is used only if it is whole: a regular file of this user, in a folder that nobody else may
enter, with the hash of its contents. Whatever is wrong with it, or with the folder, the bytes are
made anew: a cache never fails, it only helps. The folder is ``$VEPERF_SETUP_CACHE`` (``off``: no
cache), or ``veperf/setup`` in ``$XDG_CACHE_HOME`` or ``~/.cache``; of entries beyond 64 MiB those
not used for longest are removed.

An entry::

    name        32 bytes  the hash above
    digest      32 bytes  SHA-256 of the contents
    contents
"""

import os
import secrets
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from veperf.workloads.atomic_file import replace_file

VARIABLE = "VEPERF_SETUP_CACHE"
OFF = "off"
MAX_BYTES = 64 << 20
_HASH_BYTES = 32


def load_or_make(what: str, sources: str, make: Callable[[], bytes]) -> bytes:
    """Return what ``make`` returns, from disk if this or an earlier process has kept it.

    Args:
        what: The bytes in words, with every parameter that they depend on.
        sources: The hash of the code that makes and reads them, by ``hash_sources``.
        make: Makes them; called where there is no sound entry.
    """
    try:
        folder = _private_folder()
    except (OSError, RuntimeError):  # RuntimeError: there is no home
        return make()
    if folder is None or not sources:
        return make()
    name = sha256(repr((what, sys.version, sources)).encode()).digest()
    path = folder / name.hex()
    contents = _read_entry(path, name)
    if contents is None:
        contents = make()
        # A full disk, or another process that just removed the folder: the bytes are there.
        with suppress(OSError):
            entry = name + sha256(contents).digest() + contents
            replace_file(path, entry, path.with_name(f"{path.name}.{secrets.token_hex(8)}"))
            _remove_oldest(folder)
    return contents


def hash_sources(folder: Path) -> str:
    """Return the hash of the Python files in ``folder`` and below, and of this one.

    To be called when they are imported: by the time of use somebody may have edited them. Empty
    where they can't be read, and then nothing is kept.
    """
    here = Path(__file__)
    try:
        return sha256(
            "".join(
                f"{os.path.relpath(file, here.parent)}\n{sha256(file.read_bytes()).hexdigest()}\n"
                for file in [here, *sorted(folder.rglob("*.py"))]
            ).encode()
        ).hexdigest()
    except OSError:
        return ""


def _private_folder() -> Path | None:
    """Return the folder of the cache, made if need be; None if it is off or others may use it.

    Raises:
        OSError: it can't be made.
        RuntimeError: there is no home.
    """
    named = os.environ.get(VARIABLE)
    if named == OFF:
        return None
    if named:
        folder = Path(named)
    else:
        root = os.environ.get("XDG_CACHE_HOME")
        folder = (Path(root) if root else Path.home() / ".cache") / "veperf" / "setup"
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    is_private = status.st_uid == os.geteuid() and not stat.S_IMODE(status.st_mode) & 0o077
    return folder if stat.S_ISDIR(status.st_mode) and is_private else None


def _read_entry(path: Path, name: bytes) -> bytes | None:
    """Return the contents of an entry, whose time of use becomes now; None if it is not sound."""
    try:
        # A pipe of that name must not block, a link must not lead elsewhere.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            is_ours = stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid()
            if not is_ours or status.st_size > MAX_BYTES:
                return None
            data = file.read(MAX_BYTES + 1)
            os.utime(descriptor)
    except OSError:
        return None
    digest, contents = data[_HASH_BYTES : 2 * _HASH_BYTES], data[2 * _HASH_BYTES :]
    is_whole = data[:_HASH_BYTES] == name and sha256(contents).digest() == digest
    return contents if is_whole else None


def _remove_oldest(folder: Path) -> None:
    """Remove files until the rest is within the limit, those not used for longest first."""
    files = [(path, path.lstat()) for path in folder.iterdir()]
    total = sum(status.st_size for _, status in files)
    for path, status in sorted(files, key=lambda file: file[1].st_mtime_ns):
        if total <= MAX_BYTES:
            break
        path.unlink()
        total -= status.st_size
