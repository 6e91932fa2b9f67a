"""Verdict on one comparison: its outcome and its summary sentence."""

from veperf.core.ab_records import ABChange, ABRun
from veperf.core.text import abbreviate_names, format_percent, plural
from veperf.core.verdict import ChangeStatus, Outcome, Severity

_UNDECIDED = {ChangeStatus.INCONCLUSIVE, ChangeStatus.NOT_ENOUGH}


def comparison_outcome(run: ABRun) -> Outcome:
    """Return the outcome of a comparison, the first of these that holds.

    1. ``error``: a benchmark could not be measured on one of the sides
    2. ``fail``: one is slower, proven by more than the threshold
    3. ``inconclusive``: one is undecided, or there was nothing to compare
    4. ``warn``: one is slower
    5. ``pass``
    """
    statuses = {change.status for change in run.changes} - {ChangeStatus.ONE_SIDED}
    if ChangeStatus.ERROR in statuses:
        return Outcome.ERROR
    if any(change.severity is Severity.FAIL for change in run.changes):
        return Outcome.FAIL
    if not statuses or statuses & _UNDECIDED:
        return Outcome.INCONCLUSIVE
    return Outcome.WARN if ChangeStatus.SLOWER in statuses else Outcome.PASS


def comparison_sentence(run: ABRun) -> str:
    """Return the summary sentence: results, problems first, then pairs and time."""
    parts = []
    for status, words in (
        (ChangeStatus.ERROR, "could not be measured"),
        (ChangeStatus.SLOWER, "slower"),
        (ChangeStatus.INCONCLUSIVE, "inconclusive"),
        (ChangeStatus.NOT_ENOUGH, "with too few pairs"),
    ):
        if changes := [c for c in run.changes if c.status is status]:
            parts.append(
                f"{len(changes)} {words} ({abbreviate_names([_named(c) for c in changes])})"
            )
    for status, words in (
        (ChangeStatus.FASTER, "faster"),
        (ChangeStatus.OK, "no slower"),
        (ChangeStatus.ONE_SIDED, "only in one side"),
    ):
        if count := sum(c.status is status for c in run.changes):
            parts.append(f"{count} {words}")
    minutes = sum(round_.seconds for round_ in run.rounds) / 60
    effort = f"{plural(len(run.rounds), 'pair')} in {minutes:.1f} minutes"
    return f"{', '.join(parts) or 'nothing to compare'}; {effort}{_stopped(run)}"


def _named(change: ABChange) -> str:
    if change.ratio is None or change.status is not ChangeStatus.SLOWER:
        return change.case
    return f"{change.case}, by {format_percent(change.ratio - 1)}"


def _stopped(run: ABRun) -> str:
    match run.stopped:
        case "time":
            return "; the time budget ran out before all were decided"
        case "hand":
            return "; stopped by hand before all were decided"
    return ""
