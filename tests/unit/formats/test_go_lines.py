"""Lines of Go benchmark output."""

from hypothesis import given
from hypothesis import strategies as st

from veperf.formats.go_lines import figures_of, is_plain, measured, plain_rows

_WORDS = st.sampled_from(
    [
        "Benchmark",
        "BenchmarkA-8",
        "1",
        "20",
        "3.5",
        "1e3",
        "-4",
        "Inf",
        "NaN",
        "nan",
        "ns/op",
        "B/op",
        "allocs/op",
        "%",
        "1_0",
        "\uff11",
        "x\u00a0y",
        "infos",
        "",
        "5.",
        ".5",
        "µs",
    ]
)


@given(st.lists(_WORDS, max_size=9), st.sampled_from([" ", "\t", "  ", "\u00a0", "\x1c"]))
def test_a_plain_result_is_what_is_measured(words: list[str], blank: str) -> None:
    """Where the quick way reads a line, the thorough one reads the same."""
    line = blank.join(words)

    (row,) = plain_rows(line)

    fields = line.split()
    if is_plain(row):
        assert (fields[0], measured(fields)) == (row[0], (int(row[1]), figures_of(row)))


def test_results_are_plain() -> None:
    """With one to three values, however they are spaced."""
    rows = plain_rows("BenchmarkA-8 \t 5\t 1.5 ns/op\t 8 B/op\r\nok  \tx\t1s\nBenchmarkB 1 2 ns/op")

    assert [True, False, True] == [*map(is_plain, rows)]
    assert {"ns/op": 1.5, "B/op": 8.0} == figures_of(rows[0])


@given(st.lists(st.lists(_WORDS, max_size=5).map(" ".join), min_size=1, max_size=5))
def test_lines_are_read_together_as_by_themselves(lines: list[str]) -> None:
    """No line takes anything of the next one."""
    assert [row for line in lines for row in plain_rows(line)] == plain_rows("\n".join(lines))


def test_units_that_benchstat_has_tidied_are_those_of_go():
    """Unless the line has both."""
    fields = ["BenchmarkX", "100", "1.5e-06", "sec/op", "2000000", "B/s", "8", "B/op"]
    both = ["BenchmarkX", "100", "1500", "ns/op", "3", "sec/op"]

    assert (100, {"ns/op": 1500.0, "MB/s": 2.0, "B/op": 8.0}) == measured(fields)
    assert (100, {"ns/op": 1500.0, "sec/op": 3.0}) == measured(both)
