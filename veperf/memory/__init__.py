"""What code costs in memory, by memray: never measured in one pass with time."""

from veperf.memory.capture import Tally, capture, tally
from veperf.memory.footprint import Footprint, measure_footprint

__all__ = ["Footprint", "Tally", "capture", "measure_footprint", "tally"]
