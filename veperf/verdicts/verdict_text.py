"""A verdict in one plain sentence, with counts."""

from collections.abc import Iterable, Sequence

from veperf.core.case import TIME
from veperf.core.run import Run
from veperf.core.verdict import Baseline, Change, ChangeStatus, TargetStatus, TargetVerdict
from veperf.core.words import distance, names, percent, plural
from veperf.verdicts.baseline import day

_MET = {TargetStatus.PASS, TargetStatus.WARN}


def sentence(
    run: Run,
    targets: Sequence[TargetVerdict],
    changes: Sequence[Change],
    unmeasured: Sequence[str],
    used: Sequence[Baseline],
) -> str:
    """What was found, what is wrong first; ``used`` are the baselines compared with."""
    if len(unmeasured) == len(run.cases):
        return "nothing was measured"
    parts: list[str] = []
    if unmeasured:
        cases = plural(len(run.cases), "case")
        parts.append(f"{len(unmeasured)} of {cases} could not be measured ({names(unmeasured)})")
    parts += [_targets(targets), _changes(changes, used)]
    return "; ".join(parts)


def against(used: Iterable[Baseline]) -> str:
    """The baselines in words: ``the baseline of 2026-11-20``; empty where there is none."""
    days = sorted({day(b.recorded) for b in used})
    if not days:
        return ""
    return f"the baseline{'s' if len(days) > 1 else ''} of {' and '.join(days)}"


def _targets(targets: Sequence[TargetVerdict]) -> str:
    judged = [t for t in targets if t.status is not TargetStatus.NOT_MEASURED]
    few = sum(t.case is not None for t in targets) - len(judged)
    met = sum(t.status in _MET for t in judged)
    parts = [f"{met} of {plural(len(judged), 'target')} met" if judged else "no target judged"]
    for words, chosen in (
        ("with a warning", [t for t in judged if t.status is TargetStatus.WARN]),
        ("missed", [t for t in judged if t.status is TargetStatus.FAIL and not t.known_miss]),
        ("missed as known", [t for t in judged if t.status is TargetStatus.FAIL and t.known_miss]),
        ("could not be judged", [t for t in judged if t.status is TargetStatus.ERROR]),
    ):
        if chosen:
            parts.append(f"{len(chosen)} {words} ({names([_target(t) for t in chosen])})")
    if few:
        parts.append(f"{few} measured by too few processes")
    return ", ".join(parts)


def _target(found: TargetVerdict) -> str:
    if found.over is None or found.status is not TargetStatus.FAIL:
        return found.target.id
    return f"{found.target.id}, {distance(found.over, found.target.better)}"


def _changes(changes: Sequence[Change], used: Sequence[Baseline]) -> str:
    if not used:
        return "no baseline to compare with"
    by: dict[ChangeStatus, list[Change]] = {}
    for change in changes:
        by.setdefault(change.status, []).append(change)
    if by.keys() <= {ChangeStatus.OTHER_MACHINE, ChangeStatus.NO_BASELINE, ChangeStatus.ERROR}:
        return f"not judged against {against(used)}, made on another machine"
    bad = [
        f"{len(by[status])} {status} ({names([_changed(c) for c in by[status]])})"
        for status in (ChangeStatus.SLOWER, ChangeStatus.SUSPECT)
        if status in by
    ]
    decided = ChangeStatus.OK in by or ChangeStatus.FASTER in by
    first = ", ".join(bad) or ("no slowdown" if decided else "nothing decided")
    rest = [
        f"{len(by[status])} {words}"
        for status, words in (
            (ChangeStatus.FASTER, "faster"),
            (ChangeStatus.INCONCLUSIVE, "inconclusive"),
            (ChangeStatus.NOT_ENOUGH, "with too few samples"),
            (ChangeStatus.OTHER_MACHINE, "from another machine"),
            (ChangeStatus.NO_BASELINE, "without a baseline"),
        )
        if status in by
    ]
    return ", ".join([f"{first} against {against(used)}", *rest])


def _changed(change: Change) -> str:
    name = change.case if change.metric == TIME.name else f"{change.case} {change.metric}"
    return name if change.ratio is None else f"{name}, by {percent(change.ratio - 1)}"
