"""CPU profiles: the CPU time of a benchmark or a callable, by function and by line.

Never taken in the same pass as timings, because sampling costs time, too.
"""

from veperf.profiling.cpu.call_tree import CpuSamples, Frame, Stack
from veperf.profiling.cpu.profile_cpu import CpuProfile
from veperf.profiling.cpu.profile_cpu import profile_cpu as profile

__all__ = ["CpuProfile", "CpuSamples", "Frame", "Stack", "profile"]
