"""Writing packs."""

import contextlib
import secrets
import zipfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from veperf.archive.files import write_json
from veperf.archive.manifest import SAMPLES, RunFiles, faults, read_complete
from veperf.archive.packs import MANIFEST, TABLE, ZIP, Pack, PackedFiles, checksum_of
from veperf.archive.query import samples_schema, samples_table
from veperf.archive.storage.base import Lock, Storage
from veperf.archive.storage.ordered_map import in_order
from veperf.archive.store import Archive
from veperf.archive.summary import Summary
from veperf.core.errors import CorruptFileError, UsageError

_EPOCH = (1980, 1, 1, 0, 0, 0)


def write_pack(
    packs: Storage,
    runs: Mapping[str, RunFiles],
    completed_ns: Mapping[str, int],
    lock: Lock,
    replaces: Sequence[str] = (),
) -> None:
    """Pack ``runs``, all of them intact, into a new pack in ``packs``.

    From one moment to the next it stands for the packs that it ``replaces``, by name. ``lock`` is
    that of the archive.

    Raises:
        CorruptFileError: a run can't be read.
        StorageError: ``packs`` can't be written, or the disk is full; nothing is there then.
    """
    name = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
    with packs.fill(name, lock) as new:
        _write_zip(new / ZIP, runs, packs.at_once)
        _write_table(new / TABLE, runs, packs.at_once)
        sums = {file: checksum_of((new / file).open("rb")) for file in (ZIP, TABLE)}
        stamps = {run: completed_ns[run] for run in runs}
        write_json(new / MANIFEST, Pack(stamps, sums, tuple(replaces)))


def _write_zip(path: Path, runs: Mapping[str, RunFiles], at_once: int) -> None:
    contents = in_order(at_once, _contents, runs.values())
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for run, content in zip(runs, contents, strict=True):
            for name, data in content.items():
                member = zipfile.ZipInfo(f"{run}/{name}", _EPOCH)
                packed.writestr(member, data, zipfile.ZIP_DEFLATED)


def _contents(files: RunFiles) -> dict[str, bytes]:
    return {name: files.read(name) for name in files.names() if name != SAMPLES}


def _write_table(path: Path, runs: Mapping[str, RunFiles], at_once: int) -> None:
    import pyarrow.parquet as pq

    read = in_order(at_once, lambda item: read_complete(*item), runs.items())
    with pq.ParquetWriter(path, samples_schema(), compression="zstd") as table:
        for run in read:
            table.write_table(samples_table(run))


KEEP = 100
_LARGEST = 500
"""Runs in a pack."""


@dataclass(frozen=True, slots=True)
class Compacted:
    """What a compaction did."""

    packed: tuple[str, ...]
    """Ids of the runs that were in folders of their own before."""
    left_out: dict[str, str]
    """Ids of those that stay where they are, as something is wrong with them, and what."""


def compact(archive: Archive, *, keep: int = KEEP) -> Compacted:
    """Pack all complete runs but the last ``keep``, with their reports; damaged ones stay.

    Safe at any time: a run is in its pack, checked, before its folder goes; of several who do
    this at once, one works and the others wait.

    Raises:
        UsageError: ``keep`` is below zero.
        StorageError: the archive can't be written, or the disk is full.
    """
    if keep < 0:
        raise UsageError(f"so many runs can't be kept: {keep}")
    with archive.storage.lock() as lock:
        tidy(archive, lock)
        packed = archive.packs.runs()
        loose = {run: when for run, when in archive.loose().items() if run not in packed}
        old = sorted(loose)[: max(0, len(loose) - keep)]
        wrong = in_order(
            archive.storage.at_once, lambda run: _obstacle(run, archive.files(run)), old
        )
        left_out = {run: why for run, why in zip(old, wrong, strict=True) if why}
        sound = [run for run in old if run not in left_out]
        for first in range(0, len(sound), _LARGEST):
            some = {run: loose[run] for run in sound[first : first + _LARGEST]}
            _pack(archive, some, lock)
    return Compacted(tuple(sound), left_out)


def tidy(archive: Archive, lock: Lock) -> None:
    """End what somebody who was killed or suspended had begun, with the archive's lock.

    Raises:
        StorageError: something can't be removed.
    """
    archive.storage.sweep()
    archive.packs.storage.sweep()
    _remove_replaced(archive)
    _part(archive, lock)
    for run in archive.loose().keys() & archive.packs.runs().keys():
        # The copy of a run whose pack is damaged stays.
        if not _faults(archive, run):
            lock.check()
            archive.storage.remove(run)


def _part(archive: Archive, lock: Lock) -> None:
    """Take the runs out of a pack that newer packs have, too, where they are sound there."""
    packs = archive.packs
    for name, runs in packs.counted().items():
        twice = packs.runs_of(name).keys() - runs.keys()
        if not twice or any(_faults(archive, run) for run in twice):
            continue
        with contextlib.suppress(CorruptFileError):  # what is damaged stays as it is
            if runs:
                files = {run: PackedFiles(packs, name, run) for run in sorted(runs)}
                write_pack(packs.storage, files, runs, lock, [name])
            lock.check()
            packs.storage.remove(name)


def _faults(archive: Archive, run: str) -> list[str]:
    """What is wrong with a run as it is packed."""
    files = archive.packs.files(run)
    return ["it is in none"] if files is None else faults(run, files, elsewhere={SAMPLES})


def _obstacle(run: str, files: RunFiles) -> str:
    """Why the run can't be packed; empty where it can."""
    try:
        for name in files.names():
            files.read(name)
    except CorruptFileError as error:
        return str(error)
    return next(iter(faults(run, files)), "")


def _pack(archive: Archive, runs: Mapping[str, int], lock: Lock) -> None:
    """Pack ``runs``, and the packs that are smaller than what they join: each but a few times."""
    completed_ns, absorbed = dict(runs), []
    packs = archive.packs.counted()
    for name in sorted(packs, key=lambda name: len(packs[name])):
        size = len(packs[name])
        fits = size <= len(completed_ns) and size + len(completed_ns) <= _LARGEST
        # One with runs that count elsewhere has sound copies of them, see _part.
        is_whole = packs[name].keys() == archive.packs.runs_of(name).keys()
        if fits and is_whole and not archive.packs.faults_of(name):
            completed_ns |= packs[name]
            absorbed.append(name)
    files = {run: archive.files(run) for run in sorted(completed_ns)}
    write_pack(archive.packs.storage, files, completed_ns, lock, absorbed)
    for run in runs:
        lock.check()
        archive.storage.remove(run)
    _remove_replaced(archive)


def _remove_replaced(archive: Archive) -> None:
    for pack in archive.packs.replaced():
        archive.packs.storage.remove(pack)


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
