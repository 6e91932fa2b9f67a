"""Verdict on a run: targets and changes, combined in an outcome and a sentence."""

from collections.abc import Collection, Sequence

from msgspec.structs import replace

from veperf.core.baseline import Baseline
from veperf.core.errors import COULD_NOT_MEASURE, FAILED, INCONCLUSIVE, OK
from veperf.core.run import Failure, Run
from veperf.core.target import TargetSet
from veperf.core.verdict import Change, ChangeStatus, Outcome, TargetStatus, TargetVerdict, Verdict
from veperf.stats.process_values import series_of
from veperf.verdicts.baseline import baselines_used
from veperf.verdicts.run_notes import run_notes
from veperf.verdicts.screen import screen
from veperf.verdicts.targets import judge_targets
from veperf.verdicts.verdict_text import describe_baselines, verdict_sentence


def run_verdict(
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

    A benchmark without a baseline and a target without a benchmark are shown but decide nothing.

    Raises:
        UnknownTargetError: a case or ``known_misses`` names a target that ``targets`` lacks.
        UsageError: a case's figure can't be converted to its target's unit.
    """
    judged = judge_targets(run, targets, known_misses)
    return combine_verdict(run, judged, screen(run, baselines), baselines)


def combine_verdict(
    run: Run,
    targets: tuple[TargetVerdict, ...],
    changes: tuple[Change, ...],
    baselines: Sequence[Baseline],
) -> Verdict:
    """Combine ``targets`` and ``changes``, the answers about ``run``, in one verdict."""
    failures = _failures(run)
    measured = {s.case for s in series_of(run).values() if s.n}
    unmeasured = tuple(case.id for case in run.cases if case.id not in measured)
    used = baselines_used(run, baselines, changes)
    return Verdict(
        run=run.id,
        outcome=_outcome(targets, changes, failures, unmeasured),
        sentence=verdict_sentence(run, targets, changes, unmeasured, used),
        targets=targets,
        changes=changes,
        failures=failures,
        against=describe_baselines(used),
        notes=run_notes(run, used, targets, failures),
    )


def exit_code_of(outcome: Outcome, *, strict: bool = False) -> int:
    """Return 3 for ``error``, 1 for ``fail``, 4 for ``inconclusive`` if ``strict``, else 0."""
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
    for pass_ in run.passes:
        for result in pass_.results:
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
    return combine_verdict(
        part,
        tuple(v for v in whole.targets if _is_about(v, suite, ids)),
        tuple(change for change in whole.changes if change.case in ids),
        [baseline for baseline in baselines if baseline.suite == suite],
    )


def _is_about(verdict: TargetVerdict, suite: str, cases: set[str]) -> bool:
    """True where the suite answers the target, or where none does and it bears the suite's name."""
    if verdict.case is not None:
        return verdict.case in cases
    return verdict.target.id.partition("/")[0] == suite
