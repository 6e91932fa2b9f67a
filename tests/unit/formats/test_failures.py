"""Failure beats values: in every format a benchmark that failed is an error, never faster."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from veperf.core.gate import Outcome
from veperf.core.run import Run
from veperf.core.target import Target, TargetSet
from veperf.core.verdict import ChangeStatus, TargetStatus
from veperf.formats.readers import read_runs
from veperf.verdicts.screen import compare_runs
from veperf.verdicts.targets import judge_targets
from veperf.verdicts.verdict import run_verdict

NO_TARGETS = TargetSet("1", "test", 10, 20, ())


@dataclass(frozen=True)
class Broken:
    """A file in which a benchmark fails although it has values, and the same without failure."""

    format: str
    good: str
    bad: str
    case: str
    message: str
    values: int
    """Number of values that the bad file has of it nevertheless."""


def hyperfine(times: list[float | None], codes: list[int | None]) -> str:
    entry = {"command": "build", "times": times, "median": 1.0, "exit_codes": codes}
    other = {"command": "ok", "times": [1], "exit_codes": [0]}
    return json.dumps({"results": [entry, other]})


def go(*lines: str) -> str:
    return "pkg: ex/a\n" + "\n".join(lines) + "\n"


def events(text: str) -> str:
    first = [{"Action": "start", "Package": "ex/a"}]
    rest = [{"Action": "output", "Package": "ex/a", "Output": f"{x}\n"} for x in text.splitlines()]
    return "\n".join(map(json.dumps, first + rest))


def google(*entries: Mapping[str, object]) -> str:
    plain: dict[str, object] = {
        "name": "f",
        "run_type": "iteration",
        "time_unit": "ns",
        "iterations": 9,
    }
    return json.dumps({"context": {}, "benchmarks": [plain | dict(entry) for entry in entries]})


def asv(result: object, samples: object) -> str:
    columns = ["result", "params", "samples"]
    row = [result, [["1", "2"]], samples]
    document = {"version": 2, "commit_hash": "a" * 40, "results": {"b.time_f": row}}
    return json.dumps(document | {"result_columns": columns})


def pytest_file(data: list[float | None]) -> str:
    stats = {"data": data, "median": 1.0, "iterations": 1}
    return json.dumps({"machine_info": {}, "benchmarks": [{"name": "test_f", "stats": stats}]})


def pyperf(values: list[float | None]) -> str:
    runs = [{"values": [value]} for value in values]
    return json.dumps({"benchmarks": [{"metadata": {"name": "f"}, "runs": runs}]})


def criterion(times: list[float | None]) -> str:
    return json.dumps({"iters": [1.0] * len(times), "times": times})


SLOW: list[float | None] = [5.0] * 8
FAST: list[float | None] = [1.0] * 7
GO_SLOW = [f"BenchmarkB-8 \t 100 \t {500 + i} ns/op" for i in range(8)]
GO_FAST = [f"BenchmarkB-8 \t 100 \t {100 + i} ns/op" for i in range(7)]
FAILS = "BenchmarkB-8    \t--- FAIL: BenchmarkB-8", "    b_test.go:12: boom", "FAIL"
ENDS = "exit status 1", "FAIL\tex/a\t1.2s", "FAIL"
PANICS = "BenchmarkB-8   \tpanic: index out of range", "", "goroutine 7 [running]:", "exit status 2"
CASES = [
    Broken("go", go(*GO_SLOW), go(*GO_FAST, *FAILS, *ENDS), "ex-a/BenchmarkB-8", "line 9", 7),
    # A benchmark that fails at its first call is named without its number of processors.
    Broken(
        "go", go(*GO_SLOW), go(*GO_FAST, "--- FAIL: BenchmarkB", *ENDS), "ex-a/BenchmarkB-8",
        "it failed, see line 9", 7,
    ),
    Broken(
        "go", go(*GO_SLOW), go(*GO_FAST, *PANICS, *ENDS[1:]), "ex-a/BenchmarkB-8",
        "panic: index out of range", 7,
    ),
    # Nothing follows a panic of a compiled test, nor the name that a killed one ends with.
    Broken(
        "go", go(*GO_SLOW), go(*GO_FAST, *PANICS), "ex-a/BenchmarkB-8", "index out of range", 7
    ),
    Broken(
        "go", go(*GO_SLOW), go(*GO_FAST, "BenchmarkB-8"), "ex-a/BenchmarkB-8", "output ends", 7
    ),
    Broken(
        "go-json", events(go(*GO_SLOW)), events(go(*GO_FAST, *FAILS, *ENDS)),
        "ex-a/BenchmarkB-8", "it failed", 7,
    ),
    Broken(
        "go-json", events(go(*GO_SLOW)),
        events(go(*GO_FAST)) + '\n{"Action": "fail", "Package": "ex/a", "Test": "BenchmarkB"}',
        "ex-a/BenchmarkB-8", "it failed", 7,
    ),
    Broken("go", go(*GO_SLOW), go(*GO_FAST, GO_FAST[0].replace("100 ns", "NaN ns")),
           "ex-a/BenchmarkB-8", "1 of 8 repetitions gave no number", 7),
    Broken(
        "hyperfine", hyperfine(SLOW, [0] * 8), hyperfine(FAST, [127] * 7), "hyperfine/build",
        "7 of 7 runs failed, with exit code 127", 7,
    ),
    Broken(
        "hyperfine", hyperfine(SLOW, [0] * 8), hyperfine(FAST, [0] * 6 + [None]),
        "hyperfine/build", "1 of 7 runs failed, with exit code a signal", 7,
    ),
    Broken(
        "hyperfine", hyperfine(SLOW, [0] * 8), hyperfine([*FAST, None], []), "hyperfine/build",
        "1 of 8 repetitions gave no number", 7,
    ),
    Broken(
        "google-benchmark",
        google(*({"real_time": t, "cpu_time": t} for t in SLOW)),
        google(
            *({"real_time": t, "cpu_time": t} for t in FAST),
            {"error_occurred": True, "error_message": "no device", "real_time": 0.0},
        ),
        "google-benchmark/f", "no device", 7,
    ),
    Broken(
        "google-benchmark",
        google(*({"real_time": t, "cpu_time": t} for t in SLOW)),
        google(*({"real_time": t, "cpu_time": t} for t in [*FAST, None])),
        "google-benchmark/f", "1 of 8 repetitions gave no number", 7,
    ),
    Broken("pytest-benchmark", pytest_file([*SLOW]), pytest_file([*FAST, None]),
           "pytest-benchmark/test_f", "1 of 8 repetitions", 7),
    Broken("pytest-benchmark", pytest_file([*SLOW]), pytest_file([float("nan")]),
           "pytest-benchmark/test_f", "1 of 1 repetitions", 0),
    Broken("pyperf", pyperf([*SLOW]), pyperf([*FAST, None]), "pyperf/f", "1 of 8", 7),
    Broken("pyperf", pyperf([*SLOW]), pyperf([]), "pyperf/f", "no value of it", 0),
    Broken("asv", asv([5.0, 5.0], [SLOW, SLOW]), asv([1.0, None], [FAST, None]),
           "asv/b.time_f(2)", "it failed", 0),
    Broken("criterion-sample", criterion([*SLOW]), criterion([*FAST, None]),
           "criterion/f", "1 of 8 repetitions", 7),
    Broken("json-lines", '{"benchmark": "f", "value": 5}\n' * 8,
           '{"benchmark": "f", "value": 1}\n' * 7 + '{"benchmark": "f", "value": null}\n',
           "json-lines/f", "1 of 8 repetitions", 7),
    Broken("csv", "benchmark,value\n" + "f,5\n" * 8, "benchmark,value\n" + "f,1\n" * 7 + "f,\n",
           "csv/f", "1 of 8 repetitions", 7),
    Broken("github-action", '[{"name": "f", "unit": "ns", "value": 5}]',
           '[{"name": "f", "unit": "ns", "value": null}]',
           "github-action-benchmark/f", "1 of 1 repetitions", 0),
    Broken("bencher", '{"f": {"latency": {"value": 5}}}', '{"f": {"latency": {"value": null}}}',
           "bencher/f", "1 of 1 repetitions", 0),
]  # fmt: skip


def read(text: str, format: str) -> Run:
    (imported,) = read_runs(text.encode(), "target/criterion/f/new/sample.json", format=format)
    return imported.run


@pytest.mark.parametrize("broken", CASES, ids=lambda b: f"{b.format}-{b.message}")
def test_a_benchmark_that_failed_is_never_faster(broken: Broken) -> None:
    """It is an error of the run, of the comparison and of its target; its values stay."""
    base, new = read(broken.good, broken.format), read(broken.bad, broken.format)

    results = [r for p in new.passes for r in p.results if r.case == broken.case]
    assert all(r.failure and broken.message in r.failure.message for r in results)
    assert broken.values == sum(len(r.figures) > 0 for r in results)
    (change,) = (c for c in compare_runs(base, new) if c.case == broken.case and c.metric == "time")
    assert ChangeStatus.ERROR is change.status
    assert broken.message in change.reason
    assert Outcome.ERROR is run_verdict(new, NO_TARGETS).decision.outcome


def test_its_target_is_not_met() -> None:
    """However good the repetitions before the failure are."""
    target = Target(id="a/b", limit=1e6, unit="ns", better="lower", what="")
    run = read(go(*GO_FAST, *FAILS, *ENDS), "go")
    run = replace(run, cases=tuple(replace(c, targets={"time": "a/b"}) for c in run.cases))

    (verdict,) = judge_targets(run, TargetSet("1", "test", 10, 20, (target,)))

    assert TargetStatus.ERROR is verdict.status


@pytest.mark.parametrize("broken", CASES, ids=lambda b: f"{b.format}-{b.message}")
def test_what_failed_before_is_no_base(broken: Broken) -> None:
    """A benchmark that fails on the base side can't be compared with; the reason says so."""
    base, new = read(broken.bad, broken.format), read(broken.good, broken.format)

    (change,) = (c for c in compare_runs(base, new) if c.case == broken.case and c.metric == "time")

    assert ChangeStatus.NO_BASELINE is change.status
    assert f"failed on the base side: {base.first_failures[broken.case].message}" == change.reason


def test_other_benchmarks_of_the_file_keep_their_values() -> None:
    """A failure is that of its benchmark alone."""
    run = read(hyperfine(FAST, [127] * 7), "hyperfine")

    assert ["hyperfine/build"] == list(run.first_failures)
    assert [{"time": 1e9}] == [
        r.figures for p in run.passes for r in p.results if r.case == "hyperfine/ok"
    ]


def test_what_was_skipped_is_no_failure() -> None:
    """Nor has it values; a note says so."""
    skipped = google({"name": "g", "real_time": 1.0}, {"skipped": True, "skip_message": "no GPU"})
    (of_google,) = read_runs(skipped.encode(), "f")
    (of_asv,) = read_runs(asv([1.0, float("nan")], [FAST, None]).encode(), "f")
    (of_go,) = read_runs(go(*GO_FAST, "--- SKIP: BenchmarkC").encode(), "f")

    for imported, name in ((of_google, "f"), (of_asv, "b.time_f(2)"), (of_go, "BenchmarkC")):
        assert {} == imported.run.first_failures
        assert any(note.startswith(f"{name} was skipped") for note in imported.notes)
        assert not any(case.id.endswith(f"/{name}") for case in imported.run.cases)
