"""Verifications in several processes at once."""

from veperf.workloads.verification.parallel.pool import Pool, Verified, verify_many
from veperf.workloads.verification.parallel.protocol import Settings

__all__ = ["Pool", "Settings", "Verified", "verify_many"]
