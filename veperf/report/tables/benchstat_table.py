"""Two runs side by side in the layout of benchstat, with veperf's verdict in each row."""

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from veperf.core.escape import one_line
from veperf.core.units import is_binary
from veperf.core.verdict import Change
from veperf.report.markdown_writer import MarkdownPart
from veperf.report.tables.status import Mark, change_mark
from veperf.report.tables.table import Cell, Table, text_table
from veperf.verdicts.benchstat import DifferenceTest, Geomean, UnitRow, UnitTable, ValueSummary

_DECIMAL = ("n", "µ", "m", "", "k", "M", "G", "T")
_BINARY = ("", "Ki", "Mi", "Gi", "Ti")
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_MOST_DIGITS = 10


def benchstat_text(
    tables: Iterable[UnitTable],
    changes: Sequence[Change],
    base: str,
    new: str,
    width: int | None = None,
) -> str:
    """Return the tables for a terminal; ``base`` and ``new`` are the names of the sides.

    Where ``width`` is given and a table is wider, its tests are left out.
    """
    return "\n\n".join(
        "\n".join(
            [
                *table.head(one_line),
                text_table(table.table(base, new, one_line), width, optional=[""]),
                *table.notes(),
            ]
        )
        for table in _benchstat_tables(tables, changes)
    )


def benchstat_parts(
    tables: Iterable[UnitTable], changes: Sequence[Change], base: str, new: str
) -> list[MarkdownPart]:
    """Return the tables as folded parts of Markdown."""
    parts = []
    for table in _benchstat_tables(tables, changes):
        title = " · ".join(table.head(one_line))
        parts.append(MarkdownPart(title, (table.table(base, new, one_line), *table.notes())))
    return parts


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
    least, binary = min(sizes), is_binary(unit)
    prefixes = _BINARY if binary else _DECIMAL
    factors = [1024.0**i if binary else float(f"1e{3 * (i - 3)}") for i in range(len(prefixes))]
    # The bounds are those of rounding: 999.95 is already 1.000k.
    step = max(0, bisect_left([f * 0.99995 for f in factors], math.nextafter(least, math.inf)) - 1)
    scaled = least / factors[step]
    digits = 1 if scaled >= 99.995 else 2 if scaled >= 9.9995 else 3
    while scaled < 0.99995 and digits < _MOST_DIGITS:
        scaled *= 10
        digits += 1
    return Scale(digits, factors[step], prefixes[step])


class _BenchstatTable:
    """A table while it is written: footnotes are numbered as they come up."""

    def __init__(self, table: UnitTable, verdicts: Mapping[tuple[str, str], Change]) -> None:
        self._table = table
        self._footnotes: dict[str, int] = {}
        self._rows: list[tuple[tuple[str, ...], Mark | None]] = []
        for row in table.rows:
            verdict = verdicts.get((row.case, row.metric))
            self._rows.append((self._row(row), None if verdict is None else change_mark(verdict)))
        if len(table.rows) > 1:
            self._rows.append((self._last(table.geomean), None))

    def head(self, escape: Callable[[str], str]) -> list[str]:
        """Return the suite and the metric with its unit."""
        suite, metric, unit = self._table.suite, self._table.metric, self._table.unit
        what = unit if metric in ("time", unit) or unit in metric else f"{metric}, {unit}"
        return [escape(suite), escape(what)]

    def table(self, base: str, new: str, escape: Callable[[str], str]) -> Table:
        """Return the rows under the names of the two sides."""
        return Table(
            "",
            (
                ("", "left"),
                (escape(base), "right"),
                (escape(new), "right"),
                ("vs base", "right"),
                ("", "left"),
                ("veperf", "left"),
            ),
            tuple((*map(Cell, row), Cell("", mark=mark)) for row, mark in self._rows),
            row_header=0,
        )

    def notes(self) -> list[str]:
        """Return the footnotes."""
        return [f"{_superscript(i)} {one_line(note)}" for note, i in self._footnotes.items()]

    def _row(self, row: UnitRow) -> tuple[str, ...]:
        sides = [side for side in (row.base, row.new) if side]
        written = choose_scale([side.center for side in sides], self._table.unit)
        name = row.case.removeprefix(f"{self._table.suite}/").removeprefix("Benchmark")
        return (
            name,
            self._side(row.base, written),
            self._side(row.new, written),
            _delta(row),
            "" if row.test is None else self._test(row, row.test),
        )

    def _side(self, side: ValueSummary | None, written: Scale) -> str:
        if side is None:
            return " "
        return f"{written.write(side.center)} ± {_spread(side)}{self._mark(side.note)}"

    def _test(self, row: UnitRow, test: DifferenceTest) -> str:
        assert row.base
        assert row.new
        p = "" if test.p is None else f"p={test.p:.3f} "
        n = f"n={row.base.n}" if row.base.n == row.new.n else f"n={row.base.n}+{row.new.n}"
        return f"({p}{n}){self._mark(test.note)}"

    def _last(self, geomean: Geomean) -> tuple[str, ...]:
        unit = self._table.unit
        base, new = (
            " " if mean is None else choose_scale([mean], unit).write(mean)
            for mean in (geomean.base, geomean.new)
        )
        base += "".join(map(self._mark, geomean.base_notes))
        both = any(row.base and row.new for row in self._table.rows)
        change = f"{(geomean.ratio - 1) * 100:+.2f}%" if geomean.ratio is not None else "?"
        marks = "".join(map(self._mark, geomean.new_notes)).strip()
        return ("geomean", base, new, change if both else " ", marks or " ")

    def _mark(self, note: str) -> str:
        if not note:
            return ""
        return f" {_superscript(self._footnotes.setdefault(note, len(self._footnotes) + 1))}"


def has_common_rows(tables: Iterable[UnitTable]) -> bool:
    """Return whether any row has both sides."""
    return any(row.base and row.new for table in tables for row in table.rows)


def _benchstat_tables(
    tables: Iterable[UnitTable], changes: Sequence[Change]
) -> list[_BenchstatTable]:
    verdicts = {(change.case, change.metric): change for change in changes}
    return [_BenchstatTable(table, verdicts) for table in tables]


def _delta(row: UnitRow) -> str:
    if row.base is None or row.new is None or row.test is None:
        return " "
    if not row.test.differ:
        return "~"
    if row.base.center == row.new.center:
        return "0.00%"
    return "?" if row.ratio is None else f"{(row.ratio - 1) * 100:+.2f}%"


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
