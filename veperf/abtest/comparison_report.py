"""Report of one comparison as text, HTML and Markdown."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from veperf.abtest.count_verdict import (
    INSTRUCTIONS,
    count_notes,
    describe_counts,
    format_count_change,
)
from veperf.abtest.dependence_notes import dependence_notes, describe_dependence
from veperf.abtest.guardrail_report import (
    changed_guardrails_table,
    guardrail_html,
    guardrail_lines,
)
from veperf.core.ab_records import ABChange, ABConfig, ABRun, ABSide
from veperf.core.escape import one_line
from veperf.core.gate import GateDecision
from veperf.core.text import (
    abbreviate_names,
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
from veperf.core.verdict import ChangeStatus, Severity
from veperf.report.case_summary import measured_name
from veperf.report.charts import strip
from veperf.report.html import markup
from veperf.report.html.fragment import standalone
from veperf.report.markdown_writer import CONTEXT, MarkdownPart, write_decision
from veperf.report.rendering import decision_text
from veperf.report.sections import identity, verdict_sections
from veperf.report.tables import result_tables, status
from veperf.report.tables.status import Mark
from veperf.report.tables.table import Cell, Table, drop_columns, text_table

_SLIGHTLY_SLOWER = Mark("slower", "warn", 2)
_CHANGED = {ChangeStatus.SLOWER, ChangeStatus.FASTER}
_URGENT = "Changes that need attention"
_BETWEEN_VERSIONS = "Between versions"
_COUNTS = "Counts"
_SHORTEST_COMMIT = 6

_Item = TypeVar("_Item")


def pair_change_mark(change: ABChange) -> Mark:
    """Return the mark of a status; a slowdown within the threshold only warns."""
    if change.status is ChangeStatus.SLOWER and change.severity is not Severity.FAIL:
        return _SLIGHTLY_SLOWER
    mark = status.margin_mark(change.status, change.margin)
    if change.only_in:
        return replace(mark, word="gone" if change.only_in == "base" else "new")
    return mark


def sort_by_urgency(changes: Iterable[ABChange]) -> list[ABChange]:
    """Sort the changes by urgency, and among equals the worst first."""
    return sorted(changes, key=lambda c: (pair_change_mark(c).urgency, -(c.ratio or 0)))


def pair_changes_table(changes: Sequence[ABChange], caption: str) -> Table:
    """Return a table of the changes, a row each, with intervals drawn on a common axis."""
    axis = axis_reach(changes)
    content = Table(
        caption,
        (
            ("Status", "left"),
            ("Benchmark", "left"),
            ("Base", "right"),
            ("New", "right"),
            ("Change", "left"),
            ("Pairs", "right"),
            (_COUNTS, "left"),
            ("Why", "left"),
        ),
        tuple(_row(change, axis) for change in sort_by_urgency(changes)),
    )
    return content if any(map(describe_counts, changes)) else drop_columns(content, _COUNTS)


def footnotes(changes: Iterable[ABChange]) -> list[str]:
    """Return the sentences by which the rows of ``changes`` are to be read."""
    rows = [change for change in changes if change.pairs]
    notes = [
        status.within_note(margin)
        for margin in dict.fromkeys(c.margin for c in rows if c.status is ChangeStatus.OK)
    ]
    if any(change.path and change.status in _CHANGED for change in rows):
        notes.append(
            "A change that led to an early end tends to look larger than it is; its interval "
            "allows for that."
        )
    return notes


def _count_lines(changes: Iterable[ABChange]) -> list[str]:
    """Return a paragraph with a line for each change of the counts, and its benchmarks."""
    names: dict[str, list[str]] = {}
    for change in sort_by_urgency(changes):
        if counts := describe_counts(change):
            names.setdefault(counts, []).append(change.case)
    lines = [one_line(f"{counts}: {abbreviate_names(cases)}") for counts, cases in names.items()]
    return ["\n".join(lines)] if lines else []


def _notes(run: ABRun) -> list[str]:
    values = "Base is the median over the pairs, and New is Base with the change: they agree."
    notes = [*footnotes(run.changes), *dependence_notes(run)]
    if any(change.pairs for change in run.changes):
        notes.append(values)
    return [*effect_notes(run), *notes, *count_notes(run)]


def effect_notes(run: ABRun) -> list[str]:
    """Return what the change can affect, and what was therefore not compared."""
    if run.config.compare_all:
        return []
    notes = []
    if run.unaffected:
        notes.append(
            f"{plural(len(run.unaffected), 'benchmark')} unaffected, and not compared: none "
            "executes code, or reads data, that differs (--all compares them)."
        )
    reasons = Counter(run.affected.values())
    if reasons:
        first, number = reasons.most_common(1)[0]
        others = f", {plural(len(reasons) - 1, 'other reason')}" if len(reasons) > 1 else ""
        notes.append(
            f"{plural(len(run.affected), 'benchmark')} compared: {first} ({number:,}){others}."
        )
    return notes


def comparison_facts(run: ABRun) -> list[tuple[str, str]]:
    """Return the facts of a comparison: its sides, machine, pairs and conditions."""
    config = run.config
    facts = [
        ("Comparison", run.id),
        ("Measured", format_time(run.created)),
        ("Base", describe_side(run.base)),
        ("New", describe_side(run.new)),
        ("Machine", identity.machine_text(run.machine)),
        ("Python", run.machine.python),
    ]
    if config.decide_by == "instructions":
        return [*facts, ("Pairs", "no pairs: instructions decide, nothing was timed")]
    if run.unaffected and not run.rounds:
        return [*facts, ("Pairs", "no pairs: no benchmark is affected")]
    seconds = sum(round_.seconds for round_ in run.rounds)
    return [
        *facts,
        (
            "Pairs",
            f"{len(run.rounds)} of at most {config.max_pairs}, {format_duration(seconds)}",
        ),
        ("Samples", f"{plural(config.samples, 'sample')} of each side in a pair, in turn"),
        ("While measuring", _conditions(run)),
        ("Dependence", describe_dependence(run)),
        *_allowances(config),
    ]


def _allowances(config: ABConfig) -> list[tuple[str, str]]:
    if not config.version_noise:
        return []
    noise = format_percent(config.version_noise)
    return [(_BETWEEN_VERSIONS, f"noise of {noise}, which verdicts and intervals allow for")]


def describe_side(side: ABSide) -> str:
    """Return name, commit and environment of a side as text."""
    commit = identity.revision_text(side.revision) if side.revision.commit else ""
    is_commit = len(side.name) > _SHORTEST_COMMIT and side.revision.commit.startswith(side.name)
    name = "" if is_commit else side.name
    environment = f"packages {side.environment}" if side.environment else ""
    return ", ".join(filter(None, (name, commit, environment, side.toolchain)))


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
        Cell(format_quantity(change.paired_new, change.metric.unit)),
        Cell(
            _effect(change),
            note="" if change.low is None else between,
            picture=picture,
        ),
        Cell(str(len(change.pairs))),
        Cell(describe_counts(change)),
        Cell(as_sentence(change.reason)),
    )


def _effect(change: ABChange) -> str:
    if change.metric == INSTRUCTIONS and change.base is not None and change.new is not None:
        return format_count_change(change.base, change.new)
    return format_metric_effect(change.ratio, change.metric.name, change.metric.better)


def _conditions(run: ABRun) -> str:
    if not run.rounds:
        return "unknown"
    load = max(round_.load for round_ in run.rounds)
    steals = [round_.steal_ratio for round_ in run.rounds if round_.steal_ratio is not None]
    stolen = (
        f", {format_percent(max(steals))} of CPU time given to others at most" if steals else ""
    )
    return f"load {format_number(load)} at most{stolen}"


def comparison_text(run: ABRun, decision: GateDecision) -> str:
    """Return a comparison as text: sentence, sides, a row a benchmark, reasons of the urgent."""
    parts = [
        decision_text(decision),
        _sides(run),
    ]
    if run.changes:
        # In 80 columns there is no room for counts: they have lines of their own.
        table = drop_columns(pair_changes_table(run.changes, ""), "Why", _COUNTS)
        parts.append(text_table(table))
        parts += _count_lines(run.changes)
    urgent, _, _ = result_tables.split_by_urgency(run.changes, pair_change_mark)
    for change in urgent:
        symbol, reason = pair_change_mark(change).symbol, as_sentence(change.reason)
        name = measured_name(change.case, change.metric.name)
        parts.append(one_line(f"{symbol} {name}: {reason}"))
    return "\n\n".join([*parts, *guardrail_lines(run.changes), *_notes(run)])


def comparison_html(run: ABRun, decision: GateDecision) -> str:
    """Return a comparison as HTML: urgent changes in a table, the others folded."""
    return standalone(verdict_sections.outcome_banner(decision) + comparison_body(run))


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
    if run.unaffected:
        title = f"{plural(len(run.unaffected), 'benchmark')} unaffected, and not compared"
        why = tuple((Cell(id), Cell(as_sentence(text))) for id, text in run.unaffected.items())
        table = Table(title, (("Benchmark", "left"), ("Why", "left")), why, row_header=0)
        parts.append(markup.folded(title, markup.html_table(table)))
    parts.append(guardrail_html(run.changes))
    return "".join([*parts, *map(markup.paragraph, _notes(run))])


def comparison_markdown(run: ABRun, decision: GateDecision) -> str:
    """Return a comparison as GitHub-flavoured Markdown."""
    return write_decision(decision, comparison_parts(run))


def comparison_parts(run: ABRun) -> list[MarkdownPart]:
    """Return the changes of a comparison by urgency, its guardrails, sides and notes."""
    beside = f"side by side with {run.base.name}"
    parts = []
    for title, group in group_by_urgency(run.changes, pair_change_mark, _URGENT):
        parts.append(MarkdownPart(f"{title}, {beside}", (pair_changes_table(group, ""),)))
    if (guardrails := changed_guardrails_table(run.changes)) is not None:
        parts.append(MarkdownPart(guardrails.caption, (replace(guardrails, caption=""),)))
    notes = (f"Compared: {_sides(run)}", *_notes(run))
    return [*parts, MarkdownPart(f"Notes, {beside}", notes, CONTEXT)]


def group_by_urgency(
    items: Sequence[_Item], mark: Callable[[_Item], Mark], urgent_title: str
) -> Iterator[tuple[str, Sequence[_Item]]]:
    """Yield title and items of each group: the urgent, those that pass, the unjudged."""
    urgent, calm, unjudged = result_tables.split_by_urgency(items, mark)
    if urgent:
        yield urgent_title, urgent
    if calm:
        yield plural(len(calm), "benchmark that passes", "benchmarks that pass"), calm
    if unjudged:
        yield plural(len(unjudged), "benchmark") + " in one side only", unjudged


def _sides(run: ABRun) -> str:
    facts = dict(comparison_facts(run))
    parts = [f"{facts['New']}, against {facts['Base']}", facts["Pairs"]]
    if between := facts.get(_BETWEEN_VERSIONS):
        parts.append(f"between versions, {between}")
    return one_line("; ".join(parts))
