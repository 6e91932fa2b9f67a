"""How large a pipeline's queues, messages and blocks may be, and how long they wait to be full."""

from msgspec import Struct

from veperf.core.errors import UsageError

VERIFIER_PATIENCE_NS = 10_000_000_000
"""Far more than a verifier needs to start and to verify the largest of chunks."""


class Settings(Struct, frozen=True, kw_only=True):
    """The limits of a pipeline, in transactions and nanoseconds."""

    capacity: int = 20_000
    """Transactions that may be on their way at once; more are not taken."""
    chunk_transactions: int = 512
    """Sent to a verifier in one message, at most."""
    chunk_wait_ns: int = 4_000_000
    """After which a smaller chunk is sent to a verifier that has nothing to do."""
    block_transactions: int = 1_000
    """In a block, at most."""
    block_wait_ns: int = 10_000_000
    """After which a transaction's block is committed as soon as it can be, full or not."""
    verifier_patience_ns: int = VERIFIER_PATIENCE_NS
    """After which a verifier that has work and says nothing is ended and replaced."""
    remembered: int = 100_000
    """Executed transactions whose duplicates are refused without looking at the state."""

    def __post_init__(self) -> None:
        """Refuse what can't work.

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
        for name in ("chunk_wait_ns", "block_wait_ns", "remembered"):
            if getattr(self, name) < 0:
                raise UsageError(f"{name} is {getattr(self, name)}; it must be 0 or more")
