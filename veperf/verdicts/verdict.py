"""Verdict on a run: targets and changes, and the decision of the gate about them."""

from collections.abc import Collection, Iterator, Sequence

from msgspec.structs import replace

from veperf.core.baseline import Baseline
from veperf.core.gate import Answer, Effect, GateDecision, GateItem, Question
from veperf.core.option_fields import values_of
from veperf.core.options import CompareOptions
from veperf.core.policy import DEFAULT_POLICY, GatePolicy
from veperf.core.run import Run
from veperf.core.target import TargetSet
from veperf.core.verdict import Change, TargetVerdict, Verdict
from veperf.stats.process_values import series_of
from veperf.verdicts.baseline import (
    baselines_used,
    describe_baselines,
    machine_differences,
)
from veperf.verdicts.conditions import PAIRED_FAIL_OVER
from veperf.verdicts.gate import (
    combine_decisions,
    decide,
    is_judged,
    nothing_judged,
    settle_changes,
)
from veperf.verdicts.run_items import (
    compared_items,
    failed_items,
    gone_items,
    listed_items,
    questions_of,
    run_items,
)
from veperf.verdicts.run_notes import run_notes
from veperf.verdicts.screen import compare_runs, screen
from veperf.verdicts.targets import judge_targets, require_published

NOTHING_JUDGED = "nothing was judged: there is no target, and nothing in a baseline"
NO_TARGET_ANSWERED = "nothing was judged: no target has an answer, and nothing is in a baseline"
NOTHING_IN_COMMON = "nothing in common: no benchmark has values on both sides"


def run_verdict(
    run: Run,
    targets: TargetSet,
    baselines: Sequence[Baseline] = (),
    known_misses: Collection[str] = (),
    policy: GatePolicy = DEFAULT_POLICY,
) -> Verdict:
    """Judge ``run`` against published targets and recorded baselines, by ``policy``.

    Raises:
        UnknownTargetError: a known miss or the policy names a target that ``targets`` lacks.
        UsageError: a case's figure can't be converted to its target's unit.
    """
    require_published(known_misses, targets, "the known misses")
    effective = policy.with_known_misses(known_misses)
    judged = judge_targets(run, targets, effective.known_misses)
    changes = screen(run, baselines, fail_over=policy.least_fail_over(PAIRED_FAIL_OVER))
    changes = settle_changes(changes, policy, lambda change: change.fail_over)
    used = baselines_used(run, baselines, changes)
    failures = run.first_failures
    items = [*run_items(run, judged, changes, used, targets, effective)]
    if not any(series.n for series in series_of(run).values()):
        items.append(nothing_judged("nothing was measured"))
    recorded = [(s.case, s.metric) for baseline in used for s in baseline.series]
    questions = [*questions_of(run), *((target.id, "") for target in targets.targets), *recorded]
    return Verdict(
        run=run.id,
        decision=decide(
            items,
            strict=policy.strict,
            nothing=NO_TARGET_ANSWERED if judged else NOTHING_JUDGED,
            differences=_machine_differences(run, used),
            # A run of a selection leaves out what other rules are about.
            notes=()
            if run.config.select
            else [*policy.unmatched_rules(questions), *_unknown_floors(run, policy)],
        ),
        targets=judged,
        changes=changes,
        failures=failures,
        against=describe_baselines(used),
        notes=run_notes(run, used, judged, failures),
    )


def _machine_differences(run: Run, baselines: Sequence[Baseline]) -> tuple[str, ...]:
    """Return each difference between the machines of ``run`` and of ``baselines`` once."""
    every = (d for b in baselines for d in machine_differences(run.machine, b.machine))
    return tuple(dict.fromkeys(every))


def _unknown_floors(run: Run, policy: GatePolicy) -> Iterator[str]:
    """Yield a note on each known miss of the policy whose floor is no case of ``run``."""
    cases = {case.id for case in run.cases}
    for target, miss in policy.known_misses.items():
        if miss.floor and miss.floor not in cases:
            where = f" in {policy.source}" if policy.source else ""
            yield f"the floor {miss.floor} of {target}{where} is no benchmark of this run"


def with_comparisons(
    verdict: Verdict, beside: Sequence[GateDecision], policy: GatePolicy
) -> Verdict:
    """Return ``verdict`` with the decision on it and on the comparisons ``beside`` it."""
    if not beside:
        return verdict
    decision = combine_decisions([verdict.decision, *beside], strict=policy.strict)
    return replace(verdict, decision=decision)


def screen_runs(
    base: Run, new: Run, rules: CompareOptions, policy: GatePolicy = DEFAULT_POLICY
) -> tuple[Change, ...]:
    """Screen ``new`` against ``base`` by ``rules``, with the thresholds of ``policy``.

    Raises:
        UsageError: a setting is out of its range.
    """
    least = policy.least_fail_over(PAIRED_FAIL_OVER)
    changes = compare_runs(base, new, **(values_of(rules) | {"fail_over": least}))
    return settle_changes(changes, policy, lambda change: change.fail_over)


def decide_runs(
    base: Run,
    new: Run,
    changes: Sequence[Change],
    policy: GatePolicy = DEFAULT_POLICY,
    name: str = "",
) -> GateDecision:
    """Return the decision on ``changes``, as ``screen_runs`` returns them.

    ``name`` is that of ``base``; its id when empty.
    """
    source = name or base.id
    gone = [*gone_items(base, new, policy, source)]
    lost = {item.case for item in gone if not item.metric}
    answered = {t for case in base.cases if case.id in lost for t in case.targets.values()}
    # The cases that are gone stand for the benchmark of the list that they were.
    counted = {name for name, targets in new.vanished.items() if answered.issuperset(targets)}
    items = [
        *failed_items(base, policy, f"{source}: "),
        *failed_items(new, policy),
        *compared_items(base, new, changes, policy, source),
        *gone,
        *(item for item in listed_items(new, policy) if item.case not in counted),
    ]
    notes = policy.unmatched_rules([*questions_of(base), *questions_of(new)])
    return decide(
        items,
        strict=policy.strict,
        nothing=NOTHING_IN_COMMON,
        differences=machine_differences(new.machine, base.machine),
        notes=() if new.config.select else notes,
    )


def run_of_suite(suite: str, run: Run) -> Run:
    """Return ``run`` reduced to the cases of ``suite``."""
    cases = tuple(case for case in run.cases if case.suite == suite)
    ids = {case.id for case in cases}
    return replace(
        run,
        cases=cases,
        passes=tuple(
            replace(pass_, results=tuple(r for r in pass_.results if r.case in ids))
            for pass_ in run.passes
        ),
    )


def verdict_of_suite(
    suite: str, run: Run, whole: Verdict, baselines: Sequence[Baseline]
) -> Verdict:
    """Reduce ``whole``, the verdict on ``run``, to ``suite``.

    Nothing is judged again: p-values stay corrected for all comparisons of the run.
    """
    part = run_of_suite(suite, run)
    ids = {case.id for case in part.cases}
    targets = tuple(v for v in whole.targets if _is_about(v, suite, ids))
    changes = tuple(change for change in whole.changes if change.case in ids)
    used = baselines_used(part, [b for b in baselines if b.suite == suite], changes)
    failures = part.first_failures
    suites = {case.id: case.suite for case in run.cases}
    items = [item for item in whole.decision.items if _suite_of(item, suites) == suite]
    if not any(is_judged(item) or item.question is Question.TARGET for item in items):
        # A suite without targets and baseline is no error of the whole.
        items.append(nothing_judged("nothing was judged", effect=Effect.INCONCLUSIVE))
    return Verdict(
        run=run.id,
        decision=decide(items),
        targets=targets,
        changes=changes,
        failures=failures,
        against=describe_baselines(used),
        notes=run_notes(part, used, targets, failures),
    )


def decision_on_changes(verdict: Verdict) -> GateDecision | None:
    """Return what the changes of a run alone decide; None where there was nothing to compare."""
    questions = (Question.CHANGE, Question.COUNT)
    items = [item for item in verdict.decision.items if item.question in questions]
    compared = any(item.answer is not Answer.NEW for item in items)
    return decide(items) if compared else None


def _suite_of(item: GateItem, suites: dict[str, str]) -> str:
    return suites.get(item.case) or (item.case or item.target).partition("/")[0]


def _is_about(verdict: TargetVerdict, suite: str, cases: set[str]) -> bool:
    """True where the suite answers the target, or where none does and it bears the suite's name."""
    if verdict.case is not None:
        return verdict.case in cases
    return verdict.target.id.partition("/")[0] == suite
