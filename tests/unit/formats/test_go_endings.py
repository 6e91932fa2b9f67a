"""How the output of ``go test`` ends says whether the run did, and well."""

import json

import pytest

from veperf.formats.imported_run import ImportedRun
from veperf.formats.readers import read_runs

RESULTS = "pkg: ex/a\nBenchmarkA-8 100 5 ns/op\nBenchmarkA-8 100 6 ns/op\n"
OTHER = "pkg: ex/b\nBenchmarkB-8 100 5 ns/op\n"


def go(text: str) -> ImportedRun:
    (imported,) = read_runs(text.encode(), "f")
    return imported


def events(*actions: tuple[str, str]) -> str:
    """Results of packages, with events about the packages themselves around them."""
    lines = [{"Action": action, "Package": package} for action, package in actions]
    output = [{"Action": "output", "Package": "ex/a", "Test": "BenchmarkA", "Output": line}
              for line in RESULTS.splitlines(keepends=True)]  # fmt: skip
    return "\n".join(map(json.dumps, [*lines[:1], *output, *lines[1:]]))


@pytest.mark.parametrize(
    ("text", "failed"),
    [
        # As a compiled test binary ends, in which no benchmark need have failed.
        (f"{RESULTS}FAIL\n", {"ex-a/(the package)": "the run failed, see line 4"}),
        (f"{RESULTS}FAIL\r\n", {"ex-a/(the package)": "the run failed, see line 4"}),
        (f"--- FAIL: TestX (0.00s)\n{RESULTS}FAIL\n{OTHER}PASS\n",
         {"ex-a/(the package)": "TestX failed, see line 1"}),
        (f"{RESULTS}--- FAIL: TestX (0.00s)\n", {"ex-a/(the package)": "TestX failed, see line 4"}),
        (f"{RESULTS}--- FAIL: BenchmarkA-8\nFAIL\n", {"ex-a/BenchmarkA-8": "it failed"}),
        # Tests come first, before the name of their package.
        (f"--- FAIL: TestX (0.00s)\n{RESULTS}FAIL\nexit status 1\nFAIL\tex/a\t1s\nFAIL\n",
         {"ex-a/(the package)": "its package failed, see line 7"}),
        (f"{RESULTS}PASS\nok  \tex/a\t1s\n--- FAIL: TestX (0.00s)\n{OTHER}FAIL\n",
         {"ex-b/(the package)": "TestX failed, see line 6"}),
        # As `go test ./...` ends, of which the last line is about the package that failed.
        (f"{RESULTS}FAIL\nexit status 1\nFAIL\tex/a\t1s\n{OTHER}PASS\nok  \tex/b\t1s\nFAIL\n",
         {"ex-a/(the package)": "its package failed, see line 6"}),
        (f"{RESULTS}PASS\n", {}),
        (f"{RESULTS}FAILURES: none\nPASS\n", {}),
        (events(("start", "ex/a")), {"ex-a/(the package)": "the output ends before the package"}),
        (events(("start", "ex/a"), ("start", "ex/b"), ("pass", "ex/a")),
         {"ex-b/(the package)": "the output ends before the package"}),
        (events(("start", "ex/a"), ("pass", "ex/a")), {}),
        (events(("start", "ex/a"), ("fail", "ex/a")), {"ex-a/(the package)": "failed"}),
    ],
)  # fmt: skip
def test_a_run_that_failed_beside_its_benchmarks(text: str, failed: dict[str, str]) -> None:
    """Whatever the values say, and once for each package."""
    failures = go(text).run.first_failures

    assert failed.keys() == failures.keys()
    assert all(failures[case].message.startswith(failed[case]) or failed[case]
               in failures[case].message for case in failed)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "is_noted"),
    [
        (RESULTS, True),
        (f"{RESULTS}PASS\n{OTHER}", True),
        (f"{RESULTS}PASS\n", False),
        (f"{RESULTS}ok  \tex/a\t1s\n", False),
        (f"{RESULTS}FAIL\n", False),
        (events(("start", "ex/a"), ("pass", "ex/a")), False),
    ],
)
def test_a_text_without_an_end_is_noted(text: str, is_noted: bool) -> None:
    """It may be a part of a run; nothing tells."""
    assert is_noted == any("ends without PASS" in note for note in go(text).notes)


def test_a_direction_of_times_in_one_file_alone_is_a_contradiction() -> None:
    """Not another metric, which would leave nothing to compare."""
    (case,) = go(f"Unit ns/op better=higher\n{RESULTS}").run.cases

    assert [("time", "ns", "higher")] == [(m.name, m.unit, m.better) for m in case.metrics]


def times(text: str) -> dict[str, list[float]]:
    """The times by benchmark; none of those that failed."""
    run = go(text).run
    kept: dict[str, list[float]] = {}
    for result in (result for item in run.passes for result in item.results):
        if result.figures and result.failure is None:
            kept.setdefault(result.case.rpartition("/")[2], []).append(result.figures["time"])
    return kept


WHOLE = "BenchmarkA-8 \t 100\t 201 ns/op\t 16 B/op\t 2 allocs/op"
NEXT = "BenchmarkB-8 \t 100\t 300 ns/op\n"


@pytest.mark.parametrize("between", ["", " ", "\t", "\r", "PASS\r", "goos: linux\nPASS\n"])
@pytest.mark.parametrize("result", ["BenchmarkA-8 100 201 ns/op", WHOLE, WHOLE.split("\t 2 ")[0]])
def test_results_that_are_joined_without_a_line_end(between: str, result: str) -> None:
    """As of files of which one lacks it: each has its own figures."""
    expected = {"BenchmarkA-8": [201.0], "BenchmarkB-8": [300.0]}
    assert expected == times(f"{result}{between}{NEXT}PASS\n")


@pytest.mark.parametrize("at", range(len("BenchmarkA-8"), len(WHOLE)))
def test_a_result_that_is_cut_off_before_the_next(at: int) -> None:
    """Wherever: it fails, or has its own time, and the next one is read."""
    text = f"pkg: ex/a\n{WHOLE[:at]}{NEXT}PASS\n"

    found = times(text)

    assert [300.0] == found.pop("BenchmarkB-8")
    assert found in ({}, {"BenchmarkA-8": [201.0]})
    assert found or "BenchmarkA-8" in str(list(go(text).run.first_failures))


@pytest.mark.parametrize("line", ["100 12 ns/op 4 ns/op", "100 12 ns/op 100 4 ns/op"])
def test_figures_of_two_results_on_a_line(line: str) -> None:
    """Neither is taken, and the benchmark fails."""
    imported = go(f"BenchmarkA-8 {line}\n{NEXT}PASS\n")

    assert ["go/BenchmarkA-8"] == list(imported.run.first_failures)
    assert "line 1 left out: an incomplete result" in imported.notes


@pytest.mark.parametrize("name", ["BenchmarkX/BenchmarkY-8", "BenchmarkXBenchmarkY-8"])
def test_a_name_within_a_name_begins_no_result(name: str) -> None:
    """Nor does the end of a package within a unit."""
    assert {name.rpartition("/")[2]: [5.0]} == times(f"{name} 10 5 ns/op\nPASS\n")
    assert {"BenchmarkX": [5.0]} == times("BenchmarkX 10 5 ns/op 3 PASS/op\nPASS\n")


@pytest.mark.parametrize(
    "middle",
    [
        [
            ("output", "BenchmarkY", "BenchmarkY-8 \t"),
            ("output", "BenchmarkY", " 10\t 300 ns/op\n"),
        ],
        [("pass", "BenchmarkX", "")],
        [("bench", "BenchmarkX", "")],
        [],
    ],
)
def test_output_of_another_test_is_another_line(middle: list[tuple[str, str, str]]) -> None:
    """So is what comes after the end of a test, and the end of the package."""
    result = ("output", "BenchmarkX", "BenchmarkX-8 \t 10\t 200 ns/op")
    listed = [("start", "", ""), result, *middle, ("output", "", "PASS\n"), ("pass", "", "")]
    text = "\n".join(
        json.dumps({"Action": action, "Package": "ex/a", "Test": test, "Output": output})
        for action, test, output in listed
    )

    found = times(text)

    assert [200.0] == found.pop("BenchmarkX-8")
    assert ({"BenchmarkY-8": [300.0]} if len(middle) == 2 else {}) == found


@pytest.mark.parametrize(
    ("end", "is_cut_off"),
    [
        ("7 n", True),
        ("7 ns/op\t 3 allocs/o", True),
        ("7 ns/op\t 3 p95-m", True),  # of a unit of the user's, in a line above
        ("7 ns/op", False),
        ("7 ns/op\t 3 p95-ms", False),
        ("7 ns/op\t 3 widgets", False),
        ("7 n\n", False),
        ("7 n\r", False),
    ],
)
def test_a_unit_that_is_cut_off(end: str, is_cut_off: bool) -> None:
    """A text that ends within a unit has no other unit there: that benchmark is not measured."""
    imported = go(f"{RESULTS}BenchmarkB-8 9 5 ns/op 1 p95-ms\nBenchmarkC/n-8 \t 9\t {end}")

    failed = {"ex-a/BenchmarkC/n-8"} if is_cut_off else set()
    assert failed == imported.run.first_failures.keys()
    assert is_cut_off == ("line 5 left out: an incomplete result" in imported.notes)
