"""Folders in which tools keep their results are read, and told apart."""

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.support.hostile_files import VECTORS
from veperf.api.runs import read
from veperf.core.errors import DataError, UsageError
from veperf.core.run import Run
from veperf.formats import criterion, folders, source
from veperf.formats.readers import FOLDER_FORMATS, read_runs_from

FILES = VECTORS / "interop"
SAMPLE = {"sampling_mode": "Linear", "iters": [1.0, 2.0], "times": [10.0, 20.0]}


def times(run: Run, case: str) -> list[float]:
    results = [r for p in run.passes for r in p.results if r.case == case]
    return [r.figures["time"] for r in results if "time" in r.figures]


def write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


def sample(folder: Path, benchmark: str, baseline: str, time: float) -> None:
    """Write a baseline of a benchmark of criterion, of which an iteration takes ``time`` ns."""
    place = folder / benchmark / baseline
    write(place / "sample.json", SAMPLE | {"times": [time, 2 * time]})
    write(place / "benchmark.json", {"full_id": benchmark, "directory_name": benchmark})
    write(folder / benchmark / "change" / "estimates.json", {"mean": {}, "median": {}})


def asv_results(commit: str, date_ms: int, seconds: float) -> dict[str, object]:
    return {
        "version": 2, "commit_hash": commit, "date": date_ms,
        "result_columns": ["result"], "results": {"b.time_f": [seconds]},
    }  # fmt: skip


def test_the_folder_of_asv(tmp_path: Path) -> None:
    """Each file of results is a run, the oldest commit first; what describes them is none."""
    box = tmp_path / "results" / "box"
    write(tmp_path / "results" / "benchmarks.json", {"b.time_f": {"name": "b.time_f"}})
    write(box / "machine.json", {"machine": "box", "cpu": "c", "version": 1})
    write(box / "bbbb-env.json", asv_results("b" * 40, 2_000_000, 0.5))
    write(box / "cccc-env.json", asv_results("c" * 40, 1_000_000, 0.25))

    for place in (tmp_path, tmp_path / "results", box):
        older, newer = read_runs_from(place)
        assert ("cccc-env", "bbbb-env") == (older.label, newer.label)
        assert [[0.25e9], [0.5e9]] == [times(i.run, "asv/b.time_f") for i in (older, newer)]
        assert "c" * 40 == older.run.revision.commit
    assert "1 benchmark: 1 taken, none refused" == older.run.reading
    assert 2 == len(read_runs_from(tmp_path, by="file"))
    with pytest.raises(UsageError, match="told apart by file, not by note"):
        read_runs_from(tmp_path, by="note")


def test_the_folder_of_pytest_benchmark(tmp_path: Path) -> None:
    """Each saved run is a run; other files beside them are left alone."""
    saved = tmp_path / "Linux-CPython-3.11-64bit"
    document = json.loads((FILES / "pytest_benchmark.json").read_text())
    write(saved / "0001_first.json", document | {"datetime": "2026-01-01T10:00:00"})
    write(saved / "0002_second.json", document | {"datetime": "2026-01-02T10:00:00"})
    write(saved / "notes.json", "[")

    runs = read_runs_from(tmp_path)

    assert ["0001_first", "0002_second"] == [imported.label for imported in runs]
    assert ["2026-01-01", "2026-01-02"] == [imported.run.created[:10] for imported in runs]


def test_reports_of_benchmark_dotnet(tmp_path: Path) -> None:
    """Those on all classes are one run; of several kinds on one the full one counts."""
    full = json.loads((FILES / "benchmark_dotnet_full.json").read_text())
    brief = json.loads((FILES / "benchmark_dotnet_brief.json").read_text())
    write(tmp_path / "results" / "Ledger.Codec-report-full.json", full)
    write(tmp_path / "results" / "Ledger.Codec-report-brief.json", brief)
    other = {**brief, "Benchmarks": [{**brief["Benchmarks"][0], "FullName": "Ledger.Other.Run"}]}
    write(tmp_path / "results" / "Ledger.Other-report-brief.json", other)

    (imported,) = read_runs_from(tmp_path)

    assert {
        "benchmark-dotnet/Ledger.Codec.Encode(N: 10)",
        "benchmark-dotnet/Ledger.Codec.Decode(N: 10)",
        "benchmark-dotnet/Ledger.Codec.Broken",
        "benchmark-dotnet/Ledger.Other.Run: Job-A(Runtime=.NET 8.0)",
    } == {case.id for case in imported.run.cases}
    assert "4 benchmarks of 2 files: 4 taken, none refused" == imported.run.reading


def test_summaries_of_gungraun(tmp_path: Path) -> None:
    """All of them are one run; a summary.json of something else is none of them."""
    summaries = (FILES / "gungraun_summary.json").read_text().splitlines()
    for number, text in enumerate(summaries):
        write(tmp_path / "bench" / f"case{number}" / "summary.json", text)
    write(tmp_path / "coverage" / "summary.json", {"total": 100})

    (imported,) = read_runs_from(tmp_path)

    assert len(summaries) == len(imported.run.cases)
    with pytest.raises(UsageError, match="there is no baseline"):
        read_runs_from(tmp_path, by="baseline")


def test_the_newest_results_of_criterion(tmp_path: Path) -> None:
    """Whatever baselines are beside them, and whatever reports."""
    for name in ("a", "b"):
        sample(tmp_path, name, "new", 10.0)
        sample(tmp_path, name, "base", 20.0)
    write(tmp_path / "report" / "index.html", "<html>")

    (imported,) = read_runs_from(tmp_path)

    assert [[10.0, 10.0]] * 2 == [times(imported.run, f"criterion/{name}") for name in "ab"]
    assert "" == imported.label


def test_baselines_of_criterion(tmp_path: Path) -> None:
    """By baseline, the named ones and the newest results; ``base`` only if it is not these."""
    sample(tmp_path, "a", "main", 10.0)
    sample(tmp_path, "a", "new", 30.0)
    shutil.copytree(tmp_path / "a" / "new", tmp_path / "a" / "base")

    main, new = read_runs_from(tmp_path, by="baseline")

    assert ("main", "new") == (main.label, new.label)
    assert [[10.0] * 2, [30.0] * 2] == [times(i.run, "criterion/a") for i in (main, new)]
    sample(tmp_path, "a", "base", 20.0)
    labels = [imported.label for imported in read_runs_from(tmp_path, by="baseline")]
    assert ["base", "main", "new"] == labels
    with pytest.raises(UsageError, match="--by baseline"):
        read_runs_from(tmp_path, by="commit")


def test_baselines_without_newest_results(tmp_path: Path) -> None:
    """A single one is taken; of several one must be chosen."""
    sample(tmp_path, "a", "main", 10.0)
    (imported,) = read_runs_from(tmp_path)
    assert [10.0, 10.0] == times(imported.run, "criterion/a")

    sample(tmp_path, "a", "topic", 10.0)
    with pytest.raises(UsageError, match="baselines only: main and topic"):
        read_runs_from(tmp_path)


def test_a_folder_with_several_runs_is_not_one(tmp_path: Path) -> None:
    """The error of what needs one run lists them."""
    write(tmp_path / "machine.json", {})
    for commit in ("a", "b"):
        write(tmp_path / f"{commit}.json", asv_results(commit * 40, 1_000, 0.5))

    with pytest.raises(UsageError, match="holds 2 runs, of which one must be named: a, b"):
        read(tmp_path)


def test_a_folder_of_two_tools(tmp_path: Path) -> None:
    """The format says whose results are meant; it may not be the one that is found first."""
    sample(tmp_path, "a", "new", 10.0)
    text = (FILES / "gungraun_summary.json").read_text().splitlines()[0]
    write(tmp_path / "gungraun" / "a" / "summary.json", text)

    for format in ("criterion", "gungraun"):
        (imported,) = read_runs_from(tmp_path, format=format)
        assert format == imported.run.source
    with pytest.raises(DataError, match="a folder without results of asv"):
        read_runs_from(tmp_path, format="asv")


def test_other_folders_are_refused(tmp_path: Path) -> None:
    """The error names what folders are known; links to folders are not followed."""
    elsewhere = tmp_path / "elsewhere"
    sample(elsewhere, "a", "new", 10.0)
    folder = tmp_path / "empty"
    folder.mkdir()
    (folder / "link").symlink_to(elsewhere)

    with pytest.raises(DataError, match="criterion, asv, pytest-benchmark, benchmark-dotnet and"):
        read_runs_from(folder)
    assert not any(known.matches(folder) for known in FOLDER_FORMATS)


def test_what_is_no_file_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe would never end; and a tree of any size is not looked through."""
    os.mkfifo(tmp_path / "0001_pipe.json")
    os.mkfifo(tmp_path / "sample.json")

    with pytest.raises(DataError, match="a folder without results"):
        read_runs_from(tmp_path)
    monkeypatch.setattr(source, "_MOST_FILES", 1)
    with pytest.raises(DataError, match="more than 1 files; name a folder further down"):
        read_runs_from(tmp_path)


def test_folders_have_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More files than that are an error, not a long wait."""
    monkeypatch.setattr(folders, "_MOST_RUNS", 2)
    monkeypatch.setattr(criterion, "_MOST_BENCHMARKS", 2)
    asv = tmp_path / "asv"
    write(asv / "machine.json", {})
    for commit in ("a", "b", "c"):
        write(asv / f"{commit}.json", asv_results(commit * 40, 1_000, 0.5))
        sample(tmp_path / "criterion", commit, "new", 10.0)

    for folder in (asv, tmp_path / "criterion"):
        with pytest.raises(DataError, match="more than 2"):
            read_runs_from(folder)
