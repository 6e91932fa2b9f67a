"""What a pair is, whatever it is a pair of; and in which order its two sides take turns."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from veperf.core.ab import ABPair
from veperf.core.case import Case, Clock, Metric
from veperf.core.run import CaseResult
from veperf.stats.process_values import pick_clock, process_value

Letter = Literal["a", "b"]
"""``a`` is the base, ``b`` the new code."""
LETTERS: tuple[Letter, Letter] = ("a", "b")


@dataclass(frozen=True, slots=True)
class Measured:
    """What one pair learnt of one case; where one side failed, the other one is empty."""

    case: Case
    a: CaseResult
    b: CaseResult

    @property
    def failed(self) -> bool:
        """Whether there is nothing to compare."""
        return self.a.failure is not None or self.b.failure is not None


class Pairs(Protocol):
    """Something that measures both sides in pairs."""

    def measure(self, index: int, cases: Sequence[Case]) -> Generator[Measured, None, None]:
        """Make pair ``index``: each of ``cases`` once, in whatever order.

        Raises:
            MeasureError: a side can't be run at all.
        """


def turns(index: int, rounds: int) -> Iterator[Letter]:
    """A B B A A B B A ..., ``rounds`` turns for each side; B begins in every other pair.

    Whatever changes steadily meanwhile then adds the same to both sides.
    """
    for number in range(rounds):
        yield from ("a", "b") if (index + number) % 2 == 0 else ("b", "a")


def clock_of(measured: Iterable[Measured]) -> Clock:
    """CPU time where that is what the work of both sides is, else wall time."""
    pairs = tuple(measured)
    sides = ([one.a for one in pairs], [one.b for one in pairs])
    clocks = {pick_clock(sample for result in side for sample in result.samples) for side in sides}
    return "cpu" if clocks == {"cpu"} else "wall"


def pair_of(measured: Measured, metric: Metric, clock: Clock) -> ABPair:
    """Both sides' values for one operation, in the unit of ``metric``."""
    base, new = (_samples(result, metric, clock) for result in (measured.a, measured.b))
    return ABPair(_value(measured.a, metric, base), _value(measured.b, metric, new), base, new)


def _value(result: CaseResult, metric: Metric, samples: tuple[float, ...]) -> float:
    figure = result.figures.get(metric.name)
    return process_value(samples) if figure is None else figure


def _samples(result: CaseResult, metric: Metric, clock: Clock) -> tuple[float, ...]:
    if metric.name in result.figures:
        return (result.figures[metric.name],)
    operations = result.loops * result.operations
    times = (sample.cpu_ns if clock == "cpu" else sample.wall_ns for sample in result.samples)
    return tuple(time / operations for time in times if time is not None)
