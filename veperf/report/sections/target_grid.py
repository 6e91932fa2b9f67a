"""Every target by suite, with its value, limit and answer, on one screen."""

from collections.abc import Mapping, Sequence

from veperf.core.escape import as_html, one_line
from veperf.core.text import format_exact, format_quantity
from veperf.core.verdict import TargetStatus, TargetVerdict, Verdict
from veperf.report.html import markup
from veperf.report.html.fragment import Fragment
from veperf.report.html.links import NO_LINKS, Links
from veperf.report.tables.status import target_mark
from veperf.verdicts.headline import NOT_ASKED

_COUNTED = ("objects", "tasks")
"""Units that stand in the target's name."""
NO_TARGET = "No target was asked for."


def target_grid(verdict: Verdict, links: Links = NO_LINKS) -> Fragment:
    """Return a table for each suite with a row for each target, those that aren't met first.

    Where several cases answer a target, the worst counts. Targets that nobody asked for are left
    out.
    """
    by_urgency = sorted(verdict.targets, key=lambda v: (target_mark(v).urgency, -(v.over or 0)))
    unasked = {item.target for item in verdict.decision.items if item.rule == NOT_ASKED}
    worst: dict[str, TargetVerdict] = {}
    for target in by_urgency:
        if target.target.id not in unasked:
            worst.setdefault(target.target.id, target)
    suites: dict[str, list[TargetVerdict]] = {
        _suite(v): [] for v in verdict.targets if v.target.id in worst
    }
    for target in worst.values():
        suites[_suite(target)].append(target)
    if not suites:
        return markup.paragraph_fragment(NO_TARGET)
    html = "".join(_suite_html(suite, rows, links) for suite, rows in suites.items())
    return Fragment(f'<div class="vp-grid">{html}</div>', _text(suites))


def _count(verdicts: Sequence[TargetVerdict]) -> str:
    met = sum(verdict.is_met for verdict in verdicts)
    return f"{met} of {len(verdicts)} met"


def _suite(verdict: TargetVerdict) -> str:
    return verdict.target.id.partition("/")[0]


def _name(verdict: TargetVerdict) -> str:
    return verdict.target.id.partition("/")[2]


def _bound(verdict: TargetVerdict) -> str:
    at = "≤" if verdict.target.better == "lower" else "≥"
    return f"{at} {format_exact(verdict.target.limit, _unit(verdict))}"


def _value(verdict: TargetVerdict) -> str:
    return format_quantity(verdict.value, _unit(verdict))


def _unit(verdict: TargetVerdict) -> str:
    return "" if verdict.target.unit in _COUNTED else verdict.target.unit


def _text(suites: Mapping[str, Sequence[TargetVerdict]]) -> str:
    """Return the tables as plain text, their columns as wide as the widest of all."""
    rows = {suite: [_cells(v) for v in verdicts] for suite, verdicts in suites.items()}
    heads = {suite: (_count(suites[suite]), suite, "Measured", "Limit") for suite in suites}
    every = [*heads.values(), *(row for group in rows.values() for row in group)]
    widths = [max(map(len, column)) for column in zip(*every, strict=True)]

    def line(row: Sequence[str]) -> str:
        left = "  ".join(text.ljust(width) for text, width in zip(row[:2], widths, strict=False))
        right = (text.rjust(width) for text, width in zip(row[2:], widths[2:], strict=True))
        return "  ".join([left, *right])

    rule = "─" * len(line(("",) * len(widths)))
    return "\n".join(
        text
        for suite, head in heads.items()
        for text in (line(head), rule, *map(line, rows[suite]), "")
    ).rstrip()


def _cells(verdict: TargetVerdict) -> tuple[str, ...]:
    return target_mark(verdict).label, one_line(_name(verdict)), _value(verdict), _bound(verdict)


def _suite_html(suite: str, verdicts: Sequence[TargetVerdict], links: Links) -> str:
    name = markup.hyperlink(suite, links.pages.get(suite, ""))
    head = "".join(
        f"<th scope=col>{column}</th>" for column in ("Answer", "Target", "Measured", "Limit")
    )
    rows = "".join(_row_html(verdict, links) for verdict in verdicts)
    return (
        f"<table><caption><b>{name}</b> {as_html(_count(verdicts))}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _row_html(verdict: TargetVerdict, links: Links) -> str:
    mark, target = target_mark(verdict), verdict.target
    notes = []
    if verdict.status is not TargetStatus.PASS:
        notes.append(mark.word)
    if target.target is not None:
        notes.append(f"goal {format_exact(target.target, target.unit)}")
    note = f" <small>{as_html(', '.join(notes))}</small>" if notes else ""
    return (
        f'<tr class="vp-{mark.tone}"><td><span role="img" aria-label="{as_html(mark.word)}">'
        f"{mark.symbol}</span></td>"
        f"<th scope=row>{markup.hyperlink(_name(verdict), links.of(verdict.case or ''))}{note}</th>"
        f"<td>{as_html(_value(verdict))}</td>"
        f"<td>{as_html(_bound(verdict))}</td></tr>"
    )
