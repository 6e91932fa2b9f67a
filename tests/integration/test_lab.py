"""JupyterLab on the start notebook."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from veperf.core import paths
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


def test_what_is_done_in_jupyterlab_changes_no_file_of_the_project(tmp_path, monkeypatch):
    """The notebooks are copies, with their links; git passes over them, whatever their project."""
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    (tmp_path / "veperf.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    words, _ = jupyterlab_command(browser=False, port=8899)
    folder = tmp_path / "lab"
    start = folder / "start.ipynb"
    start.write_text("executed")
    status = subprocess.run(
        ["git", "status", "--porcelain", "--untracked-files=all"], capture_output=True, check=True
    )

    assert b"?? veperf.toml\n" == status.stdout
    assert any(word.endswith("/lab/tree/lab/start.ipynb") for word in words)
    assert {path.name for path in paths.notebooks_folder().glob("*.ipynb")} == {
        path.name for path in folder.glob("*.ipynb")
    }
    jupyterlab_command(browser=False, port=8899)
    assert "executed" == start.read_text()


def test_a_copy_of_an_older_notebook_is_put_aside(tmp_path, monkeypatch):
    """Nothing that was written there is lost."""
    (tmp_path / "veperf.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    jupyterlab_command(browser=False, port=8899)
    start = tmp_path / "lab" / "start.ipynb"
    start.write_text("of mine")
    os.utime(start, (0, 0))
    jupyterlab_command(browser=False, port=8899)

    assert (paths.notebooks_folder() / "start.ipynb").read_bytes() == start.read_bytes()
    assert "of mine" == start.with_name("start-1970-01-01-000000.ipynb").read_text()
