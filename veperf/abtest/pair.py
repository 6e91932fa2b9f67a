"""Pairs of measurements: results, values, and the order in which the two sides take turns."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from veperf.core.ab_records import ABPair
from veperf.core.case import Case, Clock, Metric
from veperf.core.run import CaseResult
from veperf.stats.process_values import pick_clock, process_value

SideLetter = Literal["a", "b"]
"""``a`` is the base, ``b`` the new code."""
OUT_OF_TIME = "the time budget ran out"
"""Reason why something was not measured."""
LETTERS: tuple[SideLetter, SideLetter] = ("a", "b")


@dataclass(frozen=True, slots=True)
class PairResult:
    """Results of one pair for one case; where one side failed, the other is empty."""

    case: Case
    a: CaseResult
    b: CaseResult
    seconds: float = 0.0
    """Time that both sides took, without what the pair does once for all cases."""

    @property
    def has_failed(self) -> bool:
        """True where a side failed, so that there is nothing to compare."""
        return self.a.failure is not None or self.b.failure is not None


class PairMeasurer(Protocol):
    """Measures both sides in pairs."""

    def measure(self, index: int, cases: Sequence[Case]) -> Generator[PairResult, None, None]:
        """Measure pair ``index``: each of ``cases`` once, in any order.

        Raises:
            MeasureError: a side can't be run at all.
        """


def alternate_sides(index: int, rounds: int) -> Iterator[SideLetter]:
    """Yield A B B A A B B A ..., ``rounds`` turns for each side; B begins in every other pair.

    A steady drift then adds the same to both sides.
    """
    for number in range(rounds):
        yield from ("a", "b") if (index + number) % 2 == 0 else ("b", "a")


def common_clock(measured: Iterable[PairResult]) -> Clock:
    """Return ``cpu`` where the work of both sides is CPU-bound, else ``wall``."""
    pairs = tuple(measured)
    sides = ([pair.a for pair in pairs], [pair.b for pair in pairs])
    clocks = {pick_clock(sample for result in side for sample in result.samples) for side in sides}
    return "cpu" if clocks == {"cpu"} else "wall"


def pair_values(measured: PairResult, metric: Metric, clock: Clock) -> ABPair:
    """Return both sides' values for one operation, in the unit of ``metric``."""
    base, new = (_samples(result, metric, clock) for result in (measured.a, measured.b))
    return ABPair(_value(measured.a, metric, base), _value(measured.b, metric, new), base, new)


def _value(result: CaseResult, metric: Metric, samples: tuple[float, ...]) -> float:
    figure = result.figures.get(metric.name)
    return process_value(samples) if figure is None else figure


def _samples(result: CaseResult, metric: Metric, clock: Clock) -> tuple[float, ...]:
    if metric.name in result.figures:
        return (result.figures[metric.name],)
    operations = result.loops * result.operations
    times = (sample.cpu_ns if clock == "cpu" else sample.undelayed_ns for sample in result.samples)
    return tuple(time / operations for time in times if time is not None)
