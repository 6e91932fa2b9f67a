"""``veperf ci``: the one command for continuous integration."""

from pathlib import Path

import click

from veperf.cli.ci_comparison import against_options, compare_with, confirm_suspects, worst
from veperf.cli.export import check_formats, exports_option, write_exports
from veperf.cli.options import (
    ExampleCommand,
    archive_option,
    baselines_option,
    known_miss_option,
    measuring_options,
)
from veperf.cli.report import tell
from veperf.cli.step_summary import append, summary_option


@click.command(
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
@measuring_options
@against_options
@click.option("--run", "existing", metavar="RUN", help="Gate this run instead of a new one.")
@click.option("--strict", is_flag=True, help="End with 4 where nothing can be said for sure.")
@known_miss_option
@summary_option("the verdict")
@exports_option
@archive_option
@baselines_option
@click.pass_context
def ci(
    context: click.Context,
    patterns: tuple[str, ...],
    profile: str,
    seed: int | None,
    timeout_s: float,
    modules: tuple[str, ...],
    memory: bool,
    against: str | None,
    time_budget_s: float | None,
    confirm: bool,
    existing: str | None,
    strict: bool,
    known_misses: tuple[str, ...],
    summary: Path | None,
    exports: tuple[tuple[str, str], ...],
    archive: str | None,
    baselines: Path | None,
) -> None:
    """Measure, judge, render, and gate by the exit code.

    The report is on disk before the gate falls, so that it can be uploaded whatever the verdict.
    """
    from veperf.api.runs import load, run
    from veperf.formats.go_targets import go_benchmarks, refuse_strangers
    from veperf.formats.judged import Judged, JudgedPairs, JudgedRun
    from veperf.formats.writers import write_judged

    check_formats(exports)
    if existing is not None and patterns:
        raise click.UsageError("--run gates a whole run: no BENCHMARK")
    result = None if existing is None else load(existing, archive)
    # First, as it is what may turn out impossible: no such commit, no way to install it.
    pairs = []
    if against is not None:
        pairs.append(
            compare_with(against, patterns, modules, time_budget_s, timeout_s, seed, archive)
        )
    if result is None:
        result = run(
            *patterns,
            profile=profile,
            archive=archive,
            baselines=baselines,
            seed=seed,
            timeout_s=timeout_s,
            modules=modules,
            memory=memory,
        )
    verdict = tell(result, baselines, known_misses)
    judged: list[Judged] = [JudgedRun(result.run, verdict.verdict)]
    codes = [verdict.exit_code(strict=strict)]
    if confirm and against is None:
        pairs += confirm_suspects(result.run, verdict.verdict, baselines, time_budget_s, archive)
    for one in pairs:
        judged.append(JudgedPairs(one.ab, one.outcome, one.sentence))
        codes.append(one.exit_code(strict=strict))
    write_exports(exports, judged)
    if summary is not None:
        append(summary, write_judged(judged, "summary").encoded)
    refuse_strangers(result.run, go_benchmarks(baselines))
    context.exit(worst(codes))
