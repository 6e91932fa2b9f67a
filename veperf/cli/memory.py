"""``veperf memory``."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from veperf.archive.files import require_writable_file
from veperf.cli.completion import complete_benchmarks
from veperf.cli.options import (
    ExampleCommand,
    archive_option,
    baselines_option,
    display_path,
    options_of,
    print_kept,
)
from veperf.cli.output import echo
from veperf.core import paths
from veperf.core.errors import FAILED, OK
from veperf.core.options import CaseOptions, RunOptions
from veperf.core.registry import find_case, select_cases

if TYPE_CHECKING:
    from veperf.profiling.memory.profile_memory import MemoryProfile


@click.command(
    "memory",
    cls=ExampleCommand,
    examples=[
        "veperf memory                                 whole processes, against the targets",
        "veperf memory verification/latency            one benchmark, line by line",
        "veperf memory --flamegraphs out bidding/latency   and a flamegraph as HTML",
        "veperf memory --record transaction/decode     what later profiles are compared with",
    ],
)
@click.argument(
    "benchmarks", nargs=-1, metavar="[BENCHMARK]...", shell_complete=complete_benchmarks
)
@click.option(
    "--flamegraphs",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Write a flamegraph of each, an HTML file of 4.5 MB that needs no network.",
)
@click.option(
    "--native", is_flag=True, help="Name the functions of C that allocate, beside the lines."
)
@click.option(
    "--record",
    is_flag=True,
    help="Record the profile, to compare later ones with: a call's allocations are equal within "
    "half of one, and its bytes within 0.1%.",
)
@options_of(CaseOptions)
@archive_option
@baselines_option
@click.pass_context
def memory_command(
    context: click.Context,
    benchmarks: tuple[str, ...],
    flamegraphs: Path | None,
    native: bool,
    record: bool,
    options: CaseOptions,
    archive: str | None,
    baselines: Path | None,
) -> None:
    """Measure memory in fresh processes.

    With BENCHMARKs: bytes and allocations of an operation, the lines that they go to, and what
    every call leaves behind. Where a profile was recorded, counts are compared with it: they are
    equal or are not, and the command ends with 1 where an operation allocates more.

    Without: idle memory, peaks, collections and growth of a process with every suite loaded, as a
    run in the archive, judged against the targets.
    """
    from veperf.profiling.memory.baselines import compare_with_recorded, record_profile

    if not benchmarks and options.modules:
        raise click.UsageError("--module is for benchmarks: name one")
    if native and record:
        raise click.UsageError("--native names functions that a recorded profile doesn't have")
    if not benchmarks:
        context.exit(_run_suite(archive, baselines, options))
    for name in benchmarks:  # all of them, before the first is measured
        find_case(select_cases([name], options.all_modules), name)
        if flamegraphs is not None:
            with suppress(OSError):  # the check below says why
                flamegraphs.mkdir(exist_ok=True)
            require_writable_file(_flamegraph_page(flamegraphs, name))
    folder = baselines or paths.default_baselines_folder()
    code = OK
    for name in benchmarks:
        profile = _profile(name, options, flamegraphs, native=native)
        echo(repr(profile))
        if profile.flamegraph:
            echo(f"  flamegraph: {display_path(Path(profile.flamegraph))}")
        if record:
            echo(f"  recorded in {display_path(record_profile(folder, profile))}")
        elif (change := compare_with_recorded(folder, profile)) is not None:
            echo(f"  against the recorded profile: {change!r}")
            code = FAILED if change.status == "more" else code
    context.exit(code)


def _flamegraph_page(folder: Path, name: str) -> Path:
    return folder / f"{name.replace('/', '-')}.html"


def _profile(
    name: str, options: CaseOptions, flamegraphs: Path | None, *, native: bool
) -> "MemoryProfile":
    from veperf.profiling.memory.profile_memory import profile_memory

    path = _flamegraph_page(flamegraphs, name) if flamegraphs else None
    return profile_memory(
        name,
        modules=options.all_modules,
        timeout_s=options.timeout_s,
        flamegraph=path,
        native=native,
    )


def _run_suite(archive: str | None, baselines: Path | None, options: CaseOptions) -> int:
    from veperf.api.runs import run
    from veperf.report import rendering

    result = run(
        "memory",
        options=RunOptions(timeout_s=options.timeout_s),
        archive=archive,
        baselines=baselines,
    )
    verdict = result.verdict(baselines)
    echo(rendering.run_text(result.run))
    echo(f"\n{rendering.verdict_text(verdict.verdict)}")
    print_kept(result.place, archive)
    return verdict.exit_code()
