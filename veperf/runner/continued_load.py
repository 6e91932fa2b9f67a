"""A system that a second load finds as the first one left it."""

from collections.abc import Callable, Mapping

from veperf.core.load import Finished
from veperf.core.registry import System


class ContinuedSystem:
    """The system of two loads in turn; the tags of the second follow those of the first."""

    def __init__(self, make: Callable[[int], System], more_items: int) -> None:
        """Take ``make``, which makes the system, and how many items the second load has."""
        self._make = make
        self._more_items = more_items
        self._system: System | None = None
        self._first_tag = 0

    def begin(self, items: int) -> System:
        """Return the system for a load of so many ``items``: made anew, then as it was left."""
        if self._system is None:
            self._system = self._make(items + self._more_items)
            # The first load is measured: nothing lies between it and the system.
            self.offer = self._system.offer  # type: ignore[method-assign]
            self.step = self._system.step  # type: ignore[method-assign]
            self._first_tag = items
        else:
            del self.offer, self.step
        return self

    def offer(self, tag: int) -> bool:
        """Offer an item of the second load."""
        return self._running.offer(tag + self._first_tag)

    def step(self) -> Finished:
        """Work; items that the first load gave up are left out."""
        done, first = self._running.step(), self._first_tag
        tags, kinds = done.committed, done.kinds
        return Finished(
            [tag - first for tag in tags if tag >= first],
            {tag - first: reason for tag, reason in done.failed.items() if tag >= first},
            [tag - first for tag in done.rejected if tag >= first],
            {tag - first: reason for tag, reason in done.shed.items() if tag >= first},
            [kind for tag, kind in zip(tags, kinds, strict=True) if tag >= first] if kinds else [],
        )

    def costs(self) -> Mapping[str, float]:
        """Return the costs of the system."""
        return self._running.costs()

    def close(self) -> None:
        """Leave the system as it is, for the second load."""

    def end(self) -> None:
        """Close the system. Safe to call before it was made."""
        if self._system is not None:
            self._system.close()

    @property
    def _running(self) -> System:
        assert self._system is not None, "a load begins before it offers items"
        return self._system
