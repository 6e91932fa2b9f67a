"""``veperf ci``: the one command for continuous integration."""

from pathlib import Path

import click

from veperf.cli.options import (
    ExampleCommand,
    archive_option,
    baselines_option,
    known_miss_option,
    measuring_options,
)
from veperf.cli.report import tell
from veperf.errors import StorageError


@click.command(
    cls=ExampleCommand,
    examples=[
        "veperf ci                                  measure, judge, render, gate",
        "veperf ci transaction --profile standard   one suite, 12 fresh processes",
        "veperf ci --run last                       gate a run that was made before",
        "veperf ci --known-miss transaction/validation --strict",
    ],
)
@measuring_options
@click.option("--run", "existing", metavar="RUN", help="Gate this run instead of a new one.")
@click.option("--strict", is_flag=True, help="End with 4 where nothing can be said for sure.")
@known_miss_option
@click.option(
    "--summary",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="GITHUB_STEP_SUMMARY",
    metavar="FILE",
    help="Append the verdict as markdown to FILE.  [default: $GITHUB_STEP_SUMMARY]",
)
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
    existing: str | None,
    strict: bool,
    known_misses: tuple[str, ...],
    summary: Path | None,
    archive: Path | None,
    baselines: Path | None,
) -> None:
    """Measure, judge, render, and gate by the exit code.

    The report is on disk before the gate falls, so that it can be uploaded whatever the verdict.
    """
    from veperf import api
    from veperf.report import markdown

    if existing is not None and patterns:
        raise click.UsageError("--run gates a whole run: no BENCHMARK")
    if existing is not None:
        result = api.load(existing, archive)
    else:
        result = api.run(
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
    if summary is not None:
        try:
            with summary.open("a", encoding="utf-8") as file:
                file.write(markdown.verdict(verdict.verdict) + "\n")
        except OSError as error:
            raise StorageError(f"can't write {summary}: {error.strerror}") from error
    context.exit(verdict.exit_code(strict=strict))
