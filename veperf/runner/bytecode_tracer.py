"""Number of Python bytecodes that calls execute, counted by tracing every one.

Exact, as the same code with the same hash seed executes the same bytecodes. Only the calling thread
is traced, and generators and coroutines that it runs; work in C counts as the one bytecode that
calls it, and so do other threads and processes not at all.
"""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from veperf.core.errors import MeasureError


class _BytecodeCounter:
    """Trace function that counts up to ``most`` bytecodes, and stops tracing then."""

    def __init__(self, most: int) -> None:
        self.count = 0
        self._most = most

    def trace_call(self, frame: FrameType, event: str, argument: Any) -> Callable[..., Any]:
        """Trace the bytecodes of a frame that begins or goes on."""
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return self._trace_frame

    def _trace_frame(self, frame: FrameType, event: str, argument: Any) -> Callable[..., Any]:
        if event == "opcode":
            self.count += 1
            if self.count > self._most:
                sys.settrace(None)
        return self._trace_frame


def count_bytecodes(call: Callable[[], object], calls: int, most: int) -> int | None:
    """Return the number of bytecodes in so many calls of ``call``; None if it is over ``most``.

    Takes some 0.2 µs more for each bytecode.

    Raises:
        MeasureError: another tracer, such as a debugger, is active.
    """
    if sys.gettrace() is not None:
        raise MeasureError("bytecodes can't be counted while a debugger or coverage traces")
    counter = _BytecodeCounter(most)
    for _ in range(calls):
        if counter.count > most:
            return None
        sys.settrace(counter.trace_call)
        try:
            call()
        finally:
            sys.settrace(None)
    return counter.count if counter.count <= most else None
