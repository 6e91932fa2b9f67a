"""Decision of the gate: items made of verdicts under a policy, and one decision of all items."""

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec.structs import replace

from veperf.core.case import MEMORY_NAMES, TIME
from veperf.core.errors import COULD_NOT_MEASURE, FAILED, INCONCLUSIVE, OK
from veperf.core.gate import (
    JUDGED,
    Answer,
    Effect,
    GateDecision,
    GateItem,
    Outcome,
    Question,
)
from veperf.core.policy import GatePolicy, Situation
from veperf.core.text import describe_margin, format_exact, format_percent
from veperf.core.verdict import Change, ChangeStatus
from veperf.verdicts.headline import headline_of

_BY_EFFECT: Mapping[Effect, Outcome] = {
    Effect.ERROR: Outcome.ERROR,
    Effect.FAIL: Outcome.FAIL,
    Effect.INCONCLUSIVE: Outcome.INCONCLUSIVE,
    Effect.WARN: Outcome.WARN,
    Effect.NOTE: Outcome.PASS,
    Effect.PASS: Outcome.PASS,
}
WORST_FIRST: Sequence[Effect] = tuple(_BY_EFFECT)
_DOUBTFUL = frozenset({Answer.SUSPECT, Answer.INCONCLUSIVE, Answer.CHANGED, Answer.NOT_COMPARABLE})
"""Answers that ``strict`` doesn't let pass."""
_URGENT_ANSWERS: Sequence[Answer] = (
    Answer.FAILED,
    Answer.MISSING,
    Answer.NOT_MEASURED,
    Answer.MISSED,
    Answer.SLOWER,
    Answer.SUSPECT,
    Answer.CHANGED,
    Answer.INCONCLUSIVE,
    Answer.NOT_COMPARABLE,
    Answer.NEW,
    Answer.FASTER,
    Answer.MET,
    Answer.WITHIN,
)
NO_JUDGEMENT = "a gate that judged nothing never passes"
STRICT_RULE = "--strict takes no doubt"

ANSWERS: Mapping[ChangeStatus, Answer] = {
    ChangeStatus.OK: Answer.WITHIN,
    ChangeStatus.FASTER: Answer.FASTER,
    ChangeStatus.SLOWER: Answer.SLOWER,
    ChangeStatus.CHANGED: Answer.CHANGED,
    ChangeStatus.SUSPECT: Answer.SUSPECT,
    ChangeStatus.INCONCLUSIVE: Answer.INCONCLUSIVE,
    ChangeStatus.NOT_ENOUGH: Answer.INCONCLUSIVE,
    ChangeStatus.OTHER_MACHINE: Answer.NOT_COMPARABLE,
    ChangeStatus.NO_BASELINE: Answer.NEW,
    ChangeStatus.ONE_SIDED: Answer.MISSING,
    ChangeStatus.NOT_MEASURED: Answer.NOT_MEASURED,
    ChangeStatus.ERROR: Answer.FAILED,
}
SITUATIONS: Mapping[Answer, Situation] = {
    Answer.CHANGED: "changed",
    Answer.SUSPECT: "suspect",
    Answer.INCONCLUSIVE: "inconclusive",
    Answer.NOT_COMPARABLE: "not_comparable",
    Answer.NOT_MEASURED: "not_measured",
    Answer.MISSING: "missing",
    Answer.FAILED: "failed",
}


def decide(
    items: Iterable[GateItem],
    *,
    strict: bool = False,
    headline: str = "",
    nothing: str = "",
    differences: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> GateDecision:
    """Return the decision that ``items`` make together: the worst effect is the outcome.

    A gate that judged nothing is an error, whatever the policy; where all that there is comes from
    other machines, it is inconclusive. Deciding again on the items of a
    decision changes nothing, but for ``strict``, which takes no doubt for a pass.

    Args:
        items: the questions with their answers.
        strict: end with 4 where something is in doubt.
        headline: summary sentence; made of the items where it is empty.
        nothing: reason why nothing was judged, for where nothing was.
        differences: those of the machines, for where nothing was judged because of them.
        notes: reservations about the policy.
    """
    every = [_strictly(item) if strict else item for item in items]
    settled = (is_judged(i) or i.effect is Effect.ERROR or i.rule == NO_JUDGEMENT for i in every)
    if not any(settled):
        incomparable = any(item.answer is Answer.NOT_COMPARABLE for item in every)
        effect = Effect.INCONCLUSIVE if incomparable else Effect.ERROR
        reason = nothing or "nothing was judged"
        if incomparable and differences:
            reason = f"nothing was judged: the machines differ ({'; '.join(differences)})"
        every.append(nothing_judged(reason, effect=effect))
    ordered = tuple(sorted(every, key=urgency))
    outcome = _BY_EFFECT[ordered[0].effect]
    is_held = strict or any(item.cut_short for item in ordered)
    code = {Outcome.ERROR: COULD_NOT_MEASURE, Outcome.FAIL: FAILED}.get(outcome, OK)
    if outcome is Outcome.INCONCLUSIVE and is_held:
        code = INCONCLUSIVE
    return GateDecision(outcome, code, headline or headline_of(ordered), ordered, tuple(notes))


def combine_decisions(decisions: Sequence[GateDecision], *, strict: bool = False) -> GateDecision:
    """Return the decision on a run and on what was compared side by side beside it.

    What a screen suspects, and pairs have decided, is as the pairs say. Notes are those of the
    first, which has every question that rules may be about.
    """
    items = [item for decision in decisions for item in decision.items]
    if any(map(is_judged, items)):
        items = [i for i in items if i.rule != NO_JUDGEMENT or i.place]
    notes = decisions[0].notes if decisions else ()
    return decide(_confirmed(items), strict=strict, notes=notes)


def is_judged(item: GateItem) -> bool:
    """Return True where the answer comes of a judgement about the code."""
    return item.answer in JUDGED and item.question is not Question.LOAD


def nothing_judged(reason: str, place: str = "", effect: Effect = Effect.ERROR) -> GateItem:
    """Return the item about a whole, or a part of it, in which nothing was judged."""
    return GateItem(
        question=Question.PRESENCE,
        answer=Answer.NOT_MEASURED,
        effect=effect,
        reason=reason,
        rule=NO_JUDGEMENT,
        place=place,
    )


def urgency(item: GateItem) -> tuple[int, int, float]:
    """Return the sort key of an item: the worst effect first, and among equals the largest."""
    return (
        WORST_FIRST.index(item.effect),
        _URGENT_ANSWERS.index(item.answer),
        -item.extent,
    )


def worst_effect(effects: Iterable[Effect]) -> Effect:
    """Return the worst of ``effects``; a pass where there is none."""
    return min(effects, key=WORST_FIRST.index, default=Effect.PASS)


def _strictly(item: GateItem) -> GateItem:
    if item.answer not in _DOUBTFUL or item.effect not in (Effect.WARN, Effect.NOTE):
        return item
    return replace(item, effect=Effect.INCONCLUSIVE, rule=f"{item.rule}; {STRICT_RULE}")


def _confirmed(items: Sequence[GateItem]) -> list[GateItem]:
    """Return ``items`` without the suspicions that pairs have decided."""
    decided = {
        item.case
        for item in items
        if item.question is Question.CHANGE
        and not item.metric
        and item.answer in (Answer.SLOWER, Answer.WITHIN, Answer.FASTER)
        and item.source.endswith(SIDE_BY_SIDE)
    }
    return [
        item
        for item in items
        if item.answer is not Answer.SUSPECT or item.metric or item.case not in decided
    ]


SIDE_BY_SIDE = ", side by side"
"""End of the source of an answer that comes of pairs."""


def change_item(
    change: Change, policy: GatePolicy, fail_over: float, *, source: str = "", commit: str = ""
) -> GateItem:
    """Return the item of a change against what was measured before.

    Args:
        change: as ``settle_changes`` returns it.
        policy: of the gate.
        fail_over: threshold of a failure where the policy says none.
        source: baseline or file that it was compared with.
        commit: that of the base, if it can be measured again.
    """
    answer = ANSWERS[change.status]
    metric = "" if change.metric == TIME.name else change.metric
    effect, rule = _effect_of_change(change, answer, policy, fail_over)
    return GateItem(
        question=Question.COUNT if change.margin is None else Question.CHANGE,
        answer=answer,
        effect=effect,
        reason=change.reason,
        rule=rule,
        case=change.case,
        metric=metric,
        size=size_of_change(answer, change.ratio, change.margin),
        source=source if change.base is not None else "",
        extent=extent_of(change.ratio),
        next_step=_next_step(change, answer, commit),
    )


def settle_changes(
    changes: Iterable[Change], policy: GatePolicy, fail_over: Callable[[Change], float]
) -> tuple[Change, ...]:
    """Return ``changes`` as the thresholds of each case have them.

    They were judged by the smallest threshold of all: what is ``slower`` by that, and not by its
    own, is ``suspect``. ``fail_over`` returns the threshold where the policy says none.
    """

    def settled(change: Change) -> Change:
        if change.status is not ChangeStatus.SLOWER:
            return change
        default = fail_over(change)
        effect, _ = _effect_of_change(change, Answer.SLOWER, policy, default)
        if effect is Effect.FAIL:
            return change
        _, words = policy.threshold("fail_over", change.case, change.metric, default)
        reason = f"{change.reason}; not beyond {words}"
        return replace(change, status=ChangeStatus.SUSPECT, reason=reason)

    return tuple(map(settled, changes))


def extent_of(ratio: float | None) -> float:
    """Return how far a ratio is from no change, 0 where it is unknown."""
    return 0.0 if ratio is None else ratio - 1


def size_of_change(answer: Answer, ratio: float | None, margin: float | None) -> str:
    """Return the size of a change in short: by 12 %; within 3 %; no different."""
    if answer is Answer.WITHIN:
        return "no different" if margin is None else describe_margin(margin)
    if ratio is None or answer not in JUDGED or answer is Answer.INCONCLUSIVE:
        return ""
    return f"by {format_percent(abs(ratio - 1))}"


def _effect_of_change(
    change: Change, answer: Answer, policy: GatePolicy, fail_over: float
) -> tuple[Effect, str]:
    match answer:
        case Answer.SLOWER:
            sure = change.ratio if change.low is None else change.low
            return slower_effect(sure, change.case, change.metric, fail_over, policy)
        case Answer.WITHIN:
            if change.margin is None:
                return Effect.PASS, "the count does not differ"
            edge = format_exact(100 * change.margin, "%")
            return Effect.PASS, f"a slowdown of {edge} or more is ruled out"
        case Answer.FASTER:
            return Effect.PASS, "faster passes"
        case Answer.NEW:
            return Effect.NOTE, "without a baseline it is shown, not judged"
    effect, rule = policy.effect_of(SITUATIONS[answer], change.case, change.metric)
    if answer is Answer.SUSPECT and effect is Effect.WARN and change.low is not None:
        warn, words = policy.threshold("warn_over", change.case, change.metric, 0.0)
        if warn and change.low <= 1 + warn:
            return Effect.NOTE, f"a warning where surely over {words} slower, else a note"
    return effect, rule


def slower_effect(
    sure: float | None, case: str, metric: str, default: float, policy: GatePolicy
) -> tuple[Effect, str]:
    """Return the effect of what is slower, and the rule.

    Args:
        sure: ratio that it is surely slower by, the lower end of the interval; None where it is
            beyond all measure, such as a count that was zero.
        case: its id.
        metric: of the case.
        default: threshold of a failure where the policy says none.
        policy: of the gate.
    """
    fail, words = policy.threshold("fail_over", case, metric, default)
    if sure is None or sure > 1 + fail:
        return Effect.FAIL, f"a failure where surely over {words} slower"
    warn, warn_words = policy.threshold("warn_over", case, metric, 0.0)
    if sure > 1 + warn or not warn:
        return Effect.WARN, f"a failure where surely over {words} slower, else a warning"
    return Effect.NOTE, f"a warning where surely over {warn_words} slower, else a note"


def _next_step(change: Change, answer: Answer, commit: str) -> str:
    if change.metric in MEMORY_NAMES and answer in (Answer.SLOWER, Answer.SUSPECT):
        return shlex.join(["veperf", "memory", change.case])
    if commit and answer in (Answer.SLOWER, Answer.SUSPECT, Answer.INCONCLUSIVE):
        return shlex.join(["veperf", "ab", commit[:12], change.case])
    return ""
