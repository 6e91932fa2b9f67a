"""Next steps: a line for each target without a pass, and for each benchmark that is slower."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from veperf.core.case import TIME
from veperf.core.escape import as_html, one_line
from veperf.core.gate import Answer, Effect, GateItem, Question
from veperf.core.text import format_change_interval, format_metric_effect, format_quantity
from veperf.core.verdict import Change, ChangeStatus, TargetStatus, TargetVerdict, Verdict
from veperf.report.html import markup
from veperf.report.html.links import NO_LINKS, Links
from veperf.report.tables.status import CHANGE_MARKS, Mark, target_mark
from veperf.verdicts.headline import NOT_ASKED

_WIDTH = 80
_MOST = 20
_MOST_NAMES = 6
_LEFT_OUT = "left out of this run"
_SHOWN = 4
"""Number of steps that a page shows unfolded."""
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
    shared: str = ""
    """What it says in short, if others of its suite are so, too: why they have no answer."""
    shared_command: str = ""
    """The command for all of them."""


def next_steps(verdict: Verdict) -> list[NextStep]:
    """Return a step for each target that is not simply met and each slowdown, the worst first.

    Targets of one benchmark that say the same, as where its load was void, share a step; so do
    those of a suite that a short run left out, or measured too seldom.
    """
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
        shared = _shared_reason(target) if target is not None else ""
        suite = item.case.partition("/")[0]
        command = item.next_step.replace(f" {item.case}", f" {suite}", 1) if shared else ""
        steps.append(
            NextStep(mark, item.name, item.case, evidence, item.next_step, shared, command)
        )
    return _joined(_shared(steps))


def _shared_reason(verdict: TargetVerdict) -> str:
    """Return why a target has no answer, where a whole suite may have none for that; else empty."""
    if verdict.status is not TargetStatus.NOT_MEASURED:
        return ""
    if verdict.value is None:
        return _LEFT_OUT if verdict.reason.endswith(_LEFT_OUT) else ""
    _, _, few = verdict.reason.partition(", but by ")
    return f"measured by {few}" if few.endswith(" are the minimum") else ""


def _shared(steps: Sequence[NextStep]) -> Iterable[NextStep]:
    """Yield ``steps``, those with one shared reason and several commands with what they share."""
    commands: dict[tuple[Mark, str, str], set[str]] = {}
    for step in steps:
        commands.setdefault((step.mark, step.shared, step.shared_command), set()).add(step.command)
    for step in steps:
        several = len(commands[step.mark, step.shared, step.shared_command]) > 1
        if several and step.shared and step.shared_command:
            step = NextStep(step.mark, step.name, "", step.shared, step.shared_command)
        yield replace(step, shared="", shared_command="")


def _joined(steps: Iterable[NextStep]) -> list[NextStep]:
    """Return ``steps``, those that differ in nothing but their names as one, at the first place."""
    names: dict[NextStep, list[str]] = {}
    for step in steps:
        names.setdefault(replace(step, name=""), []).append(step.name)
    return [replace(step, name=_join_names(alike)) for step, alike in names.items()]


def _join_names(names: Sequence[str]) -> str:
    """Return ``names`` in a row, the suite that they have in common once."""
    suite = names[0].rpartition("/")[0]
    others = [name.removeprefix(f"{suite}/") if suite else name for name in names[1:]]
    if len(names) > _MOST_NAMES:
        others[_MOST_NAMES - 1 :] = [f"{len(names) - _MOST_NAMES:,} more"]
    return ", ".join([names[0], *others])


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
    """Return the steps as a list, each with its command; empty without any.

    All but the first few are folded, so that the targets below stay on the first screen.
    """
    if not steps:
        return ""
    items = [
        f"<li>{markup.badge(step.mark)} <b>{markup.hyperlink(step.name, links.of(step.case))}</b> "
        f"{as_html(step.evidence)}."
        + (f" <code>{as_html(step.command)}</code>" if step.command else "")
        + "</li>"
        for step in steps[:_MOST]
    ]
    parts = [_list(items[:_SHOWN])]
    if folded := items[_SHOWN:]:
        rest = markup.paragraph(_rest(steps)) if len(steps) > _MOST else ""
        title = f"{len(steps) - _SHOWN:,} more, with what to do about each"
        parts.append(markup.folded(title, _list(folded) + rest))
    return "".join(parts)


def _list(items: Iterable[str]) -> str:
    return f'<ul class="vp-next" aria-label="What to do next">{"".join(items)}</ul>'


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
