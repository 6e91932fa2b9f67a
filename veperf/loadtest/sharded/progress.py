"""How a load goes, over all its shards."""

import time
from collections.abc import Iterable

from veperf.core.load import LoadSoFar
from veperf.loadtest.generator import Watch

# A shard that says nothing for so long holds up neither what is shown nor an answer.
_PATIENCE_S = 2.0


class Watched:
    """Adds up what the shards say once a second, and passes it on when all have said something."""

    def __init__(self, watch: Watch, shards: int) -> None:
        self._watch = watch
        self._there = set(range(shards))
        self._heard: set[int] = set()
        self._last: dict[int, LoadSoFar] = {}
        self._looked = time.monotonic()
        self._go_on = True

    def going(self, shard: int, so_far: LoadSoFar) -> None:
        """``shard`` says how far it is."""
        self._last[shard] = so_far
        self._heard.add(shard)

    def left(self, shard: int) -> None:
        """``shard`` will say no more; what it said last still counts."""
        self._there.discard(shard)

    def look(self) -> bool:
        """Whether to go on, by whoever watches; asked if it is time to."""
        now = time.monotonic()
        overdue = now - self._looked > _PATIENCE_S
        if self._last and (overdue or (self._heard and self._heard >= self._there)):
            self._heard.clear()
            self._looked = now
            self._go_on = self._watch(together(self._last.values()))
        return self._go_on


def together(parts: Iterable[LoadSoFar]) -> LoadSoFar:
    """``parts``, one a shard, in one: rates and errors added, of latency and lag the greatest.

    The 95th percentile of all can't be known from those of the shards, but is never above the
    greatest of them.
    """
    said = list(parts)
    achieved = [one.achieved for one in said if one.achieved is not None]
    latencies = [one.latency_p95_ms for one in said if one.latency_p95_ms is not None]
    return LoadSoFar(
        elapsed_s=max(one.elapsed_s for one in said),
        planned_s=max(one.planned_s for one in said),
        achieved=sum(achieved) if achieved else None,
        latency_p95_ms=max(latencies, default=None),
        lag_ms=max(one.lag_ms for one in said),
        errors=sum(one.errors for one in said),
    )
