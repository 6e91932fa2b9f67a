"""Lines of Go benchmark output."""

from hypothesis import given
from hypothesis import strategies as st

from veperf.formats.go_lines import measured, plain_result

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

    plain = plain_result(line)

    fields = line.split()
    if plain is not None:
        assert (fields[0], measured(fields)) == (plain[0], plain[1:])
    assert ("BenchmarkA-8", 5, {"ns/op": 1.5, "B/op": 8.0}) == plain_result(
        "BenchmarkA-8 \t 5\t 1.5 ns/op\t 8 B/op"
    )
