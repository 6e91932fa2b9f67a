"""Options that several commands share, and how a command shows its examples."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from veperf.archive.storage.location import locate
from veperf.core.errors import UsageError
from veperf.core.units import length_s
from veperf.measure.profiles import PASSES


class ArchiveLocation(click.ParamType[str]):
    """A folder, or the URL of one elsewhere. Refusals don't repeat what may hold a secret."""

    name = "archive"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The location in its plain form."""
        try:
            place = locate(value)
        except UsageError as error:
            self.fail(str(error), param, ctx)
        if isinstance(place, Path) and place.is_file():
            self.fail(f"{place} is a file, not a folder", param, ctx)
        return str(place)


archive_option = click.option(
    "--archive",
    type=ArchiveLocation(),
    metavar="FOLDER|URL",
    help="The archive of runs: a folder, or a place elsewhere such as s3://bucket/folder.  "
    "[default: $VEPERF_ARCHIVE, else the project's reports/]",
)
baselines_option = click.option(
    "--baselines",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Published targets and recorded baselines.  [default: the project's data/baselines/]",
)
known_miss_option = click.option(
    "--known-miss",
    "known_misses",
    multiple=True,
    metavar="TARGET",
    help="A target known to be missed: shown as missed, but no failure. Can be repeated.",
)
modules_option = click.option(
    "--module",
    "modules",
    multiple=True,
    metavar="MODULE",
    help="A Python module with benchmarks of your own. Can be repeated.",
)
format_option = click.option(
    "--format",
    default="",
    metavar="FORMAT",
    help="Of the file: go, go-json, pytest-benchmark, pyperf, ...  [default: found out]",
)
by_option = click.option(
    "--by",
    default="",
    metavar="KEY",
    help="Tell runs in a Go file apart by this configuration key.  [default: one run]",
)
rate_option = click.option(
    "--rate", metavar="NUMBER", help="Arrivals a second: short for --param rate=NUMBER."
)
params_option = click.option(
    "--param",
    "params",
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter of the benchmark. Can be repeated.",
)
_profile = click.option(
    "--profile",
    type=click.Choice(list(PASSES)),
    default="quick",
    show_default=True,
    help="How much to measure: 6, 12 or 24 fresh processes.",
)
timeout_option = click.option(
    "--timeout",
    "timeout_s",
    type=float,
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="For one case in one process, its set-up included.",
)


def duration(
    _context: click.Context, _parameter: click.Parameter, given: str | None
) -> float | None:
    """A length of time: 90, 90s, 10m, 1.5h."""
    try:
        return None if given is None else length_s(given)
    except UsageError as error:
        raise click.BadParameter(str(error)) from error


time_budget_option = click.option(
    "--time-budget",
    "time_budget_s",
    callback=duration,
    metavar="TIME",
    help="End comparing after this: 90s, 10m. What is undecided then is inconclusive.",
)
_seed = click.option("--seed", type=int, help="Of the order of measuring.  [default: drawn]")

_memory = click.option("--memory", is_flag=True, help="Measure memory, too, in 3 processes more.")

_Command = TypeVar("_Command", bound=Callable[..., object])


def measuring_options(command: _Command) -> _Command:
    """What to measure and how: the parameters of ``api.run`` from ``select`` to ``memory``."""
    patterns = click.argument("patterns", nargs=-1, metavar="[BENCHMARK]...")
    return patterns(_profile(_seed(timeout_option(modules_option(_memory(command))))))


class ExampleCommand(click.Command):
    """A command whose help ends with examples, line by line as they are written."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.examples = examples

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples:
                    formatter.write(f"  {line}\n")


def shown(path: str | Path) -> str:
    """A path relative to the current folder where that is shorter; a URL as it is."""
    if isinstance(path, str):
        return path
    full = path.resolve()
    return str(full.relative_to(Path.cwd())) if full.is_relative_to(Path.cwd()) else str(full)
