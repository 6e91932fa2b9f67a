"""``veperf lab``."""

import os
from typing import NoReturn

import click

from veperf.cli.options import ExampleCommand


@click.command(
    cls=ExampleCommand,
    examples=["veperf lab", "veperf lab --no-browser --port 8890"],
)
@click.option("--browser/--no-browser", default=True, help="Open a browser window.")
@click.option("--port", type=int, default=8888, show_default=True)
def lab(browser: bool, port: int) -> NoReturn:
    """Open JupyterLab on the start notebook. Ctrl-C twice ends it."""
    from veperf.jupyter.launcher import command

    words, environment = command(browser=browser, port=port)
    os.execvpe(words[0], words, os.environ | environment)  # noqa: S606 - becomes JupyterLab
