"""Open-loop load: arrivals fixed beforehand, latency from the scheduled arrival to the commit."""

from veperf.measure.load.generator import run_load
from veperf.measure.load.histogram import Latencies, Percentiles
from veperf.measure.load.merging import merge
from veperf.measure.load.result import LoadResult, Second
from veperf.measure.load.saturation import Saturation, find_saturation
from veperf.measure.load.schedule import Part, Schedule

__all__ = [
    "Latencies",
    "LoadResult",
    "Part",
    "Percentiles",
    "Saturation",
    "Schedule",
    "Second",
    "find_saturation",
    "merge",
    "run_load",
]
