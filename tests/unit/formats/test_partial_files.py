"""What of a file is not taken is said: lines, entries, fields, and files without results."""

import json
from pathlib import Path

import pytest

from tests.support.hostile_files import VECTORS
from veperf.core.errors import DataError, UsageError
from veperf.core.run import Run
from veperf.core.verdict import Verdict
from veperf.formats.exported import ExportedFile
from veperf.formats.projected import parse_projections, project_runs, read_configurations
from veperf.formats.readers import read_runs, read_runs_from
from veperf.formats.writers import write_run

FILES = VECTORS / "interop"
MESSAGE = (
    '{"reason": "benchmark-complete", "id": "a", "iteration_count": [1], "measured_values": [5]}'
)


def run_of(text: str, format: str = "") -> Run:
    (imported,) = read_runs(text.encode(), "f", format=format)
    return imported.run


def export(run: Run, format: str) -> ExportedFile:
    """Write a run in a format of values."""

    def judge() -> Verdict:
        raise AssertionError("values need no verdict")

    return write_run(run, format, judge)


@pytest.mark.parametrize("stray", ['{"type": "Po', "[]", "warning: a log line", "[" * 9_999])
@pytest.mark.parametrize(
    "text",
    [(FILES / "k6_points.json").read_text(), (FILES / "lines.jsonl").read_text(), MESSAGE],
    ids=["k6-points", "json-lines", "criterion-messages"],
)
def test_a_stray_line_is_left_out_alone(text: str, stray: str) -> None:
    """Cut off at the end, or of something else in the middle; each other line counts."""
    lines = text.splitlines()
    whole = run_of(text)

    run = run_of("\n".join([*lines, stray, lines[-1], stray]))

    more = run_of("\n".join([*lines, lines[-1]]))
    assert [p.results for p in more.passes] == [p.results for p in run.passes]
    assert whole.cases == run.cases
    is_skipped = text == MESSAGE and not stray.startswith("{")
    assert is_skipped or "2 refused" in run.reading


def test_nothing_but_torn_lines_is_an_error() -> None:
    """A file of which nothing was taken is no result."""
    torn = (FILES / "k6_points.json").read_text()[:100]

    with pytest.raises(DataError, match=r"no benchmark results.*1 refused"):
        run_of(torn, "k6-points")


def test_an_entry_of_google_benchmark_in_no_unit_of_time() -> None:
    """It is refused, and the others are taken, aggregates of its name included."""
    entry = {"name": "a", "run_name": "a", "run_type": "iteration", "iterations": 2}
    entry |= {"real_time": 5.0, "cpu_time": 5.0, "time_unit": "ms"}
    odd = {**entry, "name": "b", "run_name": "b", "time_unit": "fortnights"}
    mean = {**odd, "name": "b_mean", "run_type": "aggregate", "aggregate_name": "mean"}

    run = run_of(json.dumps({"context": {}, "benchmarks": [odd, entry, mean]}))

    assert ["google-benchmark/a"] == [case.id for case in run.cases]
    assert "1 taken, 2 refused" in run.reading
    assert any("not a unit of time: fortnights" in note for note in run.notes)


def test_gauges_of_k6_are_named() -> None:
    """Numbers of users are settings; another gauge may be what somebody looks for."""
    metrics = {
        "vus": {"value": 3, "min": 1, "max": 3},
        "queue_depth": {"value": 7},
        "checks": {"passes": 3, "fails": 0, "value": 1.0},
    }
    run = run_of(json.dumps({"metrics": metrics}))

    (note,) = [note for note in run.notes if note.startswith("gauges")]
    assert note.endswith(": queue_depth")
    assert any("the least of a trend" in note for note in run.notes)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("PASS\nok  \ta\t0.1s\n", "output of Go's tests in which no benchmark was run"),
        ("ok a 0.1s\n", "output of Go's tests in which no benchmark was run"),
        ("?   \ta/b\t[no test files]\n", "output of Go's tests in which no benchmark was run"),
        (
            "2026-11-30T10:00:00.1234567Z BenchmarkA-8 \t 100\t 10.5 ns/op\n"
            "2026-11-30T10:00:01.1234567Z ok  \ta\t0.1s\n",
            "results of Go's benchmarks with other text before them",
        ),
        ("[]\n", "an empty list, as JMH and others write"),
        ("```\n\nBenchmarkDotNet v0.13.12, Ubuntu\n```\n", "what BenchmarkDotNet shows"),
        ("| Method | N | Mean |\n|---|---|---|\n", "what BenchmarkDotNet shows"),
        ("f: Mean +- std dev: 22.5 ms +- 1.1 ms\n", "what pyperf shows as text"),
        (".....\nMean +- std dev: 22.5 ms +- 1.1 ms\n", "what pyperf shows as text"),
    ],
)
def test_a_file_without_results_is_named(text: str, said: str) -> None:
    """Its tool, and what to do."""
    with pytest.raises(DataError, match=said):
        run_of(text)


def criterion(folder: Path, name: str, baseline: str, *, is_named: bool = True) -> None:
    place = folder / name / baseline
    place.mkdir(parents=True)
    (place / "sample.json").write_text('{"iters": [1.0], "times": [10.0]}')
    (place / "estimates.json").write_text("{}")
    identity = {"full_id": name, "directory_name": name, "throughput": {"Bytes": 64}}
    if is_named:
        (place / "benchmark.json").write_text(json.dumps(identity))


@pytest.mark.parametrize("is_named", [True, False])
def test_criterion_folders_further_down_are_of_other_projects(
    tmp_path: Path, is_named: bool
) -> None:
    """The root and what is below it are read; what is above may have several roots."""
    root = tmp_path / "project" / "target" / "criterion"
    criterion(root, "group/function/10", "new", is_named=is_named)
    criterion(tmp_path / "copy" / "of" / "it", "group/function", "new", is_named=is_named)

    for place in (root, root / "group", root / "group/function/10", root / "group/function/10/new"):
        (imported,) = read_runs_from(place)
        assert 1 == len(imported.run.cases)
    for place in (root.parent, root.parent.parent, tmp_path):
        with pytest.raises(DataError, match="a folder further down"):
            read_runs_from(place)


def test_what_criterion_has_in_other_baselines_alone(tmp_path: Path) -> None:
    """It is named, as is throughput, which says what the time does."""
    criterion(tmp_path, "a", "new")
    criterion(tmp_path, "gone", "main")

    (imported,) = read_runs_from(tmp_path)

    assert ["criterion/a"] == [case.id for case in imported.run.cases]
    assert any("baselines have them" in n and n.endswith(": gone") for n in imported.notes)
    assert any("bytes or elements" in note for note in imported.notes)


def test_two_of_several_baselines_are_chosen(tmp_path: Path) -> None:
    """The base first; without a choice, and with one that is not there, all are named."""
    from veperf.cli.compare import _read_both

    for baseline in ("base", "main", "pr-1", "new"):
        criterion(tmp_path, "a", baseline)
    (tmp_path / "a" / "base" / "sample.json").write_text('{"iters": [1.0], "times": [9.0]}')

    sides = _read_both(str(tmp_path), "", "baseline@(pr-1 main)")

    assert ["pr-1", "main"] == [label for label, _ in sides]
    with pytest.raises(UsageError, match=r"base, main, pr-1 and new; .*baseline@\(BASE NEW\)"):
        _read_both(str(tmp_path), "", "baseline")
    with pytest.raises(UsageError, match="has no baseline gone, but base"):
        _read_both(str(tmp_path), "", "baseline@(gone main)")


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_a_nameless_benchmark_is_read_back(format: str) -> None:
    """hyperfine has one for an empty command."""
    run = run_of(json.dumps({"results": [{"command": "", "times": [1.0, 2.0]}]}))

    (back,) = read_runs(export(run, format).encoded, "f")

    assert run.cases == back.run.cases


def text_table(*rows: str) -> Run:
    return run_of("\n".join(["name,metric,unit,better,value", *rows]))


def test_what_bencher_does_not_hold_is_said() -> None:
    """A unit that is a metric's name is in the measure once."""
    run = text_table("a,B/op,B/op,lower,5", "a,time,ns,,7")

    exported = export(run, "bencher")

    assert {"a": {"b-op", "latency"}} == {k: {*v} for k, v in json.loads(exported.data).items()}
    assert any(note.endswith("unit and direction of: B/op (B/op)") for note in exported.notes)
    assert not export(text_table("a,time,ns,,7"), "bencher").notes


def test_what_pyperf_does_not_hold_is_said() -> None:
    """Units beside bytes and times, and blanks around a name."""
    notes = " ".join(export(text_table(" a,size,Megabytes,lower,100"), "pyperf").notes)

    assert "units of:  a/size (Megabytes)" in notes
    assert "part of: ' a/size'" in notes


def test_what_go_text_does_not_hold_is_said() -> None:
    """Blanks, and names that differ by the case of the first letter alone."""
    notes = export(text_table("a b,time,ns,,1", "foo,time,ns,,1", "Foo,time,ns,,1"), "go").notes

    assert "csv/a b, csv/Foo" in notes[0]
    assert not export(text_table("foo,time,ns,,1"), "go").notes


def test_a_baseline_is_no_part_of_a_name(tmp_path: Path) -> None:
    """Also where nothing but folders says what a benchmark is called."""
    for baseline in ("main", "new"):
        criterion(tmp_path / "criterion", "a/b", baseline, is_named=False)

    runs = read_runs_from(tmp_path / "criterion", by="baseline")

    assert [["criterion/a/b"]] * 2 == [[case.id for case in i.run.cases] for i in runs]


def test_baselines_are_columns(tmp_path: Path) -> None:
    """In the order of the key, which also selects; a filter selects, too."""
    for baseline in ("main", "pr-1", "new"):
        criterion(tmp_path, "a", baseline)
    read = [("f", read_configurations(tmp_path, by="baseline").runs)]

    chosen = project_runs(read, parse_projections(column="baseline@(pr-1 main)"))
    filtered = project_runs(read, parse_projections(filter="baseline:main"))

    assert (("pr-1", "main"), 1) == (chosen.names, chosen.left_out)
    assert [1, 1] == [len(run.cases) for run in chosen.runs]
    assert (("f",), 2) == (filtered.names, filtered.left_out)
