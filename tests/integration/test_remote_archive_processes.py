"""An archive in object storage, used by commands and by concurrent and killed processes."""

import io
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from tests.support.archives import archive_of, dated_run
from tests.support.clusters import until
from tests.support.object_store import KEY, SECRET, bucket, contents
from veperf.archive.store import Archive
from veperf.cli.main import veperf as commands

ROOT = Path(__file__).parents[2]
BEGIN = """
import sys
from tests.support.archives import dated_run
from veperf.archive.store import Archive
from veperf.archive.compaction import compact_archive
archive = Archive(sys.argv[1])
print("ready", flush=True)
"""
COMPACT = "for keep in (4, 2, 0):\n    compact_archive(archive, keep=keep)\n"
MEASURE = """
run = dated_run(0)
import msgspec
writer = archive.begin(msgspec.structs.replace(run, passes=()))
writer.add(run.passes[0], {})
print("measuring", flush=True)
import time
time.sleep(600)
"""


def veperf(
    *words: str, code: int = 0, environment: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        [sys.executable, "-m", "veperf", *words],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert code == done.returncode, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done


def start(code: str, url: str) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", BEGIN + code, url],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert "ready\n" == process.stdout.readline()
    return process


def kill(process: "subprocess.Popen[str]") -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()


@pytest.mark.slow
def test_every_command_works_there_and_no_secret_gets_anywhere(s3_url: str, tmp_path: Path):
    """Runs, reports, queries and packs; neither objects nor output contain credentials."""
    place = {"VEPERF_ARCHIVE": s3_url}
    output: list[str] = []

    def do(*words: str) -> str:
        """Run a command in this process, which is faster than starting one."""
        result = CliRunner().invoke(commands, words, env=place, catch_exceptions=False)
        assert 0 == result.exit_code, result.output
        output.append(result.output)
        return result.stdout

    def start_it(*words: str, code: int = 0) -> str:
        done = veperf(*words, code=code, environment=place)
        output.extend((done.stdout, done.stderr))
        return done.stdout

    planted = ("planted/work", "--module", "tests.support.planted")
    first = start_it("run", *planted, "--archive", s3_url)
    assert f"kept in {s3_url}/" in first
    run = Archive(s3_url).load()
    Archive(s3_url).save(msgspec.structs.replace(run, id=f"{run.id}-again"))
    runs = Archive(s3_url).ids()
    assert 2 == len(runs)
    listed = do("list", "--runs", "--archive", s3_url)
    assert all(run in listed for run in runs)
    assert "vs base" in do("compare", *runs)
    assert "planted/work" in do("history", "planted/work")
    assert f"report: {s3_url}/{runs[-1]}/index.html" in start_it("report")
    assert f"site: {s3_url}/index.html" in do("site")
    assert re.search(r"packed 1\srun", do("archive", "compact", "--keep", "1"))
    assert re.search(r"2 of 2\scomplete runs", do("archive", "verify"))
    do("export", runs[0], "--format", "csv", "-o", str(tmp_path / "out.csv"))
    do("ab", "--command-a", "true", "--command-b", "true", "--max-pairs", "6")
    assert re.search(
        r"copied 2\sruns from .*copied 1\scomparison",
        do("archive", "import", s3_url, "--archive", str(tmp_path / "copy")),
        re.DOTALL,
    )
    do("baseline", "record", "last", "--baselines", str(tmp_path / "baselines"))
    missing = s3_url.replace("runs-", "none-")
    start_it("list", "--runs", "--archive", missing, code=3)
    start_it("report", "--archive", f"s3://{KEY}:{SECRET}@bucket/x", code=2)

    actual = contents(s3_url)
    assert re.search(r"removed 1\srun", do("archive", "prune", "--keep", "1", "--yes"))
    assert {"index.html", f"{runs[-1]}/index.html", f"{runs[-1]}/index.ipynb"} <= actual.keys()
    assert "text/html" == bucket().info(f"{s3_url}/index.html")["ContentType"]
    texts = [text.encode() for text in output]
    texts += [
        *actual.values(),
        *_unpacked(actual),
        *(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()),
    ]
    for text in texts:
        assert SECRET.encode() not in text
        assert KEY.encode() not in text


def _unpacked(objects: Mapping[str, bytes]) -> Iterator[bytes]:
    """The contents of the zips among the objects."""
    for name, data in objects.items():
        if name.endswith(".zip"):
            with zipfile.ZipFile(io.BytesIO(data)) as packed:
                yield from map(packed.read, packed.namelist())


@pytest.mark.slow
def test_two_compactions_at_once_pack_each_run_once(s3_url: str):
    """One process works, the other waits, and both succeed."""
    runs = [dated_run(day) for day in range(8)]
    archive_of(s3_url, runs)

    processes = [start(COMPACT, s3_url) for _ in range(2)]
    for process in processes:
        _, output = process.communicate(timeout=240)
        assert 0 == process.returncode, output

    archive = Archive(s3_url)
    assert {} == archive.faults()
    assert runs == list(archive.readable_runs())
    packed = [run for name in archive.packs.names() for run in archive.packs.runs_in(name)]
    assert sorted(packed) == [run.id for run in runs]
    assert [".last-stamp.json"] == [key for key in contents(s3_url) if "/." in f"/{key}"]


@pytest.mark.slow
def test_a_killed_compaction_leaves_a_readable_archive(s3_url: str):
    """kill -9 while it holds the lock: all runs are there, and the next one works at once."""
    runs = [dated_run(day) for day in range(6)]
    archive_of(s3_url, runs)
    process = start(COMPACT, s3_url)
    until(lambda: process.poll() is not None or bool(bucket().find(f"{s3_url}/.lock")))
    assert process.poll() is None
    kill(process)

    archive = Archive(s3_url)
    assert {} == archive.faults()
    assert runs == list(archive.readable_runs())

    done = veperf("archive", "compact", "--keep", "0", "--archive", s3_url)
    assert re.search(r"packed \d+\sruns?", done.stdout)
    assert runs == list(Archive(s3_url).readable_runs())
    assert {"packs", ".last-stamp.json"} == {name.partition("/")[0] for name in contents(s3_url)}


@pytest.mark.slow
def test_a_dead_writer_s_run_goes_on_at_once(s3_url: str):
    """A dead process's lock ends at once; while it lives, no other process writes the run."""
    process = start(MEASURE, s3_url)
    assert process.stdout is not None
    assert "measuring\n" == process.stdout.readline()

    refused = veperf("run", "--resume", "--archive", s3_url, code=2)
    assert "another process is measuring run" in refused.stderr
    kill(process)

    again = Archive(s3_url).resume("last")
    assert [1, 2, 3, 4, 5] == again.missing()
    again.close()


@pytest.mark.slow
def test_a_sweep_there_goes_on_from_another_process(s3_url: str, tmp_path: Path):
    """A stopped sweep is resumed by its URL alone, and no task is repeated."""
    spec = tmp_path / "try.toml"
    spec.write_text(
        'name = "try"\nbenchmarks = ["planted/work"]\n'
        'modules = ["tests.support.planted"]\nrepeats = 2\n'
    )
    words = [sys.executable, "-m", "veperf", "sweep", "--local", "--archive", s3_url]
    with subprocess.Popen([*words, str(spec)], cwd=ROOT, stderr=subprocess.PIPE) as first:
        while not Archive(s3_url).ids():
            assert first.poll() is None
            time.sleep(0.3)
        os.kill(first.pid, signal.SIGINT)
        _, stderr = first.communicate(timeout=120)
    hint = rf"`veperf sweep --resume try-\S+ .*--archive {s3_url}.*` goes on"
    assert re.search(hint, stderr.decode())
    kept = Archive(s3_url).ids()

    veperf("sweep", "--local", "--resume", "--archive", s3_url)

    assert 2 == len(Archive(s3_url).ids())
    assert set(kept) < set(Archive(s3_url).ids())
    assert 2 == veperf("sweep", "--show", "--archive", s3_url).stdout.count("planted/work")
