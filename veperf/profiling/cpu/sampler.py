"""A sampler of the stack while code runs, by a timer that counts CPU time.

The kernel sends SIGPROF whenever the process has used so much more CPU time. Python handles it on
the main thread, where a function begins, a call returns or a loop turns: so time in C code counts
for the line that called it, time of a few bytecodes for the next such place, and time of other
threads for whatever the main thread is doing.
"""

import signal
import threading
import time
from collections.abc import Callable
from types import CodeType, FrameType

from msgspec import Struct

from veperf.core import registry
from veperf.core.case import Params
from veperf.core.errors import MeasureError, UsageError
from veperf.core.run import HotLine
from veperf.measure.complete_call import complete_call
from veperf.profiling.cpu.call_tree import CpuSamples, Frame, Stack, line_samples

INTERVAL_S = 0.001
"""Kernels round this up to their own tick, 1 to 4 ms."""
_MAX_DEPTH = 200
"""Of deeper stacks only the innermost frames are kept."""
_MAX_WALL_FACTOR = 4
"""Work that mostly waits is sampled for so many times the requested CPU time."""
_LEAST_SAMPLES = 10
"""The fewest that tell which line is the hottest."""

StackKey = tuple[tuple[CodeType, str], ...]


class CpuProfileRequest(Struct, frozen=True):
    """Request to a fresh process: set a benchmark up and sample it; answered by ``CpuSamples``."""

    modules: tuple[str, ...]
    benchmark: str
    params: Params
    seconds: float
    """CPU time to sample."""


def sample_benchmark(request: CpuProfileRequest) -> CpuSamples:
    """Set the benchmark up and sample it.

    Raises:
        Whatever the benchmark does.
    """
    benchmark = registry.load_registry(request.modules).benchmarks[request.benchmark]
    task = benchmark.setup(**request.params)
    if not isinstance(task, registry.Task):
        raise UsageError(f"{request.benchmark} is a load, which has no call to sample")
    return sample_warmed_up(task.call, request.seconds)


def sample_warmed_up(call: Callable[[], object], seconds: float) -> CpuSamples:
    """Call ``call`` once, then sample it as ``sample_stacks`` does.

    Raises:
        MeasureError: it returns a generator, or as ``sample_stacks``.
        Whatever ``call`` does.
    """
    with complete_call(call, call()) as work:
        return sample_stacks(work, seconds)


def sample_stacks(call: Callable[[], object], seconds: float) -> CpuSamples:
    """Call ``call`` until that took ``seconds`` of CPU time, and at least once.

    Raises:
        MeasureError: this is not the main thread, or another profiler uses the timer.
        Whatever ``call`` does.
    """
    if threading.current_thread() is not threading.main_thread():
        raise MeasureError("stacks are sampled on the main thread; call it from there")
    if signal.getitimer(signal.ITIMER_PROF)[0]:
        raise MeasureError("another profiler uses the timer; end it first")
    sampler = _Sampler()
    before = signal.signal(signal.SIGPROF, sampler.sample)
    signal.setitimer(signal.ITIMER_PROF, INTERVAL_S, INTERVAL_S)
    try:
        calls, cpu_s = sampler.repeat(call, seconds)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    return CpuSamples(sampler.stacks(), calls, cpu_s)


def find_hot_line(call: Callable[[], object], seconds: float) -> HotLine | None:
    """Return the line that ``call`` spends most of ``seconds`` of CPU time in.

    None where no line calls the C code that works, the stack can't be sampled, or other threads do
    most of the work: their time counts for the line of this one that waits for them. Nor of fewer
    samples than tell a share.

    Raises:
        Whatever ``call`` does.
    """
    began = time.thread_time()
    try:
        sampled = sample_stacks(call, seconds)
    except MeasureError:
        return None
    if time.thread_time() - began < sampled.cpu_s / 2 or sampled.samples < _LEAST_SAMPLES:
        return None
    for frame, line, samples in line_samples(sampled.stacks):
        return HotLine(f"{frame.module}:{line}", frame.name, samples / sampled.samples)
    return None


class _Sampler:
    def __init__(self) -> None:
        self._counts: dict[tuple[StackKey, int], int] = {}

    def repeat(self, call: Callable[[], object], seconds: float) -> tuple[int, float]:
        """Repeat ``call``; return the number of calls and their CPU time."""
        calls, began = 0, time.process_time()
        deadline = time.monotonic() + _MAX_WALL_FACTOR * seconds
        while True:
            call()
            calls += 1
            cpu_s = time.process_time() - began
            if cpu_s >= seconds or time.monotonic() > deadline:
                return calls, cpu_s

    def sample(self, number: int, frame: FrameType | None) -> None:
        """Count the current stack, up to ``repeat``."""
        # Code that stands for no line, such as a loop's jump back, has None.
        line = (frame.f_lineno or frame.f_code.co_firstlineno) if frame is not None else 0
        stack: list[tuple[CodeType, str]] = []
        while frame is not None and frame.f_code is not _OUTERMOST:
            if len(stack) < _MAX_DEPTH:
                stack.append((frame.f_code, frame.f_globals.get("__name__", "")))
            frame = frame.f_back
        if frame is not None:
            key = tuple(stack), line
            self._counts[key] = self._counts.get(key, 0) + 1

    def stacks(self) -> tuple[Stack, ...]:
        """Return the stacks, the outermost function first; empty if only C code is called."""
        return tuple(
            Stack(tuple(_frame(code, module) for code, module in reversed(stack)), line, samples)
            for (stack, line), samples in self._counts.items()
        )


_OUTERMOST = _Sampler.repeat.__code__


def _frame(code: CodeType, module: str) -> Frame:
    return Frame(code.co_qualname, module, code.co_filename)
