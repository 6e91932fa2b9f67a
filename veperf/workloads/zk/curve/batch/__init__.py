"""Sums of many pairs of points at once, in affine coordinates with one inversion for all."""

from veperf.workloads.zk.curve.batch.g1 import g1_add_pairs, g1_double_all
from veperf.workloads.zk.curve.batch.g2 import g2_add_pairs, g2_double_all

__all__ = ["g1_add_pairs", "g1_double_all", "g2_add_pairs", "g2_double_all"]
