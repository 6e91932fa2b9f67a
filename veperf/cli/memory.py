"""``veperf memory``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from veperf.cli.options import (
    ExampleCommand,
    archive_option,
    baselines_option,
    modules_option,
    shown,
    timeout_option,
)
from veperf.core.errors import FAILED, OK

if TYPE_CHECKING:
    from veperf.profiling.memory.profile import MemoryProfile


@click.command(
    cls=ExampleCommand,
    examples=[
        "veperf memory                                 whole processes, against the targets",
        "veperf memory verification/latency            one benchmark, line by line",
        "veperf memory --flamegraphs out bidding/latency   and a flamegraph as HTML",
        "veperf memory --record transaction/decode     what later profiles are compared with",
    ],
)
@click.argument("benchmarks", nargs=-1, metavar="[BENCHMARK]...")
@click.option(
    "--flamegraphs",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Write a flamegraph of each, an HTML file of 4.5 MB that needs no network.",
)
@click.option("--record", is_flag=True, help="Record what is found; later counts are compared.")
@timeout_option
@modules_option
@archive_option
@baselines_option
@click.pass_context
def memory(
    context: click.Context,
    benchmarks: tuple[str, ...],
    flamegraphs: Path | None,
    record: bool,
    timeout_s: float,
    modules: tuple[str, ...],
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
    from veperf.core import paths
    from veperf.profiling.memory.baselines import compared, record_profile

    if not benchmarks:
        context.exit(_run_suite(archive, baselines, timeout_s))
    folder = baselines or paths.baselines()
    code = OK
    for name in benchmarks:
        found = _profile(name, modules, timeout_s, flamegraphs)
        click.echo(repr(found))
        if found.flamegraph:
            click.echo(f"  flamegraph: {shown(Path(found.flamegraph))}")
        if record:
            click.echo(f"  recorded in {shown(record_profile(folder, found))}")
        elif (change := compared(folder, found)) is not None:
            click.echo(f"  against the recorded profile: {change!r}")
            code = FAILED if change.status == "more" else code
    context.exit(code)


def _profile(
    name: str, modules: tuple[str, ...], timeout_s: float, flamegraphs: Path | None
) -> "MemoryProfile":
    from veperf.profiling.memory.profile import profile

    path = flamegraphs / f"{name.replace('/', '-')}.html" if flamegraphs else None
    return profile(name, modules=modules, timeout_s=timeout_s, flamegraph=path)


def _run_suite(archive: str | None, baselines: Path | None, timeout_s: float) -> int:
    from veperf.api.runs import run
    from veperf.archive.cli_hints import command
    from veperf.report import text

    result = run("memory", archive=archive, baselines=baselines, timeout_s=timeout_s)
    verdict = result.verdict(baselines)
    click.echo(text.run(result.run))
    click.echo(f"\n{text.verdict(verdict.verdict)}")
    how = command("report", result.run.id, archive=archive)
    click.echo(f"\nkept in {shown(result.place)}; {how} shows it")
    return verdict.exit_code()
