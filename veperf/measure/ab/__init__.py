"""Measuring old and new code in pairs, in turn."""

from veperf.measure.ab.benchmarks import BenchmarkPairs
from veperf.measure.ab.commands import CommandPairs
from veperf.measure.ab.pair import Measured, Pairs

__all__ = ["BenchmarkPairs", "CommandPairs", "Measured", "Pairs"]
