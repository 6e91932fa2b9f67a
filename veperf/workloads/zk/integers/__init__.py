"""Big integers: gmpy2's where it is installed, Python's elsewhere; the results are the same.

``VEPERF_PLAIN_INTEGERS=1`` in the environment asks for Python's in any case.
"""

from veperf.workloads.zk.integers.batch import batch_inverse
from veperf.workloads.zk.integers.digits import non_adjacent_form
from veperf.workloads.zk.integers.engine import PLAIN, integer, invert, pack, unpack

__all__ = ["PLAIN", "batch_inverse", "integer", "invert", "non_adjacent_form", "pack", "unpack"]
