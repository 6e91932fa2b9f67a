"""JupyterLab on the start notebook."""

import sys

from veperf import paths

START = "start.ipynb"


def command(*, browser: bool, port: int) -> tuple[list[str], dict[str, str]]:
    """The words of a command that opens JupyterLab, and what to add to its environment.

    It looks for no news and no updates: nothing is fetched, and no pop-up asks whether it may be.
    """
    folder = paths.notebooks()
    project = paths.project()
    root = project if folder.is_relative_to(project) else folder
    words = [
        sys.executable,
        "-m",
        "jupyterlab",
        str(folder / START),
        f"--ServerApp.root_dir={root}",
        f"--ServerApp.port={port}",
        f"--ServerApp.open_browser={browser}",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    # The kernel called python3 is this environment's, not one from the user's home.
    return words, {"JUPYTER_PREFER_ENV_PATH": "1"}
