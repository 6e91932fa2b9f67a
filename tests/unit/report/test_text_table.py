"""Tables of a terminal fit its width where they can."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.core.terminal import wrap_line
from veperf.report.tables.table import Cell, Table, columns, text_table

ROWS = [
    ("✓ met", "transaction/BenchmarkOfAVeryLongName-8 · B/op", "64 B/op", "63 B/op", "p < 0.001"),
    ("✗ slower", "transaction/BenchmarkOfAVeryLongName-8 · time", "1.00 µs", "9.00 µs", ""),
]
TABLE = Table(
    "",
    columns("Status", "Benchmark", ">20261130-162200-589525", ">Now", ">p"),
    tuple(tuple(map(Cell, row)) for row in ROWS),
)


PROSE = Table(
    "",
    columns("Name", "What it does", ">Now"),
    ((Cell("a/b"), Cell("run `veperf report last` and then look at the page"), Cell("1 s")),),
    row_header=0,
)


@pytest.mark.parametrize(
    ("width", "kept"),
    [
        (200, {"Status", "Benchmark", "20261130-162200-589525", "Now", "p"}),
        (91, {"Status", "Benchmark", "20261130-", "Now", "p"}),
        (80, {"Status", "Benchmark", "20261130-", "Now"}),
        (70, {"Status", "Benchmark", "Now"}),
        (60, {"Status", "Benchmark"}),
        (40, {"Benchmark"}),
    ],
)
def test_a_table_is_no_wider_than_the_terminal(width: int, kept: set[str]) -> None:
    """But for a name; columns go whole, in the order that is asked for, and are named."""
    first_out = ["p", "20261130-162200-589525", "Now"]
    lines = text_table(TABLE, width, first_out).splitlines()
    last = "".join(lines[lines.index(next(r for r in lines if "· time" in r)) + 1 :])

    assert max(map(len, lines)) <= max(width, len(ROWS[0][1]))
    assert kept == set(re.split(r"  +", lines[0].strip()))
    assert ROWS[0][1] in "\n".join(lines)
    assert all((name in last) == (name.split("-")[0] not in lines[0]) for name in first_out)


@given(
    st.lists(st.lists(st.text("abc `/", max_size=30), min_size=3, max_size=3), max_size=4),
    st.integers(1, 90),
)
def test_no_word_is_lost_or_split(rows: list[list[str]], width: int) -> None:
    """Of a column that stays, every word is there, in order, whatever the width."""
    table = Table("", columns("a", "b", ">c"), tuple(tuple(map(Cell, row)) for row in rows), 0)
    lines = text_table(table, width).splitlines()

    names = [word for row in rows for word in row[0].split()]
    assert set(names) <= {word for line in lines for word in line.split()}


def test_a_table_of_a_file_is_whole() -> None:
    """However wide it is."""
    assert ROWS[0][1] in text_table(TABLE)
    assert "20261130-162200-589525" in text_table(TABLE)


def test_text_is_wrapped_and_commands_are_not() -> None:
    """Text gives way before a column does, down to a width at which it can be read."""
    lines = text_table(PROSE, 36).splitlines()

    assert [
        "Name  What it does               Now",
        "─" * 36,
        "a/b   run `veperf report last`   1 s",
        "      and then look at the page",
    ] == lines


def test_a_line_is_wrapped_between_words_only() -> None:
    """A path that is too long stays whole, and so does a command."""
    assert "▲ a bb\n  transaction/throughput\n  c" == wrap_line(
        "▲ a bb transaction/throughput c", 8
    )
    assert "see\n  (`veperf run --resume`)\n  now" == wrap_line(
        "see (`veperf run --resume`) now", 20
    )
    assert "  $ veperf run a b c" == wrap_line("  $ veperf run a b c", 10)
    assert "a" * 100 == wrap_line("a" * 100)
