"""CPU time of a benchmark or of a callable, by function and by line: ``veperf.cpu``."""

from veperf.profiling.cpu.call_tree import CpuSamples, Frame, Stack
from veperf.profiling.cpu.profile_cpu import CpuProfile
from veperf.profiling.cpu.profile_cpu import profile_cpu as profile

__all__ = ["CpuProfile", "CpuSamples", "Frame", "Stack", "profile"]
