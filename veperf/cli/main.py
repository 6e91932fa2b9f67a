"""The command line: thin, every command calls what a notebook can call as well.

Each way in which a command can end has its exit code here; docs/verdicts.md has the table.
"""

import errno
import io
import os
import re
import sys
import traceback
from typing import TYPE_CHECKING, NoReturn

import click

from veperf.cli import stop_at_once_on_ctrl_c
from veperf.cli.ab import ab_command, selfcheck_command
from veperf.cli.archive import archive_command
from veperf.cli.baseline import baseline_command
from veperf.cli.ci import ci_command
from veperf.cli.compare import compare_command
from veperf.cli.demo import demo_command
from veperf.cli.export import export_command
from veperf.cli.history import history_command
from veperf.cli.import_ import import_command
from veperf.cli.init import init_command
from veperf.cli.load import load_command, serve_command, soak_command
from veperf.cli.memory import memory_command
from veperf.cli.objectives import gate_command
from veperf.cli.options import (
    ExampleCommand,
    archive_option,
    options_of,
    patterns_argument,
    print_warning,
    refuse_options,
)
from veperf.cli.output import echo
from veperf.cli.profile import profile_command
from veperf.cli.report import report_command, site_command
from veperf.cli.run import run_command
from veperf.cli.sweep import sweep_command
from veperf.cli.upstream import upstream_command
from veperf.cli.zk import zk_command
from veperf.core.errors import (
    COULD_NOT_MEASURE,
    CRASHED,
    INTERRUPTED,
    OK,
    OUTPUT_CLOSED,
    VeperfError,
)
from veperf.core.escape import make_visible
from veperf.core.options import ListCommandOptions, ListOptions, RunFilterOptions
from veperf.core.terminal import terminal_width
from veperf.core.text import join_words
from veperf.core.version import __version__

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_COMPLETING = "_VEPERF_COMPLETE"
_HINT = re.compile(r"; (?=did you mean |[^;`]*`veperf )")
"""What stands before what to do next in a message: in a terminal that has a line of its own."""
_LISTED_RUNS = 1_000
"""Runs that are listed where no number is given."""


@click.command(
    "lab",
    cls=ExampleCommand,
    examples=["veperf lab", "veperf lab --no-browser --port 8890"],
)
@click.option("--browser/--no-browser", default=True, help="Open a browser window.")
@click.option("--port", type=int, default=8888, show_default=True)
def lab_command(browser: bool, port: int) -> NoReturn:
    """Open JupyterLab on the start notebook. Ctrl-C twice ends it.

    The notebooks are copies, in the folder lab, which git passes over: to run them changes no file
    of the project.
    """
    from veperf.jupyter.launcher import jupyterlab_command

    words, environment = jupyterlab_command(browser=browser, port=port)
    os.execvpe(words[0], words, os.environ | environment)  # noqa: S606 - becomes JupyterLab


@click.command(
    "list",
    cls=ExampleCommand,
    examples=[
        "veperf list",
        "veperf list 'transaction/state*'",
        "veperf list --level micro --level component",
        "veperf list -k 'hash or nonce and not load'",
        "veperf list --runs --limit 20",
        "veperf list --runs --since 30d --branch main --machine box-4c",
    ],
)
@patterns_argument
@click.option("--runs", is_flag=True, help="The runs in the archive instead.")
@options_of(ListCommandOptions)
@archive_option
@click.pass_context
def list_command(
    context: click.Context,
    patterns: tuple[str, ...],
    runs: bool,
    options: ListCommandOptions,
    archive: str | None,
) -> None:
    """List the benchmarks, or the runs that were made, the latest last.

    Options that choose among runs go with --runs. Without --limit the last 1,000 are listed.
    """
    from veperf.archive.baselines import load_targets
    from veperf.archive.manifest import LEFT_OUT
    from veperf.archive.missing_runs import progress_lines
    from veperf.archive.run_filter import EVERY_RUN, RunFilter, filter_of
    from veperf.archive.store import open_archive
    from veperf.archive.summary import load_summary
    from veperf.core.paths import default_baselines_folder
    from veperf.core.project import project_selection
    from veperf.core.registry import EVERYTHING, NAMED_SUITES, select_cases
    from veperf.progress.output import print_status
    from veperf.report.tables import listings
    from veperf.report.tables.table import text_table

    if runs and patterns:
        raise click.UsageError("--runs lists all runs: no BENCHMARK")
    if runs:
        refuse_options(context, ListOptions, "--runs lists runs")
        store = open_archive(archive)
        summary = load_summary(store, progress_lines(print_status, "read", 1_000))
        for reason in summary.left_out.values():
            print_warning(f"{LEFT_OUT}{reason}")
        chosen = filter_of(options)
        known = {*summary.ids, *summary.left_out}
        unfinished = store.incomplete_ids(known) if chosen == EVERY_RUN else []
        matching = summary.select(chosen)
        latest = matching.select(RunFilter(limit=options.limit or _LISTED_RUNS))
        if latest.facts.num_rows or unfinished:
            echo(
                text_table(
                    listings.runs_table(latest.runs, unfinished), first_out=listings.RUNS_FIRST_OUT
                )
            )
        else:
            whole = f"passes of the {len(summary.ids):,}" if summary.ids else "is"
            echo(f"No run {whole} in {store.location}.")
        if earlier := matching.facts.num_rows - latest.facts.num_rows:
            echo(f"{earlier:,} earlier ones: --limit {matching.facts.num_rows} lists all")
    else:
        refuse_options(context, RunFilterOptions, "only --runs lists runs")
        cases = select_cases(
            project_selection(patterns) or (EVERYTHING,),
            options.all_modules,
            levels=options.levels,
            expression=options.expression,
        )
        echo(listings.benchmarks_text(cases))
        listed = {target for case in cases for target in case.targets.values()}
        published = load_targets(default_baselines_folder()).targets
        if protocols := listings.protocols_text(t for t in published if t.id in listed):
            echo(f"\nBy which protocol, and what VirtEngine did since:\n\n{protocols}\n")
        if named := [suite for suite in NAMED_SUITES if suite in {case.suite for case in cases}]:
            echo(f"Measured only where it is named: {join_words(named)}")


TASKS: dict[str, tuple[click.Command, ...]] = {
    "Begin": (demo_command, list_command, init_command, lab_command),
    "Measure": (run_command, load_command, soak_command, memory_command, profile_command),
    "Judge": (report_command, ci_command, gate_command, baseline_command),
    "Compare": (ab_command, compare_command, selfcheck_command),
    "Look back": (history_command, site_command, archive_command),
    "Use many machines": (sweep_command, serve_command),
    "Exchange files": (import_command, export_command),
    "Work on VirtEngine": (upstream_command, zk_command),
}
"""The commands by what they are for, in the order of the help."""


class _TaskGroup(click.Group):
    """The group of all commands, whose help lists them by task."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section for each task."""
        widest = max(map(len, self.commands))
        for task, commands in TASKS.items():
            rows = [(c.name.ljust(widest), c.get_short_help_str(200)) for c in commands if c.name]
            with formatter.section(task):
                formatter.write_dl(rows)


@click.group(cls=_TaskGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="veperf")
def veperf() -> None:
    """Performance analysis for VirtEngine: is it fast enough, and is it slower than it was?

    Exit codes: 0 ok, or warnings; 1 slower, or a target missed; 2 wrong usage or a broken file;
    3 could not measure; 4 inconclusive (with --strict, or out of time); 70 a bug in veperf;
    130 stopped by Ctrl-C; 141 nobody reads the output.
    """


for of_task in TASKS.values():
    for command in of_task:
        veperf.add_command(command)


class _OutputError(Exception):
    """An output can't be written. No OSError, as click ends with 1 after a broken pipe."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"can't write: {error.strerror}")
        is_closed = isinstance(error, BrokenPipeError)
        self.exit_code = OUTPUT_CLOSED if is_closed else COULD_NOT_MEASURE


class _Output(io.FileIO):
    """Standard output or standard error, with errors that tell it from any other file."""

    def write(self, data: "ReadableBuffer", /) -> int:
        """Write ``data``.

        Raises:
            _OutputError: it can't be written; what comes later goes nowhere.
        """
        try:
            return super().write(data)
        except OSError as error:
            # Else the interpreter's last flush would fail, too, and change the exit code.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            raise _OutputError(error) from error


def _watch_outputs() -> None:
    """Have every failure to write an output raise an ``_OutputError``."""
    if sys.stdin is None:  # else its number would become that of an output
        os.open(os.devnull, os.O_WRONLY)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not getattr(sys, f"__{name}__"):
            continue  # somebody else's, such as a test's
        # In place of a closed one, a file that can't be written: else one of veperf's own would get
        # its number, and children would write into that.
        place = os.open(os.devnull, os.O_RDONLY) if stream is None else stream.fileno()
        file = io.BufferedWriter(_Output(place, "wb", closefd=False))
        encoding = "utf-8" if stream is None else stream.encoding
        text = io.TextIOWrapper(file, encoding, "backslashreplace", line_buffering=True)
        setattr(sys, name, text)


def main() -> NoReturn:
    """The entry point: an error ends as one line and its exit code, a bug as a traceback."""
    _watch_outputs()
    try:
        stop_at_once_on_ctrl_c(False)
        code = _run_command()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    except KeyboardInterrupt:  # in the middle of a message
        code = INTERRUPTED
    except _OutputError as error:  # of a message or the flush
        code = error.exit_code
    sys.exit(code)


def _run_command() -> int:
    """Run the command of the command line; return its exit code."""
    try:
        # Returns what a command gave to ctx.exit(), or None.
        return veperf(prog_name="veperf", standalone_mode=False) or OK
    except click.ClickException as error:
        text = io.StringIO()
        error.show(text)
        echo(text.getvalue().rstrip("\n"), err=True)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort) as stop:
        # click turns the one into the other, and the notes stay with the cause.
        cause = stop.__cause__ or stop
        if isinstance(cause, EOFError):  # no Ctrl-D: no command reads the terminal
            return _crash(cause)
        for note in getattr(cause, "__notes__", ["stopped"]):
            echo(make_visible(f"veperf: {note}"), err=True)
        return INTERRUPTED
    except VeperfError as error:
        message = make_visible(f"veperf: {_message(error)}")
        if terminal_width(sys.stderr) is not None:
            message = _HINT.sub("\n  ", message)
        echo(message, err=True)
        for note in getattr(error, "__notes__", []):
            echo(make_visible(note), err=True)
        return error.exit_code
    except _OutputError as error:
        if error.exit_code != OUTPUT_CLOSED:
            echo(f"veperf: {error}", err=True)
        return error.exit_code
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            return _crash(error)
        echo(make_visible(f"veperf: can't write: {error.strerror}"), err=True)
        return COULD_NOT_MEASURE
    except SystemExit as end:  # click's, where a pipe to a worker or the like broke
        if _COMPLETING in os.environ:  # or where a shell has its answer
            return int(end.code or OK)
        return _crash(end.__context__ or end)
    except Exception as error:  # noqa: BLE001 - exit code 1 would say "slower"
        return _crash(error)


def _crash(error: BaseException) -> int:
    """Print the traceback and what to do with it; return the exit code of a bug."""
    click.echo(make_visible("".join(traceback.format_exception(error))), err=True, nl=False)
    message = make_visible(" ".join(f"{type(error).__name__}: {error}".split()))
    echo(
        f"veperf: a bug in veperf, and no verdict ({message}); please report it with the traceback "
        "above",
        err=True,
    )
    return CRASHED


def _message(error: VeperfError) -> str:
    # An OSError's own text begins with its number.
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)
