"""How much of a run is done, and how long the rest will take."""

import time
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean

from veperf.model import Case, CaseResult, Level, Run

Job = tuple[str, bool]
"""A case, and whether its memory is measured rather than its time."""

_PASS_S = 1.0
"""Between the cases of one pass and those of the next, before that has been seen."""
_LEAST_PACE, _MOST_PACE = 0.25, 4.0


class Estimate:
    """What each case took so far tells what it will take; before, what it took in earlier runs."""

    def __init__(
        self,
        run: Run,
        earlier: Mapping[Job, float] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``earlier`` are seconds; ``clock`` tells them."""
        made = {one.index for one in run.passes}
        self._clock = clock
        self._timed = run.config.timed_passes
        self._missing = [index for index in range(run.config.passes) if index not in made]
        self._left: dict[Job, int] = {}
        for index in self._missing:
            for case in run.cases:
                if run.config.is_measured(case.level, index):
                    job = case.id, index >= self._timed
                    self._left[job] = self._left.get(job, 0) + 1
        load_s = run.config.load.warmup_s + run.config.load.seconds
        planned = {(c.id, False): load_s for c in run.cases if c.level is Level.LOAD}
        self._earlier = planned | dict(earlier or {})
        self.total = sum(self._left.values())
        self.passes = run.config.passes
        self.done = 0
        self.failed: set[str] = set()
        self._taken: dict[Job, float] = {}
        self._starts: list[float] = []
        self._begun: set[int] = set()
        self._since = clock()

    def started(self, index: int) -> None:
        """A case of pass ``index`` begins now."""
        now = self._clock()
        if index not in self._begun:
            self._begun.add(index)
            self._starts.append(now - self._since)
        self._since = now

    def finished(self, index: int, case: Case, result: CaseResult) -> None:
        """``case`` is done now."""
        now = self._clock()
        job = case.id, index >= self._timed
        self.done += 1
        self._left[job] -= 1
        self._taken[job] = now - self._since
        self._since = now
        if result.failure is not None:
            self.failed.add(case.id)

    def seconds_left(self) -> float | None:
        """None while nothing is known."""
        if not self._taken and not self._earlier:
            return None
        pace = self._pace()
        cases = sum(n * self._expected(job, pace) for job, n in self._left.items() if n)
        unbegun = len(self._missing) - len(self._begun)
        return cases + unbegun * (_mean(self._starts) or _PASS_S)

    def words(self) -> str:
        """The time left and what failed, in a few words."""
        left = self.seconds_left()
        text = "" if left is None else f"{_minutes(left)} left"
        return text + (f", {len(self.failed)} failing" if self.failed else "")

    def _expected(self, job: Job, pace: float) -> float:
        if job in self._taken:
            return self._taken[job]
        if job in self._earlier:
            return self._earlier[job] * pace
        other = (job[0], not job[1])
        alike = [s for (_, memory), s in self._taken.items() if memory == job[1]]
        return self._taken.get(other) or _mean(alike) or _mean(list(self._earlier.values()))

    def _pace(self) -> float:
        """How long cases take by now, as a share of what they took in earlier runs."""
        both = self._taken.keys() & self._earlier.keys()
        before = sum(self._earlier[job] for job in both)
        now = sum(self._taken[job] for job in both)
        return min(_MOST_PACE, max(_LEAST_PACE, now / before)) if before > 0 else 1.0


def _mean(values: Sequence[float]) -> float:
    return fmean(values) if values else 0.0


def _minutes(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole} s" if whole < 90 else f"{whole // 60}:{whole % 60:02} min"
