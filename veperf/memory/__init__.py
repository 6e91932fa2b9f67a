"""What code costs in memory: an operation, a process over time, and whether it leaks.

Never measured in one pass with time.
"""

from veperf.memory.budget import Gauges, MemoryBudget, Violation, budget_of, check_budget
from veperf.memory.capture import Tally, capture, tally
from veperf.memory.footprint import Footprint, measure_footprint
from veperf.memory.leak import LeakStatus, LeakVerdict, judge_leak
from veperf.memory.probes import Snapshot
from veperf.memory.profile import MemoryProfile, at_work, profile
from veperf.memory.profiler import MemoryProfiler
from veperf.memory.sites import Site
from veperf.memory.stats import MemoryStats, Range

__all__ = [
    "Footprint",
    "Gauges",
    "LeakStatus",
    "LeakVerdict",
    "MemoryBudget",
    "MemoryProfile",
    "MemoryProfiler",
    "MemoryStats",
    "Range",
    "Site",
    "Snapshot",
    "Tally",
    "Violation",
    "at_work",
    "budget_of",
    "capture",
    "check_budget",
    "judge_leak",
    "measure_footprint",
    "profile",
    "tally",
]
