"""Options that several commands share, and how a command shows its examples."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import click

from veperf.measure.profiles import PASSES

archive_option = click.option(
    "--archive",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="The archive of runs.  [default: $VEPERF_ARCHIVE, else the project's reports/]",
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
_UNITS_S = MappingProxyType({"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0})


def _seconds(
    _context: click.Context, _parameter: click.Parameter, given: str | None
) -> float | None:
    """A length of time: 90, 90s, 10m, 1.5h."""
    if given is None:
        return None
    found = re.fullmatch(r"(\d+\.?\d*)\s*(s|m|min|h|)", given.strip(), re.ASCII)
    if found is None or not float(found[1]) > 0:
        raise click.BadParameter(f"{given!r} is no length of time, such as 90s, 10m or 1.5h")
    return float(found[1]) * _UNITS_S[found[2]]


time_budget_option = click.option(
    "--time-budget",
    "time_budget_s",
    callback=_seconds,
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


def shown(path: Path) -> str:
    """Relative to the current folder where that is shorter."""
    full = path.resolve()
    return str(full.relative_to(Path.cwd())) if full.is_relative_to(Path.cwd()) else str(full)
