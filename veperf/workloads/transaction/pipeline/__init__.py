"""A chain core as a library: transactions in, committed blocks out."""

from veperf.workloads.transaction.pipeline.intake import FinishedBatch
from veperf.workloads.transaction.pipeline.pipeline import Pipeline
from veperf.workloads.transaction.pipeline.settings import PipelineSettings
from veperf.workloads.transaction.pipeline.statistics import PipelineStatistics

__all__ = ["FinishedBatch", "Pipeline", "PipelineSettings", "PipelineStatistics"]
