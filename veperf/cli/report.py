"""``veperf report``."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from veperf.cli.options import (
    ExampleCommand,
    archive_option,
    baselines_option,
    known_miss_option,
    shown,
)

if TYPE_CHECKING:
    from veperf.api.results import RunResult, VerdictResult


@click.command(
    cls=ExampleCommand,
    examples=[
        "veperf report                            the last run",
        "veperf report 20261123-061402            another, by the beginning of its name",
    ],
)
@click.argument("run", default="last")
@known_miss_option
@archive_option
@baselines_option
def report(
    run: str, known_misses: tuple[str, ...], archive: str | None, baselines: Path | None
) -> None:
    """Judge a run and write its HTML report.

    RUN is `last`, a run's id, or the beginning of one. Judging does not gate: the exit code is 0
    whatever the verdict. `veperf ci` gates.
    """
    from veperf.api.runs import load

    tell(load(run, archive), baselines, known_misses)


def tell(
    result: "RunResult", baselines: Path | None, known_misses: Sequence[str]
) -> "VerdictResult":
    """Judge a run, write its report, print both the verdict and where the report is."""
    from veperf.report import text
    from veperf.report.pages.render import publish

    verdict = result.verdict(baselines, known_misses)
    page = publish(result.run, result.archive, baselines, known_misses)
    click.echo(text.verdict(verdict.verdict))
    click.echo(f"\nreport: {shown(page)}")
    return verdict
