"""Written files open in their own tools and in veperf's readers."""

import csv
import io
import json
import math
import subprocess
import sys
from pathlib import Path
from statistics import median

import pyarrow.parquet as pq
import pyperf
import pytest
from msgspec.structs import replace

from tests.support.helpers import judged, plausible_run, with_load
from tests.support.runs import case, one_pass, timed, timed_run, whole_run
from veperf.core.case import TIME, Metric
from veperf.core.run import CaseResult, Failure, Run
from veperf.formats.readers import read_runs
from veperf.formats.rows import COLUMNS
from veperf.formats.writers import write_run
from veperf.stats.process_values import series_of
from veperf.verdicts.benchstat import benchstat_tables

OLD = plausible_run(seed=2)
NEW = with_load(plausible_run(slower={"transaction/execution": 1.5}))


def written(run: Run, format: str) -> bytes:
    return write_run(run, format, lambda: judged(run)).encoded


def times_ns(run: Run) -> dict[str, list[float]]:
    """Process times by case, without the prefix that a format adds to names."""
    return {s.case: s.values.tolist() for s in series_of(run).values() if s.metric == "time"}


@pytest.mark.parametrize(
    ("format", "prefix"),
    [("pytest-benchmark", "pytest-benchmark/"), ("pyperf", "pyperf/"), ("csv", "csv/")],
)
def test_names_and_values_survive_a_round_trip(format: str, prefix: str):
    """veperf's readers find every time, under its own name, one value per process."""
    (actual,) = read_runs(written(OLD, format), "file")

    own = times_ns(OLD)
    others = {case.removeprefix(prefix): values for case, values in times_ns(actual.run).items()}
    assert own.keys() == others.keys()
    for name, values in own.items():
        assert values == pytest.approx(others[name], rel=1e-12)
    assert OLD.machine.cpu_model == actual.run.machine.cpu_model or format == "csv"


def test_csv_keeps_every_metric_with_its_unit():
    """Load figures come back with their names, units and directions."""
    (actual,) = read_runs(written(NEW, "csv"), "file")

    def flat(run: Run, prefix: str = "") -> set[tuple[str, str, str, str]]:
        return {
            (case.id.removeprefix(prefix), m.name, m.unit, m.better)
            for case in run.cases
            for m in case.metrics
        }

    assert flat(NEW) == flat(actual.run, "csv/")


def test_go_text_compares_as_the_runs_do():
    """Medians, p values and geometric mean are those of the two runs themselves."""
    sides = [read_runs(written(run, "go"), "file")[0].run for run in (OLD, NEW)]

    def figures(*runs: Run) -> list[tuple[float | None, ...]]:
        (table,) = (t for t in benchstat_tables(*runs) if t.metric == "time")
        return [
            (
                *(side.center if side else None for side in row.sides),
                row.tests[1].p if row.tests[1] else None,
            )
            for row in table.rows
        ]

    assert [pytest.approx(row) for row in figures(OLD, NEW)] == figures(*sides)


def test_go_text_says_directions_and_parameters():
    """Units carry their direction, parameters are sub-benchmarks, suites are packages."""
    lines = written(NEW, "go").decode().splitlines()

    assert "Unit throughput-tx/s better=higher" in lines
    assert "Unit latency_p99-ms better=lower" in lines
    assert "pkg: transaction" in lines
    assert 6 == sum(line.startswith("BenchmarkState_write/accounts=1000\t") for line in lines)
    (actual,) = read_runs("\n".join(lines).encode(), "file")
    by_id = {case.id: case.params for case in actual.run.cases}
    assert {"accounts": 1000} == by_id["transaction/BenchmarkState_write/accounts=1000"]


def test_a_number_at_the_end_of_a_name_is_no_number_of_processors():
    """benchstat would cut it off and merge the two."""
    run = timed_run({"mine/pipe-8": [1.0] * 6, "mine/pipe-16": [2.0] * 6})

    lines = written(run, "go").decode().splitlines()

    assert {"BenchmarkPipe%2D8", "BenchmarkPipe%2D16"} == {
        line.split()[0] for line in lines if line.startswith("Benchmark")
    }


def test_go_names_stay_as_they_are():
    """A run imported from Go is written under the same names."""
    text = "pkg: a.b/c\nBenchmarkX/size=1-8 \t 10\t 5.0 ns/op\t 3.0 B/op\n" * 3
    (actual,) = read_runs(text.encode(), "file")

    (again,) = read_runs(written(actual.run, "go"), "file")

    assert [c.id.partition("/")[2] for c in actual.run.cases] == [
        c.id.partition("/")[2] for c in again.run.cases
    ]
    assert [c.metrics for c in actual.run.cases] == [c.metrics for c in again.run.cases]


def test_pyperf_opens_it(tmp_path: Path):
    """Names, values and loops are the run's; `show` and `compare_to` succeed."""
    paths = [tmp_path / "old.json", tmp_path / "new.json"]
    for path, run in zip(paths, (OLD, NEW), strict=True):
        path.write_bytes(written(run, "pyperf"))

    suite = pyperf.BenchmarkSuite.load(str(paths[0]))

    own = times_ns(OLD)
    measured = {result.case: result for result in OLD.passes[0].results}
    assert list(own) == suite.get_benchmark_names()
    for benchmark in suite.get_benchmarks():
        seconds = [ns / 1e9 for ns in own[benchmark.get_name()]]
        assert seconds == pytest.approx(list(benchmark.get_values()), rel=1e-12)
        result = measured[benchmark.get_name()]
        loops = benchmark.get_loops(), benchmark.get_inner_loops()
        assert (result.loops, result.operations) == loops
    output = _tool("pyperf", "show", str(paths[1]))
    assert "transaction/load/latency_p99" in output
    compared = _tool("pyperf", "compare_to", *map(str, paths))
    assert "1.5" in compared.partition("transaction/execution")[2].partition("slower")[0]


def test_pytest_benchmark_opens_it(tmp_path: Path):
    """`compare` lists both runs, with our medians in its table."""
    paths = [tmp_path / "0001_old.json", tmp_path / "0002_new.json"]
    for path, run in zip(paths, (OLD, NEW), strict=True):
        path.write_bytes(written(run, "pytest-benchmark"))
    table = tmp_path / "table.csv"

    output = _tool("pytest_benchmark", "compare", *map(str, paths), f"--csv={table}")

    assert 2 == sum(line.startswith("transaction/execution (") for line in output.splitlines())
    rows = list(csv.DictReader(table.read_text().splitlines()))
    medians = [float(r["median"]) for r in rows if r["name"] == "transaction/execution"]
    expected = [median(times_ns(run)["transaction/execution"]) / 1e9 for run in (OLD, NEW)]
    assert expected == pytest.approx(sorted(medians), rel=1e-12)


@pytest.mark.parametrize("rounds", range(1, 10))
def test_pytest_benchmark_would_say_the_same(rounds: int):
    """pytest-benchmark computes the same statistics from the same rounds."""
    from pytest_benchmark.stats import Stats

    times_of = {f"mine/{i}": [1e6 * (1 + (i * k * k) % 7) for k in range(rounds)] for i in range(9)}
    run = timed_run(times_of)

    for entry in json.loads(written(run, "pytest-benchmark"))["benchmarks"]:
        others = Stats()
        for value in entry["stats"]["data"]:
            others.update(value)
        for name in set(Stats.fields) - {"outliers"}:
            assert getattr(others, name) == pytest.approx(entry["stats"][name], rel=1e-9), name
        assert others.outliers == entry["stats"]["outliers"]
        assert set(Stats.fields) <= entry["stats"].keys()


def test_parquet_has_the_rows_of_the_csv():
    """Parquet has the same columns and values as CSV, with types."""
    table = pq.read_table(io.BytesIO(written(NEW, "parquet")))
    rows = list(csv.DictReader(io.StringIO(written(NEW, "csv").decode())))

    assert list(COLUMNS) == table.column_names == list(rows[0])
    assert [float(r["value"]) for r in rows] == table["value"].to_pylist()
    assert [r["benchmark"] for r in rows] == table["benchmark"].to_pylist()
    assert sum(s.n for s in series_of(NEW).values()) == len(rows)


def test_bencher_metric_format():
    """Names and measures within Bencher's limits, every value inside its interval."""
    document = json.loads(written(NEW, "bencher"))

    assert {case.id for case in NEW.cases} == document.keys()
    assert {"latency"} == document["transaction/execution"].keys()
    assert "throughput" in document["transaction/throughput"]
    assert "latency-p99-ms" in document["transaction/load"]
    assert "error-rate-percent" in document["transaction/load"]
    for name, measures in document.items():
        assert 0 < len(name) <= 1024
        for measure, actual in measures.items():
            assert 0 < len(measure) <= 64
            assert actual["lower_value"] <= actual["value"] <= actual["upper_value"]
    own = median(times_ns(NEW)["transaction/execution"])
    assert own == pytest.approx(document["transaction/execution"]["latency"]["value"])


def test_github_action_benchmark():
    """Each metric is in the file of its direction, with the fields that the action reads."""
    smaller = json.loads(written(NEW, "github-action-smaller"))
    bigger = json.loads(written(NEW, "github-action-bigger"))

    assert "transaction/throughput/throughput" in {entry["name"] for entry in bigger}
    assert "transaction/load/latency_p99" in {entry["name"] for entry in smaller}
    declared = [m.better for case in NEW.cases for m in case.metrics]
    assert declared.count("lower") == len(smaller)
    assert declared.count("higher") == len(bigger)
    for entry in smaller + bigger:
        assert {"name", "unit", "value", "range", "extra"} == entry.keys()
        assert math.isfinite(entry["value"])
        assert entry["range"].startswith("± ")


@pytest.mark.parametrize(
    ("metric", "value", "kept"),
    [
        (Metric("pause", "ms"), 2.5, True),
        (Metric("pause", "ms"), 0.0, False),
        (Metric("held", "B"), 2.5, True),
        (Metric("queue", "tasks"), 3.0, True),
        (Metric("queue", "tasks"), 2.5, False),
        (Metric("rate", "tasks", "higher"), 3.0, False),
    ],
)
def test_pyperf_gets_what_it_can_hold(metric: Metric, value: float, kept: bool):
    """pyperf takes seconds, bytes and positive integers, lower being better; others are noted."""
    mixed = case("mine/a", metrics=(TIME, metric))
    result = replace(timed("mine/a", 5.0), figures={metric.name: value})
    run = whole_run([mixed], [one_pass([result], i) for i in range(3)])

    actual = write_run(run, "pyperf", lambda: judged(run))

    suite = pyperf.BenchmarkSuite.loads(str(actual.data))
    assert ["mine/a"] + [f"mine/a/{metric.name}"] * kept == suite.get_benchmark_names()
    assert kept == ("pyperf has no such unit" not in "".join(actual.notes))
    assert kept or f"mine/a/{metric.name}" in actual.notes[0]


def test_a_wait_of_nothing_is_no_division_by_zero():
    """pytest-benchmark's operations a second are 0 then, as it has it itself."""
    (actual,) = read_runs(b"pkg: a/b\n" + b"BenchmarkX 1 0 ns\n" * 3, "file")

    (entry,) = json.loads(written(actual.run, "pytest-benchmark"))["benchmarks"]

    assert (0.0, 0.0) == (entry["stats"]["mean"], entry["stats"]["ops"])


def test_a_huge_time_is_still_a_number():
    """Statistics stay finite where squares would overflow."""
    huge = case("mine/a", metrics=(Metric("pause", "s"),))
    results = [CaseResult("mine/a", figures={"pause": value}) for value in (1.7e299, 1.6e299, 1.0)]
    run = whole_run([huge], [one_pass([item], i) for i, item in enumerate(results)])

    (entry,) = json.loads(written(run, "pytest-benchmark"))["benchmarks"]

    numbers = [v for v in entry["stats"].values() if not isinstance(v, str | list)]
    assert all(isinstance(v, int | float) and math.isfinite(v) for v in numbers)


def test_what_failed_is_not_written_as_a_figure():
    """A case without a value is in no file of values; Go text says that it failed."""
    crash = Failure("crashed", "killed")
    run = timed_run({"mine/a": [1.0] * 6, "mine/b": [crash] * 6})

    for format in ("pytest-benchmark", "pyperf", "bencher", "github-action-smaller", "go", "csv"):
        text = written(run, format).decode().lower()
        assert (format == "go") == ("\n--- fail: benchmarkb\n" in text)
        text = text.replace("\n--- fail: benchmarkb\n", "\n")
        assert "mine/a" in text or "benchmarka" in text
        assert "mine/b" not in text
        assert "benchmarkb" not in text


def _tool(module: str, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", module, *words], capture_output=True, text=True, check=False
    )
    assert 0 == done.returncode, done.stderr
    return done.stdout


def test_an_imported_benchmark_keeps_the_name_of_its_tool():
    """Exported for the same tool, it is compared with its own file, also by pyperf."""
    runs = [{"values": [1.0 + i / 100]} for i in range(3)]
    entries = [{"metadata": {"name": name}, "runs": runs} for name in ("[1]*1000", "pyperf/x")]
    (imported,) = read_runs(json.dumps({"benchmarks": entries}).encode(), "file")

    data = written(imported.run, "pyperf")
    (again,) = read_runs(data, "file")

    assert [case.id for case in imported.run.cases] == [case.id for case in again.run.cases]
    names = [entry["metadata"]["name"] for entry in json.loads(data)["benchmarks"]]
    assert ["[1]*1000", "pyperf/x"] == names


def test_a_benchmark_that_failed_is_named_as_left_out():
    """Its values, which are for information only, are in no file."""
    table = '{"benchmark": "good", "value": 1}\n{"benchmark": "bad", "value": 2}\n'
    failed = table + '{"benchmark": "bad", "value": null}\n'
    (imported,) = read_runs(failed.encode(), "file")

    exported = write_run(imported.run, "csv", lambda: judged(imported.run))

    assert ("left out, as they failed: json-lines/bad",) == exported.notes
    assert b"good" in exported.encoded
    assert b"bad" not in exported.encoded


@pytest.mark.parametrize("format", ["github-action-smaller", "github-action-bigger", "pyperf"])
def test_what_needs_a_direction_leaves_out_what_has_none(format: str):
    """And names it, where a file's metrics all have one direction."""
    rows = '{"benchmark": "a", "metric": "score", "unit": "points", "value": 5}\n'
    known = "".join(
        f'{{"benchmark": "a", "metric": "{better}", "better": "{better}", "value": 5}}\n'
        for better in ("lower", "higher")
    )
    (imported,) = read_runs((rows + known).encode(), "file")

    exported = write_run(imported.run, format, lambda: judged(imported.run))

    assert any("a/score" in note for note in exported.notes)
    assert b"score" not in exported.encoded
