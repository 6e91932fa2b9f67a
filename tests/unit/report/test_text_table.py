"""Tables of a terminal fit its width where they can."""

import pytest

from veperf.report.tables.table import Cell, Table, columns, text_table, wrap_line

ROWS = [
    ("✓ met", "transaction/BenchmarkOfAVeryLongName-8 · B/op", "64 B/op", "63 B/op", "p < 0.001"),
    ("✗ slower", "transaction/BenchmarkOfAVeryLongName-8 · time", "1.00 µs", "9.00 µs", ""),
]
TABLE = Table(
    "",
    columns("Status", "Benchmark", ">20261130-162200-589525", ">Now", ">p"),
    tuple(tuple(map(Cell, row)) for row in ROWS),
)


@pytest.mark.parametrize(
    ("width", "has_p"), [(200, True), (91, True), (80, True), (70, False), (50, False)]
)
def test_a_table_is_no_wider_than_the_terminal(width: int, has_p: bool) -> None:
    """Its values are whole, its rows can be told apart, and what is optional goes first."""
    lines = text_table(TABLE, width, ["p"]).splitlines()

    assert max(map(len, lines)) <= width
    assert has_p == ("p < 0.001" in lines[2])
    assert "· B/op  " in lines[2]
    assert "64 B/op" in lines[2]
    assert "· time  " in lines[3]


def test_a_table_of_a_file_is_whole() -> None:
    """However wide it is."""
    assert ROWS[0][1] in text_table(TABLE)
    assert "20261130-162200-589525" in text_table(TABLE)


def test_a_line_is_wrapped_between_words_only() -> None:
    """A path that is too long stays whole."""
    assert "▲ a bb\n  transaction/throughput\n  c" == wrap_line(
        "▲ a bb transaction/throughput c", 8
    )
    assert "a" * 100 == wrap_line("a" * 100)
