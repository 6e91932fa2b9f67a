"""Sums of multiples of points: of any, of the same ones again and again, and of one."""

from veperf.workloads.zk.msm.fixed_base import FixedBase
from veperf.workloads.zk.msm.variable_base import msm, multiples

__all__ = ["FixedBase", "msm", "multiples"]
