"""How a status is shown: always a symbol and a word, so that nothing hangs on colour alone."""

from dataclasses import dataclass
from typing import Literal

from veperf.core.run import Failure
from veperf.core.verdict import ChangeStatus, Outcome, TargetStatus

Tone = Literal["pass", "warn", "fail", "quiet"]

SYMBOL: dict[Tone, str] = {"pass": "✓", "warn": "▲", "fail": "✗", "quiet": "○"}


@dataclass(frozen=True, slots=True)
class Mark:
    """A status as a reader meets it; ``urgency`` sorts, the most urgent first."""

    word: str
    tone: Tone
    urgency: int

    @property
    def symbol(self) -> str:
        """One character for the tone."""
        return SYMBOL[self.tone]


_TARGETS = {
    TargetStatus.ERROR: Mark("error", "fail", 0),
    TargetStatus.FAIL: Mark("missed", "fail", 1),
    TargetStatus.WARN: Mark("warning", "warn", 3),
    TargetStatus.NOT_MEASURED: Mark("not measured", "quiet", 5),
    TargetStatus.PASS: Mark("met", "pass", 6),
}

_CHANGES = {
    ChangeStatus.ERROR: Mark("error", "fail", 0),
    ChangeStatus.SLOWER: Mark("slower", "fail", 1),
    ChangeStatus.SUSPECT: Mark("suspect", "warn", 2),
    ChangeStatus.INCONCLUSIVE: Mark("inconclusive", "warn", 3),
    ChangeStatus.NOT_ENOUGH: Mark("not enough samples", "warn", 4),
    ChangeStatus.OTHER_MACHINE: Mark("other machine", "quiet", 5),
    ChangeStatus.ONE_SIDED: Mark("only in one side", "quiet", 5),
    ChangeStatus.FASTER: Mark("faster", "pass", 6),
    ChangeStatus.OK: Mark("no slower", "pass", 7),
    ChangeStatus.NO_BASELINE: Mark("no baseline", "quiet", 8),
}

_OUTCOMES = {
    Outcome.PASS: Mark("Pass", "pass", 4),
    Outcome.WARN: Mark("Pass, with warnings", "warn", 3),
    Outcome.INCONCLUSIVE: Mark("Inconclusive", "warn", 2),
    Outcome.FAIL: Mark("Fail", "fail", 1),
    Outcome.ERROR: Mark("Could not measure", "fail", 0),
}

KNOWN_MISS = Mark("known miss", "warn", 2)
"""A target that is missed as announced: shown as missed, but nobody's news."""

FAILED = Mark("not measured", "fail", 0)
"""A case that raised, crashed or hung."""

INVALID = Mark("invalid", "fail", 0)
"""A load that was not offered as planned: what it found says nothing about the system."""


def of_target(status: TargetStatus, *, known_miss: bool = False) -> Mark:
    """The mark of a target's status."""
    if known_miss and status in (TargetStatus.FAIL, TargetStatus.WARN):
        return KNOWN_MISS
    return _TARGETS[status]


def of_change(status: ChangeStatus) -> Mark:
    """The mark of a change's status."""
    return _CHANGES[status]


def of_failure(failure: Failure) -> Mark:
    """The mark of a case that has no value in some process."""
    return INVALID if failure.kind == "invalid" else FAILED


def failed(failure: Failure) -> str:
    """What happened to such a case, as the verb of a sentence."""
    return "is invalid" if of_failure(failure) is INVALID else "could not be measured"


def of_outcome(outcome: Outcome) -> Mark:
    """The mark of a whole verdict."""
    return _OUTCOMES[outcome]
