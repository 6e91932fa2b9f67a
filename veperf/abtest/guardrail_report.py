"""Guardrails of a comparison as lines of text, tables and rows of a frame."""

import textwrap
from collections.abc import Iterator, Sequence

from veperf.abtest.guardrails import (
    GUARDRAIL_RULES,
    describe_effect,
    describe_guardrail,
    describe_threshold,
    is_large,
    notable_guardrails,
)
from veperf.core.ab_records import ABChange, ABGuardrail, ABRun
from veperf.core.escape import one_line
from veperf.core.text import (
    as_sentence,
    format_change_interval,
    format_quantity,
    plural,
)
from veperf.core.verdict import ChangeStatus, Severity
from veperf.report.html import markup
from veperf.report.tables.status import Mark
from veperf.report.tables.table import Cell, Table, drop_columns

_COLUMNS = 80
_CHANGED = "Guardrails that changed"
# Higher counts and times are worse; the words for the time itself would mislead.
_MARKS = {
    ChangeStatus.SLOWER: Mark("higher", "warn", 2),
    ChangeStatus.FASTER: Mark("lower", "pass", 5),
    ChangeStatus.OK: Mark("within", "pass", 6),
}
_UNDECIDED = Mark("inconclusive", "quiet", 4)


def guardrail_lines(changes: Sequence[ABChange]) -> Iterator[str]:
    """Yield a paragraph for each guardrail that changed, worse ones first, in 80 columns."""
    for change, guardrail in _changed(changes):
        interval = ""
        if _has_interval(guardrail):
            interval = f" ({format_change_interval(guardrail.low, guardrail.high)})"
        symbol = guardrail_mark(guardrail).symbol
        text = one_line(f"{symbol} {change.case}: {describe_guardrail(guardrail)}{interval}.")
        yield textwrap.fill(text, _COLUMNS, subsequent_indent="  ", break_long_words=False)


def guardrail_html(changes: Sequence[ABChange]) -> str:
    """Return the guardrails that changed in a table, and all of them folded, as HTML."""
    every = [(change, guardrail) for change in changes for guardrail in change.guardrails]
    if not every:
        return ""
    changed = _changed(changes)
    title = plural(len(every), "guardrail")
    parts = [markup.html_table(_table(changed, _CHANGED))] if changed else []
    return "".join([*parts, markup.folded(title, markup.html_table(_table(every, title)))])


def changed_guardrails_table(changes: Sequence[ABChange]) -> Table | None:
    """Return a table of the guardrails that changed; None where there are none."""
    changed = _changed(changes)
    return drop_columns(_table(changed, _CHANGED), "Rule") if changed else None


def guardrail_rows(run: ABRun) -> list[dict[str, object]]:
    """Return a row for each guardrail of each benchmark, by name of the column."""
    return [
        {
            "case": change.case,
            "guardrail": guardrail.name,
            "unit": guardrail.unit,
            "status": guardrail.status.value,
            "severity": guardrail.severity.value,
            "base": guardrail.base,
            "new": guardrail.new,
            "ratio": guardrail.ratio,
            "low": guardrail.low,
            "high": guardrail.high,
            "pairs": guardrail.pairs,
            "reason": guardrail.reason,
        }
        for change in run.changes
        for guardrail in change.guardrails
    ]


def guardrail_mark(guardrail: ABGuardrail) -> Mark:
    """Return the mark of a guardrail's status."""
    return _MARKS.get(guardrail.status, _UNDECIDED)


def _has_interval(guardrail: ABGuardrail) -> bool:
    is_known = guardrail.low is not None and guardrail.high is not None
    return is_known and not is_large(guardrail.ratio)


def _changed(changes: Sequence[ABChange]) -> list[tuple[ABChange, ABGuardrail]]:
    """Return each guardrail that changed, with its change; warnings first."""
    rows = [(change, guardrail) for change in changes for guardrail in notable_guardrails(change)]
    return sorted(rows, key=lambda row: row[1].severity is not Severity.WARN)


def _table(rows: Sequence[tuple[ABChange, ABGuardrail]], caption: str) -> Table:
    return Table(
        caption,
        (
            ("Status", "left"),
            ("Benchmark", "left"),
            ("Guardrail", "left"),
            ("Base", "right"),
            ("New", "right"),
            ("Change", "left"),
            ("Rule", "left"),
            ("Why", "left"),
        ),
        tuple(_row(change, guardrail) for change, guardrail in rows),
    )


def _row(change: ABChange, guardrail: ABGuardrail) -> tuple[Cell, ...]:
    rule = GUARDRAIL_RULES.get(guardrail.name)
    between = format_change_interval(guardrail.low, guardrail.high)
    return (
        Cell("", mark=guardrail_mark(guardrail)),
        Cell(change.case),
        Cell(guardrail.name if rule is None else rule.noun),
        Cell(format_quantity(guardrail.base, guardrail.unit)),
        Cell(format_quantity(guardrail.new, guardrail.unit)),
        Cell(
            describe_effect(guardrail.base, guardrail.new, guardrail.ratio, guardrail.unit),
            note=between if _has_interval(guardrail) else "",
        ),
        Cell("" if rule is None else f"more than {describe_threshold(rule)}"),
        Cell(as_sentence(guardrail.reason)),
    )
