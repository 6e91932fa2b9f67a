"""One flipped bit in a file of any kind: the same answer as before, or a typed error.

The flip keeps the file's size and time of writing, as a failing disk does, and each reader is a new
process as far as it remembers anything of the file.
"""

import os
from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.faults.ground import BASELINES, RUNS, Tally, fresh_copy, known_run
from veperf.archive.baselines import load_baselines, load_retired
from veperf.archive.comparisons import read_ab
from veperf.archive.storage import local
from veperf.archive.store import Archive
from veperf.archive.summary import load_summary
from veperf.archive.trend import case_trend
from veperf.archive.version_noise import read_version_noise
from veperf.core.errors import DataError, VeperfError

_SUM = "SELECT run, sum(wall_ns) AS total, count(*) AS n FROM samples GROUP BY ALL ORDER BY run"


def _runs(folder: Path) -> object:
    """Each run as it can be read; of what can't be read, nothing."""
    archive = Archive(folder)
    return {run.id: run for run in archive.readable_runs()}


def _last(folder: Path) -> object:
    return Archive(folder).load().id


def _samples(folder: Path) -> object:
    return Archive(folder).query(_SUM).to_dict("list")


def _trend(folder: Path) -> object:
    return case_trend(load_summary(Archive(folder)), "demo/a").values.tolist()


def _noise(folder: Path) -> object:
    return read_version_noise(Archive(folder).storage, known_run(0).machine.name)


def _baselines(folder: Path) -> object:
    return load_baselines(folder / BASELINES, ["demo"]), load_retired(folder / BASELINES, ["demo"])


# By what a path holds: the readers of that kind of file.
_KINDS: dict[str, tuple[Callable[[Path], object], ...]] = {
    "packs/*/samples.parquet": (_samples,),
    "packs/*/runs.zip": (_runs, _last),
    "packs/*/pack.json": (_runs, _last, _samples),
    "2*/samples.parquet": (_samples,),
    "2*/run.json": (_runs,),
    "2*/complete.json": (_runs, _last, _samples),
    "ab-*/ab.json": (read_ab,),
    "version-noise/*.json": (_noise,),
    "baselines/*/*.json": (_baselines,),
    "baselines/*/history/*/*.json": (_baselines,),
    ".summary/*.parquet": (_trend,),
    ".last-stamp.json": (_last,),
}


def flip_bits(parent: Path, seed: int, count: int) -> Tally:
    """Flip one bit ``count`` times, in files of each kind in turn, and read what it is for.

    Raises:
        AssertionError: a reader gave another answer, or an error that is not typed.
    """
    tally = Tally("flipped bits")
    dice = Random(seed)
    folder = fresh_copy(parent, "flipped")
    readers = {reader for kind in _KINDS.values() for reader in kind}
    expected = {reader: reader(folder) for reader in readers}
    for trial in range(count):
        kind = list(_KINDS)[trial % len(_KINDS)]
        path = dice.choice(sorted(folder.glob(kind)))
        data, status = path.read_bytes(), path.stat()
        at, bit = dice.randrange(len(data)), dice.randrange(8)
        flipped = bytearray(data)
        flipped[at] ^= 1 << bit
        _write_in_place(path, bytes(flipped), status)
        for reader in _KINDS[kind]:
            local._digest.cache_clear()
            try:
                answer = reader(folder)
                is_right = _is_part(answer, expected[reader])
                outcome = "the same answer" if answer == expected[reader] else "left out"
            except VeperfError as error:
                is_right, outcome = True, "DataError" if isinstance(error, DataError) else "typed"
            except Exception as error:
                raise AssertionError(f"{path}, byte {at}, bit {bit}: {error!r}") from error
            assert is_right, f"{path}, byte {at}, bit {bit}: {reader.__name__} gave another answer"
            tally.outcomes[outcome] += 1
        if path.exists():
            _write_in_place(path, data, status)
        else:  # a broken segment of the summary was replaced
            folder = fresh_copy(parent, "flipped")
    return tally


def _is_part(answer: object, expected: object) -> bool:
    """Return whether it is the answer, or, of runs by id, a part of it that says nothing else."""
    if answer == expected:
        return True
    if not isinstance(answer, dict) or not isinstance(expected, dict) or len(expected) != RUNS:
        return False
    return all(expected.get(run) == found for run, found in answer.items())


def _write_in_place(path: Path, data: bytes, status: os.stat_result) -> None:
    with path.open("r+b") as file:
        file.write(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
