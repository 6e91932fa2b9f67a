"""Fewer files: old runs go into packs, small packs into larger ones."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

from veperf.archive.completion import SAMPLES, RunFiles, faults
from veperf.archive.packing import write_pack
from veperf.archive.packs import PackedFiles
from veperf.archive.storage.protocol import Lock
from veperf.archive.store import Archive
from veperf.archive.together import in_order
from veperf.errors import CorruptFileError, UsageError

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
