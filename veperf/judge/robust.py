"""The one value that a process contributes, robust against a busy machine.

What disturbs a measurement (other processes, interrupts, migrations) only ever adds time, so low
values are the clean ones; and CPU time leaves out the waiting for a CPU. The price is blindness to
changes in the tail alone, which is why the median and the p99 are kept beside this value.
"""

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from veperf.model import Clock, Sample

CPU_BOUND_RATIO = 0.95
# Above this several threads worked at once: CPU time says what that costs, not how long it takes.
ONE_THREAD_RATIO = 1.05


def pick_clock(samples: Iterable[Sample]) -> Clock:
    """``cpu`` where the work is CPU-bound on one thread, else ``wall``.

    Judged by the median CPU/wall of the clean samples, those with the fewest involuntary context
    switches: where the scheduler took the CPU away, the ratio says nothing about the work. On a
    machine so busy that no sample is clean, work that never gave the CPU up by itself is CPU-bound
    all the same. ``wall`` as well where a sample has no CPU time, and where there is no sample.
    """
    timed = [s for s in samples if s.wall_ns > 0]
    if not timed or any(s.cpu_ns is None for s in timed):
        return "wall"
    fewest = min(s.switches or 0 for s in timed)
    ratio = np.median([(s.cpu_ns or 0) / s.wall_ns for s in timed if (s.switches or 0) == fewest])
    if ratio > ONE_THREAD_RATIO:
        return "wall"
    return "cpu" if ratio > CPU_BOUND_RATIO or _never_waits(timed) else "wall"


def _never_waits(samples: Sequence[Sample]) -> bool:
    """Whether at least half of the samples, of all of which that is known, waited for nothing."""
    waits = [s.waits for s in samples if s.waits is not None]
    return len(waits) == len(samples) and float(np.median(waits)) == 0


def process_value(times: ArrayLike) -> float:
    """Mean of the lowest quarter of ``times``, at least two of them (or the only one).

    NaN where there is none, or where one is not a positive finite number: a process whose clock
    said so can't be believed in its other samples either.
    """
    ordered = np.sort(np.asarray(times, dtype=np.float64).ravel())
    if ordered.size == 0 or not np.all(np.isfinite(ordered)) or ordered[0] <= 0:
        return math.nan
    return float(ordered[: max(2, ordered.size // 4)].mean())
