"""Sums of multiples of points: of any, of the same ones again and again, and of one."""

from veperf.workloads.zk.msm.fixed import FixedBase
from veperf.workloads.zk.msm.multiples import multiples
from veperf.workloads.zk.msm.variable import msm

__all__ = ["FixedBase", "msm", "multiples"]
