"""The choice between gmpy2's integers and Python's."""

import os
from collections.abc import Callable, Sequence
from types import ModuleType

from veperf.workloads.zk.integers import plain


def _choose() -> ModuleType:
    if os.environ.get("VEPERF_PLAIN_INTEGERS") == "1":
        return plain
    try:
        from veperf.workloads.zk.integers import gmp
    except ImportError:
        return plain
    return gmp


_chosen = _choose()
PLAIN = _chosen is plain
integer: Callable[[int], int] = _chosen.integer
invert: Callable[[int, int], int] = _chosen.invert
pack: Callable[[Sequence[int], int], int] = _chosen.pack
unpack: Callable[[int, int], list[int]] = _chosen.unpack
