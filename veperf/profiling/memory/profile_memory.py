"""``profile_memory``: the memory of a benchmark or of any callable, in a process of its own."""

import os
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from veperf.core.case import Case, Level
from veperf.core.errors import UsageError
from veperf.core.options import CaseOptions
from veperf.core.registry import SUITES, find_case, load_registry, matching_cases
from veperf.core.text import format_bytes, format_count, format_effect, plural
from veperf.core.units import is_number, is_whole_number
from veperf.ipc.isolated_process import run_in_fork, run_in_fresh_process
from veperf.profiling.memory import charts
from veperf.profiling.memory.growth import MOST_OF_A_BLOCK
from veperf.profiling.memory.measuring_process import ProfileCase, RoundsResult, RunRounds
from veperf.profiling.memory.operation_memory import OperationMemory
from veperf.profiling.memory.process_growth import ProcessGrowth
from veperf.profiling.memory.profile_callable import (
    ENOUGH_CALLS,
    CallableProfile,
    profile_after_fork_check,
)
from veperf.profiling.memory.sites import Site

if TYPE_CHECKING:
    import pandas as pd

# Format history of a stored profile:
#   1  the first
PROFILE_FORMAT = 1

CELL_NAME = "the cell"
"""The callable that a notebook's cell is."""
_CHILD = "veperf.profiling.memory.child"
_MAX_ROWS = 8
_LEAST_DIFFERENCE = 5e-4
"""Share below which a difference can't be seen in figures of three digits."""
_LEAST_REST_BYTES = 256 * 2**10
"""Growth of the process that no line explains is told of from here on."""
_NOT_TOLD_APART = (
    "the rest isn't told apart (tables that grow, blocks over 512 B, fragments, native code)"
)
_MANY_CALLS = 50
"""Of fewer calls, it is said what they don't decide: a small block a call that is kept may be
what fills up within the interpreter or a library."""


class MemoryProfile(Struct, frozen=True):
    """The memory of one operation of ``what``, in all and by line."""

    what: str
    """Id of the benchmark's case, or the callable's name."""
    footprint: OperationMemory
    """Memory of one operation."""
    operations: int
    """Operations in a call; the figures of sites are for a call."""
    calls: int
    """Calls that were recorded for curve, sites and high-water mark."""
    high_water_bytes: int
    """Peak of the memory that all these calls held together."""
    curve_bytes: tuple[int, ...]
    """Memory that they held, from the first allocation to the last."""
    sites: tuple[Site, ...]
    """The lines that allocate, the one with the most bytes first."""
    python: str
    """Version of Python, on which counts depend."""
    flamegraph: str = ""
    """HTML file with the flamegraph; empty for none."""
    format: int = PROFILE_FORMAT
    starts_processes: bool = False
    """True if a call starts other processes, whose memory is not recorded."""
    kept_calls: int = 0
    """Calls that were recorded to see what they keep."""
    growth: ProcessGrowth | None = None
    """Growth of the process over more calls, none recorded; None if they would have taken too
    long."""

    @property
    def growing(self) -> tuple[Site, ...]:
        """Lines that keep more and more memory, the one with the most first."""
        growing = [site for site in self.sites if site.kept_bytes > 0]
        return tuple(sorted(growing, key=lambda site: -site.kept_bytes))

    def frame(self) -> "pd.DataFrame":
        """Return a row for each line that allocates, the largest first; figures of a call."""
        import pandas as pd

        rows = [msgspec.to_builtins(site) for site in self.sites]
        return pd.DataFrame(rows, columns=list(Site.__struct_fields__))

    def to_json(self) -> str:
        """Return the profile as JSON, which ``read_profile`` reads."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1).decode() + "\n"

    def __repr__(self) -> str:
        rows = "\n".join("  " + "  ".join(row) for row in _rows(self.sites))
        notes = "".join(f"\n  {words}" for words in _kept(self))
        return f"{_summary(self)}\n{rows}{_difference(self)}{notes}"

    def _repr_html_(self) -> str:
        points = [(float(i), float(y)) for i, y in enumerate(self.curve_bytes)]
        notes = [f"<p>{escape(words)}</p>" for words in _kept(self)]
        # A notebook's page can only reach files below its own folder.
        path = os.path.relpath(self.flamegraph) if self.flamegraph else ""
        link = charts.file_link(path, "flamegraph") if path else ""
        return charts.html_card(
            _summary(self),
            charts.memory_curve(points, f"Memory held over {self.calls} calls", unit="allocations"),
            charts.plain_table(("bytes", "allocations", "where"), _rows(self.sites)),
            f"<p>{escape(difference.strip())}</p>" if (difference := _difference(self)) else "",
            *notes,
            link,
        )


def profile_memory(
    subject: "str | Callable[[], object]",
    *,
    operations: int = 1,
    multithreaded: bool = False,
    flamegraph: str | Path | None = None,
    native: bool = False,
    modules: Sequence[str] = (),
    timeout_s: float = CaseOptions.timeout_s,
) -> MemoryProfile:
    """Measure the memory of ``subject`` in a process of its own; this one stays as it is.

    >>> veperf.memory.profile("transaction/validation")
    >>> veperf.memory.profile(lambda: [str(n) for n in range(1_000)])

    A benchmark gets a fresh Python process. A callable gets a fork of this one, so that its side
    effects stay there: with the calling thread alone, so that it must make a pool of threads
    itself. It is called many times; an ``async def`` is run to its end each time.

    Args:
        subject: the id of a benchmark or of one of its cases, or a callable without parameters.
        operations: performed by one call of a callable; a benchmark declares its own.
        multithreaded: count all threads, not only the calling one; a benchmark declares it.
        flamegraph: an HTML file to write, of 4.5 MB, that works without a network; in a folder that
            is there.
        native: name the functions of C that allocate, too, in the lines and in the flamegraph.
        modules: more modules with benchmarks.
        timeout_s: seconds after which the process is killed.

    Raises:
        UnknownBenchmarkError: there is no such benchmark.
        UsageError: it is a load or a generator, or the arguments make no sense.
        MeasureError: the work raised, exited, crashed or hung, or its allocations can't be
            recorded.
        StorageError: the flamegraph can't be written.
    """
    if not is_whole_number(operations) or operations < 1:
        raise UsageError(
            f"a call performs one operation at least, in whole ones, not {operations!r}"
        )
    if not is_number(timeout_s) or not timeout_s > 0:
        raise UsageError(f"the timeout must be more than 0 s, not {timeout_s!r}")
    path = _page(flamegraph) if flamegraph is not None else None
    if not isinstance(subject, str):
        if not callable(subject):
            raise UsageError(f"expected a benchmark's id or a callable, not {subject!r}")
        call = subject
        result = run_in_fork(
            lambda: profile_after_fork_check(call, operations, multithreaded, path, native=native),
            CallableProfile,
            timeout_s=timeout_s,
        )
        name = getattr(call, "__qualname__", type(call).__qualname__)
        return _memory_profile(name, result, path)
    suite = subject.partition("/")[0]
    suites = (SUITES[suite],) if suite in SUITES else tuple(SUITES.values())
    all_modules = (*suites, *modules)
    case = _find_case(all_modules, subject)
    if case.level is Level.LOAD:
        raise UsageError(f"{subject} is a load; `veperf soak {subject}` watches its memory")
    request = ProfileCase(all_modules, case.id, str(path or ""), native)
    result = run_in_fresh_process(_CHILD, request, CallableProfile, timeout_s=timeout_s)
    return _memory_profile(case.id, result, path)


def profile_rounds(
    *cases: str, rounds: int = 100, modules: Sequence[str] = (), timeout_s: float = 300.0
) -> RoundsResult:
    """Call each of ``cases`` once in each of ``rounds``, in a fresh process that loads every suite.

    Garbage is collected after each round, and what is left then is judged for a leak.

    Raises:
        UsageError: there is no such case, or no round.
        MeasureError: a case raised or crashed, or is a load.
    """
    if rounds < 1 or not cases:
        raise UsageError("expected one case and one round at least")
    all_modules = (*SUITES.values(), *modules)
    ids = tuple(_find_case(all_modules, name).id for name in cases)
    request = RunRounds(all_modules, ids, rounds)
    return run_in_fresh_process(_CHILD, request, RoundsResult, timeout_s=timeout_s)


def _page(flamegraph: str | Path) -> Path:
    """Return the absolute path of the file, in a folder that has to be there.

    One that is made for a mistyped path would be found by nobody.
    """
    if not isinstance(flamegraph, str | Path) or not str(flamegraph):
        raise UsageError(f"the flamegraph must be the path of a file, not {flamegraph!r}")
    path = Path(flamegraph).absolute()
    if path.is_dir():
        raise UsageError(f"can't write the flamegraph: {path} is a folder; name a file in it")
    if not path.parent.is_dir():
        raise UsageError(f"can't write {path}: there is no folder {path.parent}; make it first")
    return path


def _find_case(modules: Sequence[str], name: str) -> Case:
    return find_case(matching_cases(load_registry(modules), [name]), name)


def _memory_profile(what: str, result: CallableProfile, flamegraph: Path | None) -> MemoryProfile:
    return MemoryProfile(
        what=what,
        footprint=result.footprint,
        operations=result.operations,
        calls=result.calls,
        high_water_bytes=result.detail.high_water_bytes,
        curve_bytes=result.detail.curve_bytes,
        sites=result.detail.sites,
        python=result.python,
        flamegraph=str(flamegraph or ""),
        starts_processes=result.starts_processes,
        kept_calls=result.kept_calls,
        growth=result.growth,
    )


def _summary(profile: MemoryProfile) -> str:
    cost = profile.footprint
    each = (
        "a call" if profile.operations == 1 else f"an operation, of {profile.operations} in a call"
    )
    return (
        f"{profile.what}: {format_bytes(cost.total_bytes)} in {format_count(cost.allocations)} "
        f"allocations {each}, {format_bytes(cost.peak_bytes)} held at most{_not_counted(profile)}"
    )


def _not_counted(profile: MemoryProfile) -> str:
    """Return words for the work of others, which the figures are without."""
    words = ""
    if threads := profile.footprint.other_threads:
        how = "add --multithreaded" if profile.what == CELL_NAME else "declare it multithreaded"
        words += (
            f"; {format_bytes(profile.footprint.other_bytes)} by "
            f"{plural(threads, 'other thread')}, not counted: {how}"
        )
    if profile.starts_processes:
        words += "; it starts processes, which are not recorded"
    return words


def _difference(profile: MemoryProfile) -> str:
    """Return a line of words if the sites don't add up to the total, which is of other calls."""
    total_bytes = profile.footprint.total_bytes * profile.operations
    ratio = sum(site.total_bytes for site in profile.sites) / total_bytes if total_bytes > 0 else 1
    if abs(ratio - 1) < _LEAST_DIFFERENCE:
        return ""
    words, calls = format_effect(ratio, "more", "less"), plural(profile.calls, "other call")
    return f"\n  the lines add up to {words}: they are means of {calls}"


def _rows(sites: Sequence[Site]) -> list[tuple[str, str, str]]:
    return [
        (format_bytes(site.total_bytes), format_count(site.allocations), describe_site(site))
        for site in sites[:_MAX_ROWS]
    ]


def describe_site(site: Site) -> str:
    """Return the place of an allocation: file, line and function."""
    return f"{site.file}:{site.line} {site.function}" if site.file else site.function


def _kept(profile: MemoryProfile) -> list[str]:
    """Return the lines that keep memory, in words, and what is not told by so many calls."""
    calls, growth = profile.kept_calls, profile.growth
    seen = growth.calls if growth is not None and growth.blocks else calls
    lines, undecided = [], []
    for site in profile.growing[:3]:
        size, where = format_bytes(site.kept_bytes), describe_site(site)
        if seen < _MANY_CALLS and site.kept_bytes <= MOST_OF_A_BLOCK:
            undecided.append(
                f"undecided whether {where} keeps {size} of a call, or what fills up does: "
                f"{seen} calls are too few"
            )
        else:
            lines.append(f"kept of a call: {size} by {where}")
    if lines:
        cache = plural(2 * seen // 3, "result")
        lines[-1] += f" (by {seen:,} calls; a cache of {cache} or more looks alike)"
    lines += undecided
    if growth is not None:
        calls = max(calls, growth.calls)
        lines += _unexplained(growth, sum(s.kept_bytes for s in profile.growing) * growth.calls)
    if calls < _MANY_CALLS:
        rarely = f"fewer than one in {calls // 4}" if calls >= ENOUGH_CALLS else "not every call"
        lines.append(f"undecided where {rarely} keeps some: {calls} calls are too few")
    return lines


def _unexplained(growth: ProcessGrowth, explained_bytes: float) -> list[str]:
    """Return words for growth of the process that no recorded line explains.

    Native code is named only for growth that Python's own blocks have no part in.
    """
    over = f"over {growth.calls:,} more calls"
    grew = f"resident memory grew by {format_bytes(growth.resident_bytes)}"
    if growth.blocks and not explained_bytes:
        words = [
            f"kept {over}: {plural(round(growth.blocks), 'block')}, by no line of the recorded "
            "calls: few of them keep some, or only later ones do"
        ]
        if growth.beyond_blocks >= max(_LEAST_REST_BYTES, growth.resident_bytes / 2):
            words.append(f"{grew} {over}, more than such blocks can hold: {_NOT_TOLD_APART}")
        return words
    rest = growth.resident_bytes - explained_bytes
    if rest < max(_LEAST_REST_BYTES, growth.resident_bytes / 2):
        return []
    explains = f"of which recorded allocations explain {format_bytes(explained_bytes)}"
    if growth.blocks:
        return [f"{grew} {over}, {explains}: {_NOT_TOLD_APART}"]
    return [
        f"{grew} {over}, {explains} and small blocks of Python nothing: the rest is of native "
        "code, by a malloc or mmap that is not watched, of blocks over 512 B that no recorded call "
        "kept, or of memory that lies in fragments"
    ]
