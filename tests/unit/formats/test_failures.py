"""Failure beats values: in every format a benchmark that failed is an error, never faster."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from veperf.cli.main import veperf
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


def hyperfine(
    times: list[float | None],
    codes: list[int | None],
    memory: list[int | None] | None = None,
) -> str:
    entry: dict[str, object] = {
        "command": "build",
        "times": times,
        "median": 1.0,
        "exit_codes": codes,
    }
    other = {"command": "ok", "times": [1], "exit_codes": [0]}
    entry |= {"memory_usage_byte": memory} if memory else {}
    return json.dumps({"results": [entry, other]})


def go(*lines: str) -> str:
    return "pkg: ex/a\n" + "\n".join(lines) + "\n"


def events(text: str) -> str:
    first = [{"Action": "start", "Package": "ex/a"}]
    rest = [{"Action": "output", "Package": "ex/a", "Output": f"{x}\n"} for x in text.splitlines()]
    return "\n".join(map(json.dumps, [*first, *rest, {"Action": "pass", "Package": "ex/a"}]))


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


def jmh(*values: float | str) -> str:
    metric = {"score": 1.0, "scoreUnit": "us/op", "rawData": [values]}
    return json.dumps([{"benchmark": "f", "mode": "avgt", "primaryMetric": metric}])


def dot_net(statistics: object) -> str:
    benchmark = {"FullName": "f", "Statistics": statistics}
    return json.dumps({"HostEnvironmentInfo": {}, "Benchmarks": [benchmark]})


def vitest(**fields: float) -> str:
    group = {"fullName": "", "benchmarks": [{"name": "f", **fields}]}
    return json.dumps({"files": [{"filepath": "f", "groups": [group]}]})


CRITERION = "Benchmarking f: Analyzing\n"
CATCH2 = (
    '<Catch2TestRun><TestCase name="t"><BenchmarkResults name="f" samples="9"><mean value="5"/>{}'
    '</BenchmarkResults><OverallResult success="{}"/></TestCase></Catch2TestRun>'
)
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
    Broken("go", go(*GO_SLOW), go(*GO_FAST, f"{GO_FAST[0]} \t NaN B/op"),
           "ex-a/BenchmarkB-8", "1 of 8 repetitions gave no number of B/op", 8),
    Broken("go", go(*GO_SLOW), go(*GO_FAST, f"{GO_FAST[0]} \t +Inf hits"),
           "ex-a/BenchmarkB-8", "1 of 8 repetitions gave no number of hits", 8),
    Broken("go", go(*GO_SLOW), go(*GO_FAST, f"{GO_FAST[0]} \t -64 B/op"),
           "ex-a/BenchmarkB-8", "1 of 8 repetitions gave a negative count of B/op", 8),
    Broken("go", go(*GO_SLOW), go(*GO_FAST, GO_FAST[0].replace("100 ns", "0 ns")),
           "ex-a/BenchmarkB-8", "1 of 8 repetitions gave a time of 0", 7),
    Broken("go", go(*GO_SLOW), go(*GO_FAST, GO_FAST[0].replace("ns/op", "ns")),
           "ex-a/BenchmarkB-8", "1 of 8 repetitions gave no number", 8),
    # Cut off, with another decimal sign, with a word: none of them is a line of a log.
    *(Broken("go", go(*GO_SLOW), go(GO_FAST[0], f"BenchmarkB-8 100 {torn}", *GO_FAST[1:]),
             "ex-a/BenchmarkB-8", "line 3: incomplete result", 7)
      for torn in ("5", "5,3 ns/op", "- ns/op", "5 ns/op 1_6 B/op", "5 ns/op 16")),
    Broken("go", go(*GO_SLOW), go(*GO_FAST, "BenchmarkB-8 100"), "ex-a/BenchmarkB-8",
           "output ends", 7),
    Broken("go", go(*GO_SLOW), go("BenchmarkB-8", "   100 \t five ns/op", *GO_FAST),
           "ex-a/BenchmarkB-8", "line 3: incomplete result", 7),
    Broken(
        "hyperfine", hyperfine(SLOW, [0] * 8), hyperfine(FAST, [127] * 7), "hyperfine/build",
        "7 of 7 runs failed, with exit code 127", 7,
    ),
    Broken(
        "hyperfine", hyperfine(SLOW, [0] * 8), hyperfine(FAST, [0] * 6 + [None]),
        "hyperfine/build", "1 of 7 runs failed, by a signal", 7,
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
    Broken("hyperfine", hyperfine(SLOW, [0] * 8), hyperfine([0.0, *FAST], [0] * 8),
           "hyperfine/build", "1 of 8 repetitions gave a time of 0", 7),
    Broken("hyperfine", hyperfine(SLOW, [0] * 8),
           hyperfine(FAST, [0] * 7, [4096, None, *[4096] * 5]),
           "hyperfine/build", "1 of 7 repetitions gave no number of memory", 7),
    *(Broken("google-benchmark", google(*({"real_time": t} for t in SLOW)),
             google(*({"real_time": t, "cpu_time": t} for t in FAST), bad),
             "google-benchmark/f", f"1 of 8 repetitions gave {fault}", values)
      for bad, fault, values in (
          ({"real_time": 1.0, "cpu_time": None}, "no number of cpu_time", 8),
          ({"real_time": 1.0, "hits": None}, "no number of hits", 8),
          ({"real_time": 1.0, "hits": float("nan")}, "no number of hits", 8),
          ({"cpu_time": 1.0}, "no number", 8),
          ({"real_time": -1.0, "cpu_time": 1.0}, "a time below 0", 8),
      )),
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
    Broken("asv", asv([5.0, 5.0], [SLOW, SLOW]), asv([1.0, 1.0], [[None, *FAST], FAST]),
           "asv/b.time_f(1)", "1 of 8 repetitions gave no number", 7),
    Broken("asv", asv([5.0, 5.0], [SLOW, SLOW]), asv([float("nan"), 1.0], [FAST, FAST]),
           "asv/b.time_f(1)", "its result is no number", 7),
    Broken("criterion-sample", criterion([*SLOW]), criterion([*FAST, None]),
           "criterion/f", "1 of 8 repetitions", 7),
    Broken("criterion-sample", criterion([*SLOW]), criterion([0.0, *FAST]),
           "criterion/f", "1 of 8 repetitions gave a time of 0", 7),
    Broken("json-lines", '{"benchmark": "f", "value": 5}\n' * 8,
           '{"benchmark": "f", "value": 1}\n' * 7 + '{"benchmark": "f", "value": null}\n',
           "json-lines/f", "1 of 8 repetitions", 7),
    Broken("csv", "benchmark,value\n" + "f,5\n" * 8, "benchmark,value\n" + "f,1\n" * 7 + "f,\n",
           "csv/f", "1 of 8 repetitions", 7),
    # The median of a process hides what can't be read among its rows, wherever it stands.
    *(Broken("csv", "benchmark,value\n" + "f,5\n" * 8,
             "benchmark,value,process\n" + "".join(f"f,1,{i // 3}\n" for i in range(6)) + rows,
             "csv/f", f"1 of 3 repetitions gave {fault}", 2)
      for rows, fault in (
          ("f,nan,2\nf,1,2\nf,1,2\n", "no number"), ("f,1,2\nf,,2\nf,1,2\n", "no number"),
          ("f,1,2\nf,1,2\nf,inf,2\n", "no number"), ("f,1,2\nf,1,2\nf,0,2\n", "a time of 0"),
      )),
    Broken("csv", "benchmark,value\n" + "f,5\n" * 8,
           "benchmark,metric,unit,value\n" + "f,time,ns,1\n" * 7 + "f,size,B,7\nf,size,B,nan\n",
           "csv/f", "1 of 7 repetitions gave no number of size", 7),
    Broken("github-action", '[{"name": "f", "unit": "ns", "value": 5}]',
           '[{"name": "f", "unit": "ns", "value": null}]',
           "github-action-benchmark/f", "1 of 1 repetitions", 0),
    Broken("cargo-bench", "test f ... bench: 5 ns/iter (+/- 1)\n" * 8,
           "test f ... bench: 1 ns/iter (+/- 1)\n" * 7 + "test f ... FAILED\n",
           "cargo-bench/f", "it failed, see line 8", 7),
    Broken("criterion", f"{CRITERION}f      time:   [4.9 ns 5.0 ns 5.1 ns]\n",
           f"{CRITERION}f      time:   [0.9 ns 1.0 ns 1.1 ns]\n{CRITERION}", "criterion/f",
           "it began in line 3, and has no result", 1),
    Broken("jmh", jmh(5.0, 5.0), jmh(1.0, "NaN"), "jmh/f", "1 of 2 repetitions gave no number", 1),
    Broken("benchmark-dotnet", dot_net({"OriginalValues": SLOW}), dot_net(None),
           "benchmark-dotnet/f", "it has no statistics", 0),
    Broken("catch2", CATCH2.format("", "true"), CATCH2.format("", "false"), "catch2/t/f",
           "its test case failed", 1),
    Broken("vitest", vitest(mean=5.0), vitest(), "vitest/f", "it has no mean", 0),
    Broken("bencher", '{"f": {"latency": {"value": 5}}}',
           '{"f": {"latency": {"value": 1}, "size": {"value": null}}}',
           "bencher/f", "1 of 1 repetitions gave no number of size", 1),
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


def test_what_may_be_nothing() -> None:
    """Counts may be 0, and waits, with a note; so may a file without codes, which is said."""
    text = go("BenchmarkB-8 100 5 ns/op 0 B/op 0 allocs/op 0 wait-ns", "BenchmarkB-8 9 5 ns/op")
    table = "name,metric,unit,value\nf,time,ns,5\nf,wait,ms,0\n"
    file = {"results": [{"command": "build", "times": [1, 2]}]}
    (counts,), (waits,), (codes,) = (
        read_runs(data.encode(), "f") for data in (text, table, json.dumps(file))
    )

    assert [{}] * 3 == [found.run.first_failures for found in (counts, waits, codes)]
    assert any("wait of f is 0" in note for note in waits.notes)
    assert any("whether a command failed can't be seen" in note for note in codes.notes)
    assert not any(" is 0" in note for note in counts.notes)


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


@pytest.mark.parametrize(
    ("text", "failed"),
    [
        (
            '{"results": [{"command": "c", "times": [0.1, 0.2], "exit_codes": [0, 1]}]}',
            "hyperfine/c failed: 1 of 2 runs failed, with exit code 1",
        ),
        ("BenchmarkX 1 5 ns/op\n--- FAIL: BenchmarkX\nFAIL\n", "go/BenchmarkX failed: it failed"),
    ],
)
def test_an_import_names_what_failed(text: str, failed: str, tmp_path: Path) -> None:
    """It is kept all the same, so that the exit code is 0."""
    file = tmp_path / "f"
    file.write_text(text)

    result = CliRunner().invoke(veperf, ["import", str(file), "--archive", str(tmp_path / "a")])

    assert 0 == result.exit_code
    assert "1 benchmark failed:" in result.output
    assert failed in result.output
