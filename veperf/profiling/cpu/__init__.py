"""Where the CPU time of code goes, function by function and line by line.

Never measured in one pass with time: looking costs time, too.
"""

from veperf.profiling.cpu.profile import CpuProfile, profile
from veperf.profiling.cpu.stacks import Frame, Sampled, Stack

__all__ = ["CpuProfile", "Frame", "Sampled", "Stack", "profile"]
