"""The manifest of a run, ``complete.json``: written last, it marks the run as whole."""

import contextlib
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Protocol

from msgspec import Struct

from veperf.archive.files import checksum, decode_json
from veperf.core.errors import CorruptFileError, DataError
from veperf.core.run import RUN_FORMAT, CaseResult, Run

RUN, SAMPLES, COMPLETE = "run.json", "samples.parquet", "complete.json"
LEFT_OUT = "left out: "
"""Beginning of a notice about a run that can't be read."""
# Format history of complete.json:
#   1  the first; later ones have stamp_ns and a checksum of their own, which none needs
_FORMAT = 1
_LARGEST = 2**63 - 1
_LARGEST_NS = 2**62  # in the year 2116
_NS_PER_S = 1_000_000_000


class RunManifest(Struct, frozen=True):
    """Content of complete.json."""

    run: str
    completed: str
    sha256: dict[str, str]
    """Checksums in hexadecimal, by file name."""
    stamp_ns: int = 0
    """Its completion stamp, see ``completion_order``; 0 where it was completed by an earlier
    version, which kept ``completed`` alone."""
    format: int = _FORMAT


class Stamp(Struct, frozen=True):
    """The part of a manifest, a comparison or a plan that says when it was completed or begun."""

    stamp_ns: int = 0
    completed: str = ""
    created: str = ""


class RunFiles(Protocol):
    """The files of one run, in a folder or in a pack."""

    def where(self, name: str) -> str:
        """Return the path or URL of a file, for messages."""
        ...

    def read(self, name: str) -> bytes:
        """Return the bytes of a file.

        Raises:
            CorruptFileError: it does not exist or can't be read.
        """
        ...

    def names(self) -> list[str]:
        """Return the names of the files, sorted, with ``/`` between folders.

        Raises:
            CorruptFileError: there is something other than files and folders.
        """
        ...


def run_manifest(run_id: str, files: Mapping[str, bytes], stamp_ns: int) -> RunManifest:
    """Return the manifest of a run that has ``files`` and that completion stamp."""
    return RunManifest(
        run=run_id,
        completed=datetime.fromtimestamp(stamp_ns / 1e9, UTC).isoformat(timespec="seconds"),
        sha256={name: checksum(data) for name, data in files.items()},
        stamp_ns=stamp_ns,
    )


def read_manifest(files: RunFiles) -> RunManifest:
    """Read the manifest of a run.

    Raises:
        CorruptFileError, NewerFormatError: it can't be read.
    """
    data = files.read(COMPLETE)
    return decode_json(data, files.where(COMPLETE), RunManifest, newest_format=_FORMAT)


def decode_stamp(data: bytes, where: str) -> int:
    """Return the stamp in a run's manifest, or a comparison's file; 0 where there is none.

    Raises:
        CorruptFileError: it is neither, or has changed.
    """
    stamp = decode_json(data, where, Stamp)
    if 0 < stamp.stamp_ns < _LARGEST_NS:
        return stamp.stamp_ns
    with contextlib.suppress(ValueError, OverflowError):
        return int(datetime.fromisoformat(stamp.completed or stamp.created).timestamp() * _NS_PER_S)
    return 0


def read_complete_run(run_id: str, files: RunFiles) -> Run:
    """Read the complete run in ``files``, checked against its checksum.

    Raises:
        CorruptFileError, NewerFormatError: it differs from what was written, or is another run.
    """
    expected = read_manifest(files).sha256.get(RUN)
    data = files.read(RUN)
    if expected != checksum(data):
        raise CorruptFileError(
            f"{files.where(RUN)} has changed since the run was completed (checksum differs); "
            "restore it from a copy"
        )
    return decode_run(run_id, files.where(RUN), data)


def decode_run(run_id: str, where: str, data: bytes) -> Run:
    """Decode the ``data`` of the run.json of ``run_id``; ``where`` names the file in messages.

    Raises:
        CorruptFileError, NewerFormatError: it is another run, or not a run.
    """
    run = decode_json(data, where, Run, newest_format=RUN_FORMAT)
    if run.id != run_id:
        raise CorruptFileError(f"{where} holds run {run.id!r}, not {run_id!r}")
    case_ids = {case.id for case in run.cases}
    results = [result for pass_ in run.passes for result in pass_.results]
    if strange := {result.case for result in results} - case_ids:
        raise CorruptFileError(f"{where} has results of unknown cases: {strange}")
    if any(map(_is_too_large, results)):
        raise CorruptFileError(f"{where} has times or counts beyond 64 bits")
    return run


def _is_too_large(result: CaseResult) -> bool:
    """Return whether a number is too large for the columns of the table of samples."""
    numbers = [result.loops, result.operations, result.loops * result.operations]
    for sample in result.samples:
        numbers += (sample.wall_ns, sample.cpu_ns or 0, sample.switches or 0)
    return max(numbers) > _LARGEST or min(numbers) < -_LARGEST


def run_faults(run_id: str, files: RunFiles, skipped: Collection[str] = ()) -> list[str]:
    """Return the faults of a complete run, one sentence per file; empty where it is intact.

    Files named in ``skipped`` are stored elsewhere and not checked.
    """
    try:
        expected = read_manifest(files).sha256
    except DataError as error:
        return [str(error)]
    faults: list[str] = []
    for name in sorted((expected.keys() | {RUN}) - set(skipped)):
        try:
            if checksum(files.read(name)) != expected.get(name):
                faults.append(
                    f"{files.where(name)} has changed since it was written (checksum differs)"
                )
        except DataError as error:
            faults.append(str(error))
    if not faults:
        try:
            read_complete_run(run_id, files)
        except DataError as error:
            faults.append(str(error))
    return faults


PACKS = "packs"
"""The folder of the packs."""
NOT_A_RUN_ID = (
    "not a run id: that is 1 to 255 bytes of printable characters without a slash, not beginning "
    "with a dot; `veperf report --help` shows how else to name a run"
)
_LONGEST_BYTES = 255  # on most file systems


def is_run_id(id: str) -> bool:
    """Return whether ``id`` can name a folder directly in the archive.

    Characters that break or reverse a line in a terminal or a log are refused.
    """
    if not id.isprintable() or not id or id.startswith(".") or "/" in id or id == PACKS:
        return False
    return len(id.encode()) <= _LONGEST_BYTES
