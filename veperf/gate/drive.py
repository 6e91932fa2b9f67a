"""Pair after pair, until everything is decided, time is up or somebody says stop."""

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from veperf.gate.contest import Contest
from veperf.gate.live import Progress
from veperf.measure.ab.pair import Pairs
from veperf.measure.machine import CpuTimes, frequency_mhz, load_average
from veperf.model import ABRound


@dataclass(frozen=True, slots=True)
class Driven:
    """How a comparison went; what it found is in its contests, all of which are decided."""

    rounds: tuple[ABRound, ...]
    stopped: Literal["", "time", "hand"]


def drive(
    pairs: Pairs, contests: Sequence[Contest], progress: Progress, budget_s: float | None
) -> Driven:
    """Make pairs of those ``contests`` that are undecided, until none is.

    With a budget, the time alone ends what is undecided by then, with a last look. Ctrl-C ends
    it without one.

    Raises:
        MeasureError: a side can't be run at all.
    """
    rounds: list[ABRound] = []
    until = None if budget_s is None else time.monotonic() + budget_s
    stopped: Literal["", "time", "hand"] = ""
    try:
        while not stopped and (open_ := [c for c in contests if c.decided is None]):
            progress.pair_started(len(rounds), contests)
            watch = _Watch()
            if not _pair(pairs, len(rounds), open_, progress, until):
                stopped = "time"
            rounds.append(watch.round())
    except KeyboardInterrupt:
        stopped = "hand"
    for contest in contests:
        if contest.decided is None:
            decided = contest.break_off() if stopped == "hand" else contest.run_out()
            progress.decided(decided)
    return Driven(tuple(rounds), stopped)


def _pair(
    pairs: Pairs,
    index: int,
    contests: Sequence[Contest],
    progress: Progress,
    until: float | None,
) -> bool:
    """Make one pair; False where time was up before its end."""
    by_case = {contest.case.id: contest for contest in contests}
    measuring = pairs.measure(index, [contest.case for contest in contests])
    with contextlib.closing(measuring):
        for measured in measuring:
            contest = by_case[measured.case.id]
            decided = contest.add(measured)
            progress.measured(contest)
            if decided is not None:
                progress.decided(decided)
            if until is not None and time.monotonic() >= until:
                return all(c.decided is not None for c in contests)
    return True


class _Watch:
    """What the machine is like from now on."""

    def __init__(self) -> None:
        self._since, self._ticks = time.monotonic(), CpuTimes.now()

    def round(self) -> ABRound:
        return ABRound(
            seconds=time.monotonic() - self._since,
            load=load_average(),
            steal_ratio=self._ticks.steal_ratio(CpuTimes.now()),
            frequency_mhz=frequency_mhz(),
        )
