"""Reading and writing targets and recorded baselines.

::

    data/baselines/targets.json              the published targets
    data/baselines/<machine class>/<suite>.json
    data/baselines/<machine class>/history/<suite>/0001.json    the first replaced one, with reason
"""

import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from veperf.archive.files import encode_checked_json, read_json, write_inside
from veperf.archive.storage.lock import FolderLock
from veperf.core.baseline import BASELINE_FORMAT, Baseline, RetiredBaseline
from veperf.core.errors import CorruptFileError, UsageError
from veperf.core.paths import project_folder, published_file
from veperf.core.target import TargetSet

_HISTORY = "history"
_NO_REASON = "recorded anew"


def load_targets(folder: Path) -> TargetSet:
    """Load the published targets in ``folder``, or veperf's own where it has none.

    Raises:
        CorruptFileError: the file is broken, or names a target twice.
    """
    path = published_file(folder, "targets.json")
    targets = read_json(path, TargetSet)
    ids = [t.id for t in targets.targets]
    if repeated := sorted({i for i in ids if ids.count(i) > 1}):
        raise CorruptFileError(f"{path} names a target twice: {', '.join(repeated)}")
    if path.parent != folder:
        return replace(targets, file=f"veperf's own targets, as {folder} has no {path.name}")
    root, full = project_folder().resolve(), path.resolve()
    return replace(targets, file=str(full.relative_to(root) if full.is_relative_to(root) else path))


def load_baselines(folder: Path, suites: Sequence[str]) -> tuple[Baseline, ...]:
    """Load the baselines of ``suites`` of every machine class; empty where none was recorded.

    Raises:
        CorruptFileError: one of the files is broken.
        NewerFormatError: one was written by a later veperf.
    """
    paths = sorted(path for suite in suites for path in folder.glob(f"*/{suite}.json"))
    return tuple(read_json(p, Baseline, newest_format=BASELINE_FORMAT) for p in paths)


def save_baseline(folder: Path, baseline: Baseline, *, reason: str = "") -> Path:
    """Write ``baseline`` to its file with the ``reason``, and return the path.

    An existing baseline is copied to the history first, with the ``reason``, so that it is in at
    least one of the two places whenever this is interrupted. Where the same was recorded before,
    a reason that is given now is kept in both places.

    Raises:
        UsageError: the machine class can't name a folder, or the existing baseline has cases or
            metrics that the new one lacks.
        CorruptFileError, NewerFormatError: the existing baseline can't be read.
        StorageError: the folder can't be written.
    """
    path = _path(folder, baseline.machine.name, baseline.suite)
    with contextlib.suppress(OSError):  # the lock reports it
        path.parent.mkdir(parents=True, exist_ok=True)
    with FolderLock.acquire(path.parent):
        if path.exists():
            old = read_json(path, Baseline, newest_format=BASELINE_FORMAT)
            if replace(old, reason="") == replace(baseline, reason=""):
                if reason and reason != old.reason:
                    _explain_last(path, reason)
                    _write(path, path, replace(old, reason=reason))
                return path
            _refuse_loss(path, old, baseline)
            _retire(path, old, reason or _NO_REASON)
        _write(path, path, replace(baseline, reason=reason))
    return path


def update_baseline(folder: Path, baseline: Baseline, *, reason: str) -> Path:
    """Replace an existing baseline as ``save_baseline`` does; the ``reason`` must be given.

    Raises:
        UsageError: there is no baseline yet, or no reason; else as ``save_baseline``.
        CorruptFileError, NewerFormatError, StorageError: as ``save_baseline``.
    """
    if not reason.strip():
        raise UsageError("give the reason why the baseline changes")
    path = _path(folder, baseline.machine.name, baseline.suite)
    if not path.exists():
        raise UsageError(f"there is no {path} to update; `veperf baseline record` creates it")
    return save_baseline(folder, baseline, reason=reason)


def load_retired(folder: Path, suites: Sequence[str]) -> tuple[RetiredBaseline, ...]:
    """Load the former baselines of ``suites``, by machine class and suite, oldest first.

    Raises:
        CorruptFileError, NewerFormatError: one of the files can't be read.
    """
    paths = sorted(p for suite in suites for p in folder.glob(f"*/{_HISTORY}/{suite}/*.json"))
    return tuple(read_json(p, RetiredBaseline, newest_format=BASELINE_FORMAT) for p in paths)


def baseline_run_ids(folder: Path) -> frozenset[str]:
    """Return the ids of the runs from which current and former baselines were recorded.

    Raises:
        CorruptFileError, NewerFormatError: one of the files can't be read.
    """
    retired = [retired_baseline.baseline for retired_baseline in load_retired(folder, ["*"])]
    baselines = [*load_baselines(folder, ["*"]), *retired]
    return frozenset(run for baseline in baselines for run in (baseline.run, *baseline.sessions))


def _path(folder: Path, machine: str, suite: str) -> Path:
    for part in (machine, suite):
        if not part or "/" in part or part.startswith(".") or "\0" in part:
            raise UsageError(f"{part!r} is not a valid name for a folder or file of baselines")
    return folder / machine / f"{suite}.json"


def _retire(path: Path, old: Baseline, reason: str) -> None:
    folder = path.parent / _HISTORY / path.stem
    retired = sorted(folder.glob("*.json"))
    number = int(retired[-1].stem) + 1 if retired else 1
    # A process may have been stopped after retiring the old baseline, before writing the new one.
    if retired and read_json(retired[-1], RetiredBaseline).baseline == old:
        number -= 1
    now = datetime.now(UTC).isoformat(timespec="seconds")
    _write(path, folder / f"{number:04}.json", RetiredBaseline(old, now, reason))


def _write(baseline: Path, path: Path, value: Baseline | RetiredBaseline) -> None:
    """Write ``path``, of the same folder of baselines as the path ``baseline``, through no link."""
    root = baseline.parent.parent
    write_inside(root, str(path.relative_to(root)), encode_checked_json(value))


def _explain_last(path: Path, reason: str) -> None:
    """Give the last baseline that was replaced the ``reason``, if it was replaced without one."""
    retired = sorted((path.parent / _HISTORY / path.stem).glob("*.json"))
    if retired:
        last = read_json(retired[-1], RetiredBaseline, newest_format=BASELINE_FORMAT)
        if last.reason == _NO_REASON:
            _write(path, retired[-1], replace(last, reason=reason))


def _refuse_loss(path: Path, old: Baseline, new: Baseline) -> None:
    measured = {(s.case, s.metric) for s in new.series}
    cases = {case for case, _ in measured}
    lost = sorted(
        {
            f"{s.metric} of {s.case}" if s.case in cases else s.case
            for s in old.series
            if (s.case, s.metric) not in measured
        }
    )
    if lost:
        more = f" and {len(lost) - 3} more" if len(lost) > 3 else ""
        raise UsageError(
            f"run {new.run} did not measure {', '.join(lost[:3])}{more}, which {path} has; record "
            "a run of the whole suite (with --memory, if that one was), or delete that file first"
        )
