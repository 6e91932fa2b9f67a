"""CPU profiles: the CPU time of a benchmark or a callable, by function and by line.

Never taken in the same pass as timings, because sampling costs time, too.
"""

from veperf.profiling.cpu.profile import CpuProfile
from veperf.profiling.cpu.profile import profile_cpu as profile
from veperf.profiling.cpu.stacks import CpuSamples, Frame, Stack

__all__ = ["CpuProfile", "CpuSamples", "Frame", "Stack", "profile"]
