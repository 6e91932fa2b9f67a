"""The list of runs, the newest first."""

from collections.abc import Mapping, Sequence

from veperf.archive.run_summary import RunFacts
from veperf.core import number_format
from veperf.core.verdict import Change
from veperf.report.case_summary import measured_name
from veperf.report.html import markup
from veperf.report.site.verdicts import Judged
from veperf.report.tables import status
from veperf.report.tables.result_tables import Cell, Table
from veperf.report.tables.status import Mark
from veperf.report.tables.trend_tables import commit

A_PAGE = 100
NOTHING = "The archive holds no complete run yet; `veperf run` makes one."
_UNJUDGED = Mark("not judged", "quiet", 9)


def listing(
    runs: Sequence[RunFacts], judged: Mapping[str, Judged], reports: Mapping[str, str]
) -> str:
    """A table of ``runs``; ``reports`` has the address of each run's report, where it has one."""
    if not runs:
        return markup.paragraph(NOTHING)
    content = Table(
        number_format.count(len(runs), "run"),
        (
            ("Verdict", "left"),
            ("Run", "left"),
            ("Commit", "left"),
            ("Machine", "left"),
            ("Largest change", "left"),
        ),
        tuple(_row(run, judged.get(run.id), reports.get(run.id, "")) for run in runs),
    )
    return markup.table(content)


def _row(run: RunFacts, found: Judged | None, report: str) -> tuple[Cell, ...]:
    mark = status.of_outcome(found.outcome) if found else _UNJUDGED
    asked = f"{found.profile}, {number_format.count(found.cases, 'case')}" if found else ""
    return (
        Cell("", mark=mark),
        Cell(number_format.moment(run.created), note=run.id, address=report),
        Cell(commit(run) or "unknown", note=found.branch if found else ""),
        Cell(run.machine, note=asked),
        _change(found.change if found else None),
    )


def _change(change: Change | None) -> Cell:
    if change is None:
        return Cell("")
    name = measured_name(change.case, change.metric)
    said = f"{number_format.effect(change.ratio, change.metric)}: {name}"
    return Cell(said, note=number_format.change_interval(change.low, change.high))
