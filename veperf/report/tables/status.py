"""The marks of statuses: always a symbol and a word, so that nothing depends on colour alone."""

from dataclasses import dataclass, replace
from typing import Literal

from veperf.core.gate import Outcome
from veperf.core.run import Failure
from veperf.core.text import describe_margin, format_exact
from veperf.core.verdict import Change, ChangeStatus, TargetStatus, TargetVerdict

Tone = Literal["pass", "warn", "fail", "quiet"]

SYMBOL: dict[Tone, str] = {"pass": "✓", "warn": "▲", "fail": "✗", "quiet": "○"}


@dataclass(frozen=True, slots=True)
class Mark:
    """The symbol and word of a status; the lower ``urgency``, the more urgent."""

    word: str
    tone: Tone
    urgency: int
    note: str = ""
    """Explanation for those who hover over it."""

    @property
    def symbol(self) -> str:
        """The tone as one character."""
        return SYMBOL[self.tone]

    @property
    def label(self) -> str:
        """The symbol and the word."""
        return f"{self.symbol} {self.word}"


TARGET_MARKS = {
    TargetStatus.ERROR: Mark("error", "fail", 0),
    TargetStatus.FAIL: Mark("missed", "fail", 1),
    TargetStatus.WARN: Mark("warning", "warn", 3),
    TargetStatus.NOT_MEASURED: Mark("not measured", "quiet", 5),
    TargetStatus.PASS: Mark("met", "pass", 6),
}

CHANGE_MARKS = {
    ChangeStatus.ERROR: Mark("error", "fail", 0),
    ChangeStatus.SLOWER: Mark("slower", "fail", 1),
    ChangeStatus.SUSPECT: Mark("suspect", "warn", 2),
    ChangeStatus.CHANGED: Mark("changed", "warn", 2),
    ChangeStatus.INCONCLUSIVE: Mark("inconclusive", "warn", 3),
    ChangeStatus.NOT_ENOUGH: Mark("not enough samples", "warn", 4),
    ChangeStatus.NOT_MEASURED: Mark("not measured", "warn", 4),
    ChangeStatus.OTHER_MACHINE: Mark("not comparable", "quiet", 5),
    ChangeStatus.ONE_SIDED: Mark("only in one side", "quiet", 5),
    ChangeStatus.FASTER: Mark("faster", "pass", 6),
    ChangeStatus.OK: Mark("no change", "pass", 7),
    ChangeStatus.NO_BASELINE: Mark("no baseline", "quiet", 8),
}

_OUTCOMES = {
    Outcome.PASS: Mark("Pass", "pass", 4),
    Outcome.WARN: Mark("Pass, with warnings", "warn", 3),
    Outcome.INCONCLUSIVE: Mark("Inconclusive", "warn", 2),
    Outcome.FAIL: Mark("Fail", "fail", 1),
    Outcome.ERROR: Mark("Could not measure", "fail", 0),
}

UNJUDGED = Mark("not judged", "quiet", 5)
"""A run that nothing was asked of yet."""

KNOWN_MISS = Mark("known miss", "warn", 2)
"""A target that is known to be missed: shown, but no failure."""

NARROW_MISS = Mark("narrowly missed", "warn", 3)
"""A target that is missed by less than what fails."""

FAILED = Mark("not measured", "fail", 0)
"""A case that raised, crashed or hung."""

VOID = Mark("void", "quiet", 2)
"""A load that was not offered as planned, so that its figures say nothing about the system."""


def failure_mark(failure: Failure) -> Mark:
    """Return the mark of a case that has no value in some process."""
    return VOID if failure.is_void else FAILED


def describe_failure(failure: Failure) -> str:
    """Return the predicate of a sentence about a case that failed."""
    return "is void" if failure_mark(failure) is VOID else "could not be measured"


def outcome_mark(outcome: Outcome) -> Mark:
    """Return the mark of a whole verdict."""
    return _OUTCOMES[outcome]


def run_mark(outcome: Outcome | None) -> Mark:
    """Return the mark of a run's verdict, which not every run of an archive has."""
    return UNJUDGED if outcome is None else outcome_mark(outcome)


def target_mark(verdict: TargetVerdict) -> Mark:
    """Return the mark of a target's status."""
    if verdict.known_miss and verdict.status in (TargetStatus.FAIL, TargetStatus.WARN):
        return KNOWN_MISS
    if verdict.status is TargetStatus.WARN and not verdict.is_met:
        return NARROW_MISS
    return TARGET_MARKS[verdict.status]


def within_note(margin: float) -> str:
    """Return the explanation of ``within`` this margin, for a footnote."""
    edge = format_exact(100 * margin, "%")
    return (
        f"{describe_margin(margin).capitalize()}: a slowdown of {edge} or more is ruled out. A "
        "smaller one may be there: one of two thirds of that passes in up to half of all "
        "comparisons."
    )


def margin_mark(status: ChangeStatus, margin: float | None) -> Mark:
    """Return the mark of a status; that of ``ok`` names the margin, where there is one."""
    mark = CHANGE_MARKS[status]
    if status is not ChangeStatus.OK or margin is None:
        return mark
    return replace(mark, word=describe_margin(margin), note=within_note(margin))


def change_mark(change: Change) -> Mark:
    """Return the mark of a change's status."""
    return margin_mark(change.status, change.margin)
