"""Notebook files, read and encoded."""

import sys
from importlib import import_module
from pathlib import Path

if "jsonschema" not in sys.modules:
    # nbformat imports jsonschema, which would build a grammar of IRIs now, in a second of CPU time.
    # No schema of a notebook has an IRI.
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]  # it can't be imported
    import_module("jsonschema")
    del sys.modules["rfc3987_syntax"]

import nbformat
from nbformat import NotebookNode

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


def notebook_bytes(notebook: NotebookNode) -> bytes:
    """Return ``notebook`` as the bytes of its file."""
    text: str = nbformat.writes(notebook)  # type: ignore[no-untyped-call]  # nbformat annotates only its classes
    return text.encode()
