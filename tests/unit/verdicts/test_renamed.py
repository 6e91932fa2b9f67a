"""Hints on benchmarks that are gone and stand under another name."""

import pytest

from tests.support.helpers import judged
from tests.support.runs import timed_run
from veperf.api.runs import compare
from veperf.core.run import Run
from veperf.formats.readers import read_runs
from veperf.report.rendering import verdict_markdown, verdict_text
from veperf.report.view import ReportView
from veperf.verdicts.baseline import baselines_of
from veperf.verdicts.renamed import renamed_benchmarks, renamed_since


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
        (
            ["BenchmarkA/n=1-8", "BenchmarkA/n=2-8", "BenchmarkB-8", "BenchmarkC-8"],
            ["BenchmarkA/n=1-16", "BenchmarkA/n=2-16", "BenchmarkB", "BenchmarkC-8"],
            ["the number of processors differs (8, now 1 and 16) and is part of the names of "
             "2 benchmarks: `veperf compare --ignore /gomaxprocs` compares them"],
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
    recorded = baselines_of(base)

    assert hints == sorted(renamed_benchmarks(base, new))
    assert hints == sorted(renamed_since(recorded, new))


def test_verdicts_and_comparisons_hint_at_what_was_renamed() -> None:
    """In text, on the report's pages and in Markdown; parameters in brackets count, too."""
    slow = timed_run({f"own/a[n={n}]": [100.0] * 6 for n in (1, 2)} | {"own/kept": [100.0] * 6})
    new = timed_run({f"own/b[n={n}]": [100.0] * 6 for n in (1, 2)} | {"own/kept": [100.0] * 6})
    hint = "gone: own/a (2 cases); new: own/b (2 cases); same parameters: perhaps renamed"
    verdict = judged(new, baselines_of(slow))
    comparison = compare(go("BenchmarkA/n=1"), go("BenchmarkB/n=1"))
    short = "gone: ex-a/BenchmarkA/n=1; new: ex-a/BenchmarkB/n=1; same parameters: perhaps renamed"

    assert f"{hint[0].upper()}{hint[1:]}." in verdict.notes
    assert "perhaps renamed" in verdict_text(verdict)
    assert "perhaps renamed" in verdict_markdown(verdict)
    assert "perhaps renamed" in ReportView(new, verdict).identity.html
    assert short[1:] in repr(comparison)
    assert "perhaps renamed" in comparison._repr_markdown_()
    assert "perhaps renamed" in comparison._repr_html_()


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
