"""Whoever is killed between any two objects leaves an archive that is whole, and goes on."""

import secrets
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests.support.archives import archive_of, dated_run
from veperf.archive.compaction import compact, prune
from veperf.archive.merge import take_over
from veperf.archive.storage import lease
from veperf.archive.storage.lease import Holder, Pace
from veperf.archive.storage.location import Url
from veperf.archive.storage.objects import Objects
from veperf.archive.storage.remote import RemoteStorage, open_remote
from veperf.archive.store import Archive
from veperf.archive.summary import summarise
from veperf.core.run import Run

RUNS = [dated_run(day) for day in range(6)]
LOOPS = {result.case: result.loops for result in dated_run(9).passes[0].results}
MORE = msgspec.structs.replace(dated_run(9), loops=LOOPS)
PACE = Pace(renew_s=1e6, look_s=0.002, dead_s=0.02)


class _KilledError(BaseException):
    """After it nothing is written any more, whatever is still tried on the way out."""


def _keep(archive: Archive, _: Path) -> None:
    writer = archive.begin(msgspec.structs.replace(MORE, passes=()))
    for one in MORE.passes:
        writer.add(one, LOOPS)
    writer.complete()


def _compact(archive: Archive, _: Path) -> None:
    compact(archive, keep=1)


def _prune(archive: Archive, _: Path) -> None:
    prune(archive, [RUNS[0].id, RUNS[4].id])


def _take_over(archive: Archive, other: Path) -> None:
    list(take_over(archive, Archive(other)))


def _summarise(archive: Archive, _: Path) -> None:
    summarise(archive)


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
    """Tried before each single write: nothing is lost, nothing half there; done again, it ends."""
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
        found = list(archive.readable())
        assert {} == archive.faults()
        assert all(run in found for run in RUNS if run in expected)
        assert all(run in [*RUNS, MORE] for run in found)
        assert {run.id for run in found}.isdisjoint(archive.incomplete_ids())
        again = _resume if work is _keep else work
        again(archive, tmp_path)
        assert expected == list(Archive(storage).readable())
        assert {} == Archive(storage).faults()
        assert [run.id for run in expected] == [run.id for run in summarise(archive).runs]
        if ended:
            return
    pytest.fail("it never came to an end")


def archive_of_storage(storage: RemoteStorage) -> None:
    """Six runs, of which two are packed."""
    archive = Archive(storage)
    for run in RUNS:
        archive.keep(run)
    compact(archive, keep=4)


def _resume(archive: Archive, _: Path) -> None:
    """Go on where the run was begun; begin it where it was not."""
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
    """Let so many objects be written or deleted, by a process of another machine."""
    left = allowed
    patch.setattr(lease, "this_process", lambda: Holder("another machine", 1, "1"))

    def counted(name: str) -> None:
        true = getattr(Objects, name)

        def one(objects: Objects, *given: object) -> None:
            if name == "delete" and not given[0]:
                return
            nonlocal left
            left -= 1
            if left < 0:
                raise _KilledError
            true(objects, *given)

        patch.setattr(Objects, name, one)

    for name in ("put", "put_file", "delete"):
        counted(name)
