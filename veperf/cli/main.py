"""The command line: thin, every command calls what a notebook can call as well."""

import os
import sys
import traceback
from typing import NoReturn

import click

from veperf.cli.ab import ab_command, selfcheck_command
from veperf.cli.archive import archive_command
from veperf.cli.baseline import baseline_command
from veperf.cli.ci import ci_command
from veperf.cli.compare import compare_command
from veperf.cli.export import export_command
from veperf.cli.history import history_command
from veperf.cli.import_ import import_command
from veperf.cli.load import load_command, serve_command, soak_command
from veperf.cli.memory import memory_command
from veperf.cli.options import (
    INTERRUPTED,
    ExampleCommand,
    archive_option,
    options_of,
    patterns_argument,
)
from veperf.cli.report import report_command, site_command
from veperf.cli.run import run_command
from veperf.cli.sweep import sweep_command
from veperf.core.errors import COULD_NOT_MEASURE, OK, VeperfError
from veperf.core.escape import make_visible
from veperf.core.options import ModuleOptions
from veperf.core.version import __version__


@click.command(
    "lab",
    cls=ExampleCommand,
    examples=["veperf lab", "veperf lab --no-browser --port 8890"],
)
@click.option("--browser/--no-browser", default=True, help="Open a browser window.")
@click.option("--port", type=int, default=8888, show_default=True)
def lab_command(browser: bool, port: int) -> NoReturn:
    """Open JupyterLab on the start notebook. Ctrl-C twice ends it."""
    from veperf.jupyter.launcher import jupyterlab_command

    words, environment = jupyterlab_command(browser=browser, port=port)
    os.execvpe(words[0], words, os.environ | environment)  # noqa: S606 - becomes JupyterLab


@click.command(
    "list",
    cls=ExampleCommand,
    examples=["veperf list", "veperf list 'transaction/state*'", "veperf list --runs"],
)
@patterns_argument
@click.option("--runs", is_flag=True, help="The runs in the archive instead.")
@options_of(ModuleOptions)
@archive_option
def list_command(
    patterns: tuple[str, ...], runs: bool, options: ModuleOptions, archive: str | None
) -> None:
    """List the benchmarks, or the runs that were made."""
    from veperf.archive.store import open_archive
    from veperf.core.registry import select_cases
    from veperf.report.tables import listings
    from veperf.report.tables.table import text_table

    if runs:
        store = open_archive(archive)
        click.echo(text_table(listings.runs_table(store.readable_runs(), store.incomplete_ids())))
    else:
        click.echo(text_table(listings.benchmarks_table(select_cases(patterns, options.modules))))


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="veperf")
def veperf() -> None:
    """Performance analysis for VirtEngine: is it fast enough, and is it slower than it was?

    \b
    veperf run           measure, and store the run in the archive
    veperf report last   judge it, and write its HTML report
    veperf ab main       compare with main side by side: is it slower?
    veperf ci            measure, judge, and end with an exit code
    veperf load          put a load on a system for as long as you like
    veperf history       how each benchmark changed, and which commits to look at
    veperf site          the whole archive as a web site

    Exit codes: 0 ok, or warnings; 1 slower, or a target missed; 2 wrong usage or a broken file;
    3 could not measure; 4 inconclusive (with --strict).
    """  # noqa: D301 - click wants the character, not its escape


for command in (
    list_command,
    run_command,
    load_command,
    serve_command,
    soak_command,
    memory_command,
    report_command,
    ab_command,
    selfcheck_command,
    compare_command,
    import_command,
    export_command,
    history_command,
    baseline_command,
    archive_command,
    ci_command,
    lab_command,
    sweep_command,
    site_command,
):
    veperf.add_command(command)


def main() -> NoReturn:
    """The entry point: every error ends as one line and its exit code, never as a traceback."""
    try:
        # Returns what a command gave to ctx.exit(), or None.
        code = veperf(standalone_mode=False) or OK
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (KeyboardInterrupt, click.Abort) as stop:
        # click turns the one into the other, and the notes stay with the cause.
        for note in getattr(stop.__cause__ or stop, "__notes__", ["stopped"]):
            click.echo(f"veperf: {note}", err=True)
        code = INTERRUPTED
    except VeperfError as error:
        click.echo(make_visible(f"veperf: {_message(error)}"), err=True)
        for note in getattr(error, "__notes__", []):
            click.echo(make_visible(note), err=True)
        code = error.exit_code
    except Exception:  # noqa: BLE001 - exit code 1 would say "slower"
        traceback.print_exc()
        click.echo("veperf: a bug in veperf; please report it with the traceback above", err=True)
        code = COULD_NOT_MEASURE
    sys.exit(code)


def _message(error: VeperfError) -> str:
    # An OSError's own text begins with its number.
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)
