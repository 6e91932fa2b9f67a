"""Memory of an operation and of a process over time, budgets and leaks.

Never measured in the same pass as time.
"""

from veperf.profiling.memory.budget import Gauges, MemoryBudget, Violation, budget_of, check_budget
from veperf.profiling.memory.capture import Tally, capture, tally
from veperf.profiling.memory.footprint import Footprint, measure_footprint
from veperf.profiling.memory.leak import LeakStatus, LeakVerdict, judge_leak
from veperf.profiling.memory.probes import Snapshot
from veperf.profiling.memory.profile import MemoryProfile, at_work
from veperf.profiling.memory.profile import profile_memory as profile
from veperf.profiling.memory.profiler import MemoryProfiler
from veperf.profiling.memory.sites import Site
from veperf.profiling.memory.stats import MemoryStats, Range

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
