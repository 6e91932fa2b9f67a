"""Soak tests: a load for minutes or hours, while memory is watched."""

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from veperf.core import registry
from veperf.core.case import Case
from veperf.core.errors import MeasureError, UsageError
from veperf.core.escape import as_html
from veperf.core.load import LoadPlan, LoadSoFar, Search
from veperf.core.option_fields import keyword_options
from veperf.core.options import SoakOptions
from veperf.core.registry import SUITES
from veperf.core.run import CaseResult
from veperf.core.text import format_bytes, format_count
from veperf.ipc.isolated_process import decode_result, read_line, send_result
from veperf.loadtest.case import measure_load
from veperf.loadtest.custom_case import custom_load_case
from veperf.loadtest.generator import run_open_loop
from veperf.loadtest.schedule import CHUNK, Schedule, count_arrivals
from veperf.profiling.memory import charts
from veperf.profiling.memory.background_profiler import MemoryProfiler
from veperf.profiling.memory.budget import LimitUse, MemoryBudget, check_budget, check_growth
from veperf.profiling.memory.leak_evidence import LeakEvidence, record_leak
from veperf.profiling.memory.leak_rule import LeakStatus, LeakVerdict, judge_leak
from veperf.profiling.memory.process_probes import children_rss_bytes
from veperf.profiling.memory.snapshot_stats import MemoryStats
from veperf.progress.load import load_progress
from veperf.runner.continued_load import ContinuedSystem


class ThinnedSeries:
    """Times and values; where they become too many, the lower one of each pair stays.

    The troughs, by which a leak is judged, are kept that way. ``capacity`` is even.
    """

    def __init__(self, capacity: int = 4_096) -> None:
        self._capacity = capacity
        self._points: list[tuple[float, float]] = []
        self._each = 1
        self._skipped = 0

    def add(self, time: float, value: float) -> None:
        """Add a value."""
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
        """The times and values that stay, in order."""
        return tuple(self._points)


_SAMPLES = 600
"""Readings of the memory at rest, in a run of any length; but one every second at most."""
_EARLY_S = 0.1
"""A reading that comes so much too early is in time."""
_SHORTEST_S = 10.0

_STRETCH_S = 60.0
"""Load that is recorded where a leak is suspected; a fifth of a shorter soak."""
_LIKELY_GROWTH = 0.02
"""Change of the last part that is recorded too, though the readings don't prove a leak."""
_STRETCH_RATE = 0.25
"""Its rate, as a share of the load's: work that is recorded takes several times longer."""

_NOT_JUDGED = "the load is invalid: not judged"

# Records of the items of a chunk, which the generator keeps until it works through them.
_GENERATOR_BYTES = 256 * CHUNK
_GENERATOR_BLOCKS = 6 * CHUNK

Points = tuple[tuple[float, float], ...]


class SoakReadings(Struct, frozen=True):
    """Readings of the process under load."""

    load: CaseResult
    stats: MemoryStats
    rss: Points
    """Seconds, and bytes that were resident when garbage had been collected."""
    blocks: Points
    """The same of the blocks of Python's allocator."""
    children: Points = ()
    """Resident bytes of all processes that the system has started; empty if there were none."""
    evidence: LeakEvidence | None = None
    """Memory that a last stretch of load left behind; None where no leak was suspected."""


class SoakResult(Struct, frozen=True):
    """A long load, and the verdicts on its memory."""

    case: Case
    soaked: SoakReadings
    leaks: dict[str, LeakVerdict]
    """Verdicts on ``resident memory`` and ``Python objects``, and on ``child processes``, the
    resident memory of those that the system has started, if there are any. All inconclusive where
    the load is invalid."""
    violations: tuple[LimitUse, ...]
    """Limits that were exceeded; none are judged where the load is invalid."""
    not_measured: tuple[LimitUse, ...] = ()
    """Limits of which nothing is known, for want of readings."""

    @property
    def leak(self) -> LeakVerdict:
        """The worst of ``leaks``: one that is suspected, else one that is inconclusive."""
        order = (LeakStatus.SUSPECTED, LeakStatus.INCONCLUSIVE, LeakStatus.CLEAN)
        return min(self.leaks.values(), key=lambda leak: order.index(leak.status))

    @property
    def valid(self) -> bool:
        """True where the load was offered as planned."""
        return self.soaked.load.failure is None

    @property
    def passed(self) -> bool:
        """True where the load is valid, no leak is suspected and no limit was passed."""
        is_suspected = self.leak.status is LeakStatus.SUSPECTED
        return self.valid and not is_suspected and not self.violations

    def to_json(self) -> str:
        """Return all of it as JSON."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1).decode() + "\n"

    def __repr__(self) -> str:
        return "\n".join(_lines(self))

    def _repr_html_(self) -> str:
        verdict = self.leaks["resident memory"]
        line = tuple(zip(verdict.trough_times, verdict.line_bytes, strict=True))
        alt = "Resident memory over time, and the line through its troughs"
        head, *others = _lines(replace(self, soaked=replace(self.soaked, evidence=None)))
        paragraphs = (f"<p>{as_html(text)}</p>" for text in others)
        evidence = self.soaked.evidence
        return charts.html_card(
            head,
            charts.memory_curve(self.soaked.rss, alt, line=line),
            *paragraphs,
            "" if evidence is None else evidence._repr_html_(),
        )


class SoakRequest(Struct, frozen=True):
    """Order for the process under load."""

    modules: tuple[str, ...]
    case: Case
    plan: LoadPlan
    seed: int
    margin: float
    """Growth below which memory is clean, as a share."""
    flamegraph: str = ""
    """File for the flamegraph of what a suspected leak leaves behind; empty for none."""


@keyword_options
def soak(
    benchmark: str = "transaction/load",
    params: Mapping[str, float | str] | None = None,
    *,
    options: SoakOptions,
    budget: MemoryBudget | None = None,
    flamegraph: str | Path | None = None,
) -> SoakResult:
    """Put one load on a system in a fresh process for so many minutes, and watch its memory.

    Garbage is collected before each of some 600 readings of the memory at rest, which costs the
    load a moment. The memory that all this takes does not grow with its length. Ctrl-C ends the
    load, and what was read until then is judged.

    Where a leak is suspected at the end, a fifth of the time, a minute at most, is put on at a
    quarter of the rate and recorded by memray: ``soaked.evidence`` names the lines and the objects
    that keep memory.

    Nothing is judged where the load could not be offered as planned: memory that a system holds
    under another load than was meant says nothing of it.

    Args:
        benchmark: id of a load benchmark.
        params: values that override the benchmark's defaults, such as ``{"rate": 500}``.
        options: how long, and more; each field is a keyword as well.
        budget: limits; those of targets.json when not given.
        flamegraph: an HTML file to write where a leak is suspected, of what is left.

    Raises:
        UsageError: there is no such load, or it makes no sense.
        MeasureError: the process raised, crashed or ended.
        StorageError: the flamegraph can't be written.
    """
    seconds = options.minutes * 60
    if not _SHORTEST_S <= seconds < 1e7:
        raise UsageError(f"a soak takes {_SHORTEST_S:g} seconds at least, not {seconds:g}")
    modules = (*SUITES.values(), *options.modules)
    texts = {name: str(value) for name, value in (params or {}).items()}
    case = custom_load_case(registry.load_registry(modules), benchmark, texts)
    plan = LoadPlan(passes=1, seconds=seconds, warmup_s=0.0)
    page = str(Path(flamegraph).absolute()) if flamegraph is not None else ""
    allowed = budget or MemoryBudget()
    request = SoakRequest(modules, case, plan, options.seed, allowed.growth_margin, page)
    return judge_soak(case, _soak_in_process(request), allowed)


def judge_soak(case: Case, readings: SoakReadings, budget: MemoryBudget) -> SoakResult:
    """Judge the ``readings`` of a soak of ``case``."""
    leaks = _judge_readings(readings, budget.growth_margin)
    if readings.load.failure is not None:
        return SoakResult(case=case, soaked=readings, leaks=leaks, violations=())
    uses = check_budget(readings.stats, budget, leaks["resident memory"])
    if children := leaks.get("child processes"):
        uses += check_growth(children, budget, "memory of child processes")
    return SoakResult(
        case=case,
        soaked=readings,
        leaks=leaks,
        violations=tuple(use for use in uses if use.exceeded),
        not_measured=tuple(use for use in uses if not use.exceeded),
    )


def _judge_readings(readings: SoakReadings, margin: float) -> dict[str, LeakVerdict]:
    series = {
        "resident memory": (readings.rss, _GENERATOR_BYTES),
        "Python objects": (readings.blocks, _GENERATOR_BLOCKS),
    }
    if readings.children:
        series["child processes"] = readings.children, 0
    if readings.load.failure is not None:
        return dict.fromkeys(series, LeakVerdict(LeakStatus.INCONCLUSIVE, _NOT_JUDGED))
    return {
        what: _judge_growth(points, own_growth, margin)
        for what, (points, own_growth) in series.items()
    }


def _judge_growth(points: Points, own_growth: int, margin: float) -> LeakVerdict:
    """Judge ``points``; what the load generator's ``own_growth`` may explain is no proof."""
    verdict = judge_leak([time for time, _ in points], [value for _, value in points], margin)
    if (
        verdict.status is not LeakStatus.SUSPECTED
        or verdict.line_bytes[-1] - verdict.line_bytes[0] > own_growth
    ):
        return verdict
    reason = "it grows by no more than the load generator's own records may; run longer"
    return replace(verdict, status=LeakStatus.INCONCLUSIVE, reason=reason)


def _is_growing(leak: LeakVerdict) -> bool:
    """Return whether it is worth a look where: a leak is suspected, or likely."""
    likely = leak.status is LeakStatus.INCONCLUSIVE and (leak.change or 0.0) >= _LIKELY_GROWTH
    return leak.status is LeakStatus.SUSPECTED or likely


def _soak_in_process(request: SoakRequest) -> SoakReadings:
    """Soak in a process that shares this one's terminal: it shows the progress."""
    answers, child_end = os.pipe()
    words = [sys.executable, "-m", "veperf.runner.soak", str(child_end)]
    with (
        _leave_ctrl_c_to_child(),
        subprocess.Popen(words, stdin=subprocess.PIPE, pass_fds=(child_end,)) as process,  # noqa: S603 - fixed words, no shell
    ):
        os.close(child_end)
        try:
            assert process.stdin is not None, "it is a pipe"
            with contextlib.suppress(BrokenPipeError), process.stdin as stdin:
                stdin.write(msgspec.json.encode(request))
            line = read_line(answers)
        finally:
            os.close(answers)
            process.kill()
    return decode_result(line, process.returncode, SoakReadings)


@contextmanager
def _leave_ctrl_c_to_child() -> Iterator[None]:
    """The process under load gets it as well, and ends the load."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _soak(request: SoakRequest) -> SoakReadings:
    """Put the load on, in this process."""
    case, plan = request.case, request.plan
    benchmark = registry.load_registry(request.modules).benchmarks[case.benchmark]
    every_s = max(1.0, plan.seconds / _SAMPLES)
    rss, blocks, children = ThinnedSeries(), ThinnedSeries(), ThinnedSeries()
    # Statistics need no snapshots of their own: one is kept.
    profiler = MemoryProfiler(interval=1.0, max_snapshots=1)
    with ExitStack() as stack:
        display = stack.enter_context(load_progress())
        display.case_started(0, case)
        task = benchmark.setup(**case.params)
        if not isinstance(task, registry.LoadTask):
            raise MeasureError(f"{benchmark.id} is of level load, and sets up no load")
        if task.close is not None:
            stack.callback(task.close)
        stretch = _last_stretch(task, plan, request.seed)
        if stretch is not None:
            continued = ContinuedSystem(task.system, count_arrivals(stretch))
            stack.callback(continued.end)
            task = dataclasses.replace(task, system=continued.begin)
        due_s = 0.0

        def watch(so_far: LoadSoFar) -> bool:
            nonlocal due_s
            if so_far.elapsed_s >= due_s:
                due_s = so_far.elapsed_s + every_s - _EARLY_S
                _, at_rest = profiler.force_gc()
                rss.add(so_far.elapsed_s, at_rest.rss_bytes)
                blocks.add(so_far.elapsed_s, at_rest.blocks)
                if children_bytes := children_rss_bytes():
                    children.add(so_far.elapsed_s, children_bytes)
            return display.load_ticked(0, case, so_far)

        with profiler:
            load = measure_load(case.id, task, plan, request.seed, watch)
        readings = SoakReadings(
            load, profiler.stats(), rss.points(), blocks.points(), children.points()
        )
        grows = any(map(_is_growing, _judge_readings(readings, request.margin).values()))
        if not grows or stretch is None or load.stopped_after_s is not None:
            return readings

        def work() -> None:
            # Its result is dropped here, so that it is no part of what is left.
            run_open_loop(
                task.system,
                stretch,
                on_progress=lambda so_far: display.load_ticked(0, case, so_far),
            )

        page = Path(request.flamegraph) if request.flamegraph else None
        return replace(readings, evidence=record_leak(work, stretch.seconds, page))


def _last_stretch(task: registry.LoadTask, plan: LoadPlan, seed: int) -> Schedule | None:
    """Return the load that is recorded where a leak is suspected; None for a search."""
    if isinstance(task.load, Search):
        return None
    seconds = min(_STRETCH_S, plan.seconds / 5)
    return Schedule(_STRETCH_RATE * task.load, seconds, 0.0, plan.arrivals, seed + 1)


def _lines(result: SoakResult) -> list[str]:
    load, stats = result.soaked.load, result.soaked.stats
    figures = load.figures
    rate = f"{format_count(figures['achieved'])} a second" if "achieved" in figures else "nothing"
    forced = stats.forced_collections
    head = (
        f"{result.case.id}: {rate} done in {stats.duration_s / 60:.3g} minutes, "
        f"{format_bytes(stats.rss.last)} resident, {format_bytes(stats.peak_rss_bytes)} at most, "
        f"longest collection {max(stats.gc_longest_cpu_ns) / 1e6:.3g} ms of CPU time"
        f"{forced and f' ({forced})'}"
    )
    if load.failure is not None:
        return [head, f"{_NOT_JUDGED} ({load.failure.message})"]
    leaks = [f"{what}: {verdict!r}" for what, verdict in result.leaks.items()]
    limits = [
        *(f"over its limit: {use.description}" for use in result.violations),
        *(use.description for use in result.not_measured),
    ]
    evidence = result.soaked.evidence
    return [
        head,
        *leaks,
        *(limits or ["within all limits"]),
        *([] if evidence is None else [repr(evidence)]),
    ]


def main() -> None:
    """Soak as standard input says; answer on the descriptor that the argument names."""
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=SoakRequest)
    send_result(lambda: _soak(request), int(sys.argv[1]))


if __name__ == "__main__":
    main()
