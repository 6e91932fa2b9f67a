"""Options of commands: made of the options types, or shared by several commands."""

import functools
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import MISSING
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource
from msgspec import Meta

from veperf.archive.cli_hints import command_hint
from veperf.archive.manifest import LEFT_OUT
from veperf.archive.storage.location import locate
from veperf.cli.completion import complete_benchmarks
from veperf.cli.output import echo
from veperf.core.errors import (
    MeasureError,
    StorageError,
    UsageError,
    WorkerCrashedError,
    WorkerTimeoutError,
)
from veperf.core.escape import one_line
from veperf.core.option_fields import OptionField, Options, option_fields
from veperf.core.options import DirectionOptions
from veperf.core.run import Run

_LONGEST_IMPORT_S = 300.0
_LISTED_FAILURES = 20
_Command = TypeVar("_Command", bound=Callable[..., object])


class ArchiveLocation(click.ParamType[str]):
    """A folder, or the URL of one elsewhere. Refusals don't repeat what may hold a secret."""

    name = "archive"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the location in its plain form."""
        try:
            location = locate(value)
        except UsageError as error:
            self.fail(str(error), param, ctx)
        if isinstance(location, Path) and location.is_file():
            self.fail(f"{location} is a file, not a folder", param, ctx)
        return str(location)


class NumberWithUnit(click.ParamType[float]):
    """A ratio or a length of time, as an option's field reads it."""

    def __init__(self, field: OptionField) -> None:
        self.name = field.text_name
        self._field = field

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number; a default is one already."""
        try:
            number: float = self._field.read(value)
        except UsageError as error:
            self.fail(str(error), param, ctx)
        return number


class FieldOption(click.Option):
    """The option of a field."""

    def __init__(self, *args: Any, field: OptionField, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.field = field


def options_of(kind: type[Options]) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """Give a command an option for each field of ``kind``; it gets all of them as ``options``.

    The command raises UsageError where a ``--module`` would end this process.
    """

    def decorate(command: Callable[..., object]) -> Callable[..., object]:
        @functools.wraps(command)
        def call(*args: Any, **values: Any) -> object:
            settings = {field.name: values.pop(field.name) for field in option_fields(kind)}
            _require_harmless(settings.get("modules", ()))
            return command(*args, options=kind(**settings), **values)

        decorated: Callable[..., object] = call
        for field in reversed(option_fields(kind)):
            decorated = click_option(field)(decorated)
        return decorated

    return decorate


def _require_harmless(modules: Sequence[str]) -> None:
    """Check, in a fork, that importing ``modules`` leaves the process alive.

    A process that a module ends has that module's exit code, which could be that of a verdict.
    What can't be imported for any other reason is left for the import itself to say.

    Raises:
        UsageError: a module ends its process (``os._exit``, a crash), or does not come to an end.
    """
    if not modules:
        return
    from veperf.core.registry import load_registry
    from veperf.ipc.isolated_process import run_in_fork

    for module in modules:
        try:
            importing = functools.partial(load_registry, [module])
            run_in_fork(lambda: bool(importing()), bool, timeout_s=_LONGEST_IMPORT_S)  # noqa: B023
        except (WorkerCrashedError, WorkerTimeoutError) as error:
            raise UsageError(f"module {module} can't be imported: {error}") from error
        except (MeasureError, UsageError):
            continue


def click_option(field: OptionField) -> Callable[[_Command], _Command]:
    """The command-line option for ``field``."""
    if field.kind is bool:
        on = f"{field.flag}/--no-{field.flag[2:]}" if field.default else field.flag
        return click.option(
            on, field.name, is_flag=True, default=field.default, help=field.help,
            show_default=bool(field.default),
        )  # fmt: skip
    # click shows a number without a unit by itself, along with its bounds.
    by_click = not field.unit and field.default not in (MISSING, None, (), "")
    text = "" if by_click else field.default_text()
    default = f"  [default: {text}]" if text else ""  # click would put it in parentheses
    repeated = " Can be repeated." if field.kind is tuple else ""
    return click.option(
        *field.flags,
        field.name,
        type=_click_type(field),
        multiple=field.kind is tuple,
        required=field.default is MISSING,
        default=None if field.default is MISSING else field.default,
        show_default=by_click,
        metavar=field.metavar or None,
        help=field.help + repeated + default,
        cls=FieldOption,
        field=field,
    )


def _click_type(field: OptionField) -> "click.ParamType[Any] | type":
    if field.choices:
        return click.Choice(field.choices)
    if field.unit:
        return NumberWithUnit(field)
    if field.kind not in (int, float):
        return str
    low, low_open = _limit(field.metas, "ge", "gt")
    high, high_open = _limit(field.metas, "le", "lt")
    if low is None and high is None:
        return field.kind
    number_range = click.IntRange if field.kind is int else click.FloatRange
    return number_range(low, high, low_open, high_open)


def _limit(metas: Sequence[Meta], closed: str, open_: str) -> tuple[Any, bool]:
    """The bound of that name, and whether it is not itself within bounds."""
    for meta in metas:
        for name in (closed, open_):
            if (bound := getattr(meta, name)) is not None:
                return bound, name == open_
    return None, False


archive_option = click.option(
    "--archive",
    type=ArchiveLocation(),
    metavar="FOLDER|URL",
    help="The archive of runs: a folder, or a place elsewhere such as s3://bucket/folder.  "
    "[default: $VEPERF_ARCHIVE, else the project's reports/]",
)
_baselines_help = "Targets and recorded baselines.  [default: the project's data/baselines/]"
baselines_option = click.option(
    "--baselines",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help=_baselines_help,
)
new_baselines_option = click.option(
    "--baselines",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help=_baselines_help,
)
format_option = click.option(
    "--format",
    default="",
    metavar="FORMAT",
    help="Format of the file: go, go-json, pytest-benchmark, k6, ...  [default: detected]",
)
by_option = click.option(
    "--by",
    default="",
    metavar="KEY",
    help="Tells runs apart: a configuration key of a Go file, `baseline` of criterion's folder;  "
    "compare takes KEY@(BASE NEW), too.  "
    "[default: one run]",
)
directions_option = click_option(option_fields(DirectionOptions)[0])
rate_option = click.option(
    "--rate", metavar="NUMBER", help="Arrivals per second: short for --param rate=NUMBER."
)
params_option = click.option(
    "--param",
    "params",
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter of the benchmark. Can be repeated.",
)
patterns_argument = click.argument(
    "patterns", nargs=-1, metavar="[BENCHMARK]...", shell_complete=complete_benchmarks
)


def summary_option(content: str) -> Callable[[_Command], _Command]:
    """``--summary``, to which a command appends ``content``."""
    return click.option(
        "--summary",
        type=click.Path(dir_okay=False, path_type=Path),
        envvar="GITHUB_STEP_SUMMARY",
        metavar="FILE",
        help=f"Append {content} as markdown to FILE.  [default: $GITHUB_STEP_SUMMARY]",
    )


report_url_option = click.option(
    "--report-url",
    metavar="URL",
    help="Where the report will be; comment and summary link to it.  [default: the CI job]",
)


def check_summary(summary: Path | None) -> None:
    """Refuse a file of ``--summary`` that can't be written, before anything is measured.

    Raises:
        StorageError: it can't.
    """
    append_summary(summary, b"")


def append_summary(summary: Path | None, content: bytes) -> None:
    """Append ``content``, with the end of a line, to the file of ``--summary``, if there is one.

    Raises:
        StorageError: the file can't be written.
    """
    if summary is None:
        return
    try:
        with summary.open("ab") as file:
            file.write(content + b"\n" if content else b"")
    except OSError as error:
        raise StorageError(f"can't write {summary}: {error.strerror}") from error


def refuse_options(
    context: click.Context, kind: type[Options], reason: str, *, allowed: Container[str] = ()
) -> None:
    """Refuse options of ``kind`` on the command line, which would be ignored because of ``reason``.

    Those with a name in ``allowed`` are not.

    Raises:
        click.UsageError: there is one.
    """
    for field in option_fields(kind):
        is_set = context.get_parameter_source(field.name) is ParameterSource.COMMANDLINE
        if is_set and field.name not in allowed:
            raise click.UsageError(f"{reason}: no {field.flag}")


def print_failures(run: Run, name: str) -> None:
    """Print what failed in a run that is called ``name``, and why: of 20, and how many more.

    What a busy machine made void has not failed, and is told after that.
    """
    failures = run.first_failures
    for symbol, verb, is_void in (("✗", "failed", False), ("○", "void", True)):
        alike = [case for case, failure in failures.items() if failure.is_void == is_void]
        for case in alike[:_LISTED_FAILURES]:
            echo(f"{symbol} {one_line(f'{name}: {case} {verb}: {failures[case].message}')}")
        if rest := alike[_LISTED_FAILURES:]:
            echo(one_line(f"{symbol} {name}: {len(rest):,} more {verb}"))


def print_notes(name: str, notes: Sequence[str]) -> None:
    """Print the notes on reading a file, or a run that was read from a file, called ``name``."""
    for note in notes:
        echo(f"▲ {one_line(f'{name}: {note}')}")


def print_kept(place: str | Path, archive: str | None) -> None:
    """Print where the run is kept that was just added to ``archive``, and what shows it."""
    hint = command_hint("report", "last", archive=archive)
    echo(f"\nkept in {display_path(place)}\n{hint} shows it")


def parse_params(params: Sequence[str], rate: str | None = None) -> dict[str, str]:
    """The values of ``--param NAME=VALUE`` by name, and that of ``--rate``.

    Raises:
        click.UsageError: one of them is none, or a name comes twice.
    """
    values: dict[str, str] = {}
    for text in params if rate is None else [*params, f"rate={rate}"]:
        name, equals, value = text.partition("=")
        if not equals:
            raise click.UsageError(f"--param is NAME=VALUE, not {text!r}")
        if name in values:
            raise click.UsageError(f"{name} is given twice")
        values[name] = value
    return values


class ExampleCommand(click.Command):
    """A command whose help ends with examples, line by line as they are written.

    To a former name of an option it answers with the one of today.
    """

    def __init__(self, *args: Any, examples: Sequence[str] = (), **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.examples = examples

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments.

        Raises:
            click.NoSuchOption: an option is unknown.
        """
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            former = error.option_name.removeprefix("--").replace("-", "_")
            for option in self.params:
                if isinstance(option, FieldOption) and former in option.field.former:
                    hint = option.field.renamed_hint(option.field.flag)
                    message = f"No such option: {error.option_name}; {hint}"
                    raise click.NoSuchOption(error.option_name, message, ctx=ctx) from None
            raise

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples; what is too wide has its comment on a line of its own."""
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples:
                    parts = [line]
                    if len(line) + 2 > formatter.width:
                        command, _, comment = line.partition("   ")
                        parts = [command, *([f"    {comment.strip()}"] if comment else [])]
                    formatter.write("".join(f"  {part}\n" for part in parts))


def print_warning(text: str) -> None:
    """Print a line of warning on standard error."""
    echo(f"▲ {one_line(text)}", err=True)


def print_left_out(left_out: Mapping[str, str]) -> None:
    """Print the reason why each run is left out on standard error."""
    for reason in left_out.values():
        print_warning(f"{LEFT_OUT}{reason}")


def display_path(path: str | Path) -> str:
    """Return a path relative to the current folder where that is shorter; a URL as it is."""
    if isinstance(path, str):
        return path
    full = path.resolve()
    return str(full.relative_to(Path.cwd())) if full.is_relative_to(Path.cwd()) else str(full)
