"""A whole comparison as text, HTML and Markdown."""

from collections.abc import Sequence

from veperf.model import ABChange, ABRun, Outcome
from veperf.report import markdown, markup, sections, status, tables, text, words
from veperf.report.ab.table import changes, facts, mark_of
from veperf.report.escape import as_html, as_markdown, one_line
from veperf.report.style import standalone


def as_text(found: ABRun, outcome: Outcome, sentence: str) -> str:
    """Its sentence, which comparison it is, a row a benchmark, and why for those that matter."""
    mark = status.of_outcome(outcome)
    parts = [f"{mark.symbol} {mark.word}: {one_line(words.sentence(sentence))}", _sides(found)]
    if found.changes:
        parts.append(text.table(tables.without(changes(found.changes, ""), "Why")))
    urgent, _, _ = tables.split(found.changes, mark_of)
    parts += [
        f"{mark_of(c).symbol} {one_line(c.case)}: {one_line(words.sentence(c.reason))}"
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
        f'<p class="vp-sentence">{as_html(words.sentence(sentence))}</p></div>'
    )


def body(found: ABRun) -> str:
    """Which comparison it is, and its benchmarks, as HTML."""
    failures = {c.case: c.failure for c in found.changes if c.failure is not None}
    parts = [markup.definitions(facts(found)), sections.failures(failures)]
    for title, group in _groups(found):
        rows = markup.table(changes(group, title))
        parts.append(rows if title == _URGENT else markup.folded(title, rows))
    return "".join(parts)


def as_comment(found: ABRun, outcome: Outcome, sentence: str) -> str:
    """The same as GitHub-flavoured Markdown."""
    mark = status.of_outcome(outcome)
    parts = [
        f"### {mark.symbol} {mark.word}",
        as_markdown(words.sentence(sentence)),
        as_markdown(_sides(found)),
    ]
    for title, group in _groups(found):
        body = markdown.table(changes(group, title if title == _URGENT else ""))
        folded = f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"
        parts.append(body if title == _URGENT else folded)
    return "\n\n".join(parts) + "\n"


_URGENT = "Changes that need attention"


def _groups(found: ABRun) -> Sequence[tuple[str, Sequence[ABChange]]]:
    urgent, calm, unjudged = tables.split(found.changes, mark_of)
    return [
        (title, group)
        for title, group in (
            (_URGENT, urgent),
            (words.count(len(calm), "benchmark no slower", "benchmarks no slower"), calm),
            (words.count(len(unjudged), "benchmark", "benchmarks") + " in one side only", unjudged),
        )
        if group
    ]


def _sides(found: ABRun) -> str:
    said = dict(facts(found))
    return one_line(f"{said['New']}, against {said['Base']}; {said['Pairs']}")
