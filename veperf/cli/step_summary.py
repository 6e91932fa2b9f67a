"""The summary of a CI step: an option, and what is appended to its file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from veperf.core.errors import StorageError


def summary_option(what: str) -> Callable[[Any], Any]:
    """``--summary``, to which a command appends ``what``."""
    return click.option(
        "--summary",
        type=click.Path(dir_okay=False, path_type=Path),
        envvar="GITHUB_STEP_SUMMARY",
        metavar="FILE",
        help=f"Append {what} as markdown to FILE.  [default: $GITHUB_STEP_SUMMARY]",
    )


def append(summary: Path, content: bytes) -> None:
    """Append ``content`` and the end of a line.

    Raises:
        StorageError: the file can't be written.
    """
    try:
        with summary.open("ab") as file:
            file.write(content + b"\n")
    except OSError as error:
        raise StorageError(f"can't write {summary}: {error.strerror}") from error
