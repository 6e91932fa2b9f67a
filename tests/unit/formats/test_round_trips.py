"""What is written in a format and read again is the same: tool, name, parameters and values."""

import csv
import json
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.helpers import plausible_run, with_load
from tests.support.hostile_files import VECTORS
from veperf.core.case import TIME, Metric
from veperf.core.run import Run, Summary
from veperf.formats.exported import safe_text
from veperf.formats.go_lines import parameters_of, suites_of
from veperf.formats.imported import VALUE, ParsedRun, metric_of, named_with
from veperf.formats.imported_run import build_run
from veperf.formats.readers import read_runs, read_runs_from
from veperf.formats.writers import write_run
from veperf.stats.process_values import series_of

texts = st.text(min_size=1, max_size=20).filter(lambda t: t == safe_text(t).strip())
# Blanks, percent signs and what looks encoded, in front of what may be processors.
names_of_go = texts | st.sampled_from(["a b", "%20", "50%", "a b/50%", "\u00a0", " -8"])
amounts = st.floats(1e-6, 1e12)
numbers_or_texts: st.SearchStrategy[int | float | str] = st.integers(-9, 10**6) | texts
params = st.dictionaries(texts, numbers_or_texts, max_size=3)
metrics = st.sampled_from(
    [
        TIME,
        Metric("p95", "ms"),
        Metric("memory", "B"),
        Metric("rate", "MB/s", "higher"),
        Metric("score", "points", "unknown"),
        Metric("load", "%", "unknown"),
        Metric("laps", "ms", definition="version c0ffee"),
    ]
)


@st.composite
def tables(draw: st.DrawFn) -> Run:
    """A run of any tool, with several metrics, parameters that only some names hold, and gaps."""
    run = ParsedRun(draw(st.sampled_from(["pyperf", "jmh", "made-up"])))
    for name in draw(st.lists(texts, min_size=1, max_size=4, unique=True)):
        with_params = draw(params)
        full = named_with(name, with_params) if draw(st.booleans()) else name
        parsed = run.benchmark(run.tool, full, params=with_params)
        chosen = draw(st.lists(metrics, min_size=1, max_size=3, unique=True))
        for _ in range(draw(st.integers(1, 3))):
            parsed.add({metric: draw(amounts) for metric in chosen})
    return build_run(run, "f").run


@st.composite
def go_runs(draw: st.DrawFn) -> Run:
    """A run of several Go packages, with benchmarks of the same names."""
    run = ParsedRun("go test")
    packages = draw(st.lists(texts, min_size=1, max_size=3, unique=True))
    suites = suites_of(packages)
    exact = draw(st.booleans())  # a Unit line is about all packages
    for package in packages:
        names = st.builds(
            "BenchmarkX{}{}".format, names_of_go, st.sampled_from(["", "-8", "/n=10-16"])
        )
        for name in draw(st.lists(names, min_size=1, max_size=3, unique=True)):
            base, of_name = parameters_of(name)
            parsed = run.benchmark(
                suites[package], name, benchmark=base, what=package, params=of_name
            )
            units = draw(st.sets(st.sampled_from(["B/op", "MB/s", "total-bytes"])))
            for _ in range(draw(st.integers(1, 3))):
                parsed.add(
                    {TIME: draw(amounts)}
                    | {
                        Metric(unit, unit, metric_of(unit, unit).better, exact): 5.0
                        for unit in units
                    }
                )
    return build_run(run, "f").run


@st.composite
def pyperf_runs(draw: st.DrawFn) -> Run:
    """A run of pyperf, some of it bytes."""
    run = ParsedRun("pyperf")
    for name in draw(st.lists(texts, min_size=1, max_size=4, unique=True)):
        metric = draw(st.sampled_from([TIME, Metric(VALUE, "B")]))
        for value in draw(st.lists(amounts, min_size=1, max_size=4)):
            run.benchmark("pyperf", name).add({metric: value})
    return build_run(run, "f").run


@st.composite
def pytest_runs(draw: st.DrawFn) -> Run:
    """A run of pytest-benchmark, with groups and parameters, some of it without rounds."""
    run = ParsedRun("pytest-benchmark")
    for name in draw(st.lists(texts, min_size=1, max_size=4, unique=True)):
        parsed = run.benchmark(
            "pytest-benchmark", f"test_a.py::{name}", what=draw(texts), params=draw(params)
        )
        if draw(st.booleans()):
            known = Summary("median", n=7, q1=1.0, q3=2.0, minimum=0.5, maximum=9.0)
            parsed.add({TIME: draw(amounts)}, summaries={TIME.name: known})
        else:
            for value in draw(st.lists(amounts, min_size=1, max_size=4)):
                parsed.add({TIME: value})
    return build_run(run, "f").run


@st.composite
def summed_up(draw: st.DrawFn, tool: str, metrics_of_it: list[Metric]) -> Run:
    """A run of one value with its interval for each metric."""
    run = ParsedRun(tool)
    for name in draw(st.lists(texts, min_size=1, max_size=4, unique=True)):
        metric = draw(st.sampled_from(metrics_of_it))
        value = draw(amounts)
        interval = Summary(low=value * 0.75, high=value * 1.25)
        run.benchmark(tool, name).add({metric: value}, 1, {metric.name: interval})
    return build_run(run, "f").run


def facts(run: Run) -> dict[object, dict[Metric, tuple[tuple[float, ...], Any]]]:
    """What is the same after a round trip, by tool, suite, package, name and parameters."""
    series = series_of(run)
    return {
        (
            run.source,
            case.suite,
            case.what if run.source in ("go test", "pytest-benchmark") else "",
            case.id,
            json.dumps(case.params, sort_keys=True),
        ): {
            metric: (
                tuple(series[case.id, metric.name].values.tolist()),
                series[case.id, metric.name].summary,
            )
            for metric in case.metrics
        }
        for case in run.cases
    }


def assert_same(run: Run, format: str, read_as: str = "", *, with_summaries: bool = True) -> None:
    """Write ``run``, read it again and compare; times may differ by the last bits of a float."""
    data = write_run(run, format, lambda: pytest.fail("no verdict is needed")).encoded
    (again,) = read_runs(data, "f", format=read_as)
    expected, actual = facts(run), facts(again.run)
    assert expected.keys() == actual.keys()
    for key, of_case in expected.items():
        assert of_case.keys() == actual[key].keys()
        for metric, (values, summary) in of_case.items():
            others, other_summary = actual[key][metric]
            assert values == pytest.approx(others, rel=1e-12)
            if with_summaries and summary is not None:
                assert_same_summary(summary, other_summary)


def assert_same_summary(summary: Summary, other: Summary | None) -> None:
    """Compare the statistics that a file had."""
    assert other is not None
    assert (summary.center, summary.n) == (other.center, other.n)
    for name in ("low", "high", "q1", "q3", "minimum", "maximum"):
        a, b = getattr(summary, name), getattr(other, name)
        assert (a is None) == (b is None), name
        # A range of github-action-benchmark has six digits.
        assert a is None or math.isclose(a, b, rel_tol=1e-4), name


BENCHER = [TIME, metric_of("file size_KB", ""), Metric("throughput", "1/s", "higher")]
SMALLER = [TIME, metric_of(VALUE, "MB"), metric_of(VALUE, "points", "lower")]
BIGGER = [metric_of(VALUE, "ops/s"), metric_of(VALUE, "points", "higher")]


@pytest.mark.parametrize(
    ("format", "runs", "read_as"),
    [
        ("csv", tables, ""),
        ("csv", go_runs, ""),
        ("parquet", tables, ""),
        ("parquet", go_runs, ""),
        ("go", go_runs, ""),
        ("pyperf", pyperf_runs, ""),
        ("pytest-benchmark", pytest_runs, ""),
        ("bencher", lambda: summed_up("bencher", BENCHER), ""),
        (
            "github-action-smaller",
            lambda: summed_up("github-action-benchmark", SMALLER),
            "github-action-smaller",
        ),
        (
            "github-action-bigger",
            lambda: summed_up("github-action-benchmark", BIGGER),
            "github-action-bigger",
        ),
    ],
)
def test_what_is_written_is_read(
    format: str, runs: Callable[[], st.SearchStrategy[Run]], read_as: str
) -> None:
    """Every format that can hold a run of the tool gives it back."""
    is_table = format in ("csv", "parquet")

    @settings(max_examples=40, deadline=None)
    @given(runs())
    def check(run: Run) -> None:
        assert_same(run, format, read_as, with_summaries=not is_table)

    check()


def test_go_text_holds_what_failed() -> None:
    """With values of other processes, without any, and as a whole package; that is no note."""
    text = (
        "pkg: ex/a\nBenchmarkA 1 5 ns/op\n--- FAIL: BenchmarkA\n--- FAIL: BenchmarkB/a%20b\n"
        "BenchmarkC 1 7 ns/op\nok  \tex/a\nFAIL\tex/b [build failed]\n"
    )
    (imported,) = read_runs(text.encode(), "f")
    exported = write_run(imported.run, "go", lambda: pytest.fail("unused"))
    (again,) = read_runs(exported.encoded, "f")

    assert imported.run.first_failures.keys() == again.run.first_failures.keys()
    assert 3 == len(imported.run.first_failures)
    assert facts(imported.run) == facts(again.run)
    assert () == exported.notes


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_a_table_of_ones_own_run_has_its_benchmarks(format: str) -> None:
    """Under their ids, so that it can be compared with the run itself, and as another tool's."""
    run = with_load(plausible_run())

    (actual,) = read_runs(write_run(run, format, lambda: pytest.fail("unused")).encoded, "f")

    assert [case.id for case in run.cases] == [case.id for case in actual.run.cases]
    assert actual.run.source in ("csv", "parquet")


def test_a_table_that_says_nothing_of_its_tool_is_of_none() -> None:
    """A column named tool alone, as of another program, is no identity."""
    (actual,) = read_runs(b"benchmark,tool,value\na,pyperf,1\n", "f")

    assert ("csv", "csv/a") == (actual.run.source, actual.run.cases[0].id)


def exported(path: Path, format: str) -> bytes:
    (imported,) = read_runs_from(path)
    return write_run(imported.run, format, lambda: pytest.fail("unused")).encoded


def output_of(module: str, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", module, *words], capture_output=True, text=True, check=False
    )
    assert 0 == done.returncode, done.stderr
    return done.stdout


def test_pyperf_compares_a_file_with_its_export(tmp_path: Path) -> None:
    """All benchmarks are in both, and no different."""
    original, ours = VECTORS / "interop" / "pyperf.json", tmp_path / "ours.json"
    ours.write_bytes(exported(original, "pyperf"))

    output = output_of("pyperf", "compare_to", str(original), str(ours))

    names = [b["metadata"]["name"] for b in json.loads(original.read_text())["benchmarks"]]
    assert f"hidden because not significant ({len(names)})" in output
    assert all(name in output for name in names)


def test_pytest_benchmark_compares_a_file_with_its_export(tmp_path: Path) -> None:
    """Each stands twice in the table of its group and parameter, with the same figures."""
    document = json.loads((VECTORS / "interop" / "pytest_benchmark.json").read_text())
    document["benchmarks"][0]["group"] = "sorting"
    original, ours, table = (tmp_path / name for name in ("0001_a.json", "0002_b.json", "t.csv"))
    original.write_text(json.dumps(document))
    ours.write_bytes(exported(original, "pytest-benchmark"))

    output = output_of(
        "pytest_benchmark", "compare", str(original), str(ours), f"--csv={table}",
        "--group-by=group,param,fullname",
    )  # fmt: skip

    assert 3 == output.count(" benchmark '")
    rows = list(csv.DictReader(table.read_text().splitlines()))
    for name in (entry["fullname"] for entry in document["benchmarks"]):
        (a, b) = (row for row in rows if row["name"] == name)
        for column in ("min", "max", "mean", "median", "stddev", "iqr", "ops", "rounds"):
            assert float(a[column]) == pytest.approx(float(b[column]), rel=1e-6), column
