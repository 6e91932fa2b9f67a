"""The site's list of runs, the newest first."""

from collections.abc import Mapping, Sequence

from veperf.archive.run_summary import RunFacts
from veperf.core.text import format_change_interval, format_metric_effect, format_time, plural
from veperf.core.verdict import Change
from veperf.report.case_summary import measured_name
from veperf.report.html import markup
from veperf.report.site.verdicts import RunVerdict
from veperf.report.tables import status
from veperf.report.tables.status import Mark
from veperf.report.tables.table import Cell, Table, columns
from veperf.report.tables.trend_tables import short_commit

A_PAGE = 100
NOTHING = "The archive has no complete run yet; `veperf run` creates one."
_UNJUDGED = Mark("not judged", "quiet", 9)


def runs_listing(
    runs: Sequence[RunFacts], verdicts: Mapping[str, RunVerdict], reports: Mapping[str, str]
) -> str:
    """Return a table of ``runs``; ``reports`` has the address of each run's report, if any."""
    if not runs:
        return markup.paragraph(NOTHING)
    content = Table(
        plural(len(runs), "run"),
        columns("Verdict", "Run", "Commit", "Machine", "Largest change"),
        tuple(_row(run, verdicts.get(run.id), reports.get(run.id, "")) for run in runs),
    )
    return markup.html_table(content)


def _row(run: RunFacts, verdict: RunVerdict | None, report: str) -> tuple[Cell, ...]:
    mark = status.outcome_mark(verdict.outcome) if verdict else _UNJUDGED
    config = f"{verdict.profile}, {plural(verdict.cases, 'case')}" if verdict else ""
    return (
        Cell("", mark=mark),
        Cell(format_time(run.created), note=run.id, address=report),
        Cell(short_commit(run) or "unknown", note=verdict.branch if verdict else ""),
        Cell(run.machine, note=config),
        _change(verdict.change if verdict else None),
    )


def _change(change: Change | None) -> Cell:
    if change is None:
        return Cell("")
    name = measured_name(change.case, change.metric)
    effect = f"{format_metric_effect(change.ratio, change.metric, change.better)}: {name}"
    return Cell(effect, note=format_change_interval(change.low, change.high))
