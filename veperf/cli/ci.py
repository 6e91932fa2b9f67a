"""``veperf ci``: the one command for continuous integration."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import click

from veperf.archive.baselines import load_baselines, load_targets
from veperf.cli.export import check_exports, exports_option, write_exports
from veperf.cli.gate import chosen_policy, print_explanation
from veperf.cli.options import (
    ExampleCommand,
    append_summary,
    archive_option,
    baselines_option,
    check_summary,
    directions_option,
    display_path,
    options_of,
    patterns_argument,
    refuse_options,
    report_url_option,
    summary_option,
)
from veperf.cli.output import echo
from veperf.cli.report import print_verdict, write_report
from veperf.core import paths
from veperf.core.ab_records import ABRun
from veperf.core.direction import parse_directions
from veperf.core.errors import MeasureError, UsageError
from veperf.core.escape import one_line
from veperf.core.gate import GateDecision
from veperf.core.option_fields import about, option_fields, select_options, values_of
from veperf.core.options import (
    ABOptions,
    GateOptions,
    GoOptions,
    JudgeOptions,
    Names,
    RunOptions,
    Seconds,
)
from veperf.core.policy import GatePolicy
from veperf.core.registry import select_cases
from veperf.core.run import Run
from veperf.core.verdict import Verdict
from veperf.verdicts.gate import combine_decisions

if TYPE_CHECKING:
    from veperf.abtest.ab_result import ABResult
    from veperf.formats.exported import Judged


@dataclass(frozen=True, kw_only=True)
class CIOptions(RunOptions, GateOptions, GoOptions):
    """Options of ``veperf ci``."""

    go: Annotated[
        Names,
        about(
            "Gate the benchmarks of these Go packages, and nothing else, against the code of "
            "--against.",
            metavar="PACKAGES",
        ),
    ] = ()

    run: Annotated[str | None, about("Gate this run instead of a new one.", metavar="RUN")] = None
    time_budget_s: Annotated[
        Seconds | None,
        about(
            "Time for the run, and as much for each comparison: see `veperf run` and `veperf ab`. "
            "What it leaves unanswered doesn't pass.",
            flag="--budget",
            alias="--time-budget",
        ),
    ] = None


@click.command(
    "ci",
    cls=ExampleCommand,
    examples=[
        "veperf ci                                  measure, judge, render, gate",
        "veperf ci transaction --profile standard   one suite, 12 fresh processes",
        "veperf ci --run last                       gate a run that was made before",
        "veperf ci --known-miss transaction/validation --strict",
        "veperf ci --run last --explain             every question, its answer and its rule",
        "veperf ci --against origin/main            and old beside new code, for a pull request",
        "veperf ci --against main --only-changed    only what the change can affect",
        "veperf ci --go ./... --against origin/main   the same of Go code, which needs no Python",
        "veperf ci --export junit junit.xml --export comment comment.md",
    ],
)
@patterns_argument
@options_of(CIOptions)
@summary_option("the verdict")
@exports_option
@report_url_option
@directions_option
@archive_option
@baselines_option
@click.pass_context
def ci_command(
    context: click.Context,
    patterns: tuple[str, ...],
    options: CIOptions,
    summary: Path | None,
    exports: tuple[tuple[str, str], ...],
    report_url: str | None,
    directions: tuple[str, ...],
    archive: str | None,
    baselines: Path | None,
) -> None:
    """Measure, judge, render, and gate by the exit code.

    The report is on disk before the gate decides, so that it can be uploaded whatever the verdict.
    """
    from veperf.formats.writers import write_judged
    from veperf.report.report_links import find_report_links

    links = find_report_links(report_url or "")
    check_exports(exports)
    check_summary(summary)
    policy = chosen_policy(context, options, options.known_misses)
    if options.go:
        _check_go(context, options, patterns, directions)
        judged = _judge_go(options, archive, policy)
    else:
        _check_run(context, options, patterns, directions)
        judged = _judge_run(options, patterns, directions, archive, baselines, policy)
    decision = combine_decisions([item.decision for item in judged], strict=policy.strict)
    if len(judged) > 1:
        from veperf.report import rendering

        echo(f"{rendering.decision_text(decision)}\n")
    write_exports(exports, judged, links)
    if summary is not None:
        append_summary(summary, write_judged(judged, "summary", links).encoded)
    if options.explain:
        print_explanation(decision)
    context.exit(decision.exit_code)


def _check_run(
    context: click.Context, options: CIOptions, patterns: Sequence[str], directions: Sequence[str]
) -> None:
    """Refuse options that don't go together where a run is gated.

    Raises:
        click.UsageError: they don't.
    """
    if options.run is not None and patterns:
        raise click.UsageError("--run gates a whole run: no BENCHMARK")
    if options.run is not None and options.against is None:
        # What is suspect is confirmed side by side, in the time that there is.
        reason, confirms = "--run gates a run that was made", ("time_budget_s",)
        refuse_options(context, RunOptions, reason, allowed=confirms)
    of_go = {field.name for field in option_fields(GoOptions)}
    of_run = {field.name for kind in (RunOptions, GateOptions) for field in option_fields(kind)}
    refuse_options(context, GoOptions, "no Go packages: --go ./...", allowed=of_run & of_go)
    if directions and options.run is None:
        raise click.UsageError("--better is for a run of another tool: give it with --run")
    if options.only_changed and (options.against is None or options.run is not None):
        raise click.UsageError("--only-changed is for a new run beside other code: --against")
    if options.same_machine and options.run is None:
        raise click.UsageError("--same-machine is for a run of another tool: give it with --run")


def _check_go(
    context: click.Context, options: CIOptions, patterns: Sequence[str], directions: Sequence[str]
) -> None:
    """Refuse options that don't go together where Go packages are gated.

    Raises:
        click.UsageError: they don't.
    """
    if options.against is None:
        raise click.UsageError("--go compares with a commit: --against origin/main")
    if patterns:
        raise click.UsageError("--go gates Go benchmarks alone, by --bench: no BENCHMARK")
    if options.modules:
        raise click.UsageError("--go compares Go packages: no --module")
    if options.run is not None or directions or options.known_misses or options.same_machine:
        raise click.UsageError("--go gates no run: no --run, no options of one")
    of_go = {field.name for field in option_fields(GoOptions)}
    refuse_options(context, RunOptions, "--go makes no run", allowed=of_go)


def _judge_run(
    options: CIOptions,
    patterns: tuple[str, ...],
    directions: Sequence[str],
    archive: str | None,
    baselines: Path | None,
    policy: GatePolicy,
) -> "list[Judged]":
    """Judge a run, render its report, and compare with other code what is asked or suspect.

    Raises:
        KeyboardInterrupt: a comparison was stopped by hand.
        VeperfError: as ``veperf.run`` and ``veperf.ab``.
    """
    from veperf.api.runs import load, run
    from veperf.formats.exported import JudgedPairs, JudgedRun

    known = parse_directions(directions)
    _check_questions(options, patterns, baselines)
    result = None
    if options.run is not None:
        result = load(options.run, archive, better=known, same_machine=options.same_machine)
    # First, as it is what may turn out impossible: no such commit, no way to install it.
    comparisons = []
    if options.against is not None:
        ab_options = select_options(ABOptions, values_of(options))
        comparisons.append(_compare_with(options.against, patterns, ab_options, archive, policy))
        if options.only_changed:
            changed = _affected_cases(comparisons[0].ab, patterns, options)
            if not changed:
                echo("the change can affect no benchmark: nothing else is measured")
                return [JudgedPairs(comparisons[0].judged, comparisons[0].decision)]
            patterns = changed
    if result is None:
        result = run(patterns, options=options, archive=archive, baselines=baselines)
    verdict = print_verdict(result, baselines, policy, known, _decisions(comparisons))
    if options.confirm and options.against is None:
        comparisons = _confirm_suspects(
            result.run, verdict.verdict, baselines, options, archive, policy
        )
        if comparisons:  # the report then says what they decided
            write_report(result, baselines, policy, known, _decisions(comparisons))
    return [
        JudgedRun(result.run, verdict.verdict),
        *(JudgedPairs(comparison.judged, comparison.decision) for comparison in comparisons),
    ]


def _affected_cases(
    comparison: ABRun, patterns: Sequence[str], options: CIOptions
) -> tuple[str, ...]:
    """Return the cases that the compared change can affect; ``patterns`` where these are all.

    What is not compared, such as a load, counts as affected where any other case of its suite is.
    """
    cases = select_cases(
        patterns, options.all_modules, levels=options.levels, expression=options.expression
    )
    compared = {change.case for change in comparison.changes}
    suites = {case.suite for case in cases if case.id in compared}
    chosen = tuple(
        case.id
        for case in cases
        if case.id in compared or (case.id not in comparison.unaffected and case.suite in suites)
    )
    return chosen if len(chosen) < len(cases) else tuple(patterns)


def _judge_go(options: CIOptions, archive: str | None, policy: GatePolicy) -> "list[Judged]":
    """Compare the Go benchmarks of the working tree with those of another commit.

    Raises:
        KeyboardInterrupt: it was stopped by hand; what was decided by then is kept.
        VeperfError: as ``veperf.ab_go``.
    """
    from veperf.formats.exported import JudgedPairs
    from veperf.programs.run import ab_go

    assert options.against is not None, "it was checked"
    go_options = select_options(GoOptions, values_of(options))
    result = ab_go(options.against, *options.go, options=go_options, archive=archive)
    result = _print_comparison(result, policy)
    return [JudgedPairs(result.judged, result.decision)]


def _check_questions(options: CIOptions, patterns: Sequence[str], baselines: Path | None) -> None:
    """Refuse what would turn out wrong only after minutes of measuring.

    Raises:
        UsageError: there is no such module, benchmark or target.
        DataError: a file of targets is missing or broken.
    """
    from veperf.formats.virtengine import load_go_benchmarks

    load_targets(baselines or paths.default_baselines_folder())
    load_go_benchmarks(baselines)
    if options.run is None:
        select_cases(
            patterns, options.all_modules, levels=options.levels, expression=options.expression
        )


def _decisions(comparisons: "Sequence[ABResult]") -> dict[str, GateDecision]:
    return {comparison.ab.id: comparison.decision for comparison in comparisons}


def _compare_with(
    base: str,
    patterns: Sequence[str],
    options: ABOptions,
    archive: str | None,
    policy: GatePolicy,
) -> "ABResult":
    """Compare the working tree with the commit ``base``; print the result and where it is kept.

    Raises:
        KeyboardInterrupt: it was stopped by hand; what was decided by then is kept.
        VeperfError: as ``veperf.ab``.
    """
    from veperf.abtest.run import ab

    return _print_comparison(ab(base, *patterns, options=options, archive=archive), policy)


def _print_comparison(result: "ABResult", policy: GatePolicy) -> "ABResult":
    """Print a comparison and where it is kept; return it as ``policy`` decides it.

    Raises:
        KeyboardInterrupt: it was stopped by hand.
    """
    result = replace(result, policy=policy)
    echo(f"{result!r}\n\nkept in {display_path(result.place)}\n")
    if result.ab.stopped == "hand":
        raise KeyboardInterrupt
    return result


def _confirm_suspects(
    run: Run,
    verdict: Verdict,
    baselines: Path | None,
    rules: JudgeOptions,
    archive: str | None,
    policy: GatePolicy,
) -> "list[ABResult]":
    """Compare the cases that ``verdict`` suspects with the code of their baseline.

    Where that commit is missing, or is too old to be run, the suspicion stays a warning.

    Raises:
        KeyboardInterrupt: as ``_compare_with``.
    """
    from veperf.abtest.run import suspect_cases

    if run.source != "veperf":
        return []  # what another tool measured can't be measured here
    recorded = load_baselines(
        baselines or paths.default_baselines_folder(), sorted({case.suite for case in run.cases})
    )
    measured = {"modules": run.config.modules, "timeout_s": run.config.timeout_s}
    options = select_options(ABOptions, values_of(rules) | measured)
    results = []
    for commit, cases in suspect_cases(run, verdict, recorded).items():
        try:
            results.append(_compare_with(commit, cases, options, archive, policy))
        except (MeasureError, UsageError) as error:
            echo(one_line(f"{', '.join(cases)}: not confirmed, {error}"))
    return results
