"""Python bytecodes of an operation on both sides: exact, and counted in a fraction of a second.

Counted are the bytecodes of the calling thread, with the generators and coroutines that it runs.
Work in C is not in them, nor are other threads and processes.
"""

import time
from collections.abc import Mapping

from veperf.abtest.count_verdict import SIDE_NAMES, CountedCase
from veperf.abtest.counting_worker import CountingFailedError, CountingWorker
from veperf.abtest.pair import SideLetter
from veperf.core.case import Case
from veperf.core.text import plural
from veperf.measure.protocol import BytecodesCounted, CountBytecodes
from veperf.measure.worker_client import CodeSource

_SINCE_PROTOCOL = 2
_START_TIMEOUT_S = 60.0
# Tracing takes some 0.2 µs for each bytecode.
_MOST = 2_000_000
# A mean over many calls shows what only some of them do.
_MOST_CALLS = 100
_ENOUGH = 200_000
_ENOUGH_S = 1.0


class BytecodeCounter:
    """Counts the bytecodes of cases, in one process a side."""

    def __init__(
        self,
        sides: Mapping[SideLetter, CodeSource],
        modules: Mapping[SideLetter, tuple[str, ...]],
        timeout_s: float,
    ) -> None:
        self._workers = {
            letter: CountingWorker(code, modules[letter], _START_TIMEOUT_S, timeout_s)
            for letter, code in sides.items()
        }

    def count(self, case: Case, until: float | None) -> CountedCase:
        """Count the bytecodes of ``case``, in as many calls on both sides."""
        counted = CountedCase()
        calls: int | None = None
        for letter, worker in self._workers.items():
            try:
                with worker.opened(case, loops=1, until=until) as opened:
                    if worker.protocol < _SINCE_PROTOCOL:
                        counted.missing = f"the veperf of the {SIDE_NAMES[letter]} code can't"
                        return counted
                    # The first call is the warm-up, too.
                    began = time.perf_counter()
                    first = _ask(worker, 1)
                    seconds = time.perf_counter() - began
                    if calls is None and first is not None:
                        calls = _number_of_calls(first, seconds)
                    total = _ask(worker, calls) if calls is not None and first is not None else None
                    if total is None or calls is None:
                        counted.missing = f"there are more than {plural(_MOST, 'bytecode')}"
                        return counted
                    counted.values[letter] = (total / (calls * opened.operations),)
            except CountingFailedError as error:
                counted.fail(letter, error.failure)
                return counted
        return counted

    def close(self) -> None:
        """End the processes."""
        for worker in self._workers.values():
            worker.stop()


def _ask(worker: CountingWorker, calls: int) -> int | None:
    return worker.ask(CountBytecodes(calls, _MOST), BytecodesCounted).bytecodes


def _number_of_calls(bytecodes: int, seconds: float) -> int:
    """Return the number of calls to count, from what the first took."""
    by_time = _ENOUGH_S / max(seconds, 1e-6)
    return max(1, int(min(_MOST_CALLS, _ENOUGH / max(bytecodes, 1), by_time)))
