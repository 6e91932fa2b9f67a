"""How JupyterLab is started: on the start notebook, with this Python, without news pop-ups."""

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

from veperf.archive.files import storage_error
from veperf.core import paths
from veperf.core.errors import KernelError

START = "start.ipynb"
_CONFIG = Path(__file__).parent / "jupyter"


def command(*, browser: bool, port: int) -> tuple[list[str], dict[str, str]]:
    """The words to execute, and what to add to their environment.

    It looks for no news and no updates: nothing is fetched, and no pop-up asks whether it may be.

    Raises:
        KernelError: JupyterLab or its Python kernel is not installed.
        StorageError: the notebooks can't be copied to the current folder.
    """
    for package in ("jupyterlab", "ipykernel"):
        if find_spec(package) is None:
            raise KernelError(
                f"{package} is not installed for {sys.executable}; run `make lab`, which sets "
                "everything up, or `pip install veperf` again"
            )
    root = paths.project()
    words = [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--ServerApp.root_dir={root}",
        # Not as a file to open: the address that is printed would not lead to it.
        f"--LabApp.default_url=/lab/tree/{_notebooks(root).relative_to(root).as_posix()}/{START}",
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


def _notebooks(root: Path) -> Path:
    """The project's notebooks; outside a checkout a copy to work in, never written over."""
    folder = root / "notebooks"
    try:
        folder.mkdir(exist_ok=True)
        for source in sorted(paths.notebooks().glob("*.ipynb")):
            if not (folder / source.name).exists():
                shutil.copyfile(source, folder / source.name)
    except OSError as error:
        raise storage_error(folder, error) from error
    return folder
