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
        UsageError: the machine class is no name for a folder.
        StorageError: the folder can't be written.
    """
    for part in (baseline.machine.name, baseline.suite):
        if not part or "/" in part or part.startswith("."):
            raise UsageError(f"{part!r} can't name a folder or file of baselines")
    path = folder / baseline.machine.name / f"{baseline.suite}.json"
    write_json(path, baseline)
    return path
