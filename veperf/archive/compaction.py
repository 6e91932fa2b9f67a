"""Packing old runs into few files, and pruning runs that no rule keeps."""

import contextlib
import secrets
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from veperf.archive.completion_order import in_order, read_stamps
from veperf.archive.files import checksum_of, write_file, write_json
from veperf.archive.manifest import (
    COMPLETE,
    SAMPLES,
    RunFiles,
    decode_stamp,
    read_complete_run,
    run_faults,
)
from veperf.archive.pack_figures import RunFigures
from veperf.archive.packs import FIGURES, MANIFEST, TABLE, ZIP, Pack, PackedFiles
from veperf.archive.query import PARQUET, samples_schema, samples_table
from veperf.archive.storage.base import Lock, Storage
from veperf.archive.storage.ordered_map import ordered_map
from veperf.archive.store import Archive
from veperf.archive.summary import ArchiveSummary
from veperf.core.errors import CorruptFileError, UsageError
from veperf.core.run import Run

_EPOCH = (1980, 1, 1, 0, 0, 0)


def write_pack(
    packs: Storage,
    runs: Mapping[str, RunFiles],
    completed_ns: Mapping[str, int],
    lock: Lock,
    replaces: Sequence[str] = (),
) -> None:
    """Write ``runs``, all of them intact, to a new pack in ``packs``.

    It takes the place of the packs named in ``replaces`` atomically. ``lock`` is the archive's.

    Raises:
        CorruptFileError: a run can't be read.
        StorageError: ``packs`` can't be written, or the disk is full; no pack appears then.
    """
    name = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
    with packs.new_folder(name, lock) as folder:
        order = _write_zip(folder / ZIP, runs, packs.concurrency)
        figures = RunFigures()
        for run in _write_table(folder / TABLE, runs, packs.concurrency):
            figures.add(run, completed_ns[run.id], order[run.id])
        write_file(folder / FIGURES, figures.encode())
        sums = {file: checksum_of((folder / file).open("rb")) for file in (ZIP, TABLE, FIGURES)}
        stamps = {run: completed_ns[run] for run in runs}
        write_json(folder / MANIFEST, Pack(stamps, sums, tuple(replaces), order))


def _write_zip(path: Path, runs: Mapping[str, RunFiles], concurrency: int) -> dict[str, int]:
    """Write the zip, and return the completion stamps of the runs."""
    order: dict[str, int] = {}
    contents = ordered_map(concurrency, _contents, runs.values())
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for run, content in zip(runs, contents, strict=True):
            order[run] = decode_stamp(content[COMPLETE], runs[run].where(COMPLETE))
            for name, data in content.items():
                member = zipfile.ZipInfo(f"{run}/{name}", _EPOCH)
                packed.writestr(member, data, zipfile.ZIP_DEFLATED)
    return order


def _contents(files: RunFiles) -> dict[str, bytes]:
    return {name: files.read(name) for name in files.names() if name != SAMPLES}


def _write_table(path: Path, runs: Mapping[str, RunFiles], concurrency: int) -> Iterator[Run]:
    """Write the table of samples, and yield each run of it."""
    import pyarrow.parquet as pq

    read = ordered_map(concurrency, lambda item: read_complete_run(*item), runs.items())
    with pq.ParquetWriter(path, samples_schema(), **PARQUET) as table:
        for run in read:
            table.write_table(samples_table(run))
            yield run


DEFAULT_KEEP = 100
_MAX_RUNS_PER_PACK = 500
"""Greatest number of runs in a pack."""


@dataclass(frozen=True, slots=True)
class CompactionResult:
    """The result of a compaction."""

    packed: tuple[str, ...]
    """Ids of the runs that were packed."""
    left_out: dict[str, str]
    """Damaged runs that were left in their folders, and links: the fault by name."""
    kept: int
    """Number of runs that were completed last, which were neither packed nor checked."""


def compact_archive(archive: Archive, *, keep: int = DEFAULT_KEEP) -> CompactionResult:
    """Pack all complete runs but the last ``keep``, with their reports; damaged ones stay.

    Safe at any time: a run is in its pack, checked, before its folder is removed; of several
    processes that compact at once, one works and the others wait.

    Raises:
        UsageError: ``keep`` is below zero.
        UnknownRunError: there is no archive.
        StorageError: the archive can't be written, or the disk is full.
    """
    if keep < 0:
        raise UsageError(f"the number of runs to keep can't be negative: {keep}")
    archive.require_exists()
    with archive.storage.lock() as lock:
        finish_interrupted_work(archive, lock)
        packed = archive.packs.runs()
        unpacked = {
            run: completed for run, completed in archive.unpacked().items() if run not in packed
        }
        stamps = read_stamps(archive.storage, COMPLETE, unpacked)
        old = in_order(stamps)[: max(0, len(stamps) - keep)]
        faults = ordered_map(
            archive.storage.concurrency, lambda run: _obstacle(run, archive.files(run)), old
        )
        left_out = {run: fault for run, fault in zip(old, faults, strict=True) if fault}
        intact = [run for run in old if run not in left_out]
        for first in range(0, len(intact), _MAX_RUNS_PER_PACK):
            _pack(
                archive,
                {run: unpacked[run] for run in intact[first : first + _MAX_RUNS_PER_PACK]},
                lock,
            )
    return CompactionResult(tuple(intact), left_out | archive.links(), len(stamps) - len(old))


def finish_interrupted_work(archive: Archive, lock: Lock) -> None:
    """Finish what killed or suspended processes had begun; ``lock`` is the archive's.

    Raises:
        StorageError: something can't be removed.
    """
    archive.storage.remove_leftovers()
    archive.packs.storage.remove_leftovers()
    _remove_replaced(archive)
    _drop_repeated(archive, lock)
    for run in archive.unpacked().keys() & archive.packs.runs().keys():
        # Where the pack is damaged, the copy stays.
        if not _faults(archive, run):
            lock.check()
            archive.storage.remove(run)


def _drop_repeated(archive: Archive, lock: Lock) -> None:
    """Drop runs from a pack that are also in newer packs, if they are intact there."""
    packs = archive.packs
    for name, runs in packs.counted_runs().items():
        repeated = packs.runs_in(name).keys() - runs.keys()
        if not repeated or any(_faults(archive, run) for run in repeated):
            continue
        with contextlib.suppress(CorruptFileError):  # a damaged pack stays as it is
            if runs:
                files = {run: PackedFiles(packs, name, run) for run in sorted(runs)}
                write_pack(packs.storage, files, runs, lock, [name])
            lock.check()
            packs.storage.remove(name)


def _faults(archive: Archive, run: str) -> list[str]:
    """Return the faults of a packed run."""
    files = archive.packs.files(run)
    return ["it is in no pack"] if files is None else run_faults(run, files, skipped={SAMPLES})


def _obstacle(run: str, files: RunFiles) -> str:
    """Return the reason why the run can't be packed; empty if it can."""
    try:
        for name in files.names():
            files.read(name)
    except CorruptFileError as error:
        return str(error)
    return next(iter(run_faults(run, files)), "")


def _pack(archive: Archive, runs: Mapping[str, int], lock: Lock) -> None:
    """Pack ``runs`` together with smaller packs, so that each run is repacked only a few times."""
    completed_ns, absorbed = dict(runs), []
    packs = archive.packs.counted_runs()
    for name in sorted(packs, key=lambda name: len(packs[name])):
        size = len(packs[name])
        fits = size <= len(completed_ns) and size + len(completed_ns) <= _MAX_RUNS_PER_PACK
        # A pack that has runs in common with a newer one is handled by _drop_repeated.
        is_whole = packs[name].keys() == archive.packs.runs_in(name).keys()
        if fits and is_whole and not archive.packs.pack_faults(name):
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


def expired_runs(
    summary: ArchiveSummary,
    *,
    keep: int | None = None,
    older_than_days: float | None = None,
    needed: Collection[str] = (),
    now: datetime | None = None,
) -> tuple[str, ...]:
    """Return the ids of the runs that the retention rules no longer keep.

    They are in the order in which they were completed, which says what the last ones are. A run
    expires if it is neither among the last ``keep`` nor younger than ``older_than_days``; a rule
    that is not given does not apply. The last run of each machine class stays, and so do the runs
    whose ids are ``needed``. A run without a readable date never counts as old.

    Raises:
        UsageError: neither rule is given, or one is out of range.
    """
    if keep is None and older_than_days is None:
        raise UsageError("say which runs to prune: all but the last so many, or those of an age")
    if (keep or 0) < 0 or not 0 <= (older_than_days or 0) < 1e5:
        raise UsageError("the number of runs or days to keep must be from 0 to 1e5")
    runs = summary.runs
    last_of_machine = {run.machine: run.id for run in runs}.values()
    limit = (now or datetime.now(UTC)) - timedelta(days=older_than_days or 0)
    return tuple(
        run.id
        for run in runs[: max(0, len(runs) - (keep or 0))]
        if run.id not in needed
        and run.id not in last_of_machine
        and (older_than_days is None or (run.created_at is not None and run.created_at < limit))
    )


def prune_runs(archive: Archive, ids: Iterable[str]) -> None:
    """Delete these runs, packed or not.

    Raises:
        StorageError: the archive can't be written.
        CorruptFileError: a pack that holds one of them is damaged and can't be rewritten.
    """
    expired = set(ids)
    with archive.storage.lock() as lock:
        finish_interrupted_work(archive, lock)
        for run in expired & archive.unpacked().keys():
            lock.check()
            archive.storage.remove(run)
        for name in archive.packs.names():
            if expired & archive.packs.runs_in(name).keys():
                _repack_without(archive, name, expired, lock)


def _repack_without(archive: Archive, name: str, expired: set[str], lock: Lock) -> None:
    packed = archive.packs.runs_in(name)
    kept = {run: archive.files(run) for run in sorted(packed) if run not in expired}
    if kept:
        write_pack(archive.packs.storage, kept, packed, lock, [name])
    lock.check()
    archive.packs.storage.remove(name)
    # Reports of packed runs have folders of their own.
    for run in packed.keys() & expired:
        archive.storage.remove(run)
