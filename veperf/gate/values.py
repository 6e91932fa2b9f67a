"""From what a pair measured to the two numbers that are compared."""

from collections.abc import Iterable

from veperf.judge.robust import pick_clock, process_value
from veperf.measure.ab.pair import Measured
from veperf.model import ABPair, CaseResult, Clock, Metric


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
