"""The command line: thin, every command calls what a notebook can call as well."""

import sys
import traceback
from typing import NoReturn

import click

from veperf.cli.ab import ab
from veperf.cli.archive import archive
from veperf.cli.baseline import baseline
from veperf.cli.ci import ci
from veperf.cli.compare import compare
from veperf.cli.export import export
from veperf.cli.history import history
from veperf.cli.import_ import import_
from veperf.cli.lab import lab
from veperf.cli.list_ import list_
from veperf.cli.load import INTERRUPTED, load
from veperf.cli.memory import memory
from veperf.cli.report import report
from veperf.cli.run import run
from veperf.cli.selfcheck import selfcheck
from veperf.cli.serve import serve
from veperf.cli.site import site
from veperf.cli.soak import soak
from veperf.cli.sweep import sweep
from veperf.core.errors import COULD_NOT_MEASURE, OK, VeperfError
from veperf.core.version import __version__


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="veperf")
def veperf() -> None:
    """Performance analysis for VirtEngine: is it fast enough, and is it slower than it was?

    \b
    veperf run                measure, and keep the run in the archive
    veperf load               put a load on it for as long as you like
    veperf report last        judge it, write its HTML report
    veperf site               the whole archive as a web site
    veperf ab main            old and new code side by side: is it slower?
    veperf ci                 both, and end with an exit code for CI
    veperf history            how each benchmark went over the runs, and the commits to blame

    Exit codes: 0 ok, or warnings; 1 slower, or a target missed; 2 wrong usage or a broken file;
    3 could not measure; 4 inconclusive (with --strict).
    """  # noqa: D301 - click wants the character, not its escape


for command in (
    list_,
    run,
    load,
    serve,
    soak,
    memory,
    report,
    ab,
    selfcheck,
    compare,
    import_,
    export,
    history,
    baseline,
    archive,
    ci,
    lab,
    sweep,
    site,
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
        from veperf.core.escape import visible

        click.echo(visible(f"veperf: {_words(error)}"), err=True)
        for note in getattr(error, "__notes__", []):
            click.echo(visible(note), err=True)
        code = error.exit_code
    except Exception:  # noqa: BLE001 - exit code 1 would say "slower"
        traceback.print_exc()
        click.echo("veperf: that is a fault of veperf's; please report it with the above", err=True)
        code = COULD_NOT_MEASURE
    sys.exit(code)


def _words(error: VeperfError) -> str:
    # An OSError's own words begin with its number.
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)
