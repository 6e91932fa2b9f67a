"""Remote files are read concurrently, with the same results in the same order."""

import secrets
import threading
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from hypothesis import given
from hypothesis import strategies as st

from tests.support.archives import archive_of, dated_run
from veperf.archive.compaction import compact_archive, prune_runs
from veperf.archive.merge import merge_runs
from veperf.archive.storage.objects import Objects
from veperf.archive.storage.ordered_map import ordered_map
from veperf.archive.storage.remote import RemoteStorage
from veperf.archive.store import Archive
from veperf.archive.summary import load_summary

RUNS = [dated_run(day) for day in range(16)]
TOGETHER = 8


class Distant(MemoryFileSystem):  # type: ignore[misc]  # it carries no types
    """A storage that delivers the first file only after so many runs have been requested."""

    async_impl = True
    cachable = False

    def __init__(self) -> None:
        super().__init__()
        self.barrier = threading.Barrier(TOGETHER)
        self.is_slow = False
        self.most = 0
        self._now = 0
        self._seen: set[str] = set()
        self._guard = threading.Lock()

    def cat_file(self, path: str, **given: Any) -> bytes:
        with self._guard:
            first = self.is_slow and path.endswith("/complete.json") and path not in self._seen
            self._seen.add(path) if first else None
            self._now += 1
            self.most = max(self.most, self._now)
        if first:
            self.barrier.wait(timeout=60)
        data: bytes = super().cat_file(path, **given)
        with self._guard:
            self._now -= 1
        return data


@pytest.fixture
def distant() -> Iterator[tuple[Archive, Distant]]:
    """An archive of 16 runs in such a place."""
    filesystem, name = Distant(), secrets.token_hex(8)
    archive = Archive(RemoteStorage(Objects(filesystem, f"memory://{name}", f"/{name}")))
    for run in RUNS:
        archive.save(run)
    filesystem.is_slow = True
    yield archive, filesystem
    filesystem.barrier.abort()


def _summarise(archive: Archive, _: Path) -> None:
    notices: list[tuple[int, int]] = []
    summary = load_summary(archive, lambda *progress: notices.append(progress))
    assert [run.id for run in RUNS] == [run.id for run in summary.runs]
    assert [(i, 16) for i in range(1, 17)] == notices


def _verify(archive: Archive, _: Path) -> None:
    assert {} == archive.faults()


def _read(archive: Archive, _: Path) -> None:
    assert list(archive.readable_runs()) == RUNS
    assert [run.id for run in RUNS] == load_summary(archive).ids


def _take_over(archive: Archive, here: Path) -> None:
    mine = Archive(here)
    assert [(run.id, "") for run in RUNS] == [(t.run, t.skipped) for t in merge_runs(mine, archive)]
    assert list(mine.readable_runs()) == RUNS


def _pack(archive: Archive, _: Path) -> None:
    compact_archive(archive, keep=0)
    prune_runs(archive, [RUNS[0].id])
    assert RUNS[1:] == list(archive.readable_runs())


@pytest.mark.parametrize("work", [_summarise, _verify, _read, _take_over, _pack])
def test_runs_from_afar_are_read_several_at_once(
    distant: tuple[Archive, Distant], tmp_path: Path, work: Callable[[Archive, Path], None]
):
    """Files are requested concurrently, but never more than the limit."""
    archive, filesystem = distant

    work(archive, tmp_path)

    # On a slow machine the lease of a lock is renewed meanwhile.
    assert TOGETHER <= filesystem.most <= archive.storage.concurrency + 1 == 17


def test_one_run_that_is_broken_costs_itself(distant: tuple[Archive, Distant]):
    """Only the damaged run is left out, and it is named."""
    archive, _ = distant
    archive.at(RUNS[5].id).write("run.json", b"{}")

    summary = load_summary(archive)

    assert [RUNS[5].id] == list(summary.left_out)
    assert 15 == len(summary.runs)
    assert [RUNS[5].id] == list(archive.faults())


def test_files_of_this_machine_are_read_one_by_one(near: str):
    """A local archive is read without threads."""
    archive = archive_of(near, RUNS[:2])
    assert 1 == archive.storage.concurrency
    assert RUNS[:2] == list(archive.readable_runs())


@given(st.integers(1, 5), st.lists(st.integers(), max_size=30))
def test_results_come_in_order(concurrency: int, items: list[int]):
    """Results come in order, as of a plain loop."""
    assert [item * 2 for item in items] == list(ordered_map(concurrency, lambda i: i * 2, items))


@pytest.mark.parametrize("concurrency", [1, 3])
def test_an_error_comes_where_its_result_would(concurrency: int):
    """An exception comes after the results before it, and little beyond it is started."""
    begun: list[int] = []

    def do(item: int) -> int:
        begun.append(item)
        if item == 4:
            raise ZeroDivisionError
        return item

    results = ordered_map(concurrency, do, range(1_000))
    assert [0, 1, 2, 3] == list(islice(results, 4))
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert 20 > len(begun)


def test_nobody_works_on_for_who_has_gone():
    """A reader that stops early leaves no thread behind."""
    results = ordered_map(4, lambda item: item, range(1_000))
    next(results)
    results.close()  # type: ignore[attr-defined]  # a generator has it
    assert not [t for t in threading.enumerate() if t.name.startswith("veperf-archive")]
