"""Summary sentence of a verdict, with counts."""

from collections.abc import Iterable, Sequence

from veperf.core.baseline import Baseline
from veperf.core.case import TIME
from veperf.core.run import Run
from veperf.core.text import abbreviate_names, format_limit_distance, format_percent, plural
from veperf.core.verdict import Change, ChangeStatus, TargetStatus, TargetVerdict
from veperf.verdicts.baseline import date_of

_MET = {TargetStatus.PASS, TargetStatus.WARN}


def verdict_sentence(
    run: Run,
    targets: Sequence[TargetVerdict],
    changes: Sequence[Change],
    unmeasured: Sequence[str],
    used: Sequence[Baseline],
) -> str:
    """Return the summary, problems first; ``used`` are the baselines compared with."""
    if len(unmeasured) == len(run.cases):
        return "nothing was measured"
    parts: list[str] = []
    if unmeasured:
        cases = plural(len(run.cases), "case")
        parts.append(
            f"{len(unmeasured)} of {cases} could not be measured ({abbreviate_names(unmeasured)})"
        )
    parts += [_targets(targets), _changes(changes, used)]
    return "; ".join(parts)


def describe_baselines(used: Iterable[Baseline]) -> str:
    """Return ``the baseline of 2026-11-20`` and the like; empty where there is none."""
    days = sorted({date_of(b.recorded) for b in used})
    if not days:
        return ""
    return f"the baseline{'s' if len(days) > 1 else ''} of {' and '.join(days)}"


def _targets(targets: Sequence[TargetVerdict]) -> str:
    judged = [t for t in targets if t.status is not TargetStatus.NOT_MEASURED]
    few = sum(t.case is not None for t in targets) - len(judged)
    met = sum(t.status in _MET for t in judged)
    parts = [f"{met} of {plural(len(judged), 'target')} met" if judged else "no target judged"]
    missed = [t for t in judged if t.status is TargetStatus.FAIL]
    for words, chosen in (
        ("with a warning", [t for t in judged if t.status is TargetStatus.WARN]),
        ("missed", [t for t in missed if not t.known_miss]),
        ("known to be missed", [t for t in missed if t.known_miss]),
        ("could not be judged", [t for t in judged if t.status is TargetStatus.ERROR]),
    ):
        if chosen:
            parts.append(
                f"{len(chosen)} {words} ({abbreviate_names([_target(t) for t in chosen])})"
            )
    if few:
        parts.append(f"{few} measured by too few processes")
    return ", ".join(parts)


def _target(verdict: TargetVerdict) -> str:
    target = verdict.target
    if verdict.over is None or verdict.status is not TargetStatus.FAIL:
        return target.id
    return f"{target.id}, {format_limit_distance(verdict.over, target.better)}"


def _changes(changes: Sequence[Change], used: Sequence[Baseline]) -> str:
    if not used:
        return "no baseline to compare with"
    by_status: dict[ChangeStatus, list[Change]] = {}
    for change in changes:
        by_status.setdefault(change.status, []).append(change)
    if by_status.keys() <= {
        ChangeStatus.OTHER_MACHINE,
        ChangeStatus.NO_BASELINE,
        ChangeStatus.ERROR,
    }:
        return f"not judged against {describe_baselines(used)}, made on another machine"
    slowdowns = [
        f"{len(group)} {status} ({abbreviate_names([_changed(change) for change in group])})"
        for status in (ChangeStatus.SLOWER, ChangeStatus.SUSPECT)
        if (group := by_status.get(status))
    ]
    is_decided = ChangeStatus.OK in by_status or ChangeStatus.FASTER in by_status
    first = ", ".join(slowdowns) or ("no slowdown" if is_decided else "nothing decided")
    others = [
        f"{len(by_status[status])} {words}"
        for status, words in (
            (ChangeStatus.FASTER, "faster"),
            (ChangeStatus.INCONCLUSIVE, "inconclusive"),
            (ChangeStatus.NOT_ENOUGH, "with too few samples"),
            (ChangeStatus.OTHER_MACHINE, "from another machine"),
            (ChangeStatus.NO_BASELINE, "without a baseline"),
        )
        if status in by_status
    ]
    return ", ".join([f"{first} against {describe_baselines(used)}", *others])


def _changed(change: Change) -> str:
    name = change.case if change.metric == TIME.name else f"{change.case} {change.metric}"
    return name if change.ratio is None else f"{name}, by {format_percent(change.ratio - 1)}"
