"""Who is to blame when workers are lost: the task that they measured, or nobody."""

from collections import Counter

MOST_LOSSES = 3
"""So many workers may be lost in the middle of one task; then the task is to blame."""
_MOST_UNSEEN = 10
"""So often may dask give a task up that no worker was seen to begin."""


class Blame:
    """What each task has cost so far, over all connections to a scheduler."""

    def __init__(self) -> None:
        self.failed: set[str] = set()
        """Ids of tasks that have failed for good, for whatever reason."""
        self._lost: Counter[str] = Counter()
        self._unseen: Counter[str] = Counter()

    def lost(self, task: str) -> str:
        """A worker was lost in the middle of ``task``.

        Returns:
            Why the task is to blame; nothing while it isn't.
        """
        self._lost[task] += 1
        if self._lost[task] < MOST_LOSSES:
            return ""
        return f"{MOST_LOSSES} workers were lost while they measured it"

    def unseen(self, task: str) -> str:
        """Dask has given ``task`` up as its workers were lost, none of which had begun it.

        So it goes with tasks that stand in line behind another that ends its worker.

        Returns:
            Why the task is to blame; nothing while it isn't.
        """
        self._unseen[task] += 1
        if self._unseen[task] < _MOST_UNSEEN:
            return ""
        return "workers were lost again and again before they began it"
