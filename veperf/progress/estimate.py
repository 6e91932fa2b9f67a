"""How much of a run is done, and how long the rest will take."""

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from statistics import fmean

from veperf.core.case import Case, Level
from veperf.core.run import CaseResult, Run

Job = tuple[str, bool]
"""A case, and whether its memory is measured rather than its time."""

_PASS_S = 1.0
"""Between the cases of one pass and those of the next, before that has been seen."""
_ENOUGH = 0.8
"""Of the cases, so many must be known: single ones take a thousand times as long as others."""


class Estimate:
    """What cases took so far, and in earlier runs, tells what they will take."""

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
        missing = [index for index in range(run.config.passes) if index not in made]
        self._left = Counter(
            (case.id, index >= self._timed)
            for index in missing
            for case in run.cases
            if run.config.is_measured(case.level, index)
        )
        load_s = run.config.load.warmup_s + run.config.load.seconds
        planned = {(c.id, False): load_s for c in run.cases if c.level is Level.LOAD}
        known = planned | dict(earlier or {})
        self._taken = {job: [known[job]] for job in self._left if job in known}
        # What was expected and what it took, over as many cases as a pass has: its first one pays
        # for what the others share, so that less than a whole pass tells little.
        self._lately: deque[tuple[Job, float]] = deque(maxlen=max(1, len(run.cases)))
        self._starts: list[float] = []
        self._unbegun = set(missing)
        self._since = clock()
        self.total = self._left.total()
        self.passes = run.config.passes
        self.done = 0
        self.failed: set[str] = set()

    def started(self, index: int) -> None:
        """A case of pass ``index`` begins now."""
        now = self._clock()
        if index in self._unbegun:
            self._unbegun.remove(index)
            self._starts.append(now - self._since)
        self._since = now

    def finished(self, index: int, case: Case, result: CaseResult) -> None:
        """``case`` is done now."""
        now = self._clock()
        job = case.id, index >= self._timed
        self.done += 1
        self._left[job] -= 1
        self._taken.setdefault(job, []).append(now - self._since)
        self._lately.append((job, now - self._since))
        self._since = now
        if result.failure is not None:
            self.failed.add(case.id)

    def seconds_left(self) -> float | None:
        """None while too little is known to be worth saying."""
        left = {job: n for job, n in self._left.items() if n}
        known = {job: fmean(self._taken[job]) for job in left if job in self._taken}
        if len(known) < _ENOUGH * len(left):
            return None
        typical = fmean(known.values()) if known else 0.0
        cases = sum(n * known.get(job, typical) for job, n in left.items()) * self._pace()
        return cases + len(self._unbegun) * (fmean(self._starts) if self._starts else _PASS_S)

    def _pace(self) -> float:
        """How much longer cases take lately than on average; near 1 while few of them tell."""
        expected = sum(fmean(self._taken[job]) for job, _ in self._lately)
        if expected <= 0:
            return 1.0
        taken = sum(seconds for _, seconds in self._lately)
        unseen = expected / len(self._lately) * ((self._lately.maxlen or 1) - len(self._lately))
        return (taken + unseen) / (expected + unseen)
