"""Instructions of an operation on both sides, counted under valgrind's callgrind.

A worker a side runs there and takes samples as it always does; a count is that of the loops alone,
without the start, the set-up and what lies between samples. (A sample adds some 10,000 instructions
of its own to at least 10 million, the same on both sides.) Every thread of the process is counted,
other processes and the kernel are not.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from veperf.abtest import callgrind
from veperf.abtest.count_verdict import CountedCase
from veperf.abtest.counting_worker import CountingFailedError, CountingWorker
from veperf.abtest.pair import SideLetter
from veperf.core.case import Case
from veperf.core.errors import MeasureError
from veperf.measure.protocol import SampleTaken, TakeSample
from veperf.measure.worker_client import CodeSource, as_failure

_START_TIMEOUT_S = 600.0
# Callgrind is some 50 times slower than the CPU.
_SLOWDOWN = 10
# Length of a sample without callgrind.
_SAMPLE_NS = 2_000_000
# The first is the warm-up: Python has specialised its bytecodes by its end, and caches are filled.
_SAMPLES = 3


class InstructionCounter:
    """Counts the instructions of cases, in one process a side.

    Raises:
        MeasureError: valgrind is not installed.
    """

    def __init__(
        self,
        sides: Mapping[SideLetter, CodeSource],
        modules: Mapping[SideLetter, tuple[str, ...]],
        timeout_s: float,
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="veperf-")
        folder = Path(self._folder.name)
        self._workers = {
            letter: CountingWorker(
                callgrind.counted_code(code, folder),
                modules[letter],
                _START_TIMEOUT_S,
                _SLOWDOWN * timeout_s,
            )
            for letter, code in sides.items()
        }
        # Loops are calibrated at full speed, and are the same on both sides.
        self._calibrating = CountingWorker(sides["a"], modules["a"], _START_TIMEOUT_S, timeout_s)

    def count(self, case: Case, until: float | None) -> CountedCase:
        """Count the instructions of ``case``."""
        counted = CountedCase()
        letter: SideLetter = "a"
        try:
            with self._calibrating.opened(
                case, loops=None, min_sample_ns=_SAMPLE_NS, until=until
            ) as opened:
                loops = opened.loops
            for letter, worker in self._workers.items():
                counted.values[letter] = self._count_side(worker, case, loops, until)
        except CountingFailedError as error:
            counted.fail(letter, error.failure)
        except MeasureError as error:
            counted.fail(letter, as_failure(error))
        return counted

    def close(self) -> None:
        """End the processes, and remove their files."""
        for worker in (self._calibrating, *self._workers.values()):
            worker.stop()
        self._folder.cleanup()

    def _count_side(
        self, worker: CountingWorker, case: Case, loops: int, until: float | None
    ) -> tuple[float, ...]:
        folder = Path(self._folder.name)
        counts: list[float] = []
        with worker.opened(case, loops=loops, until=until) as opened:
            for _ in range(_SAMPLES):
                worker.ask(TakeSample(), SampleTaken)
                count = callgrind.take_sample_count(folder, worker.pid)
                counts.append(count / (loops * opened.operations))
        return tuple(counts[1:])
