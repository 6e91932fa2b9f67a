"""A benchmark's name and metrics depend on nothing else in the file, and say what the tool says."""

import json
from pathlib import Path

import pytest

from veperf.core.case import TIME, Case, Metric
from veperf.core.run import Run
from veperf.formats.readers import read_runs, read_runs_from


def run_of(text: str, name: str = "f") -> Run:
    (imported,) = read_runs(text.encode(), name)
    return imported.run


def ids(run: Run) -> set[str]:
    return {case.id for case in run.cases}


def only_case(run: Run) -> Case:
    (case,) = run.cases
    return case


def cargo(running: str, name: str = "sort") -> str:
    return f"     Running {running}\ntest {name} ... bench: 5 ns/iter (+/- 1)\n"


LIB = "unittests src/lib.rs (target/release/deps/{}-0f1e2d3c4b5a6978)"


@pytest.mark.parametrize(
    ("running", "expected"),
    [
        (LIB.format("ledger"), "unittests src/lib.rs (ledger): sort"),
        (LIB.format("ledger").replace("/", "\\"), "unittests src\\lib.rs (ledger): sort"),
        ("benches/other.rs (target/release/deps/other-0f1e2d3c4b5a6978)", "benches/other.rs: sort"),
        ("benches/other.rs", "benches/other.rs: sort"),
        ("target/release/deps/other-0f1e2d3c4b5a6978", "other: sort"),
    ],
)
def test_a_target_of_cargo_is_part_of_the_name(running: str, expected: str) -> None:
    """Whatever else the file has, and without the hash, which differs from build to build."""
    alone = run_of(cargo(running))
    other = run_of(cargo(running.replace("978", "979")) + cargo(LIB.format("wallet")))

    assert {f"cargo-bench/{expected}"} == ids(alone) == ids(alone) & ids(other)
    assert 2 == len(ids(other))


def dotnet(*jobs: str, **fields: object) -> str:
    entries = [
        {
            "DisplayInfo": f"C.M: {job} [N=1, Text=a&b]", "Type": "C", "Method": "M",
            "FullName": "A.C.M(N: 1, Text: a&b)", "Parameters": "N=1&Text=a&b",
            "Statistics": {"OriginalValues": [5.0]}, **fields,
        }
        for job in jobs
    ]  # fmt: skip
    return json.dumps({"HostEnvironmentInfo": {}, "Benchmarks": entries})


def test_a_job_of_benchmark_dotnet_is_part_of_the_name() -> None:
    """Unless it is the default one, and whatever other jobs are in the report."""
    job = "Job-A(Runtime=.NET 8.0)"
    default, one, both = (run_of(dotnet(*j)) for j in (["DefaultJob"], [job], ["DefaultJob", job]))

    assert {"benchmark-dotnet/A.C.M(N: 1, Text: a&b)"} == ids(default)
    assert {f"benchmark-dotnet/A.C.M(N: 1, Text: a&b): {job}"} == ids(one)
    assert ids(default) | ids(one) == ids(both)
    assert {"N": 1, "Text": "a&b"} == only_case(default).params
    assert {"N": 1, "Text": "a&b", "job": job} == only_case(one).params
    assert "benchmark-dotnet/A.C.M" == only_case(one).benchmark


def test_a_report_of_benchmark_dotnet_without_full_names() -> None:
    """Its parameters are in the name, too."""
    run = run_of(dotnet("DefaultJob", FullName=None))

    assert {"benchmark-dotnet/C.M[N=1,Text=a&b]"} == ids(run)


def asv_folder(folder: Path) -> Path:
    results = folder / "box" / "aaaa-env.json"
    results.parent.mkdir(parents=True)
    results.with_name("machine.json").write_text('{"machine": "box"}')
    columns = ["result", "params"]
    rows = {"b.track_z": [[3.0, 4.0], [["1"], ["'a'", "'b'"]]], "b.time_f": [[2.0], []]}
    results.write_text(
        json.dumps(
            {"version": 2, "commit_hash": "a" * 40, "result_columns": columns, "results": rows}
        )
    )
    return results


@pytest.mark.parametrize("is_file", [False, True])
def test_the_list_of_asv_names_units_and_parameters(tmp_path: Path, is_file: bool) -> None:
    """Of a folder and of a file in it; times stay ns. A list that is damaged says nothing."""
    results = asv_folder(tmp_path)
    listing = tmp_path / "benchmarks.json"
    listed = {"unit": "widgets", "param_names": ["n", "kind"], "type": "track"}
    listing.write_text(json.dumps({"b.track_z": listed, "b.time_f": {"unit": "seconds"}}))
    place = results if is_file else tmp_path

    (imported,) = read_runs_from(place)
    listing.write_text("[")
    (without,) = read_runs_from(place)

    (first, second, time) = imported.run.cases
    assert ({"n": 1, "kind": "a"}, {"n": 1, "kind": "b"}) == (first.params, second.params)
    assert (Metric("value", "widgets", "unknown"),) == first.metrics
    assert (TIME,) == time.metrics
    assert (Metric("value", "", "unknown"),) == without.run.cases[0].metrics
    assert ids(imported.run) == ids(without.run)


def jmh(unit: str, name: str = "get") -> str:
    primary = {"score": 2.0, "scoreUnit": "ops/us", "rawData": [[2.0]]}
    other = {"score": 3.0, "scoreUnit": unit, "rawData": [[3.0]]}
    entry = {"benchmark": "a.B.c", "mode": "thrpt", "primaryMetric": primary}
    return json.dumps([{**entry, "secondaryMetrics": {name: other}}])


@pytest.mark.parametrize(
    ("unit", "metric", "value"),
    [
        ("ops/us", Metric("get", "ops/s", "higher"), 3e6),
        ("us/op", Metric("get", "ns", "lower"), 3e3),
        ("MB/sec", Metric("get", "MB/sec", "unknown"), 3.0),
        ("B/op", Metric("get", "B/op", "lower"), 3.0),
    ],
)
def test_secondary_metrics_of_jmh(unit: str, metric: Metric, value: float) -> None:
    """Operations and times are in the units of primary ones."""
    run = run_of(jmh(unit))

    assert metric in only_case(run).metrics
    assert value == pytest.approx(run.passes[0].results[0].figures["get"])


def test_a_secondary_metric_of_jmh_takes_no_primary_name() -> None:
    """It would be one metric with two values."""
    run = run_of(jmh("ops/s", "throughput"))

    assert {"throughput", "secondary throughput"} == {m.name for m in only_case(run).metrics}
