"""What a pipeline has done so far, and what it cost."""

from collections import Counter, deque
from dataclasses import dataclass, field

from msgspec import Struct

from veperf.workloads.transaction.errors import Code

_RECENT_BLOCKS = 1_000


@dataclass(slots=True)
class VerifyCost:
    """CPU time of verification, wherever it was spent."""

    decode_ns: int = 0
    verify_ns: int = 0
    transport_ns: int = 0
    """Between processes: encoding, sending, receiving, decoding on both sides."""


class BlockRecord(Struct, frozen=True, gc=False):
    """A block that was committed."""

    height: int
    transactions: int
    """Refused ones included."""
    commit_ns: int
    """From its last transaction until it was saved, by the clock on the wall."""
    full: bool
    """Cut because of its size; otherwise because of its age."""


class Statistics(Struct, frozen=True):
    """A pipeline's counters at one moment."""

    offered: int
    """Every call of ``offer``."""
    turned_away: int
    """Not taken, because the pipeline was full."""
    verified: int
    """Through verification, whatever its outcome."""
    reverified: int
    """Verified again at execution: their account had no number, or another, at verification."""
    executed: int
    """Through execution."""
    committed: int
    """In a block that was committed; those that were refused there are counted, too."""
    codes: dict[Code, int]
    """Transactions that are through, by how they ended: committed ones and duplicates."""
    blocks: int
    recent_blocks: tuple[BlockRecord, ...]
    """The last 1,000."""
    verifiers_replaced: int
    """Verifier processes that died or hung and were replaced."""
    stages: dict[str, int]
    """CPU time by stage in nanoseconds: hash, decode, verify, transport, execute, commit."""

    def stages_each(self) -> dict[str, float]:
        """CPU time by stage in nanoseconds, for each committed transaction; {} before the first."""
        if not self.committed:
            return {}
        return {stage: total / self.committed for stage, total in self.stages.items()}


@dataclass(slots=True)
class Counters:
    """The same while it is counted."""

    offered: int = 0
    turned_away: int = 0
    verified: int = 0
    executed: int = 0
    committed: int = 0
    blocks: int = 0
    codes: Counter[Code] = field(default_factory=Counter)
    recent_blocks: deque[BlockRecord] = field(default_factory=lambda: deque(maxlen=_RECENT_BLOCKS))
    hash_ns: int = 0
    execute_ns: int = 0
    commit_ns: int = 0

    def snapshot(self, cost: VerifyCost, *, reverified: int, replaced: int) -> Statistics:
        """The counters now."""
        return Statistics(
            offered=self.offered,
            turned_away=self.turned_away,
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
                "decode": cost.decode_ns,
                "verify": cost.verify_ns,
                "transport": cost.transport_ns,
                "execute": self.execute_ns,
                "commit": self.commit_ns,
            },
        )
