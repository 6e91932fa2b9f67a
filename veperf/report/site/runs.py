"""The site's list of runs, the newest first."""

from collections.abc import Mapping, Sequence

from veperf.archive.run_summary import RunFacts
from veperf.core.text import format_change_interval, format_metric_effect, format_time, plural
from veperf.core.verdict import Change
from veperf.report.case_summary import measured_name
from veperf.report.html import markup
from veperf.report.site.links import SiteLinks
from veperf.report.site.verdicts import RunVerdict
from veperf.report.tables import status
from veperf.report.tables.table import Cell, Table, columns, drop_columns, without_empty_columns

A_PAGE = 100
NOTHING = "The archive has no complete run yet; `veperf run` creates one."
_SAME = ("Verdict", "Machine class")
"""Columns that are left out where all rows say the same, which the caption then says."""


def runs_listing(
    runs: Sequence[RunFacts], verdicts: Mapping[str, RunVerdict], links: SiteLinks
) -> str:
    """Return a table of ``runs``. What is empty, or the same of all, has no column."""
    if not runs:
        return markup.paragraph(NOTHING)
    content = Table(
        plural(len(runs), "run"),
        columns("Verdict", "Run", "Commit", "Machine class", "Measured", "Largest change"),
        tuple(_row(run, verdicts.get(run.id), links) for run in runs),
    )
    return markup.html_table(without_empty_columns(_say_once(content)))


def _say_once(content: Table) -> Table:
    constants = []
    for name in _SAME if len(content.rows) > 1 else ():
        index = [column for column, _ in content.columns].index(name)
        words = {_word_of(row[index]) for row in content.rows}
        if len(words) == 1:
            constants.append((name, words.pop()))
    if not constants:
        return content
    caption = ", ".join([content.caption, *(f"{name.lower()} {word}" for name, word in constants)])
    rest = drop_columns(content, *(name for name, _ in constants))
    return Table(caption, rest.columns, rest.rows, rest.row_header)


def _word_of(cell: Cell) -> str:
    return cell.mark.word if cell.mark else cell.text


def _row(run: RunFacts, verdict: RunVerdict | None, links: SiteLinks) -> tuple[Cell, ...]:
    cases = plural(run.cases, "case") if run.cases else ""
    measured = ", ".join(filter(None, [run.profile, cases]))
    return (
        Cell("", mark=status.run_mark(verdict.outcome if verdict else None)),
        Cell(format_time(run.created), note=run.id, address=links.run(run.id)),
        links.commit(run, run.branch),
        Cell(run.machine),
        Cell(measured),
        _change(verdict.change if verdict else None),
    )


def _change(change: Change | None) -> Cell:
    if change is None:
        return Cell("")
    name = measured_name(change.case, change.metric)
    effect = f"{format_metric_effect(change.ratio, change.metric, change.better)}: {name}"
    return Cell(effect, note=format_change_interval(change.low, change.high))
