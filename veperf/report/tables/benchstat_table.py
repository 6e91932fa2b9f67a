"""Runs side by side in the layout of benchstat, with veperf's verdicts in each row."""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from veperf.core.escape import one_line
from veperf.core.terminal import terminal_width
from veperf.core.units import is_binary
from veperf.core.verdict import Change
from veperf.report.markdown_writer import MarkdownPart
from veperf.report.tables.status import change_mark
from veperf.report.tables.table import Align, Cell, Table, text_table
from veperf.verdicts.benchstat import UnitRow, UnitTable, ValueSummary

_DECIMAL = tuple(
    (float(f"1e{3 * (i - 3)}"), prefix)
    for i, prefix in enumerate(("n", "µ", "m", "", "k", "M", "G", "T"))
)
_BINARY = tuple((1024.0**i, prefix) for i, prefix in enumerate(("", "Ki", "Mi", "Gi", "Ti")))
# The bounds are those of rounding: 999.95 is already 1.000k.
_BOUNDS = {scales: [size * 0.99995 for size, _ in scales] for scales in (_DECIMAL, _BINARY)}
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_MOST_DIGITS = 10
_LONGEST_HEAD = 20
_EMPTY = Cell(" ")
_UNMARKED = Cell("")


def benchstat_texts(
    tables: Iterable[UnitTable],
    verdicts: Sequence[Sequence[Change]],
    names: Sequence[str],
) -> Iterator[str]:
    """Yield the tables for a terminal, one by one.

    Args:
        tables: of the runs.
        verdicts: changes of each run but the first, against that.
        names: those of the runs.
    """
    heads, legend = _short_names(names)
    for table in _benchstat_tables(tables, verdicts):
        content = text_table(table.table(heads, one_line), first_out=["", "veperf", "vs base"])
        yield "\n".join([*legend, *table.head(one_line), content, *table.notes()])
        legend = []


def _short_names(names: Sequence[str]) -> tuple[Sequence[str], list[str]]:
    """Return heads for the runs, and lines that say what they stand for.

    In a terminal long names, such as the ids of runs, get letters: as heads they would be broken.
    """
    if terminal_width() is None or max(map(len, names)) <= _LONGEST_HEAD or len(names) > 26:
        return names, []
    letters = ascii_uppercase[: len(names)]
    legend = zip(letters, names, strict=True)
    return [*letters], [*(f"{letter} = {one_line(name)}" for letter, name in legend), ""]


def benchstat_parts(
    tables: Iterable[UnitTable], verdicts: Sequence[Sequence[Change]], names: Sequence[str]
) -> list[MarkdownPart]:
    """Return the tables as folded parts of Markdown."""
    return [
        MarkdownPart(
            " · ".join(table.head(one_line)), (table.table(names, one_line), *table.notes())
        )
        for table in _benchstat_tables(tables, verdicts)
    ]


@dataclass(frozen=True, slots=True)
class Scale:
    """The number format of a row: digits after the point, and a prefix of the unit."""

    digits: int
    size: float
    prefix: str

    def write(self, value: float) -> str:
        """Return ``value`` at this scale: 1.718µ."""
        return f"{value / self.size:.{self.digits}f}{self.prefix}"


def choose_scale(values: Iterable[float], unit: str) -> Scale:
    """Return the scale at which the smallest of ``values`` that is not zero has four digits."""
    sizes = [abs(value) for value in values if value]
    if not sizes:
        return Scale(3, 1.0, "")
    least, scales = min(sizes), _BINARY if is_binary(unit) else _DECIMAL
    size, prefix = scales[max(0, bisect_right(_BOUNDS[scales], least) - 1)]
    scaled = least / size
    digits = 1 if scaled >= 99.995 else 2 if scaled >= 9.9995 else 3
    while scaled < 0.99995 and digits < _MOST_DIGITS:
        scaled *= 10
        digits += 1
    return Scale(digits, size, prefix)


class _BenchstatTable:
    """A table while it is written: footnotes are numbered as they come up."""

    def __init__(
        self, table: UnitTable, changes: Sequence[Mapping[tuple[str, str], Change]]
    ) -> None:
        self._table = table
        self._footnotes: dict[str, int] = {}
        # All was judged against the first run: nothing where this table's base is another one.
        judged = [changes[run - 1] if table.runs[0] == 0 else {} for run in table.runs[1:]]
        self._rows = [self._row(row, judged) for row in table.rows]
        if len(table.rows) > 1:
            self._rows.append(self._last())

    def head(self, escape: Callable[[str], str]) -> list[str]:
        """Return the suite and the metric with its unit."""
        metric, unit = self._table.metric, self._table.unit
        what = unit if metric in ("time", unit) or unit in metric else f"{metric}, {unit}"
        return [escape(self._table.title), escape(what)]

    def table(self, names: Sequence[str], escape: Callable[[str], str]) -> Table:
        """Return the rows under the names of the runs."""
        base, *others = (escape(names[run]) for run in self._table.runs)
        columns: list[tuple[str, Align]] = [("", "left"), (base, "right")]
        for name in others:
            columns += [(name, "right"), ("vs base", "right"), ("", "left"), ("veperf", "left")]
        return Table("", tuple(columns), tuple(map(tuple, self._rows)), row_header=0)

    def notes(self) -> list[str]:
        """Return the footnotes."""
        return [f"{_superscript(i)} {one_line(note)}" for note, i in self._footnotes.items()]

    def _row(self, row: UnitRow, judged: Sequence[Mapping[tuple[str, str], Change]]) -> list[Cell]:
        scale = choose_scale([side.center for side in row.sides if side], self._table.unit)
        name = row.case.removeprefix(f"{self._table.suite}/").removeprefix("Benchmark")
        cells = [Cell(name), self._side(row.sides[0], scale)]
        for column, changes in enumerate(judged, 1):
            change = changes.get((row.case, row.metric))
            cells += [
                self._side(row.sides[column], scale),
                Cell(_delta(row, column)),
                Cell(self._test(row, column)),
                Cell("", mark=None if change is None else change_mark(change)),
            ]
        return cells

    def _side(self, side: ValueSummary | None, scale: Scale) -> Cell:
        if side is None:
            return _EMPTY
        return Cell(f"{scale.write(side.center)} ± {_spread(side)}{self._marks(side.notes)}")

    def _test(self, row: UnitRow, column: int) -> str:
        base, new, test = row.sides[0], row.sides[column], row.tests[column]
        if base is None or new is None or test is None:
            return ""
        p = "" if test.p is None else f"p={test.p:.3f} "
        n = f"n={base.n}" if base.n == new.n else f"n={base.n}+{new.n}"
        return f"({p}{n}){self._marks((test.note,) if test.note else ())}"

    def _last(self) -> list[Cell]:
        unit, cells = self._table.unit, [Cell("geomean")]
        for column, means in enumerate(self._table.means):
            mean = " " if means.mean is None else choose_scale([means.mean], unit).write(means.mean)
            marks = self._marks(means.notes)
            if not column:
                cells.append(Cell(mean + marks))
                continue
            both = any(row.sides[0] and row.sides[column] for row in self._table.rows)
            change = f"{(means.ratio - 1) * 100:+.2f}%" if means.ratio is not None else "?"
            cells += [
                Cell(mean),
                Cell(change if both else " "),
                Cell(marks.strip() or " "),
                _UNMARKED,
            ]
        return cells

    def _marks(self, notes: Iterable[str]) -> str:
        """Return the marks of footnotes, each behind a blank."""
        numbers = (self._footnotes.setdefault(n, len(self._footnotes) + 1) for n in notes)
        return "".join(f" {_superscript(number)}" for number in numbers)


def _benchstat_tables(
    tables: Iterable[UnitTable], verdicts: Sequence[Sequence[Change]]
) -> Iterator[_BenchstatTable]:
    changes = [{(change.case, change.metric): change for change in of_run} for of_run in verdicts]
    return (_BenchstatTable(table, changes) for table in tables)


def _delta(row: UnitRow, column: int) -> str:
    base, new, test = row.sides[0], row.sides[column], row.tests[column]
    if base is None or new is None or test is None:
        return " "
    if not test.differ:
        return "~"
    if base.center == new.center:
        return "0.00%"
    ratio = row.ratio(column)
    return "?" if ratio is None else f"{(ratio - 1) * 100:+.2f}%"


def _spread(side: ValueSummary) -> str:
    """Return the distance of the farther end of the interval, as a share of the centre."""
    if math.isinf(side.low) or math.isinf(side.high):
        return "∞"
    signs = {(value > 0) - (value < 0) for value in (side.low, side.center, side.high)}
    if len(signs) > 1:
        return "?"
    if side.center == 0:
        return "0%"
    return f"{100 * max(side.high / side.center - 1, 1 - side.low / side.center):.0f}%"


def _superscript(number: int) -> str:
    return str(number).translate(_SUPERSCRIPTS)
