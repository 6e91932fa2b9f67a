"""Looks at the stack every so often while code runs, by a timer that counts CPU time.

The kernel sends SIGPROF whenever the process has used so much more CPU time. Python handles it on
the main thread, where a function begins, a call returns or a loop turns: so time in C code counts
for the line that called it, that of a few bytecodes for the next such place, and that of other
threads for whatever the main thread is doing.
"""

import signal
import threading
import time
from collections.abc import Callable
from types import CodeType, FrameType

from veperf.core.errors import MeasureError
from veperf.profiling.cpu.stacks import Frame, Sampled, Stack

INTERVAL_S = 0.001
"""Kernels round this up to their own tick, 1 to 4 ms."""
_DEEPEST = 200
"""Of deeper stacks only the innermost frames are kept."""
_MOST_WALL = 4
"""Work that mostly waits is looked at for so many times the CPU time that was asked for."""

Place = tuple[tuple[CodeType, str], ...]


def sample(call: Callable[[], object], seconds: float) -> Sampled:
    """Call ``call`` until that took ``seconds`` of CPU time, and at least once.

    Raises:
        MeasureError: this is not the main thread, or somebody else uses the timer.
        Whatever ``call`` does.
    """
    if threading.current_thread() is not threading.main_thread():
        raise MeasureError("stacks are looked at on the main thread; call it from there")
    if signal.getitimer(signal.ITIMER_PROF)[0]:
        raise MeasureError("another profiler uses the timer; end it first")
    looker = _Looker()
    before = signal.signal(signal.SIGPROF, looker.look)
    signal.setitimer(signal.ITIMER_PROF, INTERVAL_S, INTERVAL_S)
    try:
        calls, cpu_s = looker.repeat(call, seconds)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    return Sampled(looker.stacks(), calls, cpu_s)


class _Looker:
    def __init__(self) -> None:
        self._found: dict[tuple[Place, int], int] = {}

    def repeat(self, call: Callable[[], object], seconds: float) -> tuple[int, float]:
        """How often ``call`` was called, and the CPU time that it took."""
        calls, began = 0, time.process_time()
        deadline = time.monotonic() + _MOST_WALL * seconds
        while True:
            call()
            calls += 1
            cpu_s = time.process_time() - began
            if cpu_s >= seconds or time.monotonic() > deadline:
                return calls, cpu_s

    def look(self, number: int, frame: FrameType | None) -> None:
        """Take note of the stack, from here up to ``repeat``."""
        # Code that stands for no line, such as a loop's jump back, has None.
        line = (frame.f_lineno or frame.f_code.co_firstlineno) if frame is not None else 0
        place: list[tuple[CodeType, str]] = []
        while frame is not None and frame.f_code is not _OUTERMOST:
            if len(place) < _DEEPEST:
                place.append((frame.f_code, frame.f_globals.get("__name__", "")))
            frame = frame.f_back
        if frame is not None:
            key = tuple(place), line
            self._found[key] = self._found.get(key, 0) + 1

    def stacks(self) -> tuple[Stack, ...]:
        """What was found, the outermost function first; none where only C code is called."""
        return tuple(
            Stack(tuple(_frame(code, module) for code, module in reversed(place)), line, samples)
            for (place, line), samples in self._found.items()
        )


_OUTERMOST = _Looker.repeat.__code__


def _frame(code: CodeType, module: str) -> Frame:
    return Frame(code.co_qualname, module, code.co_filename)
