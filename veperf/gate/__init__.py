"""The gate to trust: old and new code side by side, pair by pair, until it is decided."""

from veperf.gate.check import SelfCheckResult, selfcheck
from veperf.gate.fleet import FleetResult
from veperf.gate.result import ABResult
from veperf.gate.run import ab, ab_commands, load_ab

__all__ = [
    "ABResult",
    "FleetResult",
    "SelfCheckResult",
    "ab",
    "ab_commands",
    "load_ab",
    "selfcheck",
]
