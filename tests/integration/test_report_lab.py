"""JupyterLab on the start notebook."""

import json
import os
import subprocess
from pathlib import Path

from veperf.report.lab import command


def test_jupyterlab_takes_the_command_as_it_is_meant():
    """The server's own reading: our notebook, our port, no browser, no news, no update check."""
    words, environment = command(browser=False, port=8899)

    done = subprocess.run(
        [*words, "--show-config-json"],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    config = json.loads(done.stdout)

    assert 0 == done.returncode
    assert "start.ipynb" == Path(config["ServerApp"]["file_to_run"]).name
    assert Path(config["ServerApp"]["file_to_run"]).exists()
    assert (8899, False) == (config["ServerApp"]["port"], config["ServerApp"]["open_browser"])
    assert "None" == config["LabApp"]["news_url"]
    assert "jupyterlab.NeverCheckForUpdate" == config["LabApp"]["check_for_updates_class"]
