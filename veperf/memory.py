"""Memory of an operation and of a process over time, budgets and leaks: ``veperf.memory``."""

from veperf.core.text import format_bytes
from veperf.profiling.memory.background_profiler import MemoryProfiler
from veperf.profiling.memory.budget import Gauges, LimitUse, MemoryBudget, budget_of, check_budget
from veperf.profiling.memory.capture import Tally, capture, tally
from veperf.profiling.memory.leak_rule import LeakStatus, LeakVerdict, judge_leak
from veperf.profiling.memory.operation_memory import OperationMemory, measure_operation_memory
from veperf.profiling.memory.process_probes import Snapshot
from veperf.profiling.memory.profile_memory import MemoryProfile, profile_rounds
from veperf.profiling.memory.profile_memory import profile_memory as profile
from veperf.profiling.memory.sites import Site
from veperf.profiling.memory.snapshot_stats import MemoryStats, Range

__all__ = [
    "Gauges",
    "LeakStatus",
    "LeakVerdict",
    "LimitUse",
    "MemoryBudget",
    "MemoryProfile",
    "MemoryProfiler",
    "MemoryStats",
    "OperationMemory",
    "Range",
    "Site",
    "Snapshot",
    "Tally",
    "budget_of",
    "capture",
    "check_budget",
    "format_bytes",
    "judge_leak",
    "measure_operation_memory",
    "profile",
    "profile_rounds",
    "tally",
]
