"""Files of ``veperf zk``: its options for them, reading and writing."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from veperf.cli.options import display_path
from veperf.cli.output import echo
from veperf.core.errors import DataError, NoSuchFileError, StorageError, UsageError

FILE_PATH = click.Path(path_type=Path)
_MOST_BYTES = 2 << 30


def file_argument(name: str, metavar: str) -> Callable[[Any], Any]:
    """An argument that is a file to read."""
    return click.argument(name, type=FILE_PATH, metavar=metavar)


def file_option(flag: str, help: str, **settings: Any) -> Callable[[Any], Any]:
    """An option that is a file to read."""
    return click.option(flag, type=FILE_PATH, metavar="FILE", help=help, **settings)


test_keys_option = click.option(
    "--allow-test-keys", is_flag=True, help="Take keys whose secrets are known, for tests."
)
force_option = click.option("--force", is_flag=True, help="Replace files that are there.")
r1cs_option = file_option("--r1cs", "The circuit, to check the key and the witness with.")


def output_option(default: str) -> Callable[[Any], Any]:
    """The file to write."""
    return click.option(
        "-o", "--output", type=FILE_PATH, default=default, show_default=True, metavar="FILE",
        help="Where to write it.",
    )  # fmt: skip


@contextmanager
def reading(path: Path) -> Iterator[bytes]:
    """Give the content of ``path``; errors within about its content name it.

    Raises:
        NoSuchFileError: it is not there.
        DataError: it is no file, or too large.
        StorageError: it can't be read.
    """
    name = display_path(path)
    try:
        if not path.is_file():
            if path.exists():
                raise DataError(f"{name}: not a regular file")
            raise NoSuchFileError(f"no such file: {name}")
        if path.stat().st_size > _MOST_BYTES:
            raise DataError(f"{name}: larger than {_MOST_BYTES >> 30} GiB")
        data = path.read_bytes()
    except OSError as error:
        raise StorageError(f"can't read {name}: {error.strerror}") from error
    try:
        yield data
    except DataError as error:
        raise type(error)(f"{name}: {error}") from error


def refuse_existing(*outputs: Path, force: bool) -> None:
    """Refuse to replace files but by force, before any work is done for them.

    Raises:
        UsageError: there is a file of that name, or, by force or not, a folder or a device; or two
            outputs are one file.
        StorageError: that can't be told.
    """
    places = {(os.path.realpath(path.parent), path.name) for path in outputs}
    if len(places) < len(outputs):
        raise UsageError(f"{outputs[0]} can't have both, the proof and the public inputs")
    for path in outputs:
        try:
            if path.exists() and not path.is_file():
                raise UsageError(f"{path} is a folder or a device, not a file to write")
            if not force and (path.exists() or path.is_symlink()):
                raise UsageError(f"{path} is there already; --force replaces it")
        except OSError as error:
            raise StorageError(f"can't write {path}: {error.strerror}") from error


def write_output(path: Path, data: bytes, *, force: bool) -> None:
    """Write a file whole or not at all; one that is there is replaced only by force.

    Raises:
        UsageError: there is a file of that name.
        StorageError: it can't be written.
    """
    from veperf.workloads.atomic_file import replace_file

    refuse_existing(path, force=force)
    name = str(path) if path.is_symlink() else display_path(path)
    replace_file(path, data, path.with_name(f".{path.name}.{os.getpid()}.new"))
    echo(f"wrote {name}")
