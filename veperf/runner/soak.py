"""``soak``: a load for minutes or hours, and what becomes of memory meanwhile."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from veperf.core import registry
from veperf.core.case import Case
from veperf.core.errors import MeasureError, UsageError
from veperf.core.load import LoadPlan, LoadSoFar
from veperf.core.run import CaseResult
from veperf.core.sizes import count, size
from veperf.ipc.isolated_process import answer, believed, read_line
from veperf.loadtest.case import measure_load
from veperf.loadtest.custom_case import load_case
from veperf.loadtest.schedule import CHUNK
from veperf.profiling.memory import charts
from veperf.profiling.memory.budget import MemoryBudget, Violation, check_budget
from veperf.profiling.memory.leak import LeakStatus, LeakVerdict, judge_leak
from veperf.profiling.memory.profiler import MemoryProfiler
from veperf.profiling.memory.stats import MemoryStats
from veperf.progress.load import for_load
from veperf.workloads.suites import SUITES


class Thinned:
    """Keeps times and values; where they become too many, the lower one of each pair stays.

    The troughs, by which a leak is judged, are kept that way. ``capacity`` is even.
    """

    def __init__(self, capacity: int = 4_096) -> None:
        self._capacity = capacity
        self._points: list[tuple[float, float]] = []
        self._each = 1
        self._skipped = 0

    def add(self, time: float, value: float) -> None:
        """Take a value in."""
        if self._skipped and value >= self._points[-1][1]:
            pass
        elif self._skipped:
            self._points[-1] = time, value
        else:
            if len(self._points) == self._capacity:
                pairs = zip(self._points[::2], self._points[1::2], strict=True)
                self._points = [min(pair, key=lambda point: point[1]) for pair in pairs]
                self._each *= 2
            self._points.append((time, value))
        self._skipped = (self._skipped + 1) % self._each

    def points(self) -> tuple[tuple[float, float], ...]:
        """Times and values that are kept, in order."""
        return tuple(self._points)


_SAMPLES = 600
"""Of the memory at rest, in a run of any length; but one every second at most."""
_EARLY_S = 0.1
"""A look that comes so much too early is in time."""
_SHORTEST_S = 10.0

# What the generator notes of the items of a chunk, until it works through them.
_BOOKS_BYTES = 256 * CHUNK
_BOOKS_BLOCKS = 6 * CHUNK

Points = tuple[tuple[float, float], ...]


class Soaked(Struct, frozen=True):
    """What the process under load found."""

    load: CaseResult
    stats: MemoryStats
    rss: Points
    """Seconds, and bytes that were resident when garbage had been collected."""
    blocks: Points
    """The same of the blocks of Python's allocator."""


class SoakResult(Struct, frozen=True):
    """A long load, and the verdicts on its memory."""

    case: Case
    soaked: Soaked
    leaks: dict[str, LeakVerdict]
    """By what may leak: ``resident memory`` and ``Python objects``."""
    violations: tuple[Violation, ...]

    @property
    def leak(self) -> LeakVerdict:
        """The worst of ``leaks``: one that is suspected, else one that is inconclusive."""
        order = (LeakStatus.SUSPECTED, LeakStatus.INCONCLUSIVE, LeakStatus.CLEAN)
        return min(self.leaks.values(), key=lambda one: order.index(one.status))

    @property
    def valid(self) -> bool:
        """Whether the load was offered as planned."""
        return self.soaked.load.failure is None

    @property
    def passed(self) -> bool:
        """Whether no leak is suspected and no limit was passed."""
        return self.leak.status is not LeakStatus.SUSPECTED and not self.violations

    def to_json(self) -> str:
        """All of it."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1).decode() + "\n"

    def __repr__(self) -> str:
        return "\n".join(_lines(self))

    def _repr_html_(self) -> str:
        verdict = self.leaks["resident memory"]
        line = tuple(zip(verdict.trough_times, verdict.line_bytes, strict=True))
        alt = "Resident memory over time, and the line through its troughs"
        head, *others = _lines(self)
        said = map(charts.paragraph, others)
        return charts.card(head, charts.curve(self.soaked.rss, alt, line=line), *said)


class SoakRequest(Struct, frozen=True):
    """What the process under load is asked for."""

    modules: tuple[str, ...]
    case: Case
    plan: LoadPlan
    seed: int


def soak(
    benchmark: str = "transaction/load",
    params: Mapping[str, float | str] | None = None,
    *,
    minutes: float = 10.0,
    seed: int = 1,
    budget: MemoryBudget | None = None,
    modules: Sequence[str] = (),
) -> SoakResult:
    """Put one load on a system in a fresh process for so many minutes, and watch its memory.

    Garbage is collected before each of some 600 looks at the memory at rest, which costs the load
    a moment. The memory that all this takes does not grow with its length. Ctrl-C ends the load,
    and what was seen until then is judged.

    Args:
        benchmark: of level load.
        params: those to be other than the benchmark's defaults, such as ``{"rate": 500}``.
        minutes: how long.
        seed: of the arrivals.
        budget: limits; those of targets.json when not given.
        modules: more modules with benchmarks.

    Raises:
        UsageError: there is no such load, or it makes no sense.
        MeasureError: the process raised, crashed or ended.
    """
    seconds = minutes * 60
    if not _SHORTEST_S <= seconds < 1e7:
        raise UsageError(f"a soak takes {_SHORTEST_S:g} seconds at least, not {seconds:g}")
    wanted = (*SUITES.values(), *modules)
    given = {name: str(value) for name, value in (params or {}).items()}
    case = load_case(registry.load(wanted), benchmark, given)
    plan = LoadPlan(passes=1, seconds=seconds, warmup_s=0.0)
    soaked = _in_process(SoakRequest(wanted, case, plan, seed))
    resident = _judged(soaked.rss, _BOOKS_BYTES)
    return SoakResult(
        case=case,
        soaked=soaked,
        leaks={
            "resident memory": resident,
            "Python objects": _judged(soaked.blocks, _BOOKS_BLOCKS),
        },
        violations=check_budget(soaked.stats, budget, resident),
    )


def _judged(points: Points, books: int) -> LeakVerdict:
    """The verdict on ``points``; growing by no more than the generator's ``books`` is no proof."""
    found = judge_leak([time for time, _ in points], [value for _, value in points])
    if (
        found.status is not LeakStatus.SUSPECTED
        or found.line_bytes[-1] - found.line_bytes[0] > books
    ):
        return found
    reason = "it grows by no more than the load generator's own books may; run longer"
    return replace(found, status=LeakStatus.INCONCLUSIVE, reason=reason)


def _in_process(asked: SoakRequest) -> Soaked:
    """Have a process do it that shares this one's terminal: it shows how it goes."""
    answers, theirs = os.pipe()
    words = [sys.executable, "-m", "veperf.runner.soak", str(theirs)]
    with (
        _ctrl_c_is_theirs(),
        subprocess.Popen(words, stdin=subprocess.PIPE, pass_fds=(theirs,)) as process,  # noqa: S603 - fixed words, no shell
    ):
        os.close(theirs)
        try:
            assert process.stdin is not None, "it is a pipe"
            with contextlib.suppress(BrokenPipeError), process.stdin as stdin:
                stdin.write(msgspec.json.encode(asked))
            line = read_line(answers)
        finally:
            os.close(answers)
            process.kill()
    return believed(line, process.returncode, Soaked)


@contextmanager
def _ctrl_c_is_theirs() -> Iterator[None]:
    """The process under load gets it as well, and ends the load."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _soak(asked: SoakRequest) -> Soaked:
    """Put the load on, in this process."""
    case, plan = asked.case, asked.plan
    benchmark = registry.load(asked.modules).benchmarks[case.benchmark]
    every_s = max(1.0, plan.seconds / _SAMPLES)
    rss, blocks = Thinned(), Thinned()
    # Statistics need no snapshots of their own: one is kept.
    profiler = MemoryProfiler(interval=1.0, max_snapshots=1)
    with ExitStack() as stack:
        shown = stack.enter_context(for_load())
        shown.case_started(0, case)
        task = benchmark.setup(**case.params)
        if not isinstance(task, registry.LoadTask):
            raise MeasureError(f"{benchmark.id} is of level load, and sets up no load")
        if task.close is not None:
            stack.callback(task.close)
        due_s = 0.0

        def watch(so_far: LoadSoFar) -> bool:
            nonlocal due_s
            if so_far.elapsed_s >= due_s:
                due_s = so_far.elapsed_s + every_s - _EARLY_S
                _, rest = profiler.force_gc()
                rss.add(so_far.elapsed_s, rest.rss_bytes)
                blocks.add(so_far.elapsed_s, rest.blocks)
            return shown.load_ticked(0, case, so_far)

        stack.enter_context(profiler)
        load = measure_load(case.id, task, plan, asked.seed, watch)
    return Soaked(load, profiler.stats(), rss.points(), blocks.points())


def _lines(found: SoakResult) -> list[str]:
    load, stats = found.soaked.load, found.soaked.stats
    figures = load.figures
    rate = f"{count(figures['achieved'])} a second" if "achieved" in figures else "nothing"
    leaks = [f"{what}: {verdict!r}" for what, verdict in found.leaks.items()]
    limits = [f"over its limit: {one.words}" for one in found.violations] or ["within all limits"]
    invalid = [] if load.failure is None else [f"the load is invalid: {load.failure.message}"]
    return [
        f"{found.case.id}: {rate} done in {stats.duration_s / 60:.3g} minutes, "
        f"{size(stats.rss.last)} resident, {size(stats.peak_rss_bytes)} at most, "
        f"longest collection {stats.gc_longest_ns / 1e6:.3g} ms",
        *invalid,
        *leaks,
        *limits,
    ]


def main() -> None:
    """Do what standard input asks for; answer on the descriptor that the argument names."""
    asked = msgspec.json.decode(sys.stdin.buffer.read(), type=SoakRequest)
    answer(lambda: _soak(asked), int(sys.argv[1]))


if __name__ == "__main__":
    main()
