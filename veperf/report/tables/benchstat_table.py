"""Two runs side by side, as benchstat writes it down, with veperf's verdict beside each row."""

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from veperf.core.escape import as_markdown, one_line
from veperf.core.units import is_binary
from veperf.core.verdict import Change
from veperf.report import markdown, text
from veperf.report.tables.result_tables import Cell, Table
from veperf.report.tables.status import of_change
from veperf.verdicts.benchstat import Geomean, Row, Summary, Test, UnitTable

_DECIMAL = ("n", "µ", "m", "", "k", "M", "G", "T")
_BINARY = ("", "Ki", "Mi", "Gi", "Ti")
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_MOST_DIGITS = 10


def as_text(tables: Iterable[UnitTable], changes: Sequence[Change], base: str, new: str) -> str:
    """For a terminal; ``base`` and ``new`` are what the sides are called."""
    return "\n\n".join(
        "\n".join([*one.head(one_line), text.table(one.table(base, new, one_line)), *one.notes()])
        for one in _written(tables, changes)
    )


def as_markdown_text(
    tables: Iterable[UnitTable], changes: Sequence[Change], base: str, new: str
) -> str:
    """For a comment or a step summary."""
    parts: list[str] = []
    for one in _written(tables, changes):
        parts += [f"**{' · '.join(one.head(as_markdown))}**"]
        parts += [markdown.table(one.table(base, new, as_markdown))]
        parts += ["  \n".join(map(as_markdown, one.notes()))] if one.notes() else []
    return "\n\n".join(parts)


@dataclass(frozen=True, slots=True)
class Scale:
    """How the numbers of a row are written: digits after the point, and a prefix of the unit."""

    digits: int
    size: float
    prefix: str

    def write(self, value: float) -> str:
        """``value`` to this scale: 1.718µ."""
        return f"{value / self.size:.{self.digits}f}{self.prefix}"


def scale(values: Iterable[float], unit: str) -> Scale:
    """The scale at which the smallest of ``values`` that is not zero shows four digits."""
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


class _Written:
    """A table on its way to paper: footnotes are numbered as they come up."""

    def __init__(self, found: UnitTable, verdicts: Mapping[tuple[str, str], Change]) -> None:
        self._found = found
        self._footnotes: dict[str, int] = {}
        self._rows = [self._row(row, verdicts.get((row.case, row.metric))) for row in found.rows]
        if len(found.rows) > 1:
            self._rows.append(self._last(found.geomean))

    def head(self, escape: Callable[[str], str]) -> list[str]:
        """Which suite, and of what."""
        suite, metric, unit = self._found.suite, self._found.metric, self._found.unit
        what = unit if metric in ("time", unit) or unit in metric else f"{metric}, {unit}"
        return [escape(suite), escape(what)]

    def table(self, base: str, new: str, escape: Callable[[str], str]) -> Table:
        """The rows under the names of the two sides."""
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
            tuple(tuple(map(Cell, row)) for row in self._rows),
            heads=0,
        )

    def notes(self) -> list[str]:
        """The footnotes."""
        return [f"{_superscript(i)} {one_line(note)}" for note, i in self._footnotes.items()]

    def _row(self, row: Row, verdict: Change | None) -> tuple[str, ...]:
        sides = [side for side in (row.base, row.new) if side]
        written = scale([side.center for side in sides], self._found.unit)
        name = row.case.removeprefix(f"{self._found.suite}/").removeprefix("Benchmark")
        return (
            name,
            self._side(row.base, written),
            self._side(row.new, written),
            _delta(row),
            "" if row.test is None else self._test(row, row.test),
            "" if verdict is None else f"{of_change(verdict.status).symbol} {verdict.status}",
        )

    def _side(self, side: Summary | None, written: Scale) -> str:
        if side is None:
            return " "
        return f"{written.write(side.center)} ± {_spread(side)}{self._mark(side.note)}"

    def _test(self, row: Row, test: Test) -> str:
        assert row.base
        assert row.new
        p = "" if test.p is None else f"p={test.p:.3f} "
        n = f"n={row.base.n}" if row.base.n == row.new.n else f"n={row.base.n}+{row.new.n}"
        return f"({p}{n}){self._mark(test.note)}"

    def _last(self, found: Geomean) -> tuple[str, ...]:
        unit = self._found.unit
        base, new = (
            " " if mean is None else scale([mean], unit).write(mean)
            for mean in (found.base, found.new)
        )
        base += "".join(map(self._mark, found.base_notes))
        both = any(row.base and row.new for row in self._found.rows)
        change = f"{(found.ratio - 1) * 100:+.2f}%" if found.ratio is not None else "?"
        marks = "".join(map(self._mark, found.new_notes)).strip()
        return ("geomean", base, new, change if both else " ", marks or " ", " ")

    def _mark(self, note: str) -> str:
        if not note:
            return ""
        return f" {_superscript(self._footnotes.setdefault(note, len(self._footnotes) + 1))}"


def sides_meet(tables: Iterable[UnitTable]) -> bool:
    """Whether any row has both sides."""
    return any(row.base and row.new for found in tables for row in found.rows)


def _written(tables: Iterable[UnitTable], changes: Sequence[Change]) -> list[_Written]:
    verdicts = {(change.case, change.metric): change for change in changes}
    return [_Written(table, verdicts) for table in tables]


def _delta(row: Row) -> str:
    if row.base is None or row.new is None or row.test is None:
        return " "
    if not row.test.differ:
        return "~"
    if row.base.center == row.new.center:
        return "0.00%"
    return "?" if row.ratio is None else f"{(row.ratio - 1) * 100:+.2f}%"


def _spread(side: Summary) -> str:
    """The farther end of the interval, as a share of the centre."""
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
