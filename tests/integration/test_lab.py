"""JupyterLab on the start notebook."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from veperf.jupyter.launcher import jupyterlab_command


@pytest.mark.slow
def test_jupyterlab_takes_the_command_as_it_is_meant():
    """The server's own reading: our notebook, our port, no browser; neither news nor updates."""
    words, environment = jupyterlab_command(browser=False, port=8899)

    done = subprocess.run(
        [*words, "--show-config-json"],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    config = json.loads(done.stdout)

    assert 0 == done.returncode
    opened = config["LabApp"]["default_url"].removeprefix("/lab/tree/")
    assert "start.ipynb" == Path(opened).name
    assert (Path(config["ServerApp"]["root_dir"]) / opened).exists()
    assert (8899, False) == (config["ServerApp"]["port"], config["ServerApp"]["open_browser"])
    overrides = Path(environment["JUPYTER_CONFIG_PATH"].split(os.pathsep)[0]) / "labconfig"
    settings = json.loads((overrides / "default_setting_overrides.json").read_text())
    assert {"fetchNews": "false", "checkForUpdates": False} == settings[
        "@jupyterlab/apputils-extension:notification"
    ]
