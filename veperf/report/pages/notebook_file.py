"""Notebook files, read and written."""

from pathlib import Path

import nbformat
from nbformat import NotebookNode

from veperf.archive.files import write_file
from veperf.core.errors import UsageError


def read_notebook(path: Path) -> NotebookNode:
    """Return the notebook at ``path`` in nbformat 4.

    Raises:
        UsageError: there is no such file, or it is not a notebook.
    """
    try:
        notebook: NotebookNode = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # nbformat annotates only its classes
    except FileNotFoundError as error:
        raise UsageError(f"there is no notebook {path}") from error
    except (OSError, ValueError, AttributeError, nbformat.ValidationError) as error:
        raise UsageError(f"{path} is not a readable notebook: {error}") from error
    return notebook


def write_notebook(path: Path, notebook: NotebookNode) -> None:
    """Write ``notebook`` to ``path``, whole or not at all.

    Raises:
        StorageError: ``path`` can't be written.
    """
    text: str = nbformat.writes(notebook)  # type: ignore[no-untyped-call]  # nbformat annotates only its classes
    write_file(path, text.encode())
