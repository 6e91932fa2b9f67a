"""The head of the site's first page: where each machine class stands now."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from veperf.archive.run_summary import RunFacts
from veperf.archive.store import Archive
from veperf.archive.summary import ArchiveSummary
from veperf.archive.trend import Trend, TrendChange
from veperf.core.errors import DataError, UsageError
from veperf.core.target import TargetSet
from veperf.core.text import format_quantity, format_time
from veperf.core.verdict import TargetVerdict
from veperf.report.html import markup
from veperf.report.site.links import SiteLinks
from veperf.report.site.regressions import (
    DRIFTS,
    MACHINE,
    drifts_for_the_worse,
    drifts_table,
    open_regressions,
    regressions_table,
    without_machines,
)
from veperf.report.site.verdicts import RunVerdict
from veperf.report.tables import status
from veperf.report.tables.table import Cell, Table, columns, without_empty_columns
from veperf.verdicts.targets import judge_targets

MOST_CLASSES = 20
"""Machine classes that are shown: those with the latest runs."""
_MOST_REGRESSIONS, _MOST_DRIFTS, _MOST_MARGINS = 8, 5, 3


@dataclass(frozen=True, slots=True)
class MachineStatus:
    """The last run of a machine class, and how far its targets are from their limits."""

    run: RunFacts
    margins: tuple[TargetVerdict, ...]
    """Of the targets that it measured, those farthest beyond their limits or nearest to them."""


def machine_statuses(
    archive: Archive,
    summary: ArchiveSummary,
    targets: TargetSet,
    known_misses: Collection[str] = (),
) -> list[MachineStatus]:
    """Return the status of each machine class of ``summary``, the one with the last run first.

    A run that can't be judged has no margins.

    Raises:
        UnknownTargetError: ``known_misses`` names one that does not exist.
    """
    last = {run.machine: run for run in summary.runs}
    order = {run.id: index for index, run in enumerate(summary.runs)}
    latest = sorted(last.values(), key=lambda run: -order[run.id])[:MOST_CLASSES]
    return [MachineStatus(run, _margins(archive, run.id, targets, known_misses)) for run in latest]


def _margins(
    archive: Archive, run: str, targets: TargetSet, known_misses: Collection[str]
) -> tuple[TargetVerdict, ...]:
    try:
        verdicts = judge_targets(archive.read(run), targets, known_misses)
    except (DataError, UsageError):  # a run from elsewhere, which may be broken
        return ()
    measured = [verdict for verdict in verdicts if verdict.over is not None]
    return tuple(sorted(measured, key=lambda verdict: -(verdict.over or 0.0))[:_MOST_MARGINS])


def dashboard(
    statuses: Sequence[MachineStatus],
    trends: Sequence[Trend],
    verdicts: Mapping[str, RunVerdict],
    links: SiteLinks,
) -> str:
    """Return the machine classes, what became worse and nobody acknowledged, and the margins.

    Nothing is said of what there is none of.
    """
    if not statuses:
        return ""
    machines = {entry.run.machine for entry in statuses}
    regressions = [pair for pair in open_regressions(trends) if pair[0].machine in machines]
    drifts = [
        trend
        for trend in drifts_for_the_worse(trends)
        if trend.machine in machines and not trend.drift_acknowledged
    ]
    parts = [(_machines(statuses, regressions, drifts, verdicts, links), "Now")]
    if regressions:
        newest = regressions[:_MOST_REGRESSIONS]
        caption = _first(len(newest), len(regressions), "regression")
        parts.append((regressions_table(newest, caption, links), "New regressions"))
    if drifts:
        content = drifts_table(drifts[:_MOST_DRIFTS], links)
        parts.append((content, DRIFTS))
    if any(entry.margins for entry in statuses):
        parts.append((_margins_table(statuses), "Nearest to their limits"))
    html = ""
    for index, (content, title) in enumerate(parts):
        # Of one machine class it is said once.
        shown_content = without_machines(content) if index and len(machines) == 1 else content
        level = "h3" if index else "h2"
        html += f"<{level}>{title}</{level}>{markup.html_table(shown_content)}"
    return f"{html}<h2>All runs</h2>"


def _first(row_count: int, count: int, noun: str) -> str:
    """Return how many of them are shown."""
    if row_count < count:
        return f"The newest {row_count} of {count:,} {noun}s that nobody acknowledged"
    return f"{count:,} {noun}{'' if count == 1 else 's'} that nobody acknowledged"


def _machines(
    statuses: Sequence[MachineStatus],
    regressions: Sequence[tuple[Trend, TrendChange]],
    drifts: Sequence[Trend],
    verdicts: Mapping[str, RunVerdict],
    links: SiteLinks,
) -> Table:
    rows = []
    for entry in statuses:
        run, verdict = entry.run, verdicts.get(entry.run.id)
        moved = sum(trend.machine == run.machine for trend, _ in regressions)
        drifting = sum(trend.machine == run.machine for trend in drifts)
        rows.append(
            (
                Cell(run.machine),
                Cell("", mark=status.run_mark(verdict.outcome if verdict else None)),
                Cell(verdict.sentence if verdict else ""),
                Cell(format_time(run.created), address=links.run(run.id)),
                links.commit(run, run.branch),
                Cell(f"{moved:,}"),
                Cell(f"{drifting:,}"),
            )
        )
    caption = "The last run" if len(rows) == 1 else "The last run of each machine class"
    names = ("Verdict", "Why", ">Last run", "Commit", ">Regressions", ">Drifts")
    content = Table(caption, columns(MACHINE, *names), tuple(rows), row_header=0)
    return without_empty_columns(content)


def _margins_table(statuses: Sequence[MachineStatus]) -> Table:
    return Table(
        "Targets of the last run" + ("" if len(statuses) == 1 else " of each machine class"),
        columns("Target", "Answer", ">Measured", ">Limit", MACHINE),
        tuple(
            (
                Cell(margin.target.id),
                Cell("", mark=status.target_mark(margin), note=margin.distance),
                Cell(format_quantity(margin.value, margin.target.unit)),
                Cell(margin.limit),
                Cell(entry.run.machine),
            )
            for entry in statuses
            for margin in entry.margins
        ),
        row_header=0,
    )
