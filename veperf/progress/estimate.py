"""Estimate of the time that is left of a run."""

import math
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from statistics import fmean

from veperf.core.case import Case, Level
from veperf.core.run import CaseResult, Failure, Run

Job = tuple[str, bool]
"""A case, and whether its memory is measured rather than its time."""

_PASS_S = 1.0
"""Assumed time between two passes, before one was seen."""
_ENOUGH = 0.8
"""Share of the cases that must be known, since a single case may take a thousand times as long as
another one."""


class TimeEstimate:
    """Time left of a run, from the durations of its cases so far and in earlier runs."""

    def __init__(
        self,
        run: Run,
        earlier: Mapping[Job, float] | None = None,
        clock: Callable[[], float] = time.monotonic,
        *,
        memory_at_once: int = 1,
    ) -> None:
        """``earlier`` has durations in seconds; ``clock`` returns seconds.

        ``memory_at_once`` is how many passes that measure memory run at a time.
        """
        finished = {pass_.index for pass_ in run.passes}
        self._clock = clock
        self._timed = run.config.timed_passes
        self._memory_at_once = memory_at_once
        missing = [index for index in range(run.config.passes) if index not in finished]
        self._left = Counter(
            (case.id, index >= self._timed)
            for index in missing
            for case in run.cases
            if run.config.is_measured(case, index)
        )
        load_s = run.config.load.warmup_s + run.config.load.seconds
        planned = {(c.id, False): load_s for c in run.cases if c.level is Level.LOAD}
        known = planned | dict(earlier or {})
        self._durations = {job: [known[job]] for job in self._left if job in known}
        # As many durations as a pass has cases: the first case of a pass pays for what the others
        # share, so that less than a whole pass is not representative.
        self._recent: deque[tuple[Job, float]] = deque(maxlen=max(1, len(run.cases)))
        self._starts: list[float] = []
        self._not_started = set(missing)
        self._since = clock()
        budget_s = run.config.time_budget_s
        used_s = sum(pass_.seconds for pass_ in run.passes)
        self._end = math.inf if budget_s is None else self._since + budget_s - used_s
        self._begun: dict[int, float] = {}
        self.total = self._left.total()
        self.passes = run.config.passes
        self.done = 0
        self.failed: set[str] = set()
        self.void: set[str] = set()

    def started(self, index: int) -> None:
        """Record that a case of pass ``index`` begins now."""
        now = self._clock()
        if index in self._not_started:
            self._not_started.remove(index)
            self._starts.append(now - self._since)
        self._since = self._begun[index] = now

    def finished(self, index: int, case: Case, result: CaseResult) -> None:
        """Record that ``case`` is done now."""
        now = self._clock()
        seconds = now - self._begun[index]
        job = case.id, index >= self._timed
        self.done += 1
        self._left[job] -= 1
        self._durations.setdefault(job, []).append(seconds)
        self._recent.append((job, seconds))
        self._since = now
        if result.failure is not None:
            (self.void if result.failure.is_void else self.failed).add(case.id)

    def is_news(self, case: Case, failure: Failure) -> bool:
        """Return whether ``case`` has not ended in this way yet."""
        return case.id not in (self.void if failure.is_void else self.failed)

    def seconds_left(self) -> float | None:
        """Return the seconds left, at most those of the budget; None while too few are known."""
        # A search goes on for more processes than planned where its loads don't agree.
        left = {job: n for job, n in self._left.items() if n > 0}
        known = {job: fmean(self._durations[job]) for job in left if job in self._durations}
        if len(known) < _ENOUGH * len(left):
            return None
        typical = fmean(known.values()) if known else 0.0
        timed, memory = (
            sum(n * known.get(job, typical) for job, n in left.items() if job[1] is is_memory)
            for is_memory in (False, True)
        )
        cases = (timed + memory * self._memory_share(left)) * self._pace()
        start_s = fmean(self._starts) if self._starts else _PASS_S
        left_s = cases + len(self._not_started) * start_s
        return max(0.0, min(left_s, self._end - self._clock()))

    def _memory_share(self, left: Mapping[Job, int]) -> float:
        """Return the time that passes of memory take / the sum of what each of them takes."""
        passes = max((n for (_, is_memory), n in left.items() if is_memory), default=1)
        return math.ceil(passes / self._memory_at_once) / passes

    def _pace(self) -> float:
        """Return how much longer cases take lately than on average; near 1 while few are done."""
        expected = sum(fmean(self._durations[job]) for job, _ in self._recent)
        if expected <= 0:
            return 1.0
        actual = sum(seconds for _, seconds in self._recent)
        unseen = expected / len(self._recent) * ((self._recent.maxlen or 1) - len(self._recent))
        return (actual + unseen) / (expected + unseen)
