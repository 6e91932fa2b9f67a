"""What a whole comparison comes to: one word, one sentence, one exit code."""

from veperf.core.ab import ABChange, ABRun
from veperf.core.verdict import ChangeStatus, Outcome, Severity
from veperf.core.words import names, percent, plural
from veperf.verdicts.verdict import exit_code_of

_UNDECIDED = {ChangeStatus.INCONCLUSIVE, ChangeStatus.NOT_ENOUGH}


def outcome(found: ABRun) -> Outcome:
    """The first of these that holds.

    1. ``error``: a benchmark could not be measured on one of the sides
    2. ``fail``: one is slower, for sure by more than the threshold
    3. ``inconclusive``: one is undecided, or there was nothing to compare
    4. ``warn``: one is slower
    5. ``pass``
    """
    statuses = {change.status for change in found.changes} - {ChangeStatus.ONE_SIDED}
    if ChangeStatus.ERROR in statuses:
        return Outcome.ERROR
    if any(change.severity is Severity.FAIL for change in found.changes):
        return Outcome.FAIL
    if not statuses or statuses & _UNDECIDED:
        return Outcome.INCONCLUSIVE
    return Outcome.WARN if ChangeStatus.SLOWER in statuses else Outcome.PASS


def exit_code(found: ABRun, *, strict: bool = False) -> int:
    """What a command ends with, as for a run of that outcome."""
    return exit_code_of(outcome(found), strict=strict)


def sentence(found: ABRun) -> str:
    """What was found, what is wrong first, and what it took."""
    parts = []
    for status, words in (
        (ChangeStatus.ERROR, "could not be measured"),
        (ChangeStatus.SLOWER, "slower"),
        (ChangeStatus.INCONCLUSIVE, "inconclusive"),
        (ChangeStatus.NOT_ENOUGH, "with too few pairs"),
    ):
        if chosen := [c for c in found.changes if c.status is status]:
            parts.append(f"{len(chosen)} {words} ({names([_named(c) for c in chosen])})")
    for status, words in (
        (ChangeStatus.FASTER, "faster"),
        (ChangeStatus.OK, "no slower"),
        (ChangeStatus.ONE_SIDED, "only in one side"),
    ):
        if count := sum(c.status is status for c in found.changes):
            parts.append(f"{count} {words}")
    minutes = sum(one.seconds for one in found.rounds) / 60
    took = f"{plural(len(found.rounds), 'pair')} in {minutes:.1f} minutes"
    return f"{', '.join(parts) or 'nothing to compare'}; {took}{_stopped(found)}"


def _named(change: ABChange) -> str:
    if change.ratio is None or change.status is not ChangeStatus.SLOWER:
        return change.case
    return f"{change.case}, by {percent(change.ratio - 1)}"


def _stopped(found: ABRun) -> str:
    match found.stopped:
        case "time":
            return "; the time was up before all was decided"
        case "hand":
            return "; stopped by hand before all was decided"
    return ""
