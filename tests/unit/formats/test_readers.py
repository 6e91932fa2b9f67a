"""Files of every input format are read into the right run."""

import json
import math
import statistics
from pathlib import Path

import pytest

from tests.support.hostile_files import VECTORS
from veperf.core.case import Metric
from veperf.core.errors import CorruptFileError, DataError, NoSuchFileError, UsageError
from veperf.core.run import Run
from veperf.formats.readers import INPUT_FORMAT_NAMES, detect_format, read_runs, read_runs_from
from veperf.formats.source import SourceFile

FILES = VECTORS / "interop"
TIME = Metric("time", "ns")


def one(name: str) -> Run:
    (actual,) = read_runs_from(FILES / name)
    return actual.run


def values(run: Run, case: str, metric: str = "time") -> list[float]:
    return [r.figures[metric] for p in run.passes for r in p.results if r.case == case]


def document(name: str):
    return json.loads((FILES / name).read_text())


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("go_test.txt", "go"),
        ("go_test.json", "go-json"),
        ("pytest_benchmark.json", "pytest-benchmark"),
        ("pyperf.json", "pyperf"),
        ("hyperfine.json", "hyperfine"),
        ("google_benchmark.json", "google-benchmark"),
        ("asv.json", "asv"),
        ("criterion/sum_flat/new/sample.json", "criterion-sample"),
        ("criterion/sum_flat/new/estimates.json", "criterion-estimates"),
        ("long.csv", "csv"),
        ("lines.jsonl", "json-lines"),
    ],
)
def test_a_format_is_told_by_its_content(name: str, format: str) -> None:
    """Whatever the file is called, with a byte order mark or Windows line ends as well."""
    data = (FILES / name).read_bytes()

    assert format in INPUT_FORMAT_NAMES
    for variant in (
        data,
        b"\xef\xbb\xbf" + data,
        data.decode().replace("\n", "\r\n").encode("utf-16"),
    ):
        detected = detect_format(SourceFile(variant, "f"))
        assert detected is not None
        assert format == detected.name


def test_pytest_benchmark() -> None:
    """There is a value per round, in ns, and the file's machine, commit and parameters."""
    run = one("pytest_benchmark.json")

    entry = document("pytest_benchmark.json")["benchmarks"][0]
    case = f"pytest-benchmark/{entry['fullname']}"
    assert [v * 1e9 for v in entry["stats"]["data"]] == values(run, case)
    assert entry["params"] == run.cases[0].params
    assert entry["stats"]["iterations"] == run.passes[0].results[0].loops
    assert "pytest-benchmark" == run.source
    assert run.machine.python.startswith("CPython 3.11")
    assert "box" not in json.dumps(run.machine.name)


def test_pytest_benchmark_without_rounds() -> None:
    """Where rounds were not saved, the median is the only value, with a note."""
    file = document("pytest_benchmark.json")
    for entry in file["benchmarks"]:
        del entry["stats"]["data"]

    (actual,) = read_runs(json.dumps(file).encode(), "f")

    assert 1 == len(actual.run.passes)
    assert any("median" in note for note in actual.notes)


def test_pyperf_agrees_with_pyperf() -> None:
    """Values, their number and their median equal those that pyperf reads."""
    import pyperf

    run = one("pyperf.json")

    suite = pyperf.BenchmarkSuite.load(str(FILES / "pyperf.json"))
    for benchmark in suite.get_benchmarks():
        own = values(run, f"pyperf/{benchmark.get_name()}")
        assert [v * 1e9 for v in benchmark.get_values()] == own
        assert benchmark.get_nvalue() == len(own)
        assert benchmark.median() * 1e9 == pytest.approx(statistics.median(own))
    assert document("pyperf.json")["metadata"]["loops"] == run.passes[0].results[0].loops
    assert "cpython 3.11.7" == run.machine.python


def test_hyperfine() -> None:
    """There is a value per run, and the command's parameters."""
    run = one("hyperfine.json")

    entry = document("hyperfine.json")["results"][1]
    assert [t * 1e9 for t in entry["times"]] == values(run, f"hyperfine/{entry['command']}[n=2]")
    assert {"n": "2"} == run.cases[1].params


def test_google_benchmark() -> None:
    """Repetitions are values, aggregates are not, counters are metrics, errors are failures."""
    run = one("google_benchmark.json")

    entries = document("google_benchmark.json")["benchmarks"]
    repeated = [e for e in entries if e["name"] == "sum_million/repeats:4"]
    case = "google-benchmark/sum_million/repeats:4"
    assert [e["real_time"] for e in repeated] == values(run, case)
    assert [e["cpu_time"] for e in repeated] == values(run, case, "cpu_time")
    assert [8.0] == values(run, "google-benchmark/rng/8", "items")
    failures = {r.case: r.failure for p in run.passes for r in p.results if r.failure}
    assert "no device" == failures["google-benchmark/broken"].message
    assert 4 == len(run.passes)


def test_a_skipped_google_benchmark_took_no_time() -> None:
    """A skipped benchmark has times of 0 in the file, which are ignored."""
    file = document("google_benchmark.json")
    skipped = {"name": "s", "run_type": "iteration", "skipped": True, "skip_message": "no GPU"}
    file["benchmarks"].append(skipped | {"iterations": 0, "real_time": 0.0, "cpu_time": 0.0})

    (actual,) = read_runs(json.dumps(file).encode(), "f")

    assert "google-benchmark/s" not in [case.id for case in actual.run.cases]
    assert "s was skipped: no GPU" in actual.notes


def test_google_benchmark_with_nothing_but_aggregates() -> None:
    """The median is the only value, in ns whatever the unit, with a note."""
    entry = {"name": "f_{}", "run_name": "f", "run_type": "aggregate", "time_unit": "us"}
    entries = [
        entry | {"name": f"f_{kind}", "aggregate_name": kind, "real_time": time, "cpu_time": time}
        for kind, time in (("mean", 3.0), ("median", 2.0), ("stddev", 0.1))
    ]

    (actual,) = read_runs(json.dumps({"context": {}, "benchmarks": entries}).encode(), "f")

    assert [2000.0] == values(actual.run, "google-benchmark/f")
    assert any("median" in note for note in actual.notes)


def test_criterion_folder() -> None:
    """Each sample's time is divided by its iterations; names are as criterion prints them."""
    run = one("criterion")

    sample = document("criterion/sums/fold/100/new/sample.json")
    assert ["criterion/sum flat", "criterion/sums/fold/100", "criterion/sums/fold/1000"] == [
        case.id for case in run.cases
    ]
    expected = [t / i for t, i in zip(sample["times"], sample["iters"], strict=True)]
    assert expected == values(run, "criterion/sums/fold/100")


def test_criterion_streams() -> None:
    """raw.csv and cargo-criterion's messages give the same time an iteration."""
    raw = b"group,function,value,sample_time_nanos,iteration_count\ng,f,,915000,1000\n"
    message = {
        "reason": "benchmark-complete",
        "id": "g/f",
        "unit": "us",
        "iteration_count": [1000],
        "measured_values": [915],
    }
    lines = json.dumps({"reason": "group-complete"}) + "\n" + json.dumps(message)

    for data in (raw, lines.encode()):
        (actual,) = read_runs(data, "f")
        assert [915.0] == values(actual.run, "criterion/g/f")


def test_asv() -> None:
    """Samples are values, skipped combinations are left out, and null is a failure."""
    run = one("asv.json")

    ids = [case.id for case in run.cases]
    failed = [r.case for p in run.passes for r in p.results if r.failure]
    assert "asv/sorting.Sort.time_sort(10, 'down')" in ids
    assert "asv/sorting.Sort.time_sort(10, 'up')" not in ids
    assert ["asv/sorting.time_broken"] == failed
    assert [1.6209996829275042e-06 * 1e9] == values(run, "asv/sorting.Sort.time_sort(10, 'down')")
    assert [42.0] == values(run, "asv/sorting.track_size", "value")
    (memory,) = run.cases[ids.index("asv/sorting.mem_list")].metrics
    assert ("memory", "B") == (memory.name, memory.unit)
    assert ("Box 9000", 4, "Python 3.11") == (
        run.machine.cpu_model,
        run.machine.cores,
        run.machine.python,
    )
    assert run.revision.commit.startswith("8b77f33e")


def test_the_older_layout_of_asv() -> None:
    """Layout 1 has a number, or an object with results; null is a failure, NaN a skip."""
    results = {
        "time_a": 0.5,
        "b.mem_b": 344,
        "time_c": {"params": [["1", "2", "3"]], "result": [1, 4, None]},
        "time_d": {"result": 3, "stats": [{"ci_99": [1.5, 3.5]}]},
        "time_e": None,
        "time_f": math.nan,
    }
    file = {"version": 1, "commit_hash": "ab", "date": 1367127519000, "results": results}

    (actual,) = read_runs(json.dumps(file | {"params": {}, "python": "2.7"}).encode(), "f")

    run = actual.run
    assert [5e8] == values(run, "asv/time_a")
    assert [344.0] == values(run, "asv/b.mem_b", "memory")
    assert [4e9] == values(run, "asv/time_c(2)")
    assert [3e9] == values(run, "asv/time_d")
    failed = [r.case for p in run.passes for r in p.results if r.failure]
    assert ["asv/time_c(3)", "asv/time_e"] == sorted(failed)
    assert "asv/time_f" not in [case.id for case in run.cases]


def test_long_tables() -> None:
    """Rows of a process are one value, their median; units become ns; directions are kept."""
    table, lines = one("long.csv"), one("lines.jsonl")

    assert [1600.0, 1600.0] == values(table, "csv/sort")
    assert Metric("rate", "items/s", "higher") in table.cases[0].metrics
    assert [2e6] == values(table, "csv/join")
    assert [1500.0, 1750.0] == values(lines, "json-lines/sort")
    assert [7.0] == values(lines, "json-lines/depth", "nodes")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("benchmark,value\na,1\nb,x\n", "f:3: no number: x"),
        ("benchmark,value\na,1\nb,1,5\n", "f:3: 3 cells for 2 columns"),
        ("benchmark;value;better\na;1;up\n", "f:2: better must be lower, higher or unknown"),
        ('{"benchmarks": [{"name": 3}], "machine_info": {}}', "$.benchmarks[0].name"),
        ('{\n"benchmarks": [}', "f:2: not valid JSON"),
        ('{"results": {}, "result_columns": [], "commit_hash": "", "version": 3}', "layout 3"),
        ("[" * 100_000, "unreadable JSON"),
        ("", "it is empty"),
        ("hello\n", "unknown format"),
        ('{"iters": [1], "times": [1, 2]}', "1 iterations for 2 times"),
        (
            '{"reason": "benchmark-complete", "iteration_count": [1], "measured_values": [1, 2]}',
            "f:1: 1 iterations for 2 times",
        ),
        (
            '{"results": [{"command": "c", "times": [1, 2], "memory_usage_byte": [4096]}]}',
            "1 memory sizes for 2 times",
        ),
    ],
)
def test_what_is_broken_is_said_with_its_place(text: str, said: str) -> None:
    """The error names file, line or field, and the problem."""
    with pytest.raises(DataError) as caught:
        read_runs(text.encode(), "f")

    assert said in str(caught.value)


def test_what_was_asked_for_wrongly() -> None:
    """An unknown format, a key of a format without keys, and a missing file are refused."""
    data = (FILES / "hyperfine.json").read_bytes()
    with pytest.raises(UsageError, match="no format 'xml'"):
        read_runs(data, "f", format="xml")
    with pytest.raises(UsageError, match="no configuration"):
        read_runs(data, "f", by="note")
    with pytest.raises(NoSuchFileError, match="no such file"):
        read_runs_from(FILES / "missing.json")
    for path in (Path("a" * 5_000), Path("a\0b"), Path("\ud800")):
        with pytest.raises(CorruptFileError, match="can't read"):
            read_runs_from(path)


def test_more_repetitions_than_are_kept() -> None:
    """10,000 evenly spread ones are kept, the first among them, with a note."""
    rows = "benchmark,value\n" + "".join(f"a,{i + 1}\n" for i in range(25_000))

    (actual,) = read_runs(rows.encode(), "f")

    kept = values(actual.run, "csv/a")
    assert (10_000, 1.0) == (len(kept), kept[0])
    assert 12_500 == pytest.approx(statistics.median(kept), rel=0.001)
    assert any("25000" in note for note in actual.notes)


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("pytest_benchmark.json", "machine_info", None),
        ("pytest_benchmark.json", "machine_info", {"cpu": None, "system": "Linux"}),
        ("pytest_benchmark.json", "machine_info", {"cpu": {"count": "four"}}),
        ("pytest_benchmark.json", "commit_info", {"id": None, "dirty": 3}),
        ("pytest_benchmark.json", "datetime", 20261120),
        ("google_benchmark.json", "context", {"num_cpus": "4", "date": None}),
        ("pyperf.json", "metadata", None),
        ("asv.json", "date", None),
        ("asv.json", "params", {"cpu": None, "num_cpu": "many", "ram": 16}),
    ],
)
def test_what_stands_beside_the_results_costs_none(name: str, key: str, value: object) -> None:
    """Invalid information about machine, commit and time does not keep figures from being read."""
    whole = one(name)

    (actual,) = read_runs(json.dumps(document(name) | {key: value}).encode(), "f")

    assert len(whole.cases) == len(actual.run.cases)
    assert len(whole.passes) == len(actual.run.passes)


def test_memory_that_was_not_measured() -> None:
    """Where hyperfine's list of sizes has nulls alone, there is none."""
    entry = {"command": "c", "times": [1.0, 2.0], "memory_usage_byte": [None, None]}

    (actual,) = read_runs(json.dumps({"results": [entry]}).encode(), "f")

    assert [1e9, 2e9] == values(actual.run, "hyperfine/c")
    assert {} == actual.run.first_failures
    assert [{"time"}] * 2 == [set(p.results[0].figures) for p in actual.run.passes]


def test_names_are_paths_to_nowhere(tmp_path: Path) -> None:
    """A run's id and suites can name folders, whatever the file and its packages are called."""
    text = "pkg: ../../..\nBenchmarkX 1 2 ns/op\npkg: /\nBenchmarkX 1 2 ns/op\n"

    (actual,) = read_runs(text.encode(), "../../x", title="../../../etc/passwd")

    assert "/" not in actual.run.id
    assert ".." not in actual.run.id
    assert 2 == len({case.suite for case in actual.run.cases})
    assert not any("/" in case.suite or case.suite.startswith(".") for case in actual.run.cases)
