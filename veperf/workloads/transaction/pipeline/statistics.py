"""Counters of a pipeline: transactions, blocks and CPU time."""

from collections import Counter, deque
from dataclasses import dataclass, field

from msgspec import Struct

from veperf.workloads.transaction.errors import Code

_RECENT_BLOCKS = 1_000


@dataclass(slots=True)
class VerifyCost:
    """CPU time of verification in all processes."""

    decode_ns: int = 0
    verify_ns: int = 0
    transport_ns: int = 0
    """CPU time of encoding, sending, receiving and decoding messages on both sides."""


class BlockRecord(Struct, frozen=True, gc=False):
    """A committed block."""

    height: int
    transactions: int
    """Number of transactions, rejected ones included."""
    commit_ns: int
    """Wall time from its last transaction until it was saved."""
    full: bool
    """True if it was cut because of its size, False because of its age."""


class PipelineStatistics(Struct, frozen=True):
    """A snapshot of a pipeline's counters."""

    offered: int
    """Calls of ``offer``."""
    turned_away: int
    """Transactions not accepted because the pipeline was full."""
    evicted: int
    """Transactions that gave way to one with a higher priority."""
    expired: int
    """Transactions that waited for too long."""
    verified: int
    """Transactions verified, whatever the result."""
    reverified: int
    """Transactions verified again at execution: their account had no or another number before."""
    executed: int
    """Transactions executed."""
    committed: int
    """Transactions in committed blocks, rejected ones included."""
    codes: dict[Code, int]
    """Finished transactions (committed ones, duplicates and shed ones) by result code."""
    blocks: int
    recent_blocks: tuple[BlockRecord, ...]
    """The last 1,000 blocks."""
    verifiers_replaced: int
    """Verifier processes that died or hung and were replaced."""
    stages: dict[str, int]
    """CPU time by stage in nanoseconds: hash, decode, verify, transport, execute, commit."""

    def stages_per_transaction(self) -> dict[str, float]:
        """Return CPU time by stage in ns for each committed transaction; {} before the first."""
        if not self.committed:
            return {}
        return {stage: total / self.committed for stage, total in self.stages.items()}


@dataclass(slots=True)
class Counters:
    """The running counters of a pipeline."""

    offered: int = 0
    turned_away: int = 0
    evicted: int = 0
    expired: int = 0
    verified: int = 0
    executed: int = 0
    committed: int = 0
    blocks: int = 0
    codes: Counter[Code] = field(default_factory=Counter)
    recent_blocks: deque[BlockRecord] = field(default_factory=lambda: deque(maxlen=_RECENT_BLOCKS))
    hash_ns: int = 0
    decode_ns: int = 0
    """Of a pipeline that decodes itself; else it is the verifiers'."""
    execute_ns: int = 0
    commit_ns: int = 0

    def snapshot(self, cost: VerifyCost, *, reverified: int, replaced: int) -> PipelineStatistics:
        """Return a snapshot of the counters."""
        return PipelineStatistics(
            offered=self.offered,
            turned_away=self.turned_away,
            evicted=self.evicted,
            expired=self.expired,
            verified=self.verified,
            reverified=reverified,
            executed=self.executed,
            committed=self.committed,
            codes=dict(self.codes),
            blocks=self.blocks,
            recent_blocks=tuple(self.recent_blocks),
            verifiers_replaced=replaced,
            stages={
                "hash": self.hash_ns,
                "decode": self.decode_ns + cost.decode_ns,
                "verify": cost.verify_ns,
                "transport": cost.transport_ns,
                "execute": self.execute_ns,
                "commit": self.commit_ns,
            },
        )
