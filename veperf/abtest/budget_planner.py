"""Plan of a comparison's time: the benchmarks that each pair measures, so that most are decided.

The cost of a benchmark is the time that it takes in a pair, measured in every pair; starting the
processes is a cost of the pair. Before each pair, the undecided benchmarks are put in order of the
time to their next look, and the cheapest are chosen as long as all of them reach that look within
the budget. The others are left out, so that the number of those that are decided is the largest
that the budget allows; none has priority.

Choosing reads costs and numbers of pairs, never the pairs' values: a last look that the end of the
budget causes keeps its error rates, as its moment tells nothing about the change. A benchmark that
ends before its first look is not compared, which is no pass.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median

from veperf.core.text import THIN, plural

CountingClock = Callable[[], float]
"""Returns seconds that only grow."""
TYPICAL_PAIRS = 10
"""Pairs by which most benchmarks are decided where nothing changed."""


@dataclass(frozen=True, slots=True)
class Position:
    """Position of an undecided benchmark on its way to the next look."""

    case: str
    pairs: int
    next_look: int

    @property
    def missing(self) -> int:
        """Pairs up to the next look."""
        return self.next_look - self.pairs


@dataclass(frozen=True, slots=True)
class Forecast:
    """Time that a comparison still takes."""

    first_s: float
    """Until the first look."""
    typical_s: float
    """Until most benchmarks are decided where nothing changed."""
    most_s: float
    """Until the last look."""

    def __str__(self) -> str:
        first, typical, most = map(_about, (self.first_s, self.typical_s, self.most_s))
        return f"about {first} to the first decisions, {typical} to most, {most} at most"


class BudgetPlanner:
    """Chooses the benchmarks of each pair by what they cost and by the time left.

    ``budget_s`` counts from now on ``clock``; None is no limit.
    """

    def __init__(
        self, budget_s: float | None, first_look: int, clock: CountingClock = time.monotonic
    ) -> None:
        self._budget_s = budget_s
        self._first = first_look
        self._clock = clock
        self._began = self._pair_began = clock()
        self._costs: dict[str, list[float]] = {}
        self._in_pair_s = 0.0
        self._shared_s = 0.0
        self._left_out: dict[str, str] = {}
        self._newly_left_out: tuple[str, ...] = ()

    @property
    def left_s(self) -> float:
        """Seconds left of the budget; infinite where there is none."""
        if self._budget_s is None:
            return float("inf")
        return self._budget_s - (self._clock() - self._began)

    def pair_started(self) -> None:
        """Begin a pair, whose time is measured from now on."""
        self._pair_began, self._in_pair_s = self._clock(), 0.0

    def measured(self, case: str, seconds: float) -> None:
        """Add the ``seconds`` that ``case`` took in this pair, besides what the pair shares."""
        self._costs.setdefault(case, []).append(seconds)
        self._in_pair_s += seconds
        self._shared_s = max(0.0, self._clock() - self._pair_began - self._in_pair_s)

    def choose(self, undecided: Sequence[Position]) -> list[str]:
        """Return the benchmarks of the next pair; none is the end of the comparison.

        Where none reaches its next look in time, those that have had a look get pairs for their
        last one.
        """
        earlier, self._left_out, self._newly_left_out = self._left_out, {}, ()
        if self._budget_s is None or not self._costs:
            return [at.case for at in undecided] if self.left_s > 0 else []
        chosen = self._affordable(undecided, self.left_s) or self._affordable(
            [replace(at, next_look=at.pairs + 1) for at in undecided if at.pairs >= self._first],
            self.left_s,
        )
        # The first reason tells most: later the others have used up what was left.
        self._left_out = {
            at.case: earlier.get(at.case) or self._reason(at)
            for at in undecided
            if at.case not in chosen
        }
        self._newly_left_out = tuple(case for case in self._left_out if case not in earlier)
        return chosen

    def allows_next(self, measured: Sequence[Position], others: int) -> bool:
        """Return whether the first pair may go on to ``others``, benchmarks of unknown cost.

        It may where that is expected to raise the number of those that reach a look. The others may
        be like any of those ``measured``, or cost nothing: the mean over these cases is expected.
        """
        if self._budget_s is None or not others:
            return True
        left, missing = self.left_s, self._first - 1
        costs = [self._cost(at.case) for at in measured]
        now = self._count_affordable(sorted((cost, missing) for cost in costs), left)
        then = [
            self._count_affordable(
                sorted((c, missing) for c in [*costs, *[cost] * others]), left - others * cost
            )
            for cost in (*costs, 0.0)
        ]
        return now == 0 or sum(then) > now * len(then)

    def forecast(self, cases: Iterable[str], pairs: int, max_pairs: int) -> Forecast:
        """Return the time that ``cases`` take, after ``pairs`` of at most ``max_pairs`` pairs."""
        pair_s = self._shared_s + sum(self._cost(case) for case in cases)
        counts = (self._first, min(TYPICAL_PAIRS, max_pairs), max_pairs)
        first, typical, most = (min(self.left_s, (n - pairs) * pair_s) for n in counts)
        return Forecast(first, typical, most)

    def describe(self, chosen: Sequence[str], pairs: int, max_pairs: int) -> list[str]:
        """Return what is new: a forecast after the first pair, and who is left out."""
        lines = [str(self.forecast(chosen, pairs, max_pairs))] if chosen and pairs == 1 else []
        return lines + [
            f"{case} is left out: {self._left_out[case]}" for case in self._newly_left_out
        ]

    def not_compared(self, case: str, pairs: int) -> str:
        """Return the reason why ``case``, with too few ``pairs`` for a look, is not compared."""
        if reason := self._left_out.get(case):
            return f"not compared: {reason}"
        few = f"{plural(pairs, 'pair')}, and {self._first} are the minimum"
        return f"not compared: the time budget ended after {few}"

    @property
    def _expected_s(self) -> float:
        """Cost to expect of a benchmark that has not been measured."""
        return median(map(median, self._costs.values())) if self._costs else 0.0

    def _cost(self, case: str) -> float:
        return median(self._costs[case]) if case in self._costs else self._expected_s

    def _affordable(self, undecided: Sequence[Position], left_s: float) -> list[str]:
        """Return the cheapest of ``undecided`` that all reach their next look in the time left.

        Those of unknown cost come last.
        """
        ordered = sorted(undecided, key=self._order)
        needs = [(self._cost(at.case), at.missing) for at in ordered]
        return [at.case for at in ordered[: self._count_affordable(needs, left_s)]]

    def _count_affordable(self, needs: Sequence[tuple[float, int]], left_s: float) -> int:
        """Return how many of these costs and numbers of pairs, the first ones, fit together.

        A single one needs time for itself alone: after the first pair, which may have had warm-ups,
        the time that a pair shares is an upper limit.
        """
        total, most = 0.0, 0
        for count, (cost, pairs) in enumerate(needs):
            total, most = total + pairs * cost, max(most, pairs)
            if total + (most * self._shared_s if count else 0.0) > left_s:
                return count
        return len(needs)

    def _order(self, at: Position) -> tuple[bool, float]:
        return at.case not in self._costs, self._own_s(at)

    def _own_s(self, at: Position) -> float:
        return at.missing * self._cost(at.case)

    def _reason(self, at: Position) -> str:
        left = _about(max(0.0, self.left_s))
        if at.case not in self._costs:
            if self.left_s <= 0:
                return "the time budget ended before its first pair"
            return f"its time is unknown, and {left} of the time budget were left"
        own = f"would take about {_about(self._own_s(at))}"
        if self._own_s(at) > self.left_s:
            return f"{own}, and {left} of the time budget were left"
        return f"{own} of the {left} left, which cheaper benchmarks need"


def _about(seconds: float) -> str:
    """Return ``seconds`` as roughly as a forecast is."""
    if seconds >= 120:
        return f"{round(seconds / 60):,}{THIN}min"
    return f"{max(1, round(seconds))}{THIN}s"
