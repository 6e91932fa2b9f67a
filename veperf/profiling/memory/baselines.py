"""Recorded memory profiles, and their comparison with a new profile of the same work."""

import tempfile
from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path

import msgspec
from msgspec import Struct

from veperf.core.errors import CorruptFileError, NewerFormatError, StorageError, UsageError
from veperf.core.text import format_bytes, format_count
from veperf.profiling.memory.profile_memory import PROFILE_FORMAT, MemoryProfile
from veperf.profiling.memory.sites import Site

_ALLOCATIONS = 0.5
"""Smaller differences, in a call, are the rounding of a slope."""
_BYTES_RATIO = 0.001
_MAX_FILE_BYTES = 64 << 20


class CountStatus(StrEnum):
    """Result of comparing the allocations of an operation with earlier ones."""

    SAME = "same"
    MORE = "more"
    FEWER = "fewer"
    OTHER_PYTHON = "other Python"


class ChangedLine(Struct, frozen=True):
    """A function whose allocations have changed; figures are of a call."""

    function: str
    file: str
    line: int
    """The line that changed most; of the earlier profile if the function is gone."""
    bytes_before: float
    bytes_now: float
    allocations_before: float
    allocations_now: float


class CountChange(Struct, frozen=True):
    """The allocations of an operation, before and now."""

    what: str
    status: CountStatus
    bytes_before: float
    bytes_now: float
    allocations_before: float
    allocations_now: float
    lines: tuple[ChangedLine, ...]
    """Functions that changed, the largest change first."""

    def __repr__(self) -> str:
        head = (
            f"{self.what}: {self.status}: {format_count(self.allocations_before)} allocations "
            f"before, {format_count(self.allocations_now)} now; "
            f"{format_bytes(self.bytes_before)}, {format_bytes(self.bytes_now)}"
        )
        return "\n".join([head, *(f"  {_describe_line(line)}" for line in self.lines[:8])])


def compare_profiles(before: MemoryProfile, now: MemoryProfile) -> CountChange:
    """Compare the allocations of an operation in two profiles, in all and by function.

    Counts don't depend on the load of the machine, so that no test is needed: a difference is half
    an allocation a call at least, or 0.1 % of the bytes. They do depend on Python's version; if
    that differs, nothing is judged.

    Raises:
        UsageError: the two are of different work.
    """
    if before.what != now.what or before.operations != now.operations:
        raise UsageError(f"{before.what} and {now.what} are not the same work")
    old, new = before.footprint, now.footprint
    calls = now.operations
    change = _sign((new.allocations - old.allocations) * calls, _ALLOCATIONS) or _sign(
        new.total_bytes - old.total_bytes, _BYTES_RATIO * old.total_bytes
    )
    status = (CountStatus.SAME, CountStatus.MORE, CountStatus.FEWER)[change]
    if before.python != now.python:
        status = CountStatus.OTHER_PYTHON
    return CountChange(
        what=now.what,
        status=status,
        bytes_before=old.total_bytes,
        bytes_now=new.total_bytes,
        allocations_before=old.allocations,
        allocations_now=new.allocations,
        lines=_changed_lines(before.sites, now.sites) if status is not CountStatus.SAME else (),
    )


def read_profile(path: Path) -> MemoryProfile:
    """Return the profile in ``path``, as ``MemoryProfile.to_json`` wrote it.

    Raises:
        CorruptFileError: the file can't be read, or is no profile.
        NewerFormatError: a later veperf wrote it.
    """
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            raise CorruptFileError(f"{path} is larger than any profile")
        profile = msgspec.json.decode(path.read_bytes(), type=MemoryProfile)
    except OSError as error:
        raise CorruptFileError(f"can't read {path}: {error.strerror or error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CorruptFileError(f"{path} is no memory profile: {error}") from error
    if profile.format > PROFILE_FORMAT:
        raise NewerFormatError(f"{path} has format {profile.format}; update veperf")
    return profile


def _sign(difference: float, least: float) -> int:
    if abs(difference) <= least:
        return 0
    return 1 if difference > 0 else -1


def _changed_lines(before: Iterable[Site], now: Iterable[Site]) -> tuple[ChangedLine, ...]:
    old, new = _by_function(before), _by_function(now)
    changes: list[ChangedLine] = []
    for place in old.keys() | new.keys():
        sites_before, sites_now = old.get(place, []), new.get(place, [])
        line = ChangedLine(
            function=place[1],
            file=place[0],
            line=_most_changed(sites_before, sites_now),
            bytes_before=_sum(sites_before, lambda site: site.total_bytes),
            bytes_now=_sum(sites_now, lambda site: site.total_bytes),
            allocations_before=_sum(sites_before, lambda site: site.allocations),
            allocations_now=_sum(sites_now, lambda site: site.allocations),
        )
        change_bytes = line.bytes_now - line.bytes_before
        if _sign(line.allocations_now - line.allocations_before, _ALLOCATIONS) or _sign(
            change_bytes, max(_BYTES_RATIO * line.bytes_before, 8)
        ):
            changes.append(line)
    return tuple(sorted(changes, key=lambda line: -abs(line.bytes_now - line.bytes_before)))


def _by_function(sites: Iterable[Site]) -> dict[tuple[str, str], list[Site]]:
    # Lines move when others are edited; functions mostly keep their names.
    groups: dict[tuple[str, str], list[Site]] = {}
    for site in sites:
        groups.setdefault((site.file, site.function), []).append(site)
    return groups


def _most_changed(before: list[Site], now: list[Site]) -> int:
    """Return the largest line whose bytes no line had before, else the largest of all."""
    known = {site.total_bytes for site in before}
    fresh = [site for site in now if site.total_bytes not in known]
    return max(fresh or now or before, key=lambda site: site.total_bytes).line


def _sum(sites: Iterable[Site], figure: Callable[[Site], float]) -> float:
    return sum(map(figure, sites))


def _describe_line(line: ChangedLine) -> str:
    change = line.allocations_now - line.allocations_before
    return (
        f"{line.file}:{line.line} {line.function}: {format_bytes(line.bytes_before)} before, "
        f"{format_bytes(line.bytes_now)} now ({change:+.4g} allocations)"
    )


def record_profile(folder: Path, profile: MemoryProfile) -> Path:
    """Write ``profile`` to its file in ``folder`` atomically, and return the path.

    Raises:
        UsageError: it is not of a benchmark.
        StorageError: it can't be written.
    """
    path = _path(folder, profile.what)
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
            temporary = Path(file.name)
            file.write(profile.to_json())
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise StorageError(error.errno, f"can't write {path}: {error.strerror}") from error
    return path


def compare_with_recorded(folder: Path, profile: MemoryProfile) -> CountChange | None:
    """Compare ``profile`` with the recorded one of the same benchmark; None if there is none.

    Raises:
        UsageError: it is not of a benchmark.
        CorruptFileError, NewerFormatError: the recorded profile can't be read.
    """
    path = _path(folder, profile.what)
    return compare_profiles(read_profile(path), profile) if path.exists() else None


def _path(folder: Path, what: str) -> Path:
    suite, slash, case = what.partition("/")
    if not slash or not suite or not case or "/" in case or what.startswith("."):
        raise UsageError(
            f"{what!r} is not a benchmark: only profiles of benchmarks can be recorded"
        )
    return folder / "memory" / suite / f"{case}.json"
