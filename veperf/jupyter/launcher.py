"""The command that starts JupyterLab with the start notebook and this Python."""

import os
import shutil
import sys
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

from veperf.archive.files import file_write_error
from veperf.core import paths
from veperf.core.errors import KernelError

START = "start.ipynb"
SCRATCH = "lab"
"""Folder of the copies that JupyterLab opens, in the project's."""
# The folder that holds labconfig/, where JupyterLab looks for settings.
_CONFIG = Path(__file__).parent


def jupyterlab_command(*, browser: bool, port: int) -> tuple[list[str], dict[str, str]]:
    """Return the command line, and the variables to add to its environment.

    JupyterLab looks for no news and no updates: nothing is fetched, and no pop-up asks.

    Raises:
        KernelError: JupyterLab or its Python kernel is not installed.
        StorageError: the notebooks can't be copied to the project's folder.
    """
    for package in ("jupyterlab", "ipykernel"):
        if find_spec(package) is None:
            raise KernelError(
                f"{package} is not installed for {sys.executable}; run `make lab`, which sets "
                "everything up, or `pip install veperf` again"
            )
    root = paths.project_folder()
    words = [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--ServerApp.root_dir={root}",
        # Not as a file to open: the printed address would not open it.
        f"--LabApp.default_url=/lab/tree/{_scratch_copies(root).relative_to(root).as_posix()}/{START}",
        f"--ServerApp.port={port}",
        f"--ServerApp.open_browser={browser}",
    ]
    if os.geteuid() == 0:  # in containers
        words.append("--allow-root")
    before = os.environ.get("JUPYTER_CONFIG_PATH")
    return words, {
        "JUPYTER_CONFIG_PATH": os.pathsep.join(filter(None, [str(_CONFIG), before])),
        # The kernel called python3 is this environment's, not one from the user's home.
        "JUPYTER_PREFER_ENV_PATH": "1",
    }


def _scratch_copies(root: Path) -> Path:
    """Return the folder of the notebooks' copies, which version control passes over.

    What is looked at there changes no file of the project. A copy is never overwritten: where the
    notebook has become newer than the copy, that one is put aside under its day.
    """
    folder = root / SCRATCH
    try:
        folder.mkdir(exist_ok=True)
        (folder / ".gitignore").write_text("*\n")
        for source in sorted(paths.notebooks_folder().glob("*.ipynb")):
            copy = folder / source.name
            if copy.exists() and copy.stat().st_mtime < source.stat().st_mtime:
                day = datetime.fromtimestamp(copy.stat().st_mtime, UTC).strftime("%Y-%m-%d-%H%M%S")
                copy.rename(copy.with_stem(f"{copy.stem}-{day}"))
            if not copy.exists():
                shutil.copyfile(source, copy)
    except OSError as error:
        raise file_write_error(folder, error) from error
    return folder
