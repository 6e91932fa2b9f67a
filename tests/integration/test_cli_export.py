"""``veperf export`` and ``veperf ci --export``."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import veperf
from tests.support.helpers import baselines_in, plausible_run
from veperf.archive.store import Archive
from veperf.formats.markdown import MARKER
from veperf.formats.writers import OUTPUT_FORMAT_NAMES

ROOT = Path(__file__).parents[2]


def command(*words: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, "-m", "veperf", *words],
        capture_output=True,
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if k != "GITHUB_STEP_SUMMARY"},
        check=False,
    )


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> tuple[str, ...]:
    """The options for an archive with one run, which is slower than its baseline."""
    folder: Path = tmp_path_factory.mktemp("export")
    Archive(folder / "archive").save(plausible_run(slower={"transaction/execution": 1.6}))
    return "--archive", str(folder / "archive"), "--baselines", str(baselines_in(folder))


@pytest.mark.slow
def test_the_command_writes_what_the_function_returns(folders: tuple[str, ...], tmp_path: Path):
    """Every format, on standard output and as a file, byte for byte."""
    archive, baselines = folders[1], folders[3]
    for format in OUTPUT_FORMAT_NAMES:
        if format == "github-action-bigger":
            continue
        returned = veperf.export("last", format, archive=archive, baselines=baselines)
        expected = returned.encode() if isinstance(returned, str) else returned

        if format in ("go", "parquet", "junit"):
            assert expected == command("export", "--format", format, *folders).stdout
        if format == "comment":
            file = tmp_path / "some" / "file.md"
            file.parent.mkdir()
            done = command("export", "last", "--format", format, "-o", str(file), *folders)
            assert (0, b"") == (done.returncode, done.stdout)
            assert expected == file.read_bytes()
            assert ["file.md"] == [path.name for path in file.parent.iterdir()]


def test_a_file_of_another_tool_is_converted(tmp_path: Path):
    """A file of another tool is exported without an archive."""
    path = tmp_path / "old.txt"
    path.write_text("pkg: a/b\nBenchmarkX 10 5.5 ns/op\nBenchmarkX 10 6.5 ns/op\n")

    done = command("export", str(path), "--format", "pyperf")

    assert 0 == done.returncode, done.stderr
    (entry,) = json.loads(done.stdout)["benchmarks"]
    assert [[5.5e-9], [6.5e-9]] == [pytest.approx(run["values"]) for run in entry["runs"]]


@pytest.mark.slow
def test_ci_writes_its_exports_although_it_fails(folders: tuple[str, ...], tmp_path: Path):
    """Files are written before the gate fails; write errors don't change the exit code."""
    junit, comment, none = (str(tmp_path / n) for n in ("junit.xml", "comment.md", "none.json"))

    done = command(
        "ci", "--run", "last", "--on-not-measured", "note",
        "--export", "junit", junit, "--export", "github-action-bigger", none,
        "--export", "comment", comment, *folders,
    )  # fmt: skip

    assert 1 == done.returncode, done.stderr
    assert "1" == ET.parse(junit).getroot().get("failures")
    assert Path(comment).read_text().startswith(f"{MARKER}\n### ✗ Fail")
    assert not Path(none).exists()
    assert f"{none} is not written" in done.stderr.decode()


def test_a_comparison_of_commands_is_written_too(tmp_path: Path):
    """`veperf ab --export`: a test a benchmark, and the comment."""
    junit, comment = tmp_path / "junit.xml", tmp_path / "comment.md"

    done = command(
        "ab", "--command-a", "true", "--command-b", "true", "--time-budget", "1s",
        "--archive", str(tmp_path), "--export", "junit", str(junit),
        "--export", "comment", str(comment),
    )  # fmt: skip

    code = 4 if "time budget ran out" in done.stdout.decode() else 0
    assert code == done.returncode, done.stderr
    (case,) = ET.parse(junit).getroot().iter("testcase")
    assert "true, against true." in "".join(case.itertext())
    assert comment.read_text().startswith(f"{MARKER}\n### ")


@pytest.mark.parametrize(
    "words",
    [("export", "--format", "xml"), ("ci", "--export", "xml", "file.xml", "no/such/benchmark")],
)
def test_an_unknown_format_is_refused_before_anything_else(words: tuple[str, ...]):
    """An unknown format ends with exit code 2 and the known names."""
    done = command(*words)

    assert (2, b"") == (done.returncode, done.stdout)
    assert b"no format 'xml'; known are pytest-benchmark" in done.stderr
