"""Sequential paired comparison: no more pairs than it takes to decide."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from veperf.core.case import Better
from veperf.core.errors import UsageError
from veperf.core.text import plural
from veperf.core.verdict import ChangeStatus
from veperf.stats.look_schedule import LOOKS, LookSchedule, looks_up_to, schedule_looks
from veperf.stats.paired import (
    PairedVerdict,
    PairEvidence,
    PairRule,
    as_values,
    change_reason,
    change_severity,
    decide_pairs,
    evaluate_pairs,
    find_obstacle,
    log_ratios,
)

# Up to this p of either change, an early ok waits for more pairs.
_HINT_P = 0.05
_DEFAULT = PairRule()
_SCHEDULE = schedule_looks()


@dataclass(frozen=True, slots=True, kw_only=True)
class Look(PairEvidence):
    """Evidence at one look, with its significance levels."""

    alpha_change: float
    """Largest ``p_slower`` or ``p_faster`` that decides; 0 is never."""
    alpha_ok: float
    """Largest ``p_equivalent`` that decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SequentialVerdict(PairedVerdict):
    """Verdict from the pairs used, with the looks that led to it."""

    path: tuple[Look, ...]


class SequentialTest:
    """Sequential test of one benchmark, to which pairs are added until they decide.

    Each look of the schedule runs the tests of ``compare_pairs``, at levels by which all looks
    together keep to the rule's ``alpha``. Before the last look, ``ok`` waits while the pairs hint
    at a change of either kind (p up to 5 %), which more of them may prove.
    """

    def __init__(self, rule: PairRule = _DEFAULT, looks: LookSchedule = _SCHEDULE) -> None:
        self._rule = rule
        self._schedule = looks
        self._ratios: list[float] = []
        self._path: tuple[Look, ...] = ()
        self._verdict: SequentialVerdict | None = None

    @property
    def verdict(self) -> SequentialVerdict | None:
        """Decision; None while there is none."""
        return self._verdict

    @property
    def path(self) -> tuple[Look, ...]:
        """Looks so far."""
        return self._path

    @property
    def pairs(self) -> int:
        """Number of pairs added."""
        return len(self._ratios)

    @property
    def next_look(self) -> int | None:
        """Number of pairs at the next look; None once decided."""
        return None if self._verdict else self._schedule.looks[len(self._path)]

    def add(self, old: float, new: float) -> SequentialVerdict | None:
        """Add a pair, and return the decision if it led to one.

        A value that is NaN or infinite decides ``error`` at once, zero or below ``inconclusive``.

        Raises:
            UsageError: it was decided already, or a value is not a number.
        """
        if self._verdict is not None:
            raise UsageError("it is decided: no more pairs are needed")
        values = as_values([old, new])
        if (obstacle := find_obstacle(values)) is not None:
            return self._end(PairEvidence(pairs=self.pairs), *obstacle)
        self._ratios.append(float(log_ratios(values[0], values[1], self._rule.better)))
        if self.pairs == self.next_look:
            evidence, status = self._look()
            if self.pairs == self._schedule.looks[-1] or not _must_wait(evidence, status):
                return self._conclude(evidence, status)
        return None

    def finish(self) -> SequentialVerdict:
        """Return the decision from the pairs so far, at a last look that spends all alpha left.

        For when time is up; the moment must not depend on the pairs' values.
        ``not enough samples`` with fewer pairs than the first look takes.
        """
        if self._verdict is not None:
            return self._verdict
        least = self._schedule.looks[0]
        if self.pairs < least:
            few = f"{plural(self.pairs, 'pair')}, and {least} are the minimum"
            return self._end(PairEvidence(pairs=self.pairs), ChangeStatus.NOT_ENOUGH, few)
        self._schedule = self._schedule.ending_at(self.pairs)
        # A last look at the same number of pairs is taken again.
        self._path = self._path[: len(self._schedule.looks) - 1]
        return self._conclude(*self._look())

    def _look(self) -> tuple[PairEvidence, ChangeStatus]:
        rule, number = self._rule, len(self._path)
        evidence = evaluate_pairs(np.array(self._ratios), rule)
        alpha_change = self._schedule.levels_change(rule.alpha / rule.comparisons)[number]
        alpha_ok = self._schedule.levels_ok(rule.alpha)[number]
        self._path += (Look(**asdict(evidence), alpha_change=alpha_change, alpha_ok=alpha_ok),)
        return evidence, decide_pairs(evidence, alpha_change, alpha_ok)

    def _conclude(self, evidence: PairEvidence, status: ChangeStatus) -> SequentialVerdict:
        return self._end(evidence, status, change_reason(evidence, status, self._rule))

    def _end(self, evidence: PairEvidence, status: ChangeStatus, reason: str) -> SequentialVerdict:
        self._verdict = SequentialVerdict(
            **asdict(evidence),
            status=status,
            severity=change_severity(evidence, status, self._rule),
            reason=reason,
            path=self._path,
        )
        return self._verdict


def compare_sequentially(
    pairs: Iterable[tuple[float, float]],
    *,
    better: Better = _DEFAULT.better,
    min_effect: float = _DEFAULT.min_effect,
    margin: float = _DEFAULT.margin,
    fail_over: float = _DEFAULT.fail_over,
    alpha: float = _DEFAULT.alpha,
    comparisons: int = _DEFAULT.comparisons,
    looks: Sequence[int] = LOOKS,
    max_pairs: int | None = None,
    spending: Sequence[float] | None = None,
) -> SequentialVerdict:
    """Compare (old, new) values from ``pairs``, taking no more of them than it takes to decide.

    Runs the tests of ``compare_pairs`` at each of the numbers of pairs ``looks``, cut short or
    extended to ``max_pairs`` pairs where that is given (96 costs more than 48, and decides more).
    ``spending`` is the share of alpha that each look may spend on ``slower`` and on ``faster``.

    In the long run, at most a share of ``alpha`` of suites of ``comparisons`` benchmarks have a
    false ``slower``, and at most a share of ``alpha`` of benchmarks that are worse by the margin
    are called ``ok``. Pairs that run out undecided get a last look.

    Raises:
        UsageError: a setting is out of its range, or an element of ``pairs`` is not two numbers.
    """
    rule = PairRule(
        better=better,
        min_effect=min_effect,
        margin=margin,
        fail_over=fail_over,
        alpha=alpha,
        comparisons=comparisons,
    )
    counts = looks if max_pairs is None else looks_up_to(max_pairs, looks)
    test = SequentialTest(rule, schedule_looks(counts, spending))
    for pair in pairs:
        if test.add(*_two(pair)):
            break
    return test.finish()


def _must_wait(evidence: PairEvidence, status: ChangeStatus) -> bool:
    hint = min(evidence.p_slower, evidence.p_faster) <= _HINT_P
    return status is ChangeStatus.INCONCLUSIVE or (status is ChangeStatus.OK and hint)


def _two(pair: tuple[float, float]) -> tuple[float, float]:
    try:
        old, new = pair
    except (TypeError, ValueError) as error:
        raise UsageError(f"a pair is two numbers, old and new, not {pair!r}") from error
    return old, new
