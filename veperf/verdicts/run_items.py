"""Items of the gate about a run: its targets, changes, loads, and what is missing in it."""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from msgspec.structs import replace

from veperf.core.baseline import Baseline
from veperf.core.case import MEMORY_NAMES, TIME, Level
from veperf.core.gate import Answer, Effect, GateItem, KnownMiss, Question
from veperf.core.policy import GatePolicy
from veperf.core.run import Failure, Run
from veperf.core.target import TargetSet
from veperf.core.text import abbreviate_names, format_exact, format_limit_distance, plural
from veperf.core.units import same_dimension_factor
from veperf.core.verdict import Change, ChangeStatus, TargetStatus, TargetVerdict
from veperf.stats.process_values import series_of
from veperf.verdicts.baseline import describe_baselines, match_baselines
from veperf.verdicts.gate import change_item
from veperf.verdicts.headline import MAY_GO, NOT_ASKED
from veperf.verdicts.next_steps import cpu_profile_step, measure_again, next_step_for_target

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
    yield from _gone_targets(run, limits, policy)
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
    every = series_of(run).values()
    measured = {series.case: series.n for series in every if series.n}
    passes_failed = {series.case: series.failed for series in every}
    void = run.first_failures.keys() - failed.keys()
    for case in run.cases:
        if (failure := failed.get(case.id)) is not None:
            passes = passes_failed.get(case.id, 0)
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
            next_step=measure_again(run, case.id),
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
            next_step=measure_again(run, case.id) if void else "",
        )


def _target_item(
    verdict: TargetVerdict, run: Run, limits: TargetSet, policy: GatePolicy
) -> GateItem:
    target, over = verdict.target, verdict.over
    answer, effect, rule = _answer_to_target(verdict, run, limits, policy)
    is_miss = verdict.known_miss and verdict.status in (TargetStatus.FAIL, TargetStatus.WARN)
    size = format_limit_distance(over, target.better) if over is not None and over > 0 else ""
    return GateItem(
        question=Question.TARGET,
        answer=answer,
        effect=effect,
        reason=verdict.reason,
        rule=rule,
        case=verdict.case or "",
        metric=_displayed_metric(verdict.metric),
        target=target.id,
        size=(is_miss and verdict.floor) or size,
        extent=over or 0.0,
        known_miss=(verdict.miss or KnownMiss()) if is_miss else None,
        next_step="" if effect is Effect.PASS else next_step_for_target(verdict, run),
    )


def _gone_targets(run: Run, limits: TargetSet, policy: GatePolicy) -> Iterator[GateItem]:
    """Yield an item for each target that a case names and ``limits`` lacks: it was never a pass."""
    published = {target.id for target in limits.targets}
    for case in run.cases:
        for metric, target in case.targets.items():
            if target not in published:
                effect, rule = policy.effect_of("not_measured", target, metric)
                yield GateItem(
                    question=Question.TARGET,
                    answer=Answer.NOT_MEASURED,
                    effect=effect,
                    reason=f"no target has that name any more, in {limits.file or limits.source}",
                    rule=rule,
                    case=case.id,
                    metric=_displayed_metric(metric),
                    target=target,
                )


def _answer_to_target(
    verdict: TargetVerdict, run: Run, limits: TargetSet, policy: GatePolicy
) -> tuple[Answer, Effect, str]:
    metric = verdict.metric
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
            return Answer.FAILED, *policy.effect_of("failed", verdict.target.id, metric)
        case TargetStatus.NOT_MEASURED:
            target = verdict.target.id
            if verdict.case is None and not is_asked(target, run.config.select):
                return Answer.NOT_MEASURED, Effect.NOTE, NOT_ASKED
            return Answer.NOT_MEASURED, *policy.effect_of("not_measured", target, metric)


def is_asked(name: str, select: Sequence[str]) -> bool:
    """Return True where a run of what ``select`` names is to have the case or target ``name``.

    That is so of a run of everything, of its suite, and of benchmarks by its name.
    """
    suite = name.partition("/")[0]
    return not select or any(pattern == suite or fnmatchcase(name, pattern) for pattern in select)


def _displayed_metric(metric: str) -> str:
    """Return a metric as items name it: time, which nearly all have, goes without saying."""
    return "" if metric == TIME.name else metric


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
        item = change_item(change, policy, change.fail_over, source=source, commit=commit)
        yield _leading_on(item, run)


def _leading_on(item: GateItem, run: Run) -> GateItem:
    """Return ``item`` with the command that profiles ``run`` where a slowdown has none."""
    is_slower = item.answer in (Answer.SLOWER, Answer.SUSPECT) and not item.metric
    if not is_slower or item.next_step:
        return item
    return replace(item, next_step=cpu_profile_step(run, item.case))


def compared_items(
    base: Run, new: Run, changes: Sequence[Change], policy: GatePolicy, source: str
) -> Iterator[GateItem]:
    """Yield an item for each change to ``new``, without failures on either side.

    ``source`` is the name of ``base``.
    """
    failed = {**failures_of(base), **failures_of(new)}
    can_repeat = base.source == new.source == "veperf" and not base.revision.dirty
    commit = base.revision.commit if can_repeat else ""
    for change in changes:
        is_failure = change.status in (ChangeStatus.ERROR, ChangeStatus.NO_BASELINE)
        if not (is_failure and change.case in failed):
            item = change_item(change, policy, change.fail_over, source=source, commit=commit)
            yield _leading_on(item, new)


def _gone(run: Run, used: Sequence[Baseline]) -> Iterator[GateItem]:
    """Yield an item for each case or metric that a baseline has, and a run of all it has not."""
    for baseline in used:
        recorded = {(series.case, series.metric): series.unit for series in baseline.series}
        source = describe_baselines([baseline])
        for case, metric, reason in _lost(recorded, run, source, "in this run"):
            yield _missing(case, metric, reason, Effect.NOTE, MAY_GO)


def gone_items(base: Run, new: Run, policy: GatePolicy, source: str) -> Iterator[GateItem]:
    """Yield an item for each case or metric of ``base`` that ``new``, of the same, has not.

    With a target it was asked for; without, it is a piece of information. ``source`` is the name
    of ``base``.
    """
    cases = {case.id: case for case in base.cases}
    left = {case.id for case in new.cases}
    recorded = {(case, ""): "" for case in cases if case not in left}
    recorded |= {(s.case, s.metric): s.unit for s in series_of(base).values() if s.n}
    for case, metric, reason in _lost(recorded, new, source, "there any longer"):
        targets = cases[case].targets
        is_targeted = metric in targets if metric else bool(targets)
        effect, rule = Effect.NOTE, MAY_GO
        if is_targeted:
            effect, rule = policy.effect_of("missing", case, metric)
        elif cases[case].level is Level.LOAD:
            continue
        yield _missing(case, metric, reason, effect, rule, source)


def _lost(
    recorded: Mapping[tuple[str, str], str], run: Run, source: str, where: str
) -> Iterator[tuple[str, str, str]]:
    """Yield case, metric and reason of what was ``recorded``, with its unit, and ``run`` lacks.

    The metric is empty where the whole case is gone. What failed, gave no value at all or was not
    asked for, such as memory, isn't lost.
    """
    cases = {case.id: case for case in run.cases}
    series = series_of(run)
    measured = {key[0] for key, values in series.items() if values.n}
    gone = dict.fromkeys(case for case, _ in recorded if case not in cases)
    for case in gone:
        if is_asked(case, run.config.select):
            yield case, "", f"it is in {source}, but not {where}"
    for (case, metric), unit in recorded.items():
        if case in gone or case not in measured:
            continue
        is_optional = cases[case].level is Level.LOAD or (
            run.source == "veperf" and metric in MEMORY_NAMES
        )
        now = series.get((case, metric))
        if now is None and not is_optional:
            yield case, metric, f"{source} has its {metric}, which is not {where}"
        elif now is not None and same_dimension_factor(unit, now.unit) is None:
            yield case, metric, f"{source} has its {metric} in {unit}, which is in {now.unit} now"
        elif now is not None and not (now.n or now.failed or is_optional):
            yield case, metric, f"{source} has its {metric}, of which there is no value {where}"


def _missing(
    case: str, metric: str, reason: str, effect: Effect, rule: str, source: str = ""
) -> GateItem:
    return GateItem(
        question=Question.PRESENCE,
        answer=Answer.MISSING,
        effect=effect,
        reason=reason,
        rule=rule,
        case=case,
        metric=metric,
        source=source,
    )


def questions_of(run: Run) -> Iterator[tuple[str, str]]:
    """Yield what rules may be about: names of cases and targets, with a metric or as a whole."""
    for case in run.cases:
        yield case.id, ""
        yield from ((case.id, metric.name) for metric in case.metrics)
        for metric, target in case.targets.items():
            yield from ((target, ""), (target, metric))
    for name, targets in run.vanished.items():
        yield from ((question, "") for question in (name, *targets))
    yield from ((name, "") for name in run.unlisted)


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
