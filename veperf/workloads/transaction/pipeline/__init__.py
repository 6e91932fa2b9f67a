"""A chain core as a library: transactions in, committed blocks out."""

from veperf.workloads.transaction.pipeline.pipeline import Batch, Pipeline
from veperf.workloads.transaction.pipeline.settings import Settings
from veperf.workloads.transaction.pipeline.statistics import Statistics

__all__ = ["Batch", "Pipeline", "Settings", "Statistics"]
