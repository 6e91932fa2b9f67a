"""What the writers of verdicts are given."""

from dataclasses import dataclass
from typing import TypeAlias

from veperf.model import ABRun, Outcome, Run, Verdict


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


Judged: TypeAlias = JudgedRun | JudgedPairs
