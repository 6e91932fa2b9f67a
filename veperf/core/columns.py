"""Figures of imported runs in columns, of which passes are made where something asks for them.

Another tool's file may have hundreds of thousands of repetitions. As results of a pass each takes
half a kilobyte and a microsecond; as numbers in a column eight bytes, which is all that a
comparison needs.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import overload

from veperf.core.case import TIME
from veperf.core.run import CaseResult, Failure, Pass, PassesOnDemand, Sample, Summary

MOST_LOOPS = 1 << 53
"""More are no whole numbers in JSON everywhere."""
_MOST_NS = 1 << 62
_NO_SUMMARIES: dict[str, Summary] = {}


class Column:
    """Values of a metric, with the repetitions that have them."""

    __slots__ = ("_places", "values")

    def __init__(self) -> None:
        self.values = array("d")
        # None where those are the first ones, without a gap: nearly always.
        self._places: array[int] | None = None

    def add(self, place: int, value: float) -> None:
        """Add the value of the repetition ``place``, which is beyond those that have one."""
        if self._places is None and place != len(self.values):
            self._places = array("q", range(len(self.values)))
        if self._places is not None:
            self._places.append(place)
        self.values.append(value)

    @property
    def is_plain(self) -> bool:
        """True where its values are those of the first repetitions, without a gap."""
        return self._places is None

    @property
    def first(self) -> int:
        """The first repetition that has a value; there must be one."""
        return 0 if self._places is None else self._places[0]

    def at(self, place: int) -> float | None:
        """Return the value of the repetition ``place``; None where it has none."""
        index = place if self._places is None else bisect_left(self._places, place)
        if index >= len(self.values) or (self._places and self._places[index] != place):
            return None
        return self.values[index]


@dataclass(slots=True, eq=False)
class Repetitions:
    """Repetitions of a benchmark: a column of values for each metric."""

    loops: "array[int]" = field(default_factory=lambda: array("q"))
    """By repetition, the number of calls over which its time is the mean."""
    columns: dict[str, Column] = field(default_factory=dict)
    """By the name of a metric."""
    summaries: dict[int, dict[str, Summary]] = field(default_factory=dict)
    """By repetition and metric, the statistics of the values of which its value is the center."""

    def __len__(self) -> int:
        return len(self.loops)

    def add(
        self,
        figures: Mapping[str, float],
        loops: int = 1,
        summaries: Mapping[str, Summary] | None = None,
    ) -> None:
        """Add a repetition with its ``figures`` by metric."""
        place = len(self.loops)
        self.loops.append(min(max(1, loops), MOST_LOOPS))
        for name, value in figures.items():
            column = self.columns.get(name)
            if column is None:
                column = self.columns[name] = Column()
            column.add(place, value)
        if summaries:
            self.summaries[place] = dict(summaries)

    def figures(self, place: int) -> dict[str, float]:
        """Return the values of the repetition ``place`` by metric."""
        values = ((name, column.at(place)) for name, column in self.columns.items())
        return {name: value for name, value in values if value is not None}

    def summary(self, metric: str, place: int) -> Summary | None:
        """Return the statistics behind the value of a metric, if the file has any."""
        return self.summaries.get(place, _NO_SUMMARIES).get(metric)

    def rows(self, places: Iterable[int] | None = None) -> Iterator[tuple[int, dict[str, float]]]:
        """Yield loops and figures of the repetitions at ``places``, or of all."""
        for place in range(len(self)) if places is None else places:
            yield self.loops[place], self.figures(place)

    def extend(self, other: "Repetitions", places: Iterable[int] | None = None) -> None:
        """Add the repetitions of ``other`` at ``places``, or all of them."""
        for place in range(len(other)) if places is None else places:
            self.add(other.figures(place), other.loops[place], other.summaries.get(place))

    def of_metrics(self, names: Iterable[str]) -> "Repetitions":
        """Return the repetitions that have any of these metrics, with those alone."""
        kept = Repetitions()
        chosen = set(names)
        for place, (loops, figures) in enumerate(self.rows()):
            figures = {name: value for name, value in figures.items() if name in chosen}
            if figures:
                kept.add(figures, loops, self.summaries.get(place))
        return kept


class ColumnPasses(PassesOnDemand):
    """Passes of an imported run, one a repetition: ``cases`` by id, with what made some fail."""

    def __init__(
        self, cases: Mapping[str, Repetitions], failures: Mapping[str, Failure], started: str
    ) -> None:
        self.cases = cases
        self._failures = failures
        self._started = started

    @property
    def failures(self) -> Mapping[str, Failure]:
        """Failures by case."""
        return self._failures

    def count_failed(self, case: str) -> int:
        """Return the number of passes in which a case failed: all or none of its own."""
        return max(1, len(self.cases[case])) if case in self._failures else 0

    def __len__(self) -> int:
        return max(1, max(map(len, self.cases.values()), default=1))

    @overload
    def __getitem__(self, index: int) -> Pass: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Pass]: ...
    def __getitem__(self, index: int | slice) -> Pass | Sequence[Pass]:
        return self._passes[index]

    def __iter__(self) -> Iterator[Pass]:
        return iter(self._passes)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return self._passes == tuple(other)

    __hash__ = None  # type: ignore[assignment]  # its passes have mappings in them

    @cached_property
    def _passes(self) -> tuple[Pass, ...]:
        results: list[list[CaseResult]] = [[] for _ in range(len(self))]
        for case, repetitions in self.cases.items():
            failure = self._failures.get(case)
            for place in range(len(repetitions)):
                results[place].append(_result(case, repetitions, place, failure))
            if failure and not repetitions:
                results[0].append(CaseResult(case, failure=failure))
        return tuple(
            Pass(
                index=index,
                started=self._started,
                seconds=0.0,
                load_before=0.0,
                load_after=0.0,
                frequency_mhz=None,
                steal_ratio=None,
                yardstick_ns=None,
                results=tuple(of_pass),
            )
            for index, of_pass in enumerate(results)
        )


def _result(case: str, repetitions: Repetitions, place: int, failure: Failure | None) -> CaseResult:
    figures, loops = repetitions.figures(place), repetitions.loops[place]
    wall_ns = figures.get(TIME.name, 0.0) * loops
    samples: tuple[Sample, ...] = ()
    if failure is None and 1 <= wall_ns < _MOST_NS:
        samples = (Sample(round(wall_ns), None, None),)
    return CaseResult(
        case,
        loops=loops,
        samples=samples,
        figures=figures,
        failure=failure,
        summaries=repetitions.summaries.get(place, _NO_SUMMARIES),
    )
