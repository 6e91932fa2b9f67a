"""What the writers of verdicts are given."""

from dataclasses import dataclass
from typing import TypeAlias

from veperf.abtest.fleet_verdict import At, Fleet
from veperf.core.ab import ABRun
from veperf.core.run import Run
from veperf.core.verdict import Outcome, Verdict


@dataclass(frozen=True, slots=True)
class JudgedRun:
    """A run, against targets and baselines."""

    run: Run
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class JudgedPairs:
    """Old and new code side by side."""

    ab: ABRun
    outcome: Outcome
    sentence: str


Judged: TypeAlias = JudgedRun | JudgedPairs | Fleet
Part: TypeAlias = JudgedRun | JudgedPairs | At
"""What is of one machine."""


def parts(judged: Judged) -> tuple[Part, ...]:
    """``judged`` machine by machine."""
    return judged.places if isinstance(judged, Fleet) else (judged,)
