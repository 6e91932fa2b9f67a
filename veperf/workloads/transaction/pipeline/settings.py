"""The limits of a pipeline."""

from msgspec import Struct

from veperf.core.errors import UsageError
from veperf.workloads.transaction.pipeline.verifier_pool import VERIFIER_PATIENCE_NS


class PipelineSettings(Struct, frozen=True, kw_only=True):
    """The limits of a pipeline, in transactions and nanoseconds."""

    capacity: int = 20_000
    """Transactions in flight at most, whatever the chain's rate."""
    hold_ns: int = 1_000_000_000
    """Work that is in flight at most, by the chain's own rate, from which the latency of what is
    admitted follows; 0 for ``capacity`` alone."""
    time_to_live_ns: int = 0
    """Age at which a transaction that still waits for verification is dropped; 0 for never, as in
    CometBFT."""
    chunk_transactions: int = 512
    """Transactions sent to a verifier in one message at most."""
    chunk_wait_ns: int = 4_000_000
    """Wait after which a smaller chunk is sent to an idle verifier."""
    block_transactions: int = 1_000
    """Transactions in a block at most."""
    block_wait_ns: int = 10_000_000
    """Wait of a transaction after which its block is committed as soon as possible, full or not."""
    verifier_patience_ns: int = VERIFIER_PATIENCE_NS
    """Silence after which a verifier that has work is killed and replaced."""
    remembered: int = 100_000
    """Executed transactions whose duplicates are rejected without access to the state."""

    def __post_init__(self) -> None:
        """Check the limits.

        Raises:
            UsageError: a size under 1, a time or number under 0.
        """
        for name in (
            "capacity",
            "chunk_transactions",
            "block_transactions",
            "verifier_patience_ns",
        ):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} is {getattr(self, name)}; it must be 1 or more")
        times = ("hold_ns", "time_to_live_ns", "chunk_wait_ns", "block_wait_ns")
        for name in (*times, "remembered"):
            if getattr(self, name) < 0:
                raise UsageError(f"{name} is {getattr(self, name)}; it must be 0 or more")
