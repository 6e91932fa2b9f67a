"""complete.json: written last, it says that a run is whole and what its files were then."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Protocol

from msgspec import Struct

from veperf.archive.files import checksum, decode_json
from veperf.core.errors import CorruptFileError, DataError
from veperf.core.run import RUN_FORMAT, CaseResult, Run

RUN, SAMPLES, COMPLETE = "run.json", "samples.parquet", "complete.json"
_FORMAT = 1
_LARGEST = 2**63 - 1


class Completion(Struct, frozen=True):
    """The content of complete.json."""

    run: str
    completed: str
    sha256: dict[str, str]
    """Checksums in hexadecimal, by name of file."""
    format: int = _FORMAT


class RunFiles(Protocol):
    """The files of one run, wherever they are."""

    def where(self, name: str) -> str:
        """What to call the file in a message."""
        ...

    def read(self, name: str) -> bytes:
        """Its bytes.

        Raises:
            CorruptFileError: it is not there or can't be read.
        """
        ...

    def names(self) -> list[str]:
        """Names of the files that there are, in order, with ``/`` between folders.

        Raises:
            CorruptFileError: there is something else than files and folders.
        """
        ...


def completion_of(run_id: str, files: Mapping[str, bytes]) -> Completion:
    """What to write about a run that is done just now and has ``files``."""
    return Completion(
        run=run_id,
        completed=datetime.now(UTC).isoformat(timespec="seconds"),
        sha256={name: checksum(data) for name, data in files.items()},
    )


def read_completion(files: RunFiles) -> Completion:
    """The run's complete.json.

    Raises:
        CorruptFileError, NewerFormatError: it can't be read.
    """
    data = files.read(COMPLETE)
    return decode_json(data, files.where(COMPLETE), Completion, newest_format=_FORMAT)


def read_complete(run_id: str, files: RunFiles) -> Run:
    """The run in ``files``, which is complete, checked against its checksum.

    Raises:
        CorruptFileError, NewerFormatError: it is not what was written, or is another run.
    """
    wanted = read_completion(files).sha256.get(RUN)
    data = files.read(RUN)
    if wanted != checksum(data):
        raise CorruptFileError(
            f"{files.where(RUN)} is not what was written when the run was completed "
            "(checksum differs); restore it from a copy"
        )
    return decode_run(run_id, files.where(RUN), data)


def decode_run(run_id: str, where: str, data: bytes) -> Run:
    """The run ``run_id`` in the ``data`` of its run.json.

    Raises:
        CorruptFileError, NewerFormatError: it is another run, or none.
    """
    run = decode_json(data, where, Run, newest_format=RUN_FORMAT)
    if run.id != run_id:
        raise CorruptFileError(f"{where} holds run {run.id!r}, not {run_id!r}")
    known = {case.id for case in run.cases}
    results = [result for made in run.passes for result in made.results]
    if strange := {result.case for result in results} - known:
        raise CorruptFileError(f"{where} has results of unknown cases: {strange}")
    if any(map(_is_too_large, results)):
        raise CorruptFileError(f"{where} has times or counts beyond 64 bits")
    return run


def _is_too_large(result: CaseResult) -> bool:
    """Whether a number would fit neither a float nor a column of the table of samples."""
    numbers = [result.loops, result.operations, result.loops * result.operations]
    for sample in result.samples:
        numbers += (sample.wall_ns, sample.cpu_ns or 0, sample.switches or 0)
    return max(numbers) > _LARGEST or min(numbers) < -_LARGEST


def faults(run_id: str, files: RunFiles, elsewhere: Collection[str] = ()) -> list[str]:
    """What is wrong with a complete run, a sentence a file; empty where nothing is.

    The files whose names are in ``elsewhere`` are not among ``files``, and not looked at.
    """
    try:
        wanted = read_completion(files).sha256
    except DataError as error:
        return [str(error)]
    found: list[str] = []
    for name in sorted((wanted.keys() | {RUN}) - set(elsewhere)):
        try:
            if checksum(files.read(name)) != wanted.get(name):
                found.append(f"{files.where(name)} is not what was written (checksum differs)")
        except DataError as error:
            found.append(str(error))
    if not found:
        try:
            read_complete(run_id, files)
        except DataError as error:
            found.append(str(error))
    return found


PACKS = "packs"
"""The folder of the packs."""
NO_NAME = (
    "no run id: that is 1 to 255 bytes of printable characters without a slash, and begins with "
    "no dot; `veperf report --help` shows what else a run may be called by"
)
_LONGEST_BYTES = 255  # on most file systems


def is_name(id: str) -> bool:
    """Whether ``id`` can name a folder in the archive, and no path elsewhere.

    Nothing that would break a line, or turn it round, in a terminal or a log.
    """
    if not id.isprintable() or not id or id.startswith(".") or "/" in id or id == PACKS:
        return False
    return len(id.encode()) <= _LONGEST_BYTES
