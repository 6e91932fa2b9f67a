"""Next steps: a line for each target without a pass, and for each benchmark that is slower."""

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass

from veperf.core.case import TIME
from veperf.core.escape import as_html, one_line
from veperf.core.gate import Answer, Effect, GateItem, Question
from veperf.core.text import format_change_interval, format_metric_effect, format_quantity
from veperf.core.verdict import Change, ChangeStatus, TargetVerdict, Verdict
from veperf.report.html import markup
from veperf.report.html.links import NO_LINKS, Links
from veperf.report.tables.status import CHANGE_MARKS, Mark, target_mark
from veperf.verdicts.headline import NOT_ASKED

_WIDTH = 80
_MOST = 20
_CHANGES: Mapping[Answer, ChangeStatus] = {
    Answer.SLOWER: ChangeStatus.SLOWER,
    Answer.SUSPECT: ChangeStatus.SUSPECT,
    Answer.CHANGED: ChangeStatus.CHANGED,
}


@dataclass(frozen=True, slots=True)
class NextStep:
    """An answer that leads on: what it says, why, and the command that shows more."""

    mark: Mark
    name: str
    case: str
    evidence: str
    command: str
    """Empty where there is none."""


def next_steps(verdict: Verdict) -> list[NextStep]:
    """Return a step for each target that is not simply met and each slowdown, the worst first."""
    targets = {(v.target.id, v.case or ""): v for v in verdict.targets}
    changes = {(c.case, c.metric): c for c in verdict.changes}
    steps: list[NextStep] = []
    for item in verdict.decision.items:
        target = targets.get((item.target, item.case))
        if item.question is Question.TARGET and target is not None:
            if item.effect is Effect.PASS or item.rule == NOT_ASKED:
                continue
            mark, evidence = target_mark(target), _evidence(target)
        elif item.answer in _CHANGES and item.effect not in (Effect.PASS, Effect.NOTE):
            mark = CHANGE_MARKS[_CHANGES[item.answer]]
            evidence = _change_evidence(item, changes.get((item.case, item.metric or TIME.name)))
        else:
            continue
        steps.append(NextStep(mark, item.name, item.case, evidence, item.next_step))
    return steps


def _evidence(verdict: TargetVerdict) -> str:
    """Return value and limit before the reason, which begins with the distance between them."""
    if verdict.value is None:
        return verdict.reason
    at = "at most" if verdict.target.better == "lower" else "at least"
    value = format_quantity(verdict.value, verdict.target.unit)
    return f"{value} ({at} {verdict.limit}), {verdict.reason}"


def _change_evidence(item: GateItem, change: Change | None) -> str:
    """Return the effect with its interval, and both values; the reason of what has none."""
    if change is None or change.low is None or change.new is None or change.base is None:
        return item.reason
    effect = format_metric_effect(change.ratio, change.metric, change.better)
    interval = format_change_interval(change.low, change.high)
    before, now = (format_quantity(v, change.unit) for v in (change.base, change.new))
    return f"{effect} ({interval}), {now}, was {before}"


def next_steps_html(steps: list[NextStep], links: Links = NO_LINKS) -> str:
    """Return the steps as a list, each with its command; empty without any."""
    if not steps:
        return ""
    items = "".join(
        f"<li>{markup.badge(step.mark)} <b>{markup.hyperlink(step.name, links.of(step.case))}</b> "
        f"{as_html(step.evidence)}."
        + (f" <code>{as_html(step.command)}</code>" if step.command else "")
        + "</li>"
        for step in steps[:_MOST]
    )
    rest = markup.paragraph(_rest(steps)) if len(steps) > _MOST else ""
    return f'<ul class="vp-next" aria-label="What to do next">{items}</ul>{rest}'


def _rest(steps: list[NextStep]) -> str:
    return f"And {len(steps) - _MOST:,} more, below."


def next_steps_text(steps: list[NextStep]) -> str:
    """Return the steps in 80 columns, each command on a line of its own; empty without any."""
    lines: list[str] = []
    for step in steps[:_MOST]:
        sentence = one_line(f"{step.mark.label} {step.name}: {step.evidence}")
        lines += textwrap.wrap(
            sentence, _WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
        )
        if step.command:
            lines.append(f"  $ {one_line(step.command)}")
    return "\n".join([*lines, *([_rest(steps)] if len(steps) > _MOST else [])])
