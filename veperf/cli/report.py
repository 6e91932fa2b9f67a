"""``veperf report`` and ``veperf site``: pages about runs."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from veperf.archive.storage.location import Location
from veperf.cli.completion import complete_runs
from veperf.cli.gate import chosen_policy
from veperf.cli.options import (
    ExampleCommand,
    archive_option,
    baselines_option,
    display_path,
    options_of,
)
from veperf.cli.output import echo
from veperf.core.case import Better
from veperf.core.gate import GateDecision
from veperf.core.options import JudgementOptions, SiteOptions
from veperf.core.policy import GatePolicy

if TYPE_CHECKING:
    from veperf.api.results import RunResult, VerdictResult


@click.command(
    "report",
    cls=ExampleCommand,
    examples=[
        "veperf report                            the last run",
        "veperf report 20261123-061402            another, by the beginning of its name",
    ],
)
@click.argument("run", default="last", shell_complete=complete_runs)
@options_of(JudgementOptions)
@archive_option
@baselines_option
@click.pass_context
def report_command(
    context: click.Context,
    run: str,
    options: JudgementOptions,
    archive: str | None,
    baselines: Path | None,
) -> None:
    """Judge a run and write its HTML report.

    RUN is `last`, a run's id, or the beginning of one. Judging does not gate: the exit code is 0
    whatever the verdict. `veperf ci` gates.
    """
    from veperf.api.runs import load

    policy = chosen_policy(context, options, options.known_misses)
    print_verdict(load(run, archive), baselines, policy)


def print_verdict(
    result: "RunResult",
    baselines: Path | None,
    policy: GatePolicy,
    better: Mapping[str, Better] | None = None,
    comparisons: Mapping[str, GateDecision] | None = None,
) -> "VerdictResult":
    """Judge a run, write its report, print both the verdict and where the report is.

    ``better`` and ``comparisons`` are those of ``render_report``.
    """
    from veperf.report import rendering

    verdict = result.verdict(baselines, policy=policy)
    page = write_report(result, baselines, policy, better, comparisons)
    echo(rendering.verdict_text(verdict.verdict))
    echo(f"\nreport: {display_path(page)}")
    return verdict


def write_report(
    result: "RunResult",
    baselines: Path | None,
    policy: GatePolicy,
    better: Mapping[str, Better] | None,
    comparisons: Mapping[str, GateDecision] | None,
) -> Location:
    """Write the report of a run, and return its first page."""
    from veperf.report.pages.render import publish_run_report

    return publish_run_report(
        result.run,
        result.archive,
        baselines,
        policy=policy,
        better=better,
        comparisons=comparisons,
    )


@click.command(
    "site",
    cls=ExampleCommand,
    examples=[
        "veperf site                              of the project's reports/",
        "veperf site --archive /srv/performance   of another archive",
        "veperf site --since 90d --branch main    of some of its runs",
        "veperf site --commit-url 'https://git.example.org/shop/commit/{commit}'",
    ],
)
@options_of(SiteOptions)
@archive_option
@baselines_option
@click.pass_context
def site_command(
    context: click.Context,
    options: SiteOptions,
    archive: str | None,
    baselines: Path | None,
) -> None:
    """Write the web site of the archive.

    It says where each machine class stands, lists the runs, shows each benchmark over time, what
    became slower, and any two runs side by side.

    The pages lie in the archive, need no server, and are brought up to date by the next call.
    """
    from veperf.api import reports

    policy = chosen_policy(context, options, options.known_misses)
    page = reports.site(archive, baselines, policy=policy, options=options)
    echo(f"site: {display_path(page)}")
