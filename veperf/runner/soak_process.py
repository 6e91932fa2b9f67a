"""The process under a long load, started by ``runner.soak``: its order comes on standard input."""

import dataclasses
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from veperf.core import registry
from veperf.core.case import Case
from veperf.core.errors import MeasureError
from veperf.core.load import LoadPlan, LoadSoFar, Search
from veperf.core.run import CaseResult
from veperf.ipc.isolated_process import send_result
from veperf.loadtest.case import measure_load
from veperf.loadtest.generator import run_open_loop
from veperf.loadtest.schedule import Schedule, count_arrivals
from veperf.profiling.memory.background_profiler import MemoryProfiler
from veperf.profiling.memory.child_growth import ChildWatch
from veperf.profiling.memory.leak_evidence import record_leak
from veperf.profiling.memory.leak_rule import WARM_UP
from veperf.profiling.memory.process_probes import Snapshot
from veperf.progress.load import LoadLine, load_progress
from veperf.runner.continued_load import ContinuedSystem
from veperf.runner.soak_readings import SoakReadings, ThinnedSeries, grown_backlog
from veperf.runner.soak_verdict import is_worth_recording

_SAMPLES = 600
"""Readings of the memory at rest, in a run of any length; but one every second at most."""
_EARLY_S = 0.1
"""A reading that comes so much too early is in time."""
_MOST_READING = 0.01
"""CPU time that readings may take, collections included, as a share of the time."""
_LEAST_SAMPLES = 100
"""More readings than these are given up for that; of a short soak there is one a second."""

_STRETCH_S = 60.0
"""Load that is recorded where a leak is suspected; a fifth of a shorter soak."""
_STRETCH_RATE = 0.25
"""Its rate, as a share of the load's: work that is recorded takes several times longer."""


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


def soak_here(request: SoakRequest) -> SoakReadings:
    """Put the load on, in this process, and record a last stretch where memory grows.

    Raises:
        UsageError: a module can't be imported.
        MeasureError: the benchmark sets up no load, or what it leaves can't be recorded.
        StorageError: the flamegraph can't be written.
        Whatever the benchmark does.
    """
    case, plan = request.case, request.plan
    benchmark = registry.load_registry(request.modules).benchmarks[case.benchmark]
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
        watch = _Watch(display, case, plan.seconds)
        with watch.profiler:
            load = measure_load(
                case.id, task, plan, request.seed, watch.tick, is_stopped=display.is_stopping
            )
        readings = watch.readings(load, _planned_rate(task, plan, request.seed))
        is_recorded = load.stopped_after_s is None and is_worth_recording(readings, request.margin)
        if stretch is None or not is_recorded:
            return readings

        def work() -> None:
            # Its result is dropped here, so that it is no part of what is left.
            run_open_loop(
                task.system,
                stretch,
                on_progress=lambda so_far: display.load_ticked(0, case, so_far),
                is_stopped=display.is_stopping,
            )

        page = Path(request.flamegraph) if request.flamegraph else None
        return replace(readings, evidence=record_leak(work, stretch.seconds, page))


class _Watch:
    """Reads memory at rest as the load goes on: about once a second, 600 times in all."""

    def __init__(self, display: LoadLine, case: Case, seconds: float) -> None:
        # Statistics need no snapshots of their own: one is kept.
        self.profiler = MemoryProfiler(interval=1.0, max_snapshots=1)
        self._display = display
        self._case = case
        self._seconds = seconds
        self._every_s = max(1.0, seconds / _SAMPLES)
        self._due_s = 0.0
        self._rss, self._blocks = ThinnedSeries(), ThinnedSeries()
        self._children, self._waiting = ThinnedSeries(), ThinnedSeries()
        self._child_watch = ChildWatch()
        self._warm: Snapshot | None = None
        self._last: Snapshot | None = None

    def tick(self, so_far: LoadSoFar) -> bool:
        """Read memory if it is time to, and show the load; return whether to go on."""
        at_s = so_far.elapsed_s
        if not self._due_s:
            # What came before, a collection by force too, is no part of the load.
            self.profiler.clear()
        self._waiting.add(at_s, so_far.in_flight)
        if at_s >= self._due_s:
            began_s = time.thread_time()
            self._read(at_s)
            took_s = time.thread_time() - began_s
            most_s = self._seconds / _LEAST_SAMPLES
            every_s = max(self._every_s, min(took_s / _MOST_READING, most_s))
            self._due_s = at_s + every_s - _EARLY_S
        return self._display.load_ticked(0, self._case, so_far)

    def readings(self, load: CaseResult, planned_rate: float | None) -> SoakReadings:
        """Return what was read of ``load``, of which so many items a second were planned."""
        at_rest = None if self._warm is None or self._last is None else (self._warm, self._last)
        return SoakReadings(
            load=load,
            stats=self.profiler.stats(),
            rss=self._rss.points(),
            blocks=self._blocks.points(),
            children=self._children.points(),
            grown_children=self._child_watch.grown(),
            planned_rate=planned_rate,
            at_rest=at_rest,
            backlog=grown_backlog(self._waiting.points()),
        )

    def _read(self, at_s: float) -> None:
        is_warm = at_s >= WARM_UP * self._seconds
        _, at_rest = self.profiler.force_gc()
        self._rss.add(at_s, at_rest.rss_bytes)
        self._blocks.add(at_s, at_rest.blocks)
        if children_bytes := self._child_watch.read(is_warm=is_warm):
            self._children.add(at_s, children_bytes)
        if is_warm:
            self._warm, self._last = self._warm or at_rest, at_rest


def _planned_rate(task: registry.LoadTask, plan: LoadPlan, seed: int) -> float | None:
    """Return how many items a second are scheduled, as arrivals are drawn; None for a search."""
    if isinstance(task.load, Search):
        return None
    schedule = Schedule(task.load, plan.seconds, plan.warmup_s, plan.arrivals, seed)
    return count_arrivals(schedule) / plan.seconds


def _last_stretch(task: registry.LoadTask, plan: LoadPlan, seed: int) -> Schedule | None:
    """Return the load that is recorded where a leak is suspected; None for a search."""
    if isinstance(task.load, Search):
        return None
    seconds = min(_STRETCH_S, plan.seconds / 5)
    return Schedule(_STRETCH_RATE * task.load, seconds, 0.0, plan.arrivals, seed + 1)


def main() -> None:
    """Soak as standard input says; answer on the descriptor that the argument names."""
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=SoakRequest)
    send_result(lambda: soak_here(request), int(sys.argv[1]))


if __name__ == "__main__":
    main()
