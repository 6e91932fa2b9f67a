"""A process killed between any two writes leaves an intact archive; the work can be repeated."""

import secrets
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests.support.archives import archive_of, dated_run
from veperf.archive.compaction import compact_archive, prune_runs
from veperf.archive.merge import merge_runs
from veperf.archive.storage import lease
from veperf.archive.storage.lease import LeaseTimes, LockOwner
from veperf.archive.storage.location import Url
from veperf.archive.storage.objects import Objects
from veperf.archive.storage.remote import RemoteStorage, open_remote
from veperf.archive.store import Archive
from veperf.archive.summary import load_summary
from veperf.core.run import Run

RUNS = [dated_run(day) for day in range(6)]
LOOPS = {result.case: result.loops for result in dated_run(9).passes[0].results}
MORE = msgspec.structs.replace(dated_run(9), loops=LOOPS)
PACE = LeaseTimes(renew_s=1e6, poll_s=0.002, dead_s=0.02)


class _KilledError(BaseException):
    """Simulated death of the process: later writes have no effect."""


def _keep(archive: Archive, _: Path) -> None:
    writer = archive.begin(msgspec.structs.replace(MORE, passes=()))
    for item in MORE.passes:
        writer.add(item, LOOPS)
    writer.complete()


def _compact(archive: Archive, _: Path) -> None:
    compact_archive(archive, keep=1)


def _prune(archive: Archive, _: Path) -> None:
    prune_runs(archive, [RUNS[0].id, RUNS[4].id])


def _take_over(archive: Archive, other: Path) -> None:
    list(merge_runs(archive, Archive(other)))


def _summarise(archive: Archive, _: Path) -> None:
    load_summary(archive)


@pytest.mark.parametrize(
    ("work", "expected"),
    [
        (_keep, [*RUNS, MORE]),
        (_compact, RUNS),
        (_prune, RUNS[1:4] + RUNS[5:]),
        (_take_over, [*RUNS, MORE]),
        (_summarise, RUNS),
    ],
)
def test_it_may_be_cut_off_anywhere(
    work: Callable[[Archive, Path], None],
    expected: list[Run],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    """Killed before any single write, nothing is lost or half written; repeating succeeds."""
    archive_of(tmp_path, [MORE])
    for allowed in range(100):
        storage = RemoteStorage(open_remote(Url("memory", secrets.token_hex(8))).objects, PACE)
        archive_of_storage(storage)
        with monkeypatch.context() as patch:
            _kill_after(patch, allowed)
            try:
                work(Archive(storage), tmp_path)
                ended = True
            except _KilledError:
                ended = False

        archive = Archive(storage)
        actual = list(archive.readable_runs())
        assert {} == archive.faults()
        assert all(run in actual for run in RUNS if run in expected)
        assert all(run in [*RUNS, MORE] for run in actual)
        assert {run.id for run in actual}.isdisjoint(archive.incomplete_ids())
        again = _resume if work is _keep else work
        again(archive, tmp_path)
        assert expected == sorted(Archive(storage).readable_runs(), key=lambda run: run.id)
        assert {} == Archive(storage).faults()
        in_summary = [run.id for run in load_summary(archive).runs]
        assert [run.id for run in expected] == sorted(in_summary)
        if ended:
            return
    pytest.fail("it never came to an end")


def archive_of_storage(storage: RemoteStorage) -> None:
    """Six runs, of which two are packed."""
    archive = Archive(storage)
    for run in RUNS:
        archive.save(run)
    compact_archive(archive, keep=4)


def _resume(archive: Archive, _: Path) -> None:
    """Continue the run if it was begun, else begin it."""
    if archive.is_complete(MORE.id):
        return
    if MORE.id not in archive.incomplete_ids():
        _keep(archive, Path())
        return
    writer = archive.resume(MORE.id)
    for index in writer.missing():
        writer.add(MORE.passes[index], LOOPS)
    writer.complete()


def _kill_after(patch: pytest.MonkeyPatch, allowed: int) -> None:
    """Allow that many writes or deletions, by a process of another machine."""
    left = allowed
    # Locks that earlier tests left behind are still renewed.
    others = set(threading.enumerate()) - {threading.current_thread()}
    patch.setattr(lease, "current_process", lambda: LockOwner("another machine", 1, "1"))

    def count_calls(name: str) -> None:
        true = getattr(Objects, name)

        def one(objects: Objects, *given: object) -> None:
            if name == "delete" and not given[0]:
                return
            nonlocal left
            if threading.current_thread() not in others:
                left -= 1
                if left < 0:
                    raise _KilledError
            true(objects, *given)

        patch.setattr(Objects, name, one)

    for name in ("put", "put_file", "delete"):
        count_calls(name)
