"""Sequential paired comparison: no more pairs than it takes to decide."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

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
    layout_values,
    log_ratios,
)
from veperf.stats.wilcoxon import smallest_signed_rank_p

HINT_P = 0.3
"""Up to this p of either change, an early ``ok`` waits for more pairs. Where nothing changed, p is
nearly 1, so that waiting costs little there, and it finds many a change of 2 %."""
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
    at a change of either kind (p up to 30 %), which more of them may prove.

    The interval of a look is a repeated one: at any look, and so at the one that decides, each of
    its ends is right with probability 1 - alpha. The ratio is the estimate from the pairs used:
    where a change was the reason to stop, it tends to be too large (see docs/verdicts.md).

    ``autocorrelation`` is asked at each look for that of the pairs, by which its tests are widened.
    """

    def __init__(
        self,
        rule: PairRule = _DEFAULT,
        looks: LookSchedule = _SCHEDULE,
        autocorrelation: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._rule = rule
        self._schedule = looks
        self._autocorrelation = autocorrelation
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
    def log_ratios(self) -> NDArray[np.float64]:
        """Log ratios of the pairs added, shape (pairs,)."""
        return np.array(self._ratios)

    @property
    def next_look(self) -> int | None:
        """Number of pairs at the next look; None once decided."""
        return None if self._verdict else self._schedule.looks[len(self._path)]

    def add(self, old: float, new: float, *, hold: bool = False) -> SequentialVerdict | None:
        """Add a pair, and return the decision if it led to one.

        With ``hold``, an early ``ok`` or ``faster`` waits: something else in these pairs hints at a
        change for the worse, which more of them may prove.

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
            if self.pairs == self._schedule.looks[-1] or not _must_wait(evidence, status, hold):
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
        alpha_change = self._schedule.levels_change(rule.alpha / rule.comparisons)[number]
        alpha_ok = self._schedule.levels_ok(rule.alpha)[number]
        # The upper end is below the margin where the test for `ok` rejects, at the same level.
        evidence = evaluate_pairs(self.log_ratios, rule, alpha_ok, self._autocorrelation())
        self._path += (Look(**asdict(evidence), alpha_change=alpha_change, alpha_ok=alpha_ok),)
        return evidence, decide_pairs(evidence, alpha_change, alpha_ok)

    def _conclude(self, evidence: PairEvidence, status: ChangeStatus) -> SequentialVerdict:
        reason = change_reason(evidence, status, self._rule)
        values = layout_values(self.log_ratios, self._rule.layouts).size
        level = self._schedule.levels_change(self._rule.alpha / self._rule.comparisons)[-1]
        if status is ChangeStatus.INCONCLUSIVE and level < smallest_signed_rank_p(values):
            shared = "" if values == self.pairs else f" of {values} layouts"
            few = f"{plural(self.pairs, 'pair')}{shared}"
            reason += f"; among {self._rule.comparisons} comparisons {few} can't show any slowdown"
        return self._end(evidence, status, reason)

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
    better: Better = "lower",
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


def _must_wait(evidence: PairEvidence, status: ChangeStatus, hold: bool) -> bool:
    hint = min(evidence.p_slower, evidence.p_faster) <= HINT_P
    if hold and status in (ChangeStatus.OK, ChangeStatus.FASTER):
        return True
    return status is ChangeStatus.INCONCLUSIVE or (status is ChangeStatus.OK and hint)


def _two(pair: tuple[float, float]) -> tuple[float, float]:
    try:
        old, new = pair
    except (TypeError, ValueError) as error:
        raise UsageError(f"a pair is two numbers, old and new, not {pair!r}") from error
    return old, new
