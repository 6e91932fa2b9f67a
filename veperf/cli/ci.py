"""``veperf ci``: the one command for continuous integration."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import click

from veperf.archive.baselines import load_baselines
from veperf.cli.export import check_formats, exports_option, write_exports
from veperf.cli.options import (
    ExampleCommand,
    append_summary,
    archive_option,
    baselines_option,
    display_path,
    options_of,
    patterns_argument,
    summary_option,
)
from veperf.cli.report import print_verdict
from veperf.core import paths
from veperf.core.errors import COULD_NOT_MEASURE, FAILED, INCONCLUSIVE, OK, MeasureError, UsageError
from veperf.core.escape import one_line
from veperf.core.option_fields import about, select_options, values_of
from veperf.core.options import ABOptions, GateOptions, RunOptions
from veperf.core.run import Run
from veperf.core.verdict import Verdict

if TYPE_CHECKING:
    from veperf.abtest.ab_result import ABResult

_WORST_FIRST = (COULD_NOT_MEASURE, FAILED, INCONCLUSIVE, OK)


@dataclass(frozen=True, kw_only=True)
class CIOptions(RunOptions, GateOptions):
    """Options of ``veperf ci``."""

    run: Annotated[str | None, about("Gate this run instead of a new one.", metavar="RUN")] = None


@click.command(
    "ci",
    cls=ExampleCommand,
    examples=[
        "veperf ci                                  measure, judge, render, gate",
        "veperf ci transaction --profile standard   one suite, 12 fresh processes",
        "veperf ci --run last                       gate a run that was made before",
        "veperf ci --known-miss transaction/validation --strict",
        "veperf ci --against origin/main            and old beside new code, for a pull request",
        "veperf ci --export junit junit.xml --export comment comment.md",
    ],
)
@patterns_argument
@options_of(CIOptions)
@summary_option("the verdict")
@exports_option
@archive_option
@baselines_option
@click.pass_context
def ci_command(
    context: click.Context,
    patterns: tuple[str, ...],
    options: CIOptions,
    summary: Path | None,
    exports: tuple[tuple[str, str], ...],
    archive: str | None,
    baselines: Path | None,
) -> None:
    """Measure, judge, render, and gate by the exit code.

    The report is on disk before the gate decides, so that it can be uploaded whatever the verdict.
    """
    from veperf.api.runs import load, run
    from veperf.formats.exported import Judged, JudgedPairs, JudgedRun
    from veperf.formats.virtengine import load_go_benchmarks, require_listed
    from veperf.formats.writers import write_judged

    check_formats(exports)
    if options.run is not None and patterns:
        raise click.UsageError("--run gates a whole run: no BENCHMARK")
    result = None if options.run is None else load(options.run, archive)
    # First, as it is what may turn out impossible: no such commit, no way to install it.
    comparisons = []
    if options.against is not None:
        ab_options = select_options(ABOptions, values_of(options))
        comparisons.append(_compare_with(options.against, patterns, ab_options, archive))
    if result is None:
        result = run(patterns, options=options, archive=archive, baselines=baselines)
    verdict = print_verdict(result, baselines, options.known_misses)
    judged: list[Judged] = [JudgedRun(result.run, verdict.verdict)]
    codes = [verdict.exit_code(strict=options.strict)]
    if options.confirm and options.against is None:
        comparisons += _confirm_suspects(
            result.run, verdict.verdict, baselines, options.time_budget_s, archive
        )
    for comparison in comparisons:
        judged.append(JudgedPairs(comparison.ab, comparison.outcome, comparison.sentence))
        codes.append(comparison.exit_code(strict=options.strict))
    write_exports(exports, judged)
    if summary is not None:
        append_summary(summary, write_judged(judged, "summary").encoded)
    require_listed(result.run, load_go_benchmarks(baselines))
    context.exit(min(codes, key=_WORST_FIRST.index))


def _compare_with(
    base: str, patterns: Sequence[str], options: ABOptions, archive: str | None
) -> "ABResult":
    """Compare the working tree with the commit ``base``; print the result and where it is kept.

    Raises:
        KeyboardInterrupt: it was stopped by hand; what was decided by then is kept.
        VeperfError: as ``veperf.ab``.
    """
    from veperf.abtest.run import ab

    result = ab(base, *patterns, options=options, archive=archive)
    click.echo(f"{result!r}\n\nkept in {display_path(result.place)}\n")
    if result.ab.stopped == "hand":
        raise KeyboardInterrupt
    return result


def _confirm_suspects(
    run: Run,
    verdict: Verdict,
    baselines: Path | None,
    time_budget_s: float | None,
    archive: str | None,
) -> "list[ABResult]":
    """Compare the cases that ``verdict`` suspects with the code of their baseline.

    Where that commit is missing, or is too old to be run, the suspicion stays a warning.

    Raises:
        KeyboardInterrupt: as ``_compare_with``.
    """
    from veperf.abtest.run import suspect_cases

    recorded = load_baselines(
        baselines or paths.default_baselines_folder(), sorted({case.suite for case in run.cases})
    )
    options = ABOptions(
        modules=run.config.modules, timeout_s=run.config.timeout_s, time_budget_s=time_budget_s
    )
    results = []
    for commit, cases in suspect_cases(run, verdict, recorded).items():
        try:
            results.append(_compare_with(commit, cases, options, archive))
        except (MeasureError, UsageError) as error:
            click.echo(one_line(f"{', '.join(cases)}: not confirmed, {error}"))
    return results
