"""Items of the gate about a run: its targets, changes, loads, and what is missing in it."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from veperf.core.baseline import Baseline
from veperf.core.case import TIME, Level
from veperf.core.gate import Answer, Effect, GateItem, KnownMiss, Question
from veperf.core.policy import GatePolicy
from veperf.core.run import Failure, Run
from veperf.core.target import TargetSet
from veperf.core.text import abbreviate_names, format_exact, format_limit_distance, plural
from veperf.core.verdict import Change, ChangeStatus, TargetStatus, TargetVerdict
from veperf.stats.process_values import series_of
from veperf.verdicts.baseline import describe_baselines, match_baselines
from veperf.verdicts.gate import change_item
from veperf.verdicts.targets import describe_known_miss

_INVALID = "invalid"


def run_items(
    run: Run,
    targets: Sequence[TargetVerdict],
    changes: Sequence[Change],
    used: Sequence[Baseline],
    limits: TargetSet,
    policy: GatePolicy,
) -> Iterator[GateItem]:
    """Yield every question about ``run`` with its answer.

    ``targets`` and ``changes`` are the verdicts on it, by ``limits`` and by the baselines ``used``.
    """
    failed = failures_of(run)
    yield from failed_items(run, policy)
    yield from _loads(run, failed, policy)
    for verdict in targets:
        yield _target_item(verdict, run, limits, policy)
    yield from _changes(run, changes, used, failed, policy)
    yield from _gone(run, used)
    yield from listed_items(run, policy)


def failures_of(run: Run) -> dict[str, Failure]:
    """Return the first failure of each case that failed in some pass, void loads not counted."""
    return {c: failure for c, failure in run.first_failures.items() if failure.kind != _INVALID}


def failed_items(run: Run, policy: GatePolicy, side: str = "") -> Iterator[GateItem]:
    """Yield an item for each case that failed in some pass, or gave no value.

    ``side`` begins the reason, where there are two.
    """
    failed = failures_of(run)
    measured = {series.case: series.n for series in series_of(run).values() if series.n}
    void = run.first_failures.keys() - failed.keys()
    for case in run.cases:
        if (failure := failed.get(case.id)) is not None:
            passes = sum(r.case == case.id and r.failure is not None
                         for pass_ in run.passes for r in pass_.results)  # fmt: skip
            effect, rule = policy.effect_of("failed", case.id)
            reason = f"{side}failed in {plural(passes, 'pass', 'passes')}: {failure.message}"
            if case.id in measured:
                reason += f" ({measured[case.id]} gave a value)"
            answer = Answer.FAILED
        elif case.id not in measured and case.id not in void:
            effect, rule = policy.effect_of("not_measured", case.id)
            answer, reason = Answer.NOT_MEASURED, f"{side}it gave no value"
        else:
            continue
        yield GateItem(
            question=Question.PRESENCE,
            answer=answer,
            effect=effect,
            reason=reason,
            rule=rule,
            case=case.id,
            next_step=_measure_again(run, case.id),
        )


def _loads(run: Run, failed: Mapping[str, Failure], policy: GatePolicy) -> Iterator[GateItem]:
    """Yield an item for each load: void ones say nothing about the system, for or against it."""
    for case in run.cases:
        if case.level is not Level.LOAD or case.id in failed:
            continue
        results = [r for pass_ in run.passes for r in pass_.results if r.case == case.id]
        void = [r.failure.message for r in results if r.failure is not None]
        if not results:
            continue
        answer, effect, rule = Answer.MET, Effect.PASS, "it was put on as planned"
        reason = f"{len(results) - len(void)} of {plural(len(results), 'load')} valid"
        if void:
            reason = f"{reason}; {void[0]}"
            effect, rule = Effect.NOTE, "void loads count neither way, valid ones do"
        if len(void) == len(results):
            answer = Answer.NOT_MEASURED
            effect, rule = policy.effect_of("not_measured", case.id)
        yield GateItem(
            question=Question.LOAD,
            answer=answer,
            effect=effect,
            reason=reason,
            rule=rule,
            case=case.id,
            next_step=_measure_again(run, case.id) if void else "",
        )


def _target_item(
    verdict: TargetVerdict, run: Run, limits: TargetSet, policy: GatePolicy
) -> GateItem:
    target, over = verdict.target, verdict.over
    answer, effect, rule = _answer_to_target(verdict, run, limits, policy)
    is_miss = verdict.known_miss and verdict.status in (TargetStatus.FAIL, TargetStatus.WARN)
    size = format_limit_distance(over, target.better) if over is not None and over > 0 else ""
    if is_miss:
        size = _size_of_known_miss(verdict, run) or size
    return GateItem(
        question=Question.TARGET,
        answer=answer,
        effect=effect,
        reason=verdict.reason,
        rule=rule,
        case=verdict.case or "",
        metric=_metric_of(verdict, run),
        target=target.id,
        size=size,
        extent=over or 0.0,
        known_miss=(verdict.miss or KnownMiss()) if is_miss else None,
        next_step=_measure_again(run, verdict.case or "") if effect is not Effect.PASS else "",
    )


def _answer_to_target(
    verdict: TargetVerdict, run: Run, limits: TargetSet, policy: GatePolicy
) -> tuple[Answer, Effect, str]:
    edge = format_exact(limits.fail_percent, "%")
    known = "a known miss is a warning"
    match verdict.status:
        case TargetStatus.PASS:
            least = format_exact(limits.warn_percent, "%")
            return Answer.MET, Effect.PASS, f"met up to {least} beyond the limit"
        case TargetStatus.WARN:
            if (verdict.over or 0.0) <= 0:
                return Answer.MET, Effect.WARN, "the typical wall time can only warn"
            rule = known if verdict.known_miss else f"a failure past {edge} beyond the limit"
            return Answer.MISSED, Effect.WARN, rule
        case TargetStatus.FAIL if verdict.known_miss:
            return Answer.MISSED, Effect.WARN, known
        case TargetStatus.FAIL:
            return Answer.MISSED, Effect.FAIL, f"a failure past {edge} beyond the limit"
        case TargetStatus.ERROR:
            return Answer.FAILED, *policy.effect_of("failed", verdict.target.id)
        case TargetStatus.NOT_MEASURED:
            if verdict.case is None and not is_asked(verdict.target.id, run.config.select):
                rule = "only what was selected is asked for"
                return Answer.NOT_MEASURED, Effect.NOTE, rule
            return Answer.NOT_MEASURED, *policy.effect_of("not_measured", verdict.target.id)


def is_asked(name: str, select: Sequence[str]) -> bool:
    """Return True where a run of what ``select`` names is to have the case or target ``name``.

    That is so of a run of everything, of its suite, and of benchmarks by its name.
    """
    suite = name.partition("/")[0]
    return not select or any(pattern == suite or fnmatchcase(name, pattern) for pattern in select)


def _size_of_known_miss(verdict: TargetVerdict, run: Run) -> str:
    if verdict.floor_ratio is None:
        return ""
    floors = {case.id: case.lower_bound for case in run.cases}
    floor = (verdict.miss and verdict.miss.floor) or floors.get(verdict.case or "", "")
    return describe_known_miss(verdict.floor_ratio, floor).removeprefix("known miss, ")


def _metric_of(verdict: TargetVerdict, run: Run) -> str:
    for case in run.cases:
        if case.id == verdict.case:
            names = [name for name, id in case.targets.items() if id == verdict.target.id]
            return "" if names == [TIME.name] else "".join(names[:1])
    return ""


def _changes(
    run: Run,
    changes: Sequence[Change],
    used: Sequence[Baseline],
    failed: Mapping[str, Failure],
    policy: GatePolicy,
) -> Iterator[GateItem]:
    source = describe_baselines(used)
    matches = match_baselines(run, used)
    for change in changes:
        if change.status is ChangeStatus.ERROR and change.case in failed:
            continue  # said already, by the case
        match = matches.get((change.case, change.metric, change.unit))
        can_repeat = run.source == "veperf" and match and not match[0].revision.dirty
        commit = match[0].revision.commit if match and can_repeat else ""
        yield change_item(change, policy, change.fail_over, source=source, commit=commit)


def compared_items(
    base: Run, new: Run, changes: Sequence[Change], policy: GatePolicy, source: str
) -> Iterator[GateItem]:
    """Yield an item for each change to ``new``, without failures on either side.

    ``source`` is the name of ``base``.
    """
    failed = {**failures_of(base), **failures_of(new)}
    for change in changes:
        is_failure = change.status in (ChangeStatus.ERROR, ChangeStatus.NO_BASELINE)
        if not (is_failure and change.case in failed):
            yield change_item(change, policy, change.fail_over, source=source)


def _gone(run: Run, used: Sequence[Baseline]) -> Iterator[GateItem]:
    """Yield an item for each case that a baseline has and a run of its whole suite has not."""
    cases = {case.id for case in run.cases}
    recorded = {series.case: baseline for baseline in used for series in baseline.series}
    for case, baseline in recorded.items():
        if case not in cases and is_asked(case, run.config.select):
            yield GateItem(
                question=Question.PRESENCE,
                answer=Answer.MISSING,
                effect=Effect.NOTE,
                reason=f"it is in {describe_baselines([baseline])}, but not in this run",
                rule="a benchmark may go; its target, if it has one, has an answer of its own",
                case=case,
            )


def listed_items(run: Run, policy: GatePolicy) -> Iterator[GateItem]:
    """Yield an item for each benchmark whose presence or absence says something about targets."""
    for name, targets in run.vanished.items():
        effect, rule = policy.effect_of("missing", name)
        yield GateItem(
            question=Question.PRESENCE,
            answer=Answer.MISSING,
            effect=effect,
            reason=f"it answers {abbreviate_names(targets)}, and is not in the file",
            rule=rule,
            case=name,
        )
    for name in run.unlisted:
        yield GateItem(
            question=Question.PRESENCE,
            answer=Answer.NEW,
            effect=Effect.NOTE,
            reason="nobody has said which targets it answers: go_benchmarks.json does not list it",
            rule="what no target names is shown, not judged",
            case=name,
        )


def _measure_again(run: Run, case: str) -> str:
    return shlex.join(["veperf", "run", case]) if run.source == "veperf" and case else ""
