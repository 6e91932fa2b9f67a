"""``profile``: the memory of a benchmark or of any callable, measured in a process of its own."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from veperf.core import registry
from veperf.core.case import Level
from veperf.core.errors import UsageError
from veperf.core.sizes import count, size
from veperf.ipc.isolated_process import in_fork, in_fresh_process
from veperf.profiling.memory import charts
from veperf.profiling.memory.footprint import Footprint
from veperf.profiling.memory.profile_callable import Weighed, weigh_checked
from veperf.profiling.memory.requests import WeighCase, WorkRounds
from veperf.profiling.memory.sites import Site
from veperf.profiling.memory.workload_process import Rounds, find_case
from veperf.workloads.suites import SUITES

if TYPE_CHECKING:
    import pandas as pd

# Format history of a stored profile:
#   1  the first
PROFILE_FORMAT = 1

_SHOWN_SITES = 8


class MemoryProfile(Struct, frozen=True):
    """The memory of one operation of ``what``, and the lines that it goes to."""

    what: str
    """The id of the benchmark's case, or the callable's name."""
    footprint: Footprint
    """Of one operation."""
    operations: int
    """In a call; the figures of sites are for a call."""
    calls: int
    """So many were recorded for curve, sites and high-water mark."""
    high_water_bytes: int
    """The most that these held at one moment, all together."""
    curve_bytes: tuple[int, ...]
    """What they held from the first allocation to the last."""
    sites: tuple[Site, ...]
    """The lines that allocate, the one with the most bytes first."""
    python: str
    """Counts depend on the version of Python."""
    flamegraph: str = ""
    """The HTML file with the flamegraph, where one was wanted."""
    format: int = PROFILE_FORMAT

    @property
    def growing(self) -> tuple[Site, ...]:
        """The lines of which every call leaves something behind, the one with the most first."""
        kept = [site for site in self.sites if site.kept_bytes > 0]
        return tuple(sorted(kept, key=lambda site: -site.kept_bytes))

    def to_frame(self) -> "pd.DataFrame":
        """One row a line that allocates, the one with the most bytes first; figures of a call."""
        import pandas as pd

        rows = [msgspec.to_builtins(site) for site in self.sites]
        return pd.DataFrame(rows, columns=list(Site.__struct_fields__))

    def to_json(self) -> str:
        """All of it, as ``read_profile`` takes it."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1).decode() + "\n"

    def __repr__(self) -> str:
        rows = "\n".join("  " + "  ".join(row) for row in _rows(self.sites))
        grows = "".join(f"\n  kept by every call: {_kept(site)}" for site in self.growing[:3])
        return f"{_sentence(self)}\n{rows}{grows}"

    def _repr_html_(self) -> str:
        points = [(float(i), float(y)) for i, y in enumerate(self.curve_bytes)]
        grows = [charts.paragraph(f"Kept by every call: {_kept(s)}") for s in self.growing[:3]]
        # A notebook's page knows its own folder alone.
        path = os.path.relpath(self.flamegraph) if self.flamegraph else ""
        link = charts.link(path, "flamegraph") if path else ""
        return charts.card(
            _sentence(self),
            charts.curve(points, f"Memory held over {self.calls} calls", unit="allocations"),
            charts.table(("bytes", "allocations", "where"), _rows(self.sites)),
            *grows,
            link,
        )


def profile(
    subject: "str | Callable[[], object]",
    *,
    operations: int = 1,
    multithreaded: bool = False,
    flamegraph: str | Path | None = None,
    modules: Sequence[str] = (),
    timeout_s: float = 60.0,
) -> MemoryProfile:
    """Measure the memory of ``subject`` in a process of its own; this one stays as it is.

    A benchmark gets a fresh Python process. A callable gets a fork of this one, as it can't be
    sent anywhere: what it changes is changed there alone. It is called many times.

    Args:
        subject: the id of a benchmark or of one of its cases, or a callable without parameters.
        operations: that one call of a callable performs; a benchmark says so itself.
        multithreaded: count other threads than the calling one; a benchmark says so itself.
        flamegraph: an HTML file to make, of 4.5 MB, that works without a network.
        modules: more modules with benchmarks.
        timeout_s: after which the process is ended.

    Raises:
        UnknownBenchmarkError: there is no such benchmark.
        UsageError: it is a load, or the arguments make no sense.
        MeasureError: the work raised, exited or crashed, or its allocations can't be recorded.
        StorageError: the flamegraph can't be written.
    """
    if operations < 1:
        raise UsageError(f"a call performs one operation at least, not {operations}")
    if not timeout_s > 0:
        raise UsageError(f"the timeout must be more than 0 s, not {timeout_s}")
    path = Path(flamegraph).absolute() if flamegraph is not None else None
    if not isinstance(subject, str):
        if not callable(subject):
            raise UsageError(f"a benchmark's id or a callable is wanted, not {subject!r}")
        call = subject
        found = in_fork(
            lambda: weigh_checked(call, operations, multithreaded, path),
            Weighed,
            timeout_s=timeout_s,
        )
        name = getattr(call, "__qualname__", type(call).__qualname__)
        return _made(name, found, path)
    wanted = (*_suite_modules(subject), *modules)
    case = find_case(registry.load(wanted), subject)
    if case.level is Level.LOAD:
        raise UsageError(f"{subject} is a load; `veperf soak {subject}` watches its memory")
    asked = WeighCase(wanted, case.id, str(path or ""))
    found = in_fresh_process("veperf.profiling.memory.child", asked, Weighed, timeout_s=timeout_s)
    return _made(case.id, found, path)


def at_work(
    *cases: str, rounds: int = 100, modules: Sequence[str] = (), timeout_s: float = 300.0
) -> Rounds:
    """Call each of ``cases`` once in each of ``rounds``, in a fresh process that loads every suite.

    Garbage is collected after each round, and what is left then is judged for a leak.

    Raises:
        UsageError: there is no such case, or no round.
        MeasureError: a case raised or crashed, or is a load.
    """
    if rounds < 1 or not cases:
        raise UsageError("one case and one round at least are wanted")
    wanted = (*SUITES.values(), *modules)
    known = registry.load(wanted)
    found = tuple(find_case(known, name).id for name in cases)
    asked = WorkRounds(wanted, found, rounds)
    return in_fresh_process("veperf.profiling.memory.child", asked, Rounds, timeout_s=timeout_s)


def _suite_modules(name: str) -> tuple[str, ...]:
    suite = name.partition("/")[0]
    return (SUITES[suite],) if suite in SUITES else tuple(SUITES.values())


def _made(what: str, found: Weighed, flamegraph: Path | None) -> MemoryProfile:
    return MemoryProfile(
        what=what,
        footprint=found.footprint,
        operations=found.operations,
        calls=found.calls,
        high_water_bytes=found.detail.high_water_bytes,
        curve_bytes=found.detail.curve_bytes,
        sites=found.detail.sites,
        python=found.python,
        flamegraph=str(flamegraph or ""),
    )


def _sentence(found: MemoryProfile) -> str:
    cost = found.footprint
    each = "a call" if found.operations == 1 else f"an operation, of {found.operations} in a call"
    return (
        f"{found.what}: {size(cost.total_bytes)} in {count(cost.allocations)} allocations {each}, "
        f"{size(cost.peak_bytes)} held at most"
    )


def _rows(sites: Sequence[Site]) -> list[tuple[str, str, str]]:
    return [
        (size(site.total_bytes), count(site.allocations), where(site))
        for site in sites[:_SHOWN_SITES]
    ]


def where(site: Site) -> str:
    """The place of a line, in words."""
    return f"{site.file}:{site.line} {site.function}" if site.file else site.function


def _kept(site: Site) -> str:
    return f"{size(site.kept_bytes)} by {where(site)}"
