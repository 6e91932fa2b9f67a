"""Runs that nobody needs any more."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta

from veperf.archive.compaction import tidy
from veperf.archive.packing import write_pack
from veperf.archive.storage.protocol import Lock
from veperf.archive.store import Archive
from veperf.archive.summary import Summary
from veperf.errors import UsageError


def superfluous(
    summary: Summary,
    *,
    keep: int | None = None,
    older_than_days: float | None = None,
    needed: Collection[str] = (),
    now: datetime | None = None,
) -> tuple[str, ...]:
    """Ids of the runs that may go, oldest first.

    That is all but the last ``keep``, of these those that are ``older_than_days``; where one of
    the two is not given, it does not matter. The last run of each machine class stays, and so do
    those whose ids are ``needed``. A run whose date can't be read has no age.

    Raises:
        UsageError: neither is given, or one is below zero.
    """
    if keep is None and older_than_days is None:
        raise UsageError("say which runs may go: all but the last so many, or those of an age")
    if (keep or 0) < 0 or not 0 <= (older_than_days or 0) < 1e5:
        raise UsageError("a number of runs or days to keep is zero or more, and no more than 1e5")
    runs = summary.runs
    stay = {run.machine: run.id for run in runs}.values()
    before = (now or datetime.now(UTC)) - timedelta(days=older_than_days or 0)
    return tuple(
        run.id
        for run in runs[: max(0, len(runs) - (keep or 0))]
        if run.id not in needed
        and run.id not in stay
        and (older_than_days is None or (run.made is not None and run.made < before))
    )


def prune(archive: Archive, ids: Iterable[str]) -> None:
    """Remove these runs for good, packed or not.

    Raises:
        StorageError: the archive can't be written.
        CorruptFileError: a pack that holds one of them is damaged, so it can't be made anew.
    """
    gone = set(ids)
    with archive.storage.lock() as lock:
        tidy(archive, lock)
        for run in gone & archive.loose().keys():
            lock.check()
            archive.storage.remove(run)
        for name in archive.packs.names():
            if gone & archive.packs.runs_of(name).keys():
                _thin_out(archive, name, gone, lock)


def _thin_out(archive: Archive, name: str, gone: Collection[str], lock: Lock) -> None:
    packed = archive.packs.runs_of(name)
    stay = {run: archive.files(run) for run in sorted(packed) if run not in gone}
    if stay:
        write_pack(archive.packs.storage, stay, packed, lock, [name])
    lock.check()
    archive.packs.storage.remove(name)
    # Reports of packed runs have folders of their own.
    for run in packed.keys() & set(gone):
        archive.storage.remove(run)
