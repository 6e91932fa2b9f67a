"""Items of the gate about comparisons side by side, and the decision on each comparison."""

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence

from msgspec import structs

from veperf.abtest.guardrails import describe_guardrail, guardrail_warnings
from veperf.abtest.pair import OUT_OF_TIME
from veperf.core.ab_records import ABChange, ABConfig, ABPlace, ABRun
from veperf.core.case import TIME
from veperf.core.gate import Answer, Effect, GateDecision, GateItem, Question
from veperf.core.policy import DEFAULT_POLICY, GatePolicy
from veperf.core.text import describe_margin, format_exact, join_words
from veperf.core.verdict import UNDECIDED, ChangeStatus, Severity
from veperf.verdicts.gate import (
    ANSWERS,
    SIDE_BY_SIDE,
    SITUATIONS,
    decide,
    extent_of,
    is_judged,
    nothing_judged,
    size_of_change,
    slower_effect,
)

NOTHING_TO_COMPARE = "nothing to compare: no benchmark is on both sides"
_SEVERITIES = {Effect.FAIL: Severity.FAIL, Effect.WARN: Severity.WARN}


def decide_comparison(run: ABRun, policy: GatePolicy = DEFAULT_POLICY) -> GateDecision:
    """Return the decision on one comparison."""
    return decide(
        comparison_items(run, policy),
        strict=policy.strict,
        nothing=NOTHING_TO_COMPARE,
        notes=unmatched_rules([run], policy),
    )


def unmatched_rules(
    runs: Iterable[ABRun], policy: GatePolicy, places: Iterable[str] = ()
) -> tuple[str, ...]:
    """Return a note on each rule about nothing in ``runs`` and ``places``.

    Of a selection there is none: it leaves out what other rules are about.
    """
    questions = [(place, "") for place in places]
    for run in runs:
        if run.config.is_selection:
            return ()
        for change in run.changes:
            questions += [(change.case, ""), (change.case, change.metric.name)]
        for case in run.unaffected:
            questions += [(case, ""), (case, TIME.name)]
    return policy.unmatched_rules(questions)


def was_cut_short(run: ABRun) -> bool:
    """Return True where the time ran out, or it was stopped by hand, with benchmarks undecided.

    No gate passes by having too little time: the exit code is that of ``--strict``.
    """
    return bool(run.stopped) and any(change.status in UNDECIDED for change in run.changes)


def with_severities(run: ABRun, policy: GatePolicy) -> ABRun:
    """Return ``run`` with severities by the thresholds of ``policy``."""

    def judged(change: ABChange) -> ABChange:
        if change.status is not ChangeStatus.SLOWER:
            return change
        effect, _ = _slower(change, run, policy)
        return structs.replace(change, severity=_SEVERITIES.get(effect, Severity.NONE))

    return structs.replace(run, changes=tuple(map(judged, run.changes)))


def comparison_items(run: ABRun, policy: GatePolicy, place: str = "") -> Iterator[GateItem]:
    """Yield every question about a comparison with its answer; ``place`` is its machine class."""
    items = [item for change in run.changes for item in _items_of(change, run, policy, place)]
    items += [_unaffected(case, reason, run, place) for case, reason in run.unaffected.items()]
    yield from items
    if not any(is_judged(item) or item.effect is Effect.ERROR for item in items) and not any(
        item.cut_short for item in items
    ):
        yield nothing_judged(NOTHING_TO_COMPARE, place)


def _unaffected(case: str, reason: str, run: ABRun, place: str) -> GateItem:
    return GateItem(
        question=Question.CHANGE,
        answer=Answer.WITHIN,
        effect=Effect.PASS,
        reason=reason,
        rule="what executes the same code on the same data is not compared",
        case=case,
        place=place,
        size="unaffected",
        source=f"{run.base.name}{SIDE_BY_SIDE}",
    )


def place_items(places: Sequence[ABPlace], policy: GatePolicy) -> Iterator[GateItem]:
    """Yield the items of all places; a place without a comparison has no answer."""
    for place in places:
        if place.comparison is not None:
            yield from comparison_items(place.comparison, policy, place.name)
            continue
        effect, rule = policy.effect_of("not_measured", place.name)
        yield GateItem(
            question=Question.PRESENCE,
            answer=Answer.NOT_MEASURED,
            effect=effect,
            reason=place.missing,
            rule=rule,
            place=place.name,
        )


def _items_of(change: ABChange, run: ABRun, policy: GatePolicy, place: str) -> Iterator[GateItem]:
    answer = ANSWERS[change.status]
    if change.only_in == "new":
        answer = Answer.NEW
    effect, rule, cut_short = _effect_of(change, answer, run, policy)
    source = f"{run.base.name}{SIDE_BY_SIDE}"
    metric = "" if change.metric.name in (TIME.name, "value") else change.metric.name
    in_pairs = run.config.decide_by == "time"
    yield GateItem(
        question=Question.PRESENCE
        if change.status is ChangeStatus.ONE_SIDED
        else (Question.CHANGE if in_pairs else Question.COUNT),
        answer=answer,
        effect=effect,
        reason=change.reason,
        rule=rule,
        case=change.case,
        metric=metric if in_pairs else "",
        place=place,
        size=size_of_change(answer, change.ratio, change.margin),
        source=source,
        extent=extent_of(change.ratio),
        cut_short=cut_short,
        next_step=_next_step(change, run, place),
    )
    for guardrail in guardrail_warnings(change):
        yield GateItem(
            question=Question.CHANGE,
            answer=Answer.SLOWER,
            effect=Effect.WARN,
            reason=guardrail.reason,
            rule="a guardrail warns at most",
            case=change.case,
            metric=guardrail.name,
            place=place,
            size=describe_guardrail(guardrail),
            source=source,
            extent=extent_of(guardrail.ratio),
            guardrail=True,
        )
    if in_pairs:
        yield from _counts(change, place, source)
        yield from _unseen(change, place, source)


def _unseen(change: ABChange, place: str, source: str) -> Iterator[GateItem]:
    """Yield what the time budget left no time to look for."""
    missing = [rail for rail in change.guardrails if OUT_OF_TIME in rail.reason]
    if missing and change.status not in UNDECIDED:
        yield GateItem(
            question=Question.CHANGE,
            answer=Answer.NOT_MEASURED,
            effect=Effect.WARN,
            reason=f"{join_words([rail.name for rail in missing])} not measured: {OUT_OF_TIME}",
            rule="no gate passes plainly by having too little time",
            case=change.case,
            metric="guardrails",
            place=place,
            source=source,
            guardrail=True,
            cut_short=OUT_OF_TIME,
        )


def _counts(change: ABChange, place: str, source: str) -> Iterator[GateItem]:
    """Yield the counts beside a time, which decide nothing."""
    for count in change.counts:
        if count.base is not None:
            answer = ANSWERS[count.status]
            yield GateItem(
                question=Question.COUNT,
                answer=answer,
                effect=Effect.NOTE,
                reason=count.reason,
                rule="a count beside the time decides nothing",
                case=change.case,
                metric=count.witness,
                place=place,
                size=size_of_change(answer, count.ratio, change.margin),
                source=source,
                extent=extent_of(count.ratio),
            )


def _effect_of(
    change: ABChange, answer: Answer, run: ABRun, policy: GatePolicy
) -> tuple[Effect, str, str]:
    """Return the effect of an answer, the rule, and what came before a better one."""
    if run.stopped and change.status in UNDECIDED:
        event = {"time": "the time budget ran out", "hand": "stopped by hand"}[run.stopped]
        return Effect.INCONCLUSIVE, "no gate passes by having too little time", event
    match answer:
        case Answer.SLOWER:
            return *_slower(change, run, policy), ""
        case Answer.WITHIN:
            margin = describe_margin(change.margin)
            return Effect.PASS, f"{margin} passes: more is ruled out", ""
        case Answer.FASTER:
            return Effect.PASS, "faster passes", ""
        case Answer.MISSING if run.config.is_of_programs:
            return *policy.effect_of("missing", change.case), ""
        case Answer.MISSING | Answer.NEW:
            return Effect.NOTE, "on one side only, there is nothing to compare", ""
    # What failed did so as a whole, and not by its time alone.
    metric = "" if answer is Answer.FAILED else change.metric.name
    return *policy.effect_of(SITUATIONS[answer], change.case, metric), ""


def _slower(change: ABChange, run: ABRun, policy: GatePolicy) -> tuple[Effect, str]:
    """Return the effect of what is slower.

    A threshold that was asked for in this comparison comes before the policy.
    """
    chosen = run.config.fail_over
    if run.config.fail_over_given:
        policy = policy.with_options({"fail_over": chosen}, {"fail_over": "--fail-over"})
    name, metric = change.case, change.metric.name
    if change.low is None and policy.threshold("fail_over", name, metric, chosen)[0] == chosen:
        # A count has no interval: how sure it is was settled by its repeats.
        over = format_exact(100 * chosen, "%")
        effect = Effect.FAIL if change.severity is Severity.FAIL else Effect.WARN
        return effect, f"a failure where surely over {over} slower, else a warning"
    sure = change.ratio if change.low is None else change.low
    return slower_effect(sure, name, metric, chosen, policy)


def _next_step(change: ABChange, run: ABRun, place: str) -> str:
    base = run.base.revision.commit[:12] or run.base.name
    if place or not run.base.revision.commit:
        return ""
    if run.config.packages:
        return _next_go_step(change, run.config, base)
    if change.status in UNDECIDED:
        return shlex.join(["veperf", "ab", base, change.case, "--max-pairs", "96"])
    if change.status is ChangeStatus.SLOWER:
        return shlex.join(["veperf", "ab", base, change.case, "--witness", "instructions"])
    return ""


def _next_go_step(change: ABChange, config: ABConfig, base: str) -> str:
    """Return the command that compares a Go benchmark alone, with more pairs, where it helps."""
    if change.status not in UNDECIDED:
        return ""
    name = change.case.partition("/")[2]
    without_processors = re.sub(r"-\d+$", "", name)
    pattern = "/".join(f"^{re.escape(part)}$" for part in without_processors.split("/"))
    packages = [word for package in config.packages for word in ("--go", package)]
    return shlex.join(["veperf", "ab", *packages, "--bench", pattern, base, "--max-pairs", "96"])
