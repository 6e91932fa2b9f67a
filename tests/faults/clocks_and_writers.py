"""Clocks that jump, and many writers at once: `last` is the last made, each run is there once."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from random import Random
from types import SimpleNamespace
from unittest import mock

from msgspec.structs import replace

from tests.faults.ground import COMPARISON, Tally, known_run, require_sound
from veperf.archive import completion_order
from veperf.archive.compaction import compact_archive
from veperf.archive.comparisons import read_ab, save_ab
from veperf.archive.merge import merge_runs
from veperf.archive.store import Archive
from veperf.archive.summary import load_summary

_HOUR_NS = 3_600 * 10**9


@contextmanager
def clock_at(now_ns: int) -> Iterator[None]:
    """Set the clock by which runs are completed."""
    with mock.patch.object(completion_order, "time", SimpleNamespace(time_ns=lambda: now_ns)):
        yield


def jump_clocks(parent: Path, seed: int, count: int) -> Tally:
    """Complete runs and comparisons under a clock that jumps by up to two days, and back.

    Raises:
        AssertionError: `last` is not the last made.
    """
    tally = Tally("clock jumps")
    dice = Random(seed)
    for trial in range(count):
        archive = Archive(parent / f"clock-{seed}-{trial}")
        days = dice.sample(range(200), 8)
        for day in days:
            now_ns = time.time_ns() + int(dice.uniform(-48, 48) * _HOUR_NS)
            with clock_at(now_ns):
                archive.save(known_run(day))
                id = f"{dice.randrange(10**6):06}-{day}"
                save_ab(archive.storage, replace(COMPARISON, id=id))
            assert Archive(archive.folder).resolve("last") == known_run(day).id, (seed, trial)
            assert read_ab(archive.folder).id == id, (seed, trial)
            action = dice.randrange(4)
            if action == 0:
                compact_archive(archive, keep=dice.randrange(4))
            elif action == 1:
                (archive.folder / ".last-stamp.json").unlink()
            assert Archive(archive.folder).resolve("last") == known_run(day).id, (seed, trial)
            tally.outcomes["the last made"] += 1
        copy = Archive(parent / f"copy-{seed}-{trial}")
        list(merge_runs(copy, archive))
        assert copy.resolve("last") == known_run(days[-1]).id, (seed, trial)
        tally.outcomes["the last made, in a copy"] += 1
    return tally


def _save(folder: Path, first: int, count: int) -> None:
    archive = Archive(folder)
    for day in range(first, first + count):
        archive.save(known_run(day))


def _keep_tidy(folder: Path, times: int) -> None:
    for _ in range(times):
        compact_archive(Archive(folder), keep=2)
        load_summary(Archive(folder))


def write_at_once(parent: Path, seed: int, count: int) -> Tally:
    """Let two writers, then eight, save ``count`` runs each while another process packs.

    Raises:
        AssertionError: a run is lost, there twice, or changed; or a process failed.
    """
    tally = Tally("writers at once")
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__, "pyarrow.parquet", "duckdb"])
    for writers in (2, 8):
        folder = parent / f"{writers}-writers-{seed}"
        Archive(folder).storage.require_writable()
        Archive(folder).storage.write("about.txt", b"runs of several writers")
        work = [
            context.Process(target=_save, args=(folder, 1_000 * n, count), daemon=True)
            for n in range(writers)
        ]
        work.append(context.Process(target=_keep_tidy, args=(folder, count), daemon=True))
        for process in work:
            process.start()
        for process in work:
            process.join(300)
            assert process.exitcode == 0, f"{process} of {writers} writers"
        days = {1_000 * n + i for n in range(writers) for i in range(count)}
        assert require_sound(folder, days) == days
        ids = Archive(folder).query("SELECT run, count(*) AS n FROM samples GROUP BY ALL")
        assert (len(ids), 1) == (len(days), ids["n"].nunique())
        assert len(load_summary(Archive(folder)).runs) == len(days)
        tally.outcomes[f"runs of {writers} writers"] += len(days)
    return tally
