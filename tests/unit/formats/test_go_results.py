"""Columns of Go results hold what was read, whatever the order of names and units."""

from hypothesis import given
from hypothesis import strategies as st

from veperf.formats.go_lines import figures_of, is_plain, plain_rows
from veperf.formats.go_results import GoResults

_UNITS = ("ns/op", "B/op", "hits")
_FIGURES = st.dictionaries(st.sampled_from(_UNITS), st.integers(1, 99), min_size=1, max_size=3)
_LINES = st.lists(st.tuples(st.sampled_from(["BenchmarkA", "BenchmarkB-8"]), _FIGURES), min_size=1)
_PLACE = ("", "example.org/x")


@given(_LINES, st.sets(st.integers(0, 9)))
def test_rows_are_results_one_by_one(
    lines: list[tuple[str, dict[str, int]]], apart: set[int]
) -> None:
    """Of the same units, of others, and with some between them that were no plain rows."""
    texts = [
        f"{name} {loops} {' '.join(f'{value} {unit}' for unit, value in figures.items())}"
        for loops, (name, figures) in enumerate(lines, 1)
    ]
    rows = plain_rows("\n".join(texts))
    together, separate = GoResults(keeps_order=True), GoResults(keeps_order=True)
    start = 0
    for index, row in enumerate(rows):
        separate.add(_PLACE, row[0], int(row[1]), figures_of(row))
        if index in apart:
            together.add_rows(_PLACE, rows[:index], start)
            together.add(_PLACE, row[0], int(row[1]), figures_of(row))
            start = index + 1
    together.add_rows(_PLACE, rows, start)

    assert all(map(is_plain, rows))
    assert separate.in_order() == together.in_order()
    assert [row[0] for row in rows] == [name for _, (*_, name), *_ in together.in_order()]
    assert [
        {"time" if unit == "ns/op" else unit: value for unit, value in figures.items()}
        for _, figures in lines
    ] == [figures for *_, figures in together.in_order()]
