"""Targets and recorded baselines on disk.

::

    data/baselines/targets.json              the published targets
    data/baselines/<machine class>/<suite>.json
"""

from collections.abc import Sequence
from pathlib import Path

from veperf.archive.files import read_json, write_json
from veperf.errors import CorruptFileError, UsageError
from veperf.model import BASELINE_FORMAT, Baseline, TargetSet


def load_targets(folder: Path) -> TargetSet:
    """The published targets in ``folder``.

    Raises:
        CorruptFileError: the file is missing, broken, or names a target twice.
    """
    path = folder / "targets.json"
    targets = read_json(path, TargetSet)
    ids = [t.id for t in targets.targets]
    if twice := sorted({i for i in ids if ids.count(i) > 1}):
        raise CorruptFileError(f"{path} names a target twice: {', '.join(twice)}")
    return targets


def load_baselines(folder: Path, suites: Sequence[str]) -> tuple[Baseline, ...]:
    """Every machine class's baselines of ``suites``; empty where none was recorded.

    Raises:
        CorruptFileError: one of the files is broken.
        NewerFormatError: one was written by a later veperf.
    """
    paths = sorted(path for suite in suites for path in folder.glob(f"*/{suite}.json"))
    return tuple(read_json(p, Baseline, newest_format=BASELINE_FORMAT) for p in paths)


def save_baseline(folder: Path, baseline: Baseline) -> Path:
    """Write ``baseline`` to its place and return that.

    Raises:
        UsageError: the machine class is no name for a folder, or the baseline that is there knows
            cases that this one does not.
        CorruptFileError, NewerFormatError: the baseline that is there can't be read.
        StorageError: the folder can't be written.
    """
    for part in (baseline.machine.name, baseline.suite):
        if not part or "/" in part or part.startswith("."):
            raise UsageError(f"{part!r} can't name a folder or file of baselines")
    path = folder / baseline.machine.name / f"{baseline.suite}.json"
    if path.exists():
        _refuse_loss(path, baseline)
    write_json(path, baseline)
    return path


def _refuse_loss(path: Path, new: Baseline) -> None:
    old = read_json(path, Baseline, newest_format=BASELINE_FORMAT)
    lost = sorted({s.case for s in old.series} - {s.case for s in new.series})
    if lost:
        raise UsageError(
            f"run {new.run} did not measure {', '.join(lost[:3])}"
            f"{f' and {len(lost) - 3} more' if len(lost) > 3 else ''}, which {path} has; record "
            "a run of the whole suite, or delete that file first"
        )
