"""The limit of transactions in flight in a pipeline: those that the chain does in a given time.

By Little's law a queue of L items that are served at the rate r makes each wait L / r. So a limit
of r times a second bounds the latency of what is admitted at about a second, on any machine and
however much more is offered. The rate is that of blocks whose transactions all waited already when
the block before ended: then the chain was at work all the time, and no arrival was waited for.
"""

from collections import deque

_WINDOW_NS = 4_000_000_000
"""Time at work that the rate is of: long enough for one slow sync of a disk not to halve it."""


class AdmissionLimit:
    """The limit, which follows the chain's rate."""

    def __init__(self, capacity: int, least: int, first: int, hold_ns: int) -> None:
        """Hold ``hold_ns`` of work, ``capacity`` at most and ``least`` at least.

        It is ``first`` until the rate is known, and always ``capacity`` where ``hold_ns`` is 0.
        """
        self.value = min(first, capacity) if hold_ns else capacity
        """Transactions in flight at most."""
        self._capacity = capacity
        self._least = min(least, capacity)
        self._hold_ns = hold_ns
        self._blocks: deque[tuple[int, int]] = deque()
        """Transactions and time of the last blocks that count."""
        self._transactions = 0
        self._worked_ns = 0
        self._last_end_ns = 0
        self._left = 0

    def end_block(self, now_ns: int, size: int, left: int) -> None:
        """Note a block of ``size`` that ended now, with ``left`` transactions in flight after it.

        Whether the time since the end of the block before counts depends on what was left then.
        """
        if self._hold_ns and 0 < size <= self._left and now_ns > self._last_end_ns:
            self._note(size, now_ns - self._last_end_ns)
            held = self._transactions * self._hold_ns // self._worked_ns
            self.value = min(self._capacity, max(self._least, held))
        self._last_end_ns, self._left = now_ns, left

    def _note(self, size: int, worked_ns: int) -> None:
        self._blocks.append((size, worked_ns))
        self._transactions += size
        self._worked_ns += worked_ns
        while len(self._blocks) > 1 and self._worked_ns - self._blocks[0][1] >= _WINDOW_NS:
            oldest, oldest_ns = self._blocks.popleft()
            self._transactions -= oldest
            self._worked_ns -= oldest_ns
