"""Concurrent and killed processes at a local archive lose no run and leave none half written."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.archives import archive_of, dated_run, stepped
from veperf.archive.compaction import compact_archive
from veperf.archive.store import Archive
from veperf.archive.summary import load_summary
from veperf.archive.summary_files import FOLDER
from veperf.archive.trend import case_trend
from veperf.core.run import Run

ROOT = Path(__file__).parents[2]
BEGIN = """
import sys
from pathlib import Path
from tests.support.archives import dated_run
from veperf.archive.store import Archive
from veperf.archive.compaction import compact_archive
from veperf.archive.merge import merge_runs
from veperf.archive.summary import load_summary
archive = Archive(Path(sys.argv[1]))
print("ready", flush=True)
"""
COMPLETE = "for day in range(*map(int, sys.argv[2:])):\n    archive.save(dated_run(day))\n"
LOAD_SUMMARY = "for _ in range(8):\n    load_summary(archive)\n"
COMPACT = "for keep in (20, 10, 5, 0):\n    compact_archive(archive, keep=keep)\n"
MERGE = "list(merge_runs(archive, Archive(Path(sys.argv[2]))))\n"


def start(code: str, *words: object) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", BEGIN + code, *map(str, words)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(*processes: "subprocess.Popen[str]") -> None:
    for process in processes:
        _, output = process.communicate(timeout=120)
        assert 0 == process.returncode, output


def read(folder: Path) -> list[Run]:
    """All runs of an archive, which must be intact."""
    archive = Archive(folder)
    assert {} == archive.faults()
    runs = list(archive.readable_runs())
    assert archive.ids() == sorted(run.id for run in runs)
    return runs


@pytest.mark.slow
def test_writers_readers_and_packers_don_t_harm_each_other(tmp_path: Path):
    """Three complete runs, two read the summary, two pack: every run is there once, as it was."""
    finish(
        *(start(COMPLETE, tmp_path, first, first + 12) for first in (0, 12, 24)),
        *(start(LOAD_SUMMARY, tmp_path) for _ in range(2)),
        *(start(COMPACT, tmp_path) for _ in range(2)),
    )

    # In the order in which the writers were done, which differs each time.
    assert [dated_run(day) for day in range(36)] == sorted(read(tmp_path), key=lambda run: run.id)
    assert 36 == len(case_trend(load_summary(Archive(tmp_path)), "demo/a").runs)
    assert not list(tmp_path.glob(".removed-*")) + list(tmp_path.glob("packs/.*"))


@pytest.mark.slow
def test_two_compactions_at_once_pack_each_run_once(tmp_path: Path):
    """One process works, the other waits, and both succeed."""
    runs = stepped(30, step_at=10)
    archive_of(tmp_path, runs)

    finish(*(start(COMPACT, tmp_path) for _ in range(3)))

    assert runs == read(tmp_path)
    packed = [run for pack in Archive(tmp_path).packs.names() for run in _packed(tmp_path, pack)]
    assert sorted(packed) == [run.id for run in runs]


def _packed(folder: Path, pack: str) -> list[str]:
    packs = Archive(folder).packs
    packs.names()
    return list(packs.runs_in(pack))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "words"),
    [
        (COMPLETE, (200, 400)),
        (LOAD_SUMMARY, ()),
        (COMPACT * 20, ()),
        (MERGE, ("other",)),
    ],
    ids=["writer", "summary", "compaction", "take over"],
)
def test_a_killed_process_leaves_a_readable_archive(tmp_path: Path, code, words):
    """kill -9 at any moment: what was complete is there as it was, and everything goes on."""
    folder = tmp_path / "archive"
    runs = [dated_run(day) for day in range(8)]
    archive_of(folder, runs)
    archive_of(tmp_path / "other", [dated_run(day) for day in range(400, 420)])
    dice = random.Random(7)
    for more in range(100, 116, 4):
        runs += [dated_run(day) for day in range(more, more + 4)]
        archive_of(folder, runs[-4:])
        process = start(code, folder, *(tmp_path / w if w == "other" else w for w in words))
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(dice.uniform(0, 0.15))
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()

        actual = read(folder)
        assert all(run in actual for run in runs)
        assert all(run == dated_run(_day(run)) for run in actual)
        if code == COMPLETE:  # it goes on after what it has
            words = (max(map(_day, actual)) + 2, 400)

    compact_archive(Archive(folder), keep=1)
    again = load_summary(Archive(folder))
    assert actual == read(folder)
    assert [run.id for run in actual] == [facts.id for facts in again.runs]
    left = {path.name for path in folder.iterdir()} - {run.id for run in actual}
    assert left <= {"packs", FOLDER, ".last-stamp.json"} | set(
        Archive(folder).incomplete_ids()
    ) | _begun(folder)


def _day(run: Run) -> int:
    return int(run.revision.commit, 16)


def _begun(folder: Path) -> set[str]:
    """Folders of runs whose writer was killed before it wrote a file."""
    return {path.name for path in folder.iterdir() if not any(path.glob("[!.]*"))}
