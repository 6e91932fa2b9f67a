"""Results of Go benchmarks while they are read: columns by side, package and name.

Nearly all results are plain, and of the same units as the one before of their benchmark. Such a row
is appended to the columns as it is; any other goes through ``Repetitions.add``.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from veperf.core.case import TIME
from veperf.core.columns import MOST_LOOPS, Repetitions
from veperf.formats.go_lines import PlainRow, figures_of, is_plain
from veperf.formats.imported import clean_name

TIME_UNIT = "ns/op"
Place: TypeAlias = tuple[str, str]
"""Side and package of a benchmark."""
Key: TypeAlias = tuple[str, str, str]
"""Side, package and name of a benchmark."""

_NOTHING = array("d")
_MOST_UNITS = 3


class _Open:
    """Columns of a benchmark whose results so far have the same units, one to three."""

    __slots__ = ("first", "loops", "places", "second", "third", "unit", "unit_2", "unit_3")

    def __init__(
        self, units: Iterable[str], repetitions: Repetitions, places: "array[int]"
    ) -> None:
        columns = [column.values for column in repetitions.columns.values()]
        self.unit, self.unit_2, self.unit_3 = (*units, "", "")[:_MOST_UNITS]
        self.first, self.second, self.third = (*columns, _NOTHING, _NOTHING)[:_MOST_UNITS]
        self.loops = repetitions.loops
        self.places = places


class GoResults:
    """Results of Go benchmarks, which are added in the order of the file.

    With ``keeps_order``, that order is known afterwards.
    """

    def __init__(self, *, keeps_order: bool) -> None:
        self.by_key: dict[Key, Repetitions] = {}
        self.names: dict[str, str] = {}
        """Names of the metrics, by their unit in the file."""
        self._keeps_order = keeps_order
        self._count = 0
        self._places: dict[Key, array[int]] = {}
        self._open: dict[Place, dict[str, _Open | None]] = {}

    def add(self, place: Place, name: str, loops: int, figures: Mapping[str, float]) -> None:
        """Add a result with its values by unit."""
        for unit in figures:
            if unit not in self.names:
                self.names[unit] = TIME.name if unit == TIME_UNIT else clean_name(unit)
        key = (*place, name)
        opened: _Open | None = None
        if key not in self.by_key:
            self.by_key[key], self._places[key] = Repetitions(), array("q")
        repetitions, places = self.by_key[key], self._places[key]
        repetitions.add({self.names[unit]: value for unit, value in figures.items()}, loops)
        if len(repetitions) == 1 and len(figures) == len(repetitions.columns) <= _MOST_UNITS:
            opened = _Open(figures, repetitions, places)
        self._open.setdefault(place, {})[name] = opened
        if self._keeps_order:
            self._count += 1
            places.append(self._count)

    def add_rows(self, place: Place, rows: Sequence[PlainRow], start: int) -> int:
        """Add the plain ``rows`` from ``start`` on, and return the index of the first other one."""
        by_name = self._open.setdefault(place, {})
        keeps_order = self._keeps_order
        for index in range(start, len(rows)):
            name, loops, value, unit, value_2, unit_2, value_3, unit_3 = rows[index]
            opened = by_name.get(name)
            if (
                opened is None
                or unit != opened.unit
                or unit_2 != opened.unit_2
                or unit_3 != opened.unit_3
            ):
                if not is_plain(rows[index]):
                    return index
                self.add(place, name, int(loops), figures_of(rows[index]))
                continue
            opened.first.append(float(value))
            if unit_2:
                opened.second.append(float(value_2))
            if unit_3:
                opened.third.append(float(value_3))
            opened.loops.append(min(int(loops) or 1, MOST_LOOPS))
            if keeps_order:
                self._count += 1
                opened.places.append(self._count)
        return len(rows)

    def in_order(self) -> list[tuple[int, Key, int, dict[str, float]]]:
        """Return place, key, loops and figures of each result, in the order of the file."""
        results = [
            (place, key, loops, figures)
            for key, repetitions in self.by_key.items()
            for place, (loops, figures) in zip(self._places[key], repetitions.rows(), strict=True)
        ]
        return sorted(results, key=lambda result: result[0])
