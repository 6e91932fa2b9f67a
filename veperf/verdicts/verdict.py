"""The two answers about a run, apart, summed up in one word and one sentence."""

from collections.abc import Collection, Sequence

from veperf.core.errors import COULD_NOT_MEASURE, FAILED, INCONCLUSIVE, OK
from veperf.core.run import Failure, Run
from veperf.core.verdict import (
    Baseline,
    Change,
    ChangeStatus,
    Outcome,
    TargetSet,
    TargetStatus,
    TargetVerdict,
    Verdict,
)
from veperf.stats.process_values import series_of
from veperf.verdicts.baseline import compared_with
from veperf.verdicts.run_notes import notes
from veperf.verdicts.screen import screen
from veperf.verdicts.targets import judge_targets
from veperf.verdicts.verdict_text import against, sentence


def verdict(
    run: Run,
    targets: TargetSet,
    baselines: Sequence[Baseline] = (),
    known_misses: Collection[str] = (),
) -> Verdict:
    """Judge ``run`` against published targets and recorded baselines.

    The outcome is the first of these that holds:

    1. ``error``: a case could not be measured in any pass, or gave something that is no number
    2. ``fail``: a target failed that ``known_misses`` does not name, or a case is ``slower``
    3. ``inconclusive``: a comparison decided nothing, a target has too few processes, or nothing
       was judged at all
    4. ``warn``: a target warns or misses as known, a case is ``suspect``, was compared with
       another machine, or failed in some of the passes
    5. ``pass``

    A benchmark without a baseline and a target without a benchmark are shown, and decide nothing.

    Raises:
        UnknownTargetError: a case or ``known_misses`` names a target that ``targets`` lacks.
        UsageError: a case's figure can't be converted to its target's unit.
    """
    judged = judge_targets(run, targets, known_misses)
    return sum_up(run, judged, screen(run, baselines), baselines)


def sum_up(
    run: Run,
    targets: tuple[TargetVerdict, ...],
    changes: tuple[Change, ...],
    baselines: Sequence[Baseline],
) -> Verdict:
    """The verdict that ``targets`` and ``changes``, which are about ``run``, add up to."""
    failures = _failures(run)
    measured = {s.case for s in series_of(run).values() if s.n}
    unmeasured = tuple(case.id for case in run.cases if case.id not in measured)
    used = compared_with(run, baselines, changes)
    return Verdict(
        run=run.id,
        outcome=_outcome(targets, changes, failures, unmeasured),
        sentence=sentence(run, targets, changes, unmeasured, used),
        targets=targets,
        changes=changes,
        failures=failures,
        against=against(used),
        notes=notes(run, used, targets, failures),
    )


def exit_code(verdict: Verdict, strict: bool = False) -> int:
    """What a command ends with, as ``exit_code_of`` the outcome."""
    return exit_code_of(verdict.outcome, strict=strict)


def exit_code_of(outcome: Outcome, *, strict: bool = False) -> int:
    """3 for ``error``, 1 for ``fail``, 4 for ``inconclusive`` when ``strict``, otherwise 0."""
    match outcome:
        case Outcome.ERROR:
            return COULD_NOT_MEASURE
        case Outcome.FAIL:
            return FAILED
        case Outcome.INCONCLUSIVE if strict:
            return INCONCLUSIVE
        case _:
            return OK


def _failures(run: Run) -> dict[str, Failure]:
    first: dict[str, Failure] = {}
    for made in run.passes:
        for result in made.results:
            if result.failure is not None:
                first.setdefault(result.case, result.failure)
    return first


def _outcome(
    targets: Sequence[TargetVerdict],
    changes: Sequence[Change],
    failures: Collection[str],
    unmeasured: Collection[str],
) -> Outcome:
    answered = [t for t in targets if t.case is not None]
    met = {t.status for t in answered if not t.known_miss}
    known = {t.status for t in answered if t.known_miss}
    changed = {c.status for c in changes} - {ChangeStatus.NO_BASELINE}
    if unmeasured or TargetStatus.ERROR in met | known or ChangeStatus.ERROR in changed:
        return Outcome.ERROR
    if TargetStatus.FAIL in met or ChangeStatus.SLOWER in changed:
        return Outcome.FAIL
    nothing = not answered and not changed
    undecided = {ChangeStatus.INCONCLUSIVE, ChangeStatus.NOT_ENOUGH} & changed
    if nothing or undecided or TargetStatus.NOT_MEASURED in met | known:
        return Outcome.INCONCLUSIVE
    missed = TargetStatus.WARN in met or {TargetStatus.WARN, TargetStatus.FAIL} & known
    doubtful = {ChangeStatus.SUSPECT, ChangeStatus.OTHER_MACHINE} & changed
    return Outcome.WARN if missed or doubtful or failures else Outcome.PASS
