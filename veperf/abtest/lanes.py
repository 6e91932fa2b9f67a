"""Lanes of a pair: benchmarks that are measured at the same time, each lane on a CPU of its own.

Both sides of a benchmark take turns on the CPU of their lane, so that what one lane does to the
other happens to both. It would still make pairs noisier where CPUs share a core or their memory is
the bottleneck. So two pairs are measured one benchmark at a time, the third in lanes; if benchmarks
take longer there, all others are one at a time, too. Times are compared with earlier times of the
same code, never one side with the other: the choice can't favour a verdict.
"""

import contextlib
import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from queue import SimpleQueue
from statistics import median

from veperf.abtest.pair import PairResult
from veperf.core.case import Case

LANES = 2
_FIRST_INDEX = 2
"""Pairs before it are measured one benchmark at a time."""
_LEAST_CASES = 6
"""Of fewer, lanes have to wait for each other too often."""
_MOST_DISTURBANCE = 1.02

LaneMeasurer = Callable[[int, Sequence[Case]], Generator[PairResult, None, None]]
"""Measures cases in the lane of that number."""


@dataclass(slots=True)
class LaneChoice:
    """Choice whether pairs are measured in lanes, by the times of the pairs so far."""

    _alone: dict[str, float] = field(default_factory=dict)
    _in_lanes: dict[str, float] = field(default_factory=dict)

    def allows(self, index: int, cases: int, cpus: int) -> bool:
        """Return whether ``cases`` of pair ``index`` may be measured in lanes."""
        if index < _FIRST_INDEX or cases < _LEAST_CASES or cpus < LANES:
            return False
        return self.disturbance <= _MOST_DISTURBANCE

    @property
    def disturbance(self) -> float:
        """Time in lanes over the time alone, the median over cases; 1 before it is known."""
        ratios = [self._in_lanes[case] / self._alone[case] for case in self._in_lanes]
        return median(ratios) if ratios else 1.0

    def add(self, result: PairResult, *, in_lanes: bool) -> None:
        """Add the shortest time of a case, of both sides together; alone, of all pairs."""
        if result.has_failed or not (result.a.samples and result.b.samples):
            return
        sides = (result.a, result.b)
        case, time = result.case.id, sum(min(s.undelayed_ns for s in x.samples) for x in sides)
        if not in_lanes:
            self._alone[case] = min(time, self._alone.get(case, time))
        elif case in self._alone:
            self._in_lanes.setdefault(case, time)


def measure_in_lanes(
    measure: LaneMeasurer, stop: Callable[[], object], cases: Sequence[Case]
) -> Generator[PairResult, None, None]:
    """Measure ``cases`` in lanes, and yield each result once it is there.

    ``stop`` ends what the lanes are measuring, when the generator is closed before it is done.

    Raises:
        MeasureError: a lane can't be measured at all.
    """
    results: SimpleQueue[PairResult | BaseException | None] = SimpleQueue()
    is_stopped = threading.Event()

    def work(lane: int) -> None:
        try:
            with contextlib.closing(measure(lane, cases[lane::LANES])) as measured:
                for result in measured:
                    if is_stopped.is_set():
                        break
                    # It is as if each took its share of the time, one after the other.
                    results.put(replace(result, seconds=result.seconds / LANES))
        except BaseException as error:  # noqa: BLE001 - raised by the thread that waits
            results.put(error)
        finally:
            results.put(None)

    threads = [threading.Thread(target=work, args=(lane,)) for lane in range(LANES)]
    for thread in threads:
        thread.start()
    working = LANES
    try:
        while working:
            match results.get():
                case None:
                    working -= 1
                case PairResult() as result:
                    yield result
                case BaseException() as error:
                    raise error
    finally:
        is_stopped.set()
        if working:
            stop()
        for thread in threads:
            thread.join()
