"""Hints on benchmarks that are gone and stand under another name."""

import pytest

from veperf.api.runs import compare
from veperf.core.run import Run
from veperf.formats.readers import read_runs
from veperf.verdicts.renamed import renamed_benchmarks


def go(*names: str, unit: str = "ns/op") -> Run:
    lines = "".join(f"{name} 10 5 {unit}\n" for name in names)
    return read_runs(f"pkg: ex/a\n{lines}PASS\n".encode(), "f")[0].run


@pytest.mark.parametrize(
    ("before", "after", "hints"),
    [
        (
            ["BenchmarkSort/n=1-8", "BenchmarkSort/n=2-8", "BenchmarkX-8"],
            ["BenchmarkOrder/n=1-8", "BenchmarkOrder/n=2-8", "BenchmarkX-8"],
            ["gone: ex-a/BenchmarkSort (2 cases); new: ex-a/BenchmarkOrder (2 cases); "
             "same parameters: perhaps renamed"],
        ),
        (
            ["BenchmarkA/n=1-8"],
            ["BenchmarkB/n=1-16"],
            ["gone: ex-a/BenchmarkA/n=1-8; new: ex-a/BenchmarkB/n=1-16; same parameters: perhaps "
             "renamed"],
        ),
        (
            ["BenchmarkEncodeJSON-8", "BenchmarkParseXML-8"],
            ["BenchmarkXMLParse-8", "BenchmarkEncodeJson-8"],
            ["gone: ex-a/BenchmarkEncodeJSON-8; new: ex-a/BenchmarkEncodeJson-8; same metrics: "
             "perhaps renamed",
             "gone: ex-a/BenchmarkParseXML-8; new: ex-a/BenchmarkXMLParse-8; same metrics: perhaps "
             "renamed"],
        ),
        (["BenchmarkA/n=1-8"], ["BenchmarkB/n=2-8"], []),
        (["BenchmarkA-8"], ["BenchmarkA-8", "BenchmarkB-8"], []),
        (["BenchmarkA/n=1-8", "BenchmarkA/n=2-8"], ["BenchmarkA/n=1-8", "BenchmarkB/n=2-8"], []),
        (["BenchmarkA-8"], [], []),
    ],
)  # fmt: skip
def test_what_is_gone_may_be_what_is_new(
    before: list[str], after: list[str], hints: list[str]
) -> None:
    """Of the same parameters and metrics, by the most similar names where there are several."""
    base, new = go(*before, "BenchmarkKept"), go(*after, "BenchmarkKept")

    assert hints == sorted(renamed_benchmarks(base, new))


def test_other_metrics_are_another_benchmark() -> None:
    """What was a time and is a size now has not been renamed."""
    assert [] == list(renamed_benchmarks(go("BenchmarkA"), go("BenchmarkB", unit="total-bytes")))


def test_many_names_cost_no_comparison_of_each_with_each() -> None:
    """They are not compared by their letters then."""
    base = go(*(f"BenchmarkOld{i}" for i in range(400)))
    new = go(*(f"BenchmarkNew{i}" for i in range(400)))

    assert [] == list(renamed_benchmarks(base, new))


def test_gone_and_new_are_counted_alike() -> None:
    """A benchmark counts once, whatever its metrics; a new metric of another one counts, too."""
    base = go("BenchmarkA-8", "BenchmarkC-8", unit="ns/op 5 B/op")
    new = go("BenchmarkB-8", unit="ns/op 5 B/op")
    more = go("BenchmarkB-8", "BenchmarkC-8", unit="ns/op 5 B/op 3 hits")

    assert compare(base, new).decision.headline.endswith(", 1 new")
    assert compare(base, more).decision.headline.endswith(", 2 new")
