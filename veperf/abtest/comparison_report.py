"""Report of one comparison as text, HTML and Markdown."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from veperf.core.ab_records import ABChange, ABRun, ABSide
from veperf.core.escape import as_html, as_markdown, one_line
from veperf.core.text import (
    as_sentence,
    format_change_interval,
    format_duration,
    format_metric_effect,
    format_number,
    format_percent,
    format_quantity,
    format_time,
    plural,
)
from veperf.core.verdict import ChangeStatus, Outcome, Severity
from veperf.report.case_summary import measured_name
from veperf.report.charts import strip
from veperf.report.html import markup
from veperf.report.html.fragment import standalone
from veperf.report.sections import identity, verdict_sections
from veperf.report.tables import result_tables, status
from veperf.report.tables.status import Mark
from veperf.report.tables.table import Cell, Table, drop_columns, markdown_table, text_table

_SLIGHTLY_SLOWER = Mark("slower", "warn", 2)
_URGENT = "Changes that need attention"

_Item = TypeVar("_Item")


def pair_change_mark(change: ABChange) -> Mark:
    """Return the mark of a status; a slowdown within the threshold only warns."""
    if change.status is ChangeStatus.SLOWER and change.severity is not Severity.FAIL:
        return _SLIGHTLY_SLOWER
    return status.CHANGE_MARKS[change.status]


def sort_by_urgency(changes: Iterable[ABChange]) -> list[ABChange]:
    """Sort the changes by urgency, and among equals the worst first."""
    return sorted(changes, key=lambda c: (pair_change_mark(c).urgency, -(c.ratio or 0)))


def pair_changes_table(changes: Sequence[ABChange], caption: str) -> Table:
    """Return a table of the changes, a row each, with intervals drawn on a common axis."""
    axis = axis_reach(changes)
    return Table(
        caption,
        (
            ("Status", "left"),
            ("Benchmark", "left"),
            ("Base", "right"),
            ("New", "right"),
            ("Change", "left"),
            ("Pairs", "right"),
            ("Why", "left"),
        ),
        tuple(_row(change, axis) for change in sort_by_urgency(changes)),
    )


def comparison_facts(run: ABRun) -> list[tuple[str, str]]:
    """Return the facts of a comparison: its sides, machine, pairs and conditions."""
    config = run.config
    seconds = sum(round_.seconds for round_ in run.rounds)
    return [
        ("Comparison", run.id),
        ("Measured", format_time(run.created)),
        ("Base", describe_side(run.base)),
        ("New", describe_side(run.new)),
        ("Machine", identity.machine_text(run.machine)),
        ("Python", run.machine.python),
        (
            "Pairs",
            f"{len(run.rounds)} of at most {config.max_pairs}, {format_duration(seconds)}",
        ),
        ("Samples", f"{plural(config.samples, 'sample')} of each side in a pair, in turn"),
        ("While measuring", _conditions(run)),
    ]


def describe_side(side: ABSide) -> str:
    """Return name, commit and environment of a side as text."""
    commit = identity.revision_text(side.revision) if side.revision.commit else ""
    environment = f"packages {side.environment}" if side.environment else ""
    return ", ".join(filter(None, (side.name, commit, environment)))


def axis_reach(changes: Iterable[ABChange]) -> float:
    """Return the reach of the common axis to either side, from 5 % to 50 %."""
    ends = [abs(end - 1) for c in changes for end in (c.low, c.high) if end is not None]
    return min(0.5, max(0.05, *ends, 0.0))


def _row(change: ABChange, axis: float) -> tuple[Cell, ...]:
    between = format_change_interval(change.low, change.high)
    picture = ""
    if change.ratio is not None and change.low is not None and change.high is not None:
        picture = strip.forest_plot(change.low - 1, change.ratio - 1, change.high - 1, reach=axis)
    return (
        Cell("", mark=pair_change_mark(change)),
        Cell(measured_name(change.case, change.metric.name)),
        Cell(format_quantity(change.base, change.metric.unit)),
        Cell(format_quantity(change.new, change.metric.unit)),
        Cell(
            format_metric_effect(change.ratio, change.metric.name),
            note="" if change.low is None else between,
            picture=picture,
        ),
        Cell(str(len(change.pairs))),
        Cell(as_sentence(change.reason)),
    )


def _conditions(run: ABRun) -> str:
    if not run.rounds:
        return "unknown"
    load = max(round_.load for round_ in run.rounds)
    steals = [round_.steal_ratio for round_ in run.rounds if round_.steal_ratio is not None]
    stolen = (
        f", {format_percent(max(steals))} of CPU time given to others at most" if steals else ""
    )
    return f"load {format_number(load)} at most{stolen}"


def comparison_text(run: ABRun, outcome: Outcome, sentence: str) -> str:
    """Return a comparison as text: sentence, sides, a row a benchmark, reasons of the urgent."""
    mark = status.outcome_mark(outcome)
    parts = [
        f"{mark.symbol} {mark.word}: {one_line(as_sentence(sentence))}",
        _sides(run),
    ]
    if run.changes:
        parts.append(text_table(drop_columns(pair_changes_table(run.changes, ""), "Why")))
    urgent, _, _ = result_tables.split_by_urgency(run.changes, pair_change_mark)
    for change in urgent:
        symbol, reason = pair_change_mark(change).symbol, as_sentence(change.reason)
        parts.append(one_line(f"{symbol} {change.case}: {reason}"))
    return "\n\n".join(parts)


def comparison_html(run: ABRun, outcome: Outcome, sentence: str) -> str:
    """Return a comparison as HTML: urgent changes in a table, the others folded."""
    return standalone(outcome_banner(outcome, sentence) + comparison_body(run))


def outcome_banner(outcome: Outcome, sentence: str) -> str:
    """Return the outcome and its sentence as HTML."""
    mark = status.outcome_mark(outcome)
    return (
        f'<div class="vp-banner vp-{mark.tone}"><p class="vp-outcome">'
        f'<span aria-hidden="true">{mark.symbol}</span> {as_html(mark.word)}</p>'
        f'<p class="vp-sentence">{as_html(as_sentence(sentence))}</p></div>'
    )


def comparison_body(run: ABRun) -> str:
    """Return the facts of a comparison and its benchmarks as HTML."""
    failures = {c.case: c.failure for c in run.changes if c.failure is not None}
    parts = [
        markup.definitions(comparison_facts(run)),
        verdict_sections.failures_section(failures),
    ]
    for title, group in group_by_urgency(run.changes, pair_change_mark, _URGENT):
        rows = markup.html_table(pair_changes_table(group, title))
        parts.append(rows if title == _URGENT else markup.folded(title, rows))
    return "".join(parts)


def comparison_markdown(run: ABRun, outcome: Outcome, sentence: str) -> str:
    """Return a comparison as GitHub-flavoured Markdown."""
    mark = status.outcome_mark(outcome)
    parts = [
        f"### {mark.symbol} {mark.word}",
        as_markdown(as_sentence(sentence)),
        as_markdown(_sides(run)),
    ]
    for title, group in group_by_urgency(run.changes, pair_change_mark, _URGENT):
        body = markdown_table(pair_changes_table(group, title if title == _URGENT else ""))
        parts.append(body if title == _URGENT else folded_markdown(title, body))
    return "\n\n".join(parts) + "\n"


def group_by_urgency(
    items: Sequence[_Item], mark: Callable[[_Item], Mark], urgent_title: str
) -> Iterator[tuple[str, Sequence[_Item]]]:
    """Yield title and items of each group: the urgent, the ones no slower, the unjudged."""
    urgent, calm, unjudged = result_tables.split_by_urgency(items, mark)
    if urgent:
        yield urgent_title, urgent
    if calm:
        yield plural(len(calm), "benchmark no slower", "benchmarks no slower"), calm
    if unjudged:
        yield plural(len(unjudged), "benchmark") + " in one side only", unjudged


def folded_markdown(title: str, body: str) -> str:
    """Return ``body`` folded under ``title``, in Markdown."""
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"


def _sides(run: ABRun) -> str:
    facts = dict(comparison_facts(run))
    return one_line(f"{facts['New']}, against {facts['Base']}; {facts['Pairs']}")
