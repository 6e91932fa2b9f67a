"""A whole comparison as text, HTML and Markdown."""

from collections.abc import Iterable, Sequence

from veperf.core import number_format
from veperf.core.ab import ABChange, ABRun, ABSide
from veperf.core.escape import as_html, as_markdown, one_line
from veperf.core.verdict import ChangeStatus, Outcome, Severity
from veperf.core.words import plural
from veperf.report import markdown, text
from veperf.report.case_summary import measured_name
from veperf.report.charts import strip
from veperf.report.html import markup
from veperf.report.html.style import standalone
from veperf.report.sections import identity, verdict_sections
from veperf.report.tables import result_tables, status
from veperf.report.tables.result_tables import Cell, Table
from veperf.report.tables.status import Mark

_SLIGHTLY_SLOWER = Mark("slower", "warn", 2)


def mark_of(change: ABChange) -> Mark:
    """How a status is shown: a slowdown within the threshold only warns."""
    if change.status is ChangeStatus.SLOWER and change.severity is not Severity.FAIL:
        return _SLIGHTLY_SLOWER
    return status.of_change(change.status)


def by_urgency(found: Iterable[ABChange]) -> list[ABChange]:
    """The most urgent first, among those alike the worst."""
    return sorted(found, key=lambda c: (mark_of(c).urgency, -(c.ratio or 0)))


def changes(found: Sequence[ABChange], caption: str) -> Table:
    """One row a benchmark, with an interval drawn on a common axis."""
    axis = reach(found)
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
        tuple(_row(change, axis) for change in by_urgency(found)),
    )


def facts(found: ABRun) -> list[tuple[str, str]]:
    """What was compared with what, where, when and how."""
    asked = found.config
    seconds = sum(one.seconds for one in found.rounds)
    return [
        ("Comparison", found.id),
        ("Measured", number_format.moment(found.created)),
        ("Base", side(found.base)),
        ("New", side(found.new)),
        ("Machine", identity.machine(found.machine)),
        ("Python", found.machine.python),
        (
            "Pairs",
            f"{len(found.rounds)} of at most {asked.max_pairs}, {number_format.seconds(seconds)}",
        ),
        ("Samples", f"{plural(asked.samples, 'sample')} of each side in a pair, in turn"),
        ("While measuring", _conditions(found)),
    ]


def side(found: ABSide) -> str:
    """A side: its name, its commit, its environment."""
    commit = identity.revision(found.revision) if found.revision.commit else ""
    environment = f"packages {found.environment}" if found.environment else ""
    return ", ".join(filter(None, (found.name, commit, environment)))


def reach(found: Iterable[ABChange]) -> float:
    """How far the common axis goes to either side: 5 % at least, 50 % at most."""
    ends = [abs(end - 1) for c in found for end in (c.low, c.high) if end is not None]
    return min(0.5, max(0.05, *ends, 0.0))


def _row(c: ABChange, axis: float) -> tuple[Cell, ...]:
    between = number_format.change_interval(c.low, c.high)
    picture = ""
    if c.ratio is not None and c.low is not None and c.high is not None:
        picture = strip.forest(c.low - 1, c.ratio - 1, c.high - 1, reach=axis)
    return (
        Cell("", mark=mark_of(c)),
        Cell(measured_name(c.case, c.metric.name)),
        Cell(number_format.quantity(c.base, c.metric.unit)),
        Cell(number_format.quantity(c.new, c.metric.unit)),
        Cell(
            number_format.effect(c.ratio, c.metric.name),
            note="" if c.low is None else between,
            picture=picture,
        ),
        Cell(str(len(c.pairs))),
        Cell(number_format.sentence(c.reason)),
    )


def _conditions(found: ABRun) -> str:
    if not found.rounds:
        return "unknown"
    load = max(one.load for one in found.rounds)
    steals = [one.steal_ratio for one in found.rounds if one.steal_ratio is not None]
    stolen = (
        f", {number_format.share(max(steals))} of CPU time given to others at most"
        if steals
        else ""
    )
    return f"load {number_format.number(load)} at most{stolen}"


def as_text(found: ABRun, outcome: Outcome, sentence: str) -> str:
    """Its sentence, which comparison it is, a row a benchmark, and why for those that matter."""
    mark = status.of_outcome(outcome)
    parts = [
        f"{mark.symbol} {mark.word}: {one_line(number_format.sentence(sentence))}",
        _sides(found),
    ]
    if found.changes:
        parts.append(text.table(result_tables.without(changes(found.changes, ""), "Why")))
    urgent, _, _ = result_tables.split(found.changes, mark_of)
    parts += [
        f"{mark_of(c).symbol} {one_line(c.case)}: {one_line(number_format.sentence(c.reason))}"
        for c in urgent
    ]
    return "\n\n".join(parts)


def as_page(found: ABRun, outcome: Outcome, sentence: str) -> str:
    """The same as HTML: what needs attention in a table, the rest folded."""
    return standalone(banner(outcome, sentence) + body(found))


def banner(outcome: Outcome, sentence: str) -> str:
    """What it comes to, as HTML."""
    mark = status.of_outcome(outcome)
    return (
        f'<div class="vp-banner vp-{mark.tone}"><p class="vp-outcome">'
        f'<span aria-hidden="true">{mark.symbol}</span> {as_html(mark.word)}</p>'
        f'<p class="vp-sentence">{as_html(number_format.sentence(sentence))}</p></div>'
    )


def body(found: ABRun) -> str:
    """Which comparison it is, and its benchmarks, as HTML."""
    failures = {c.case: c.failure for c in found.changes if c.failure is not None}
    parts = [markup.definitions(facts(found)), verdict_sections.failures(failures)]
    for title, group in _groups(found):
        rows = markup.table(changes(group, title))
        parts.append(rows if title == _URGENT else markup.folded(title, rows))
    return "".join(parts)


def as_comment(found: ABRun, outcome: Outcome, sentence: str) -> str:
    """The same as GitHub-flavoured Markdown."""
    mark = status.of_outcome(outcome)
    parts = [
        f"### {mark.symbol} {mark.word}",
        as_markdown(number_format.sentence(sentence)),
        as_markdown(_sides(found)),
    ]
    for title, group in _groups(found):
        body = markdown.table(changes(group, title if title == _URGENT else ""))
        folded = f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"
        parts.append(body if title == _URGENT else folded)
    return "\n\n".join(parts) + "\n"


_URGENT = "Changes that need attention"


def _groups(found: ABRun) -> Sequence[tuple[str, Sequence[ABChange]]]:
    urgent, calm, unjudged = result_tables.split(found.changes, mark_of)
    return [
        (title, group)
        for title, group in (
            (_URGENT, urgent),
            (number_format.count(len(calm), "benchmark no slower", "benchmarks no slower"), calm),
            (
                number_format.count(len(unjudged), "benchmark", "benchmarks") + " in one side only",
                unjudged,
            ),
        )
        if group
    ]


def _sides(found: ABRun) -> str:
    said = dict(facts(found))
    return one_line(f"{said['New']}, against {said['Base']}; {said['Pairs']}")
