"""The site's page of two runs side by side: the last two, or those that its reader chooses.

The medians of the runs are in the page, as texts, so that its script can show any two of them. It
has no verdict to show: that takes the samples, which `veperf compare` reads.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from veperf.archive.run_summary import RunFacts
from veperf.archive.summary import ArchiveSummary
from veperf.core.escape import as_html
from veperf.core.text import MISSING, format_change, format_quantity, format_time, plural
from veperf.report.case_summary import measured_name
from veperf.report.html import markup
from veperf.report.site.links import SiteLinks, run_anchor
from veperf.report.tables.table import Cell, Table, columns, without_empty_columns

FEWER = "It takes two runs to compare; the archive has fewer."
MOST_RUNS, MOST_CASES = 60, 400
_MOST_VALUES = 6_000
_DIGITS = 4
_SEPARATOR = "|"

Medians = Mapping[str, str]
"""Texts of a run's medians, by the name of the metric of a case."""


@dataclass(frozen=True, slots=True)
class ComparedRuns:
    """The runs of which the page has the medians."""

    runs: tuple[RunFacts, ...] = ()
    """Newest first."""
    medians: tuple[Medians, ...] = ()
    """Of each run."""
    values: tuple[Mapping[str, float], ...] = ()
    """The same as numbers, in the unit of the metric."""
    names: tuple[str, ...] = ()
    """The metrics of cases that any of them has, sorted."""
    count: int = 0
    """Number of runs that the archive has."""

    @property
    def ids(self) -> frozenset[str]:
        """The ids of the runs that the page shows: none where there are not two to compare."""
        return frozenset(run.id for run in self.runs) if len(self.runs) > 1 else frozenset()


def compared_runs(summary: ArchiveSummary) -> ComparedRuns:
    """Return the last runs of ``summary``, as many as a page has room for."""
    count = len(summary.runs)
    if not count:
        return ComparedRuns()
    places = [*range(max(0, count - MOST_RUNS), count)]
    chosen = summary.at(places)
    columns_of = chosen.figures()
    medians: list[dict[str, str]] = [{} for _ in places]
    values: list[dict[str, float]] = [{} for _ in places]
    for row in np.flatnonzero(columns_of.judged & (columns_of.run >= 0)).tolist():
        case, metric, unit = (
            column.names[int(column.codes[row])]
            for column in (columns_of.case, columns_of.metric, columns_of.unit)
        )
        name, run = measured_name(case, metric), int(columns_of.run[row])
        values[run][name] = float(columns_of.value[row])
        medians[run][name] = format_quantity(values[run][name], unit, _DIGITS)
    names: set[str] = set()
    kept = 0
    for run in reversed(range(len(medians))):
        more = names | medians[run].keys()
        if kept >= 2 and (kept + 1) * min(len(more), MOST_CASES) > _MOST_VALUES:
            break
        names, kept = more, kept + 1
    newest = slice(None, len(medians) - kept - 1 if kept < len(medians) else None, -1)
    return ComparedRuns(
        chosen.runs[newest],
        tuple(medians[newest]),
        tuple(values[newest]),
        tuple(sorted(names)[:MOST_CASES]),
        count,
    )


def compare_page(compared: ComparedRuns, links: SiteLinks) -> str:
    """Return the runs, and the last two side by side; the page's script shows any two."""
    if len(compared.runs) < 2:
        return markup.paragraph(FEWER)
    new = 0
    old = next((i for i in range(1, len(compared.runs)) if _is_alike(compared, i)), 1)
    older, newer = compared.runs[old], compared.runs[new]
    command = f"veperf compare {older.id} {newer.id}"
    items = "".join(
        f"<li>{as_html(_SEPARATOR.join([run.id, *(_plain(texts, n) for n in compared.names)]))}"
        for run, texts in zip(compared.runs, compared.medians, strict=True)
    )
    return (
        f'<div class="vp-compare"><div class="vp-runs">{_runs(compared, links)}</div>'
        "<h2>Difference of medians</h2>"
        f"<p>No verdict: that takes the samples. <code>{as_html(command)}</code> judges.</p>"
        f"{markup.html_table(_differences(compared, old, new))}"
        f'<ol class="vp-medians" hidden>{items}</ol></div>'
    )


def _is_alike(compared: ComparedRuns, index: int) -> bool:
    return compared.runs[index].machine == compared.runs[0].machine


def _plain(texts: Medians, name: str) -> str:
    return texts.get(name, "").replace(_SEPARATOR, "/")


def _runs(compared: ComparedRuns, links: SiteLinks) -> str:
    run_count, count = len(compared.runs), compared.count
    caption = plural(run_count, "run")
    if run_count < count:
        caption = f"The last {run_count} of {count:,} runs; `veperf compare` takes any two"
    rows = tuple(
        (
            Cell(
                run.id,
                note=format_time(run.created),
                address=links.reports.get(run.id, ""),
                anchor=run_anchor(run.id),
            ),
            links.commit(run, run.branch),
            Cell(run.machine),
            Cell(run.profile),
        )
        for run in compared.runs
    )
    names = columns("Run", "Commit", "Machine class", "Profile")
    return markup.html_table(without_empty_columns(Table(caption, names, rows, row_header=0)))


def _differences(compared: ComparedRuns, old: int, new: int) -> Table:
    rows = []
    for name in compared.names:
        before, after = compared.values[old].get(name), compared.values[new].get(name)
        ratio = after / before if before and after and before > 0 else None
        rows.append(
            (
                Cell(name),
                Cell(compared.medians[old].get(name, MISSING)),
                Cell(compared.medians[new].get(name, MISSING)),
                Cell(format_change(ratio)),
            )
        )
    caption = f"{compared.runs[old].id} and {compared.runs[new].id}"
    names = columns("Benchmark", ">Before", ">After", ">Difference")
    return Table(caption, names, tuple(rows), row_header=0)
