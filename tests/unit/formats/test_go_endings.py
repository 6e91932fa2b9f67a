"""How the output of ``go test`` ends says whether the run did, and well."""

import json

import pytest

from veperf.formats.imported import ImportedRun
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
